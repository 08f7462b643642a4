"""Where mail comes in and by which rules: receiving addresses, mailboxes, limits."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from incidents import mail_reference, permissions, sealed
from incidents.actions.input import clean_choice, clean_email, clean_number, clean_text, unknown_fields
from incidents.errors import Duplicate, Invalid
from incidents.models import Mailbox, MailRules, ReceivingAddress, Service, Team, User

POLL_EVERY = timedelta(seconds=60)
LEASE = timedelta(minutes=3)
LONGEST_PAUSE = timedelta(minutes=15)


# --- Addresses ----------------------------------------------------------------------------------------
@transaction.atomic
def save_address(
    address_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime
) -> ReceivingAddress:
    """Makes a receiving address (`address_id` None) or corrects one: address, service, team, is_active."""
    permissions.require(actor, "configure")
    unknown_fields(changes, ("address", "service", "team", "is_active"))
    row = ReceivingAddress(created_at=at) if address_id is None else _locked(ReceivingAddress, address_id)
    if "address" in changes or address_id is None:
        row.address = _address(changes.get("address"))
    row.service, row.team = _belongs(changes, row.service, row.team)
    row.is_active = bool(changes.get("is_active", row.is_active))
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Duplicate(f"{row.address} is a receiving address already. Change that one.") from None
    return row


def _address(value: Any) -> str:
    address = clean_email("address", value, required=True)
    if "+" in address.partition("@")[0]:
        raise Invalid(address="Leave out the plus and what follows; mail to any plus-address arrives all the same.")
    if address == mail_reference.desk_address():
        raise Invalid(address=f"{address} is the desk’s own address. It always receives, for no service in particular.")
    return address


@transaction.atomic
def remove_address(address_id: int, *, actor: User, at: datetime) -> None:
    """Mail to it is refused from now on. Raises ReceivingAddress.DoesNotExist."""
    permissions.require(actor, "configure")
    _locked(ReceivingAddress, address_id).delete()


def _locked(model: type[Any], pk: int) -> Any:
    return model.objects.select_for_update(of=("self",)).get(pk=pk)


def _belongs(changes: dict[str, Any], service: Service | None, team: Team | None) -> tuple[Service | None, Team | None]:
    chosen = changes.get("service", service)
    if "service" in changes and chosen is not None and not chosen.is_active:
        raise Invalid(service=f"{chosen.name} is no longer offered. Choose another service or none.")
    return chosen, changes.get("team", team)


# --- Mailboxes ----------------------------------------------------------------------------------------
_MAILBOX_FIELDS = (
    *("name", "host", "port", "security", "username", "password", "folder", "afterwards", "move_to", "service", "team"),
    "is_active",
)


@transaction.atomic
def save_mailbox(mailbox_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime) -> Mailbox:
    """Makes a mailbox (`mailbox_id` None) or corrects one. An empty `password` keeps the one that is stored.

    Another host or user needs the password again, so that nobody can have it sent elsewhere. The next poll is now.
    """
    permissions.require(actor, "configure")
    unknown_fields(changes, _MAILBOX_FIELDS)
    row = Mailbox(created_at=at) if mailbox_id is None else _locked(Mailbox, mailbox_id)
    before = (row.host, row.port, row.security, row.username)
    place = (row.host, row.username, row.folder)
    _fill(row, changes)
    _password(row, changes, moved=before != (row.host, row.port, row.security, row.username))
    row.service, row.team = _belongs(changes, row.service, row.team)
    row.is_active = bool(changes.get("is_active", row.is_active))
    if place != (row.host, row.username, row.folder):
        row.uid_validity, row.last_uid = None, 0
    row.next_poll_at, row.failures, row.last_error, row.lease_until, row.lease = at, 0, "", None, None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Duplicate(f"There is a mailbox called “{row.name}” already.") from None
    return row


def _fill(row: Mailbox, changes: dict[str, Any]) -> None:
    given = {**{name: getattr(row, name) for name in _MAILBOX_FIELDS if hasattr(row, name)}, **changes}
    row.name = clean_text("name", given["name"], 120, required=True)
    row.host = clean_text("host", given["host"], 253, required=True).lower()
    if "/" in row.host or "@" in row.host or " " in row.host:
        raise Invalid(host="Give the name of the server alone, for example imap.example.org.")
    row.port = clean_number("port", given["port"], least=1, most=65535)
    row.security = clean_choice("security", given["security"], Mailbox.Security.values)
    if row.security == Mailbox.Security.NONE and not settings.OUTGOING_HTTP:
        raise Invalid(security="The password would be readable on the way. Use TLS, or set MIM_OUTGOING_HTTP=1.")
    row.username = clean_text("username", given["username"], 254, required=True)
    row.folder = clean_text("folder", given["folder"], 200) or "INBOX"
    row.afterwards = clean_choice("afterwards", given["afterwards"], Mailbox.Afterwards.values)
    row.move_to = clean_text("move_to", given["move_to"], 200)
    if row.afterwards == Mailbox.Afterwards.MOVE and row.move_to in ("", row.folder):
        raise Invalid(move_to="Name another folder, to which mail is moved.")


def _password(row: Mailbox, changes: dict[str, Any], *, moved: bool) -> None:
    password = changes.get("password") or ""
    if not isinstance(password, str) or "\x00" in password or len(password) > 1000:
        raise Invalid(password="At most 1,000 characters, none of them NUL.")  # noqa: S106 - a sentence
    if password:
        row.sealed_password = sealed.seal(password)
    elif not row.sealed_password:
        raise Invalid(password="This is needed.")  # noqa: S106
    elif moved:
        raise Invalid(password="Enter the password again: the server or the user name has changed.")  # noqa: S106


@transaction.atomic
def remove_mailbox(mailbox_id: int, *, actor: User, at: datetime) -> None:
    """It is polled no more; the mail that came from it stays. Raises Mailbox.DoesNotExist."""
    permissions.require(actor, "configure")
    _locked(Mailbox, mailbox_id).delete()


# --- Polling ------------------------------------------------------------------------------------------
@transaction.atomic
def lease_mailbox(*, at: datetime) -> Mailbox | None:
    """The next mailbox that is due, leased to the caller for three minutes; None when none is."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    due = Mailbox.objects.filter(free, is_active=True, next_poll_at__lte=at).order_by("next_poll_at", "id")
    row = due.select_for_update(of=("self",), skip_locked=True).first()
    if row is None:
        return None
    row.lease, row.lease_until = uuid.uuid4(), at + LEASE
    row.save(update_fields=["lease", "lease_until"])
    return row


