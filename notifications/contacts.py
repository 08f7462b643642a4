"""Where one person is reached: added, verified by a code, put in order, removed. Each act is the person's own."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from incidents import outgoing
from incidents.errors import Invalid, ProcessError
from incidents.models import User
from notifications import contact_messages, fallback, phone_numbers
from notifications.bell import ring
from notifications.channels import Outcome, registry
from notifications.channels.entered import check_form
from notifications.channels.kinds import KINDS, Setting
from notifications.models import (
    ChannelAccount,
    ChannelKey,
    ContactMessage,
    ContactPoint,
    ContactSettings,
    Delivery,
    DeliveryState,
)
from notifications.routing import is_on

CODE_WORKS_FOR = timedelta(minutes=10)
MOST_ATTEMPTS = 5
MOST_CODES_AN_HOUR = 5
MOST_OF_A_PERSON_AN_HOUR = 15
"""Codes and tests to all addresses of one person together: each costs the organisation money."""
MOST_POINTS = 20
LONGEST_WAIT_MINUTES = 60
_SALT = "notifications.contacts"


@dataclass(frozen=True)
class Entry:
    """One line of a person's order: an address, or the account's e-mail (`point` None)."""

    channel: str
    label: str
    shown: str
    point: ContactPoint | None = None
    last: ContactMessage | None = None
    is_on: bool = True


def settings_of(user: User) -> ContactSettings:
    """The person's, or what counts without a row (not saved)."""
    return ContactSettings.objects.filter(user=user).first() or ContactSettings(user=user)


def channels_to_add() -> list[str]:
    """Channels a person can be reached on that an administrator has switched on. One query."""
    accounts = {row.channel: row for row in ChannelAccount.objects.all()}
    built = registry()
    return [key for key, kind in KINDS.items() if kind.personal and key in built and is_on(key, accounts)]


def entries(user: User) -> list[Entry]:
    """Every way to this person in their order, with the last code or test to each. Four queries."""
    points = list(ContactPoint.objects.filter(user=user))
    accounts = {row.channel: row for row in ChannelAccount.objects.all()}
    last: dict[int, ContactMessage] = {}
    for message in (
        ContactMessage.objects.filter(contact__in=points).order_by("contact_id", "-id").distinct("contact_id")
    ):
        if message.contact_id is not None:
            last[message.contact_id] = message
    mail = Entry(ChannelKey.EMAIL, str(ChannelKey.EMAIL.label), user.email)
    placed = [(settings_of(user).email_position, 0, mail)]
    for point in points:
        one = Entry(
            point.channel, str(point.get_channel_display()), shown(point), point, last.get(point.pk),
            is_on(point.channel, accounts),
        )  # fmt: skip
        placed.append((point.position, 1, one))
    return [one for *_, one in sorted(placed, key=lambda each: each[:2])]


def shown(point: ContactPoint) -> str:
    """The address as its owner reads it."""
    is_number = point.channel in (ChannelKey.SMS, ChannelKey.VOICE)
    return phone_numbers.shown(point.address) if is_number else point.address


# --- Adding -------------------------------------------------------------------------------------
@transaction.atomic
def add(user: User, channel: str, given: dict[str, str], *, at: datetime) -> ContactPoint:
    """A new address at the end of the order, and its code on the way. Raises Invalid at the field."""
    if channel not in channels_to_add():
        raise ProcessError("This channel is not switched on here. Ask an administrator.")
    User.objects.select_for_update().get(pk=user.pk)  # the limits and the order are this person's own
    setting = KINDS[channel].personal[0]
    address, sealed = _checked(channel, setting, given.get(setting.name, "").strip())
    mine = ContactPoint.objects.filter(user=user)
    if mine.count() >= MOST_POINTS:
        raise ProcessError(f"At most {MOST_POINTS} addresses. Remove one you do not use.")
    if mine.filter(channel=channel, address=address).exists():
        raise Invalid(**{setting.name: "You have added this address already."})
    last = max([*mine.values_list("position", flat=True), settings_of(user).email_position])
    point = ContactPoint(user=user, channel=channel, address=address, position=last + 1, created_at=at)
    if sealed:
        point.keep_secrets(sealed)
    point.save()
    send_code(point, at=at)
    return point


