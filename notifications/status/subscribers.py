"""Addresses that follow the status page: asked for, confirmed by mail, ended by a link in every mail."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from incidents import events
from incidents.actions.input import clean_email
from incidents.errors import Invalid
from incidents.models import AffectedService, MajorIncident, Service, TimelineEvent
from incidents.process import EventKind
from notifications.models import StatusSubscriber, Subscription
from notifications.status.public import public_services

CONFIRM_WITHIN = timedelta(days=3)
ASK_AGAIN_AFTER = timedelta(minutes=10)
ASKED_AN_HOUR_AT_MOST = 200
_CONFIRM, _END = "status.confirm", "status.end"


class TooMany(Exception):
    """More strangers asked within the hour than a person could; ask again later."""


class LinkNotValid(Exception):
    """The link was changed, is too old, or what it names is gone."""


@transaction.atomic
def ask(*, email: str, services: Iterable[str] = (), at: datetime) -> StatusSubscriber:
    """Somebody wants to hear of disruptions of these services (slugs; none means all). A mail asks to confirm.

    Asking again within ten minutes sends no second mail; a confirmed address stays confirmed and keeps its services
    until the new mail is confirmed. Raises Invalid, TooMany.
    """
    address = clean_email("email", email, required=True)
    chosen = chosen_services(services)
    waiting = StatusSubscriber.objects.filter(confirmed_at__isnull=True, asked_at__gt=at - timedelta(hours=1))
    if waiting.count() >= ASKED_AN_HOUR_AT_MOST:
        raise TooMany
    subscriber, is_new = StatusSubscriber.objects.select_for_update().get_or_create(
        email=address, defaults={"asked_at": at}
    )
    if subscriber.confirmed_at is None:
        subscriber.services.set(chosen)
    if is_new or subscriber.asked_at <= at - ASK_AGAIN_AFTER:
        subscriber.asked_at = at
        subscriber.save(update_fields=["asked_at"])
        events.record(
            EventKind.STATUS_SUBSCRIPTION_ASKED,
            subscriber,
            actor=None,
            at=at,
            subscriber_id=subscriber.pk,
            services=[service.slug for service in chosen],
        )
    return subscriber


def chosen_services(slugs: Iterable[str]) -> list[Service]:
    """The public services with these slugs. Raises Invalid when one of them is none (any more)."""
    wanted = list(dict.fromkeys(slugs))[:200]
    found = list(public_services().filter(slug__in=[slug for slug in wanted if "\x00" not in slug]))
    if len(found) < len(wanted):
        raise Invalid(services="One of these services is not on the status page any more. Reload it and choose again.")
    return found


def confirmation_url(event: TimelineEvent) -> str:
    """Where the mail of this event leads; "" when the address is gone."""
    subscriber_id = event.payload.get("subscriber_id")
    if not StatusSubscriber.objects.filter(pk=subscriber_id).exists():
        return ""
    token = signing.dumps([subscriber_id, event.payload.get("services", [])], salt=_CONFIRM, compress=True)
    return f"{settings.PUBLIC_URL}/status/confirm/{token}/"


@transaction.atomic
def confirm(token: str, *, at: datetime) -> StatusSubscriber:
    """From now on the address hears of disruptions. Doing it again changes nothing. Raises LinkNotValid."""
    subscriber, slugs = _asked(token)
    subscriber.confirmed_at, subscriber.ended_at = subscriber.confirmed_at or at, None
    subscriber.save(update_fields=["confirmed_at", "ended_at"])
    subscriber.services.set(public_services().filter(slug__in=slugs))
    return subscriber


def _asked(token: str) -> tuple[StatusSubscriber, list[str]]:
    try:
        pk, slugs = signing.loads(token, salt=_CONFIRM, max_age=CONFIRM_WITHIN)
        return StatusSubscriber.objects.select_for_update().get(pk=pk), list(slugs)
    except (signing.BadSignature, ValueError, TypeError, StatusSubscriber.DoesNotExist):
        raise LinkNotValid from None


def address_to_confirm(token: str) -> str:
    """Whose confirmation the link is. Raises LinkNotValid."""
    with transaction.atomic():
        return _asked(token)[0].email


def end_url(address: str) -> str:
    """Ends every mail to this address, for the foot of the mail and its List-Unsubscribe header."""
    return f"{settings.PUBLIC_URL}/status/end/{signing.dumps(address.lower(), salt=_END)}/"


def address_to_end(token: str) -> str:
    """Raises LinkNotValid. The link never gets too old: nobody is to be stuck with mails."""
    try:
        return str(signing.loads(token, salt=_END))
    except signing.BadSignature:
        raise LinkNotValid from None


@transaction.atomic
def end(token: str, *, at: datetime) -> str:
    """No word of disruptions goes to this address any more, whatever made it follow; returns it.

    That is remembered, since a linked report of theirs would make them follow the next incident again. What they
    write about their own reports is answered as before.
    """
    address = address_to_end(token)
    gone = {"confirmed_at": None, "ended_at": at}
    subscriber, _ = StatusSubscriber.objects.update_or_create(
        email=address, defaults=gone, create_defaults={**gone, "asked_at": at}
    )
    subscriber.services.clear()
    Subscription.objects.filter(user__isnull=True, email__iexact=address).delete()
    return address


def followers(incident: MajorIncident) -> QuerySet[Any]:
    """Confirmed addresses that want to hear of this incident, with `address` in small letters."""
    named = AffectedService.objects.filter(incident=incident).values("service")
    confirmed = StatusSubscriber.objects.filter(confirmed_at__isnull=False)
    return (
        confirmed.filter(Q(services__isnull=True) | Q(services__in=named)).annotate(address=Lower("email")).distinct()
    )


def forget_unconfirmed(*, at: datetime) -> int:
    """Deletes addresses that were not confirmed in time; returns how many."""
    waiting = StatusSubscriber.objects.filter(confirmed_at__isnull=True, ended_at__isnull=True)
    return waiting.filter(asked_at__lt=at - CONFIRM_WITHIN).delete()[0]
