"""Secret addresses for calendar programs: made once, shown once, revoked at any time."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from incidents import permissions
from incidents.errors import Invalid
from incidents.models import CalendarFeed, Rota, User

MOST = 20
_READ_NOTED_EVERY = timedelta(minutes=10)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_feed(*, rota: Rota | None = None, actor: User, at: datetime) -> tuple[CalendarFeed, str]:
    """The feed and its secret, which is not kept. Without a rota: of one's own shifts. Raises Invalid."""
    permissions.require(actor, "view_desk")
    if CalendarFeed.objects.filter(owner=actor, revoked_at__isnull=True).count() >= MOST:
        raise Invalid(f"You have {MOST} calendar addresses. Revoke one that is no longer used.")
    secret = secrets.token_urlsafe(24)
    return CalendarFeed.objects.create(owner=actor, rota=rota, hashed=hashed(secret), created_at=at), secret


@transaction.atomic
def revoke_feed(feed_id: int, *, actor: User, at: datetime) -> CalendarFeed:
    """The address answers nobody any more. One's own, or any by an administrator. Raises CalendarFeed.DoesNotExist."""
    feed = CalendarFeed.objects.select_for_update(of=("self",)).get(pk=feed_id)
    if feed.owner_id != actor.pk:
        permissions.require(actor, "configure")
    if feed.revoked_at is None:
        feed.revoked_at = at
        feed.save(update_fields=["revoked_at"])
    return feed


def open_feed(secret: str, *, at: datetime) -> CalendarFeed | None:
    """The feed of a secret while its owner may still read it; None otherwise. Notes now and then that it was read."""
    rows = CalendarFeed.objects.select_related("owner", "rota__team").filter(
        hashed=hashed(secret), revoked_at__isnull=True
    )
    feed = rows.first()
    if feed is None or not permissions.can(feed.owner, "view_desk"):
        return None
    stale = Q(read_at__isnull=True) | Q(read_at__lt=at - _READ_NOTED_EVERY)
    CalendarFeed.objects.filter(stale, pk=feed.pk).update(read_at=at)
    return feed