def _checked(channel: str, setting: Setting, text: str) -> tuple[str, dict[str, Any]]:
    """What may be shown of the address, and what is sealed of it."""
    if not text:
        raise Invalid(**{setting.name: "Enter it."})
    if setting.kind == "phone":
        number = phone_numbers.normalised(text, setting.name)
        if channel == ChannelKey.SMS and phone_numbers.is_landline(number):
            raise Invalid(**{setting.name: "This is a landline; an SMS does not arrive there. Add it as a voice call."})
        return number, {}
    if setting.kind == "url":
        try:
            outgoing.check_url(text)
        except outgoing.OutgoingRefused as refusal:
            raise Invalid(**{setting.name: str(refusal)}) from None
    check_form(channel, setting, text)
    if not setting.is_secret:
        return text[:254], {}
    if len(text) > 2000:
        raise Invalid(**{setting.name: "At most 2000 characters."})
    return f"{_place_of(text)} ({_mark(text)})"[:254], {setting.name: text}


def _place_of(text: str) -> str:
    parts = urlsplit(text)
    return parts.hostname if parts.scheme in ("http", "https") and parts.hostname else f"{parts.scheme or 'address'}"


def _mark(text: str) -> str:
    """Tells two secret addresses apart without telling either."""
    return hashlib.sha256(text.encode()).hexdigest()[:4]


@transaction.atomic
def add_browser(user: User, subscription: dict[str, Any], name: str, *, at: datetime) -> ContactPoint:
    """The browser at hand as a place for web push. The same one again gets a new code instead of a second line."""
    if ChannelKey.WEB_PUSH not in channels_to_add():
        raise ProcessError("Web push is not switched on here. Ask an administrator.")
    User.objects.select_for_update().get(pk=user.pk)
    address = f"{name} ({_mark(str(subscription['endpoint']))})"[:254]
    mine = ContactPoint.objects.filter(user=user)
    point = mine.filter(channel=ChannelKey.WEB_PUSH, address=address).first()
    if point is None:
        if mine.count() >= MOST_POINTS:
            raise ProcessError(f"At most {MOST_POINTS} addresses. Remove one you do not use.")
        last = max([*mine.values_list("position", flat=True), settings_of(user).email_position])
        point = ContactPoint(
            user=user, channel=ChannelKey.WEB_PUSH, address=address, position=last + 1, created_at=at
        )  # fmt: skip
    point.keep_secrets({"subscription": json.dumps(subscription)})
    point.save()
    if point.verified_at is None:
        send_code(point, at=at)
    return point


# --- Verifying ----------------------------------------------------------------------------------
@transaction.atomic
def send_code(point: ContactPoint, *, at: datetime) -> None:
    """A fresh code; the one before stops working. Raises ProcessError when there were too many."""
    _may_send(point, ContactMessage.Kind.CODE, at)
    code = f"{secrets.randbelow(10**6):06d}"
    point.code_hash, point.code_sent_at, point.code_attempts = _hash(point, code), at, 0
    point.save(update_fields=["code_hash", "code_sent_at", "code_attempts"])
    contact_messages.queue(point, ContactMessage.Kind.CODE, code=code, at=at)


@transaction.atomic
def send_test(point: ContactPoint, *, at: datetime) -> None:
    """A message to a verified address, so that its owner sees how it arrives."""
    if point.verified_at is None:
        raise ProcessError("Verify the address first: enter the code that was sent to it.")
    _may_send(point, ContactMessage.Kind.TEST, at)
    contact_messages.queue(point, ContactMessage.Kind.TEST, at=at)


def _may_send(point: ContactPoint, kind: str, at: datetime) -> None:
    User.objects.select_for_update().get(pk=point.user_id)
    lately = ContactMessage.objects.filter(user=point.user_id, asked_at__gt=at - timedelta(hours=1))
    same = lately.filter(channel=point.channel, address=point.address, kind=kind)
    if same.count() >= MOST_CODES_AN_HOUR:
        what = "codes" if kind == ContactMessage.Kind.CODE else "tests"
        raise ProcessError(f"{MOST_CODES_AN_HOUR} {what} went to this address within an hour. Try again later.")
    if lately.count() >= MOST_OF_A_PERSON_AN_HOUR:
        raise ProcessError("Many codes and tests went to your addresses within an hour. Try again later.")