def note_uid(mailbox: Mailbox, *, uid_validity: int, last_uid: int) -> None:
    """How far it was read; written only while the lease is the caller's."""
    mailbox.uid_validity, mailbox.last_uid = uid_validity, last_uid
    Mailbox.objects.filter(pk=mailbox.pk, lease=mailbox.lease).update(uid_validity=uid_validity, last_uid=last_uid)


def settle_poll(mailbox: Mailbox, *, error: str = "", more: bool = False, at: datetime) -> None:
    """Gives the lease back. An error is shown and makes the pauses longer; `more` polls again at once."""
    failures = mailbox.failures + 1 if error else 0
    pause = min(POLL_EVERY * 2 ** min(max(failures - 1, 0), 8), LONGEST_PAUSE)
    Mailbox.objects.filter(pk=mailbox.pk, lease=mailbox.lease).update(
        lease=None,
        lease_until=None,
        last_polled_at=at,
        last_error=error[:1000],
        failures=failures,
        next_poll_at=at if more and not error else at + pause,
    )


# --- Rules --------------------------------------------------------------------------------------------
@transaction.atomic
def save_rules(*, changes: dict[str, Any], actor: User, at: datetime) -> MailRules:
    """Limits per sender, and whether mail sent by programs opens tickets; the row is made by the first change."""
    permissions.require(actor, "configure")
    unknown_fields(changes, ("tickets_per_hour", "answers_per_day", "automatic_opens_ticket"))
    MailRules.objects.get_or_create(pk=1)
    row = MailRules.objects.select_for_update().get(pk=1)
    if "tickets_per_hour" in changes:
        row.tickets_per_hour = clean_number("tickets_per_hour", changes["tickets_per_hour"], least=1, most=10_000)
    if "answers_per_day" in changes:
        row.answers_per_day = clean_number("answers_per_day", changes["answers_per_day"], most=1000)
    row.automatic_opens_ticket = bool(changes.get("automatic_opens_ticket", row.automatic_opens_ticket))
    row.save()
    return row


def note_listener(address: str, *, at: datetime) -> None:
    """The listener shows itself."""
    seen = {"listener_address": address[:300], "listener_seen_at": at}
    if not MailRules.objects.filter(pk=1).update(**seen):
        MailRules.objects.get_or_create(pk=1, defaults=seen)
