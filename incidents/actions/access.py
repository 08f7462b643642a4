"""Keys for other software: issued, shown once, revoked."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from incidents import permissions
from incidents.actions.input import clean_text, clean_time
from incidents.errors import Invalid, NotAccountable
from incidents.models import ApiKey, Scope, User


@transaction.atomic
def issue_key(
    user: User,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    actor: User | None,
    at: datetime,
) -> tuple[ApiKey, str]:
    """The key and its text, which is shown once. A key can do no more than its user.

    People issue keys for themselves, administrators for anybody; `actor` None is the command line.
    """
    _allow(actor, user)
    if not user.is_active:
        raise Invalid(user=f"{user.email} no longer has access.")
    title = clean_text("name", name, 120, required=True)
    wanted = list(dict.fromkeys(scopes))
    unknown = [str(scope)[:40] for scope in wanted if scope not in Scope.values]
    if unknown:
        raise Invalid(scopes=f"No such scope: {', '.join(unknown)}. Known: {', '.join(Scope.values)}.")
    if not wanted:
        raise Invalid(scopes=f"Name at least one of: {', '.join(Scope.values)}.")
    if expires_at is not None and clean_time("expires_at", expires_at) <= at:
        raise Invalid(expires_at="This time has passed already.")
    return ApiKey.issue(user, name=title, scopes=wanted, expires_at=expires_at)


@transaction.atomic
def revoke_key(key_id: int, *, actor: User | None, at: datetime) -> ApiKey:
    """The key stops working at once. Revoking it again changes nothing. Raises ApiKey.DoesNotExist."""
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("user").get(pk=key_id)
    _allow(actor, key.user)
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
    return key


def _allow(actor: User | None, owner: User) -> None:
    if actor is None or permissions.can(actor, "configure"):
        return
    if actor != owner or not permissions.is_usable(actor) or actor.is_guest:
        raise NotAccountable("People look after their own keys; an administrator after anybody's.", who_may=[])