def verify(point_id: int, user: User, code: str, *, at: datetime) -> None:
    """Raises Invalid at `code`: wrong, too old, or tried too often. A wrong try counts, whatever happens after it."""
    refusal = _try(point_id, user, "".join(code.split()), at)
    if refusal:
        raise Invalid(code=refusal)


@transaction.atomic
def _try(point_id: int, user: User, code: str, at: datetime) -> str:
    """Why the code is refused; "" when it is right, and the address verified."""
    point = ContactPoint.objects.select_for_update().filter(pk=point_id, user=user).first()
    if point is None:
        return "The address was removed."
    if point.verified_at is not None:
        return ""
    if not point.code_hash or point.code_sent_at is None:
        return "No code waits for this address. Send one."
    if at > point.code_sent_at + CODE_WORKS_FOR:
        return "This code is older than ten minutes. Send another one."
    if point.code_attempts >= MOST_ATTEMPTS:
        return f"{MOST_ATTEMPTS} wrong tries: this code does not work any more. Send another one."
    if constant_time_compare(_hash(point, code), point.code_hash):
        point.verified_at, point.code_hash, point.stopped_at = at, "", None
        point.failures_in_row, point.last_failure = 0, ""
    else:
        point.code_attempts += 1
    point.save()
    if point.verified_at is not None:
        return ""
    left = MOST_ATTEMPTS - point.code_attempts
    return f"This is not the code that was sent. {left} more tr{'y' if left == 1 else 'ies'}."


def _hash(point: ContactPoint, code: str) -> str:
    return salted_hmac(_SALT, f"{point.pk}:{code}", algorithm="sha256").hexdigest()


# --- Order, wishes, removal -----------------------------------------------------------------------
@transaction.atomic
def move(user: User, which: int, *, by: int) -> None:
    """One place up (-1) or down (+1); `which` is the address, 0 the account's e-mail. At the end it stays."""
    User.objects.select_for_update().get(pk=user.pk)
    order = entries(user)
    keys = [one.point.pk if one.point else 0 for one in order]
    if which not in keys:
        return
    place = keys.index(which)
    target = place + by
    if 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]
    _number(user, order)


def _number(user: User, order: Sequence[Entry]) -> None:
    moved = []
    for place, one in enumerate(order):
        if one.point is None:
            ContactSettings.objects.update_or_create(user=user, defaults={"email_position": place})
        elif one.point.position != place:
            one.point.position = place
            moved.append(one.point)
    ContactPoint.objects.bulk_update(moved, ["position"])


def change(point: ContactPoint, *, takes_messages: bool, page_after_minutes: int) -> None:
    point.takes_messages, point.page_after_minutes = takes_messages, page_after_minutes
    point.save(update_fields=["takes_messages", "page_after_minutes"])


@transaction.atomic
def remove(point: ContactPoint, *, at: datetime) -> None:
    """What waits for it goes to the person's next address; the record of what went there stays."""
    waiting = list(
        Delivery.objects.select_for_update(of=("self",))
        .select_related("event__incident", "recipient")
        .filter(contact=point, state=DeliveryState.QUEUED)
    )
    point.delete()
    gone = Outcome(False, "The address was removed before this left", is_final=True)
    for row in waiting:
        instead = fallback.next_row(row, gone, now=at)
        row.state, row.reason = DeliveryState.SUPPRESSED, fallback.said(f"{gone.answer}.", instead)
        row.save(update_fields=["state", "reason"])
        if instead is not None:
            Delivery.objects.bulk_create([instead], ignore_conflicts=True)
            ring()


def keep_quiet(user: User, begins: time | None, ends: time | None) -> None:
    """Both or neither. Raises Invalid at the field that is missing."""
    if (begins is None) != (ends is None):
        raise Invalid(**{"quiet_from" if begins is None else "quiet_until": "Give both times, or neither."})
    ContactSettings.objects.update_or_create(user=user, defaults={"quiet_from": begins, "quiet_until": ends})
