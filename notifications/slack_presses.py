"""A button pressed in Slack: whether it comes from Slack, who pressed it, and what it answers."""

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.urls import reverse

from incidents import live
from incidents.errors import ProcessError
from incidents.models import User
from incidents.permissions import is_usable, visible_incidents
from notifications import escalation, receipts, routing
from notifications.channels.slack import ACKNOWLEDGE
from notifications.messages import absolute
from notifications.models import (
    ChannelAccount,
    ChannelKey,
    ContactPoint,
    Delivery,
    PageCall,
    PlaceAnswer,
    PlaceThread,
)

WINDOW = timedelta(minutes=5)
_VALUE = re.compile(r"(?:delivery-(?P<delivery>\d{1,18})|place-(?P<place>\d{1,18})-(?P<incident>\d{1,18}))")


@dataclass(frozen=True)
class Answer:
    """`sentence` is shown to whoever pressed, at `reply_to`; `thread` is the head message to edit, None for none."""

    sentence: str = ""
    reply_to: str = ""
    thread: int | None = None


def signing_secret() -> str:
    """ "" while Slack is not set up or switched off. Raises SealBroken."""
    row = ChannelAccount.objects.filter(channel=ChannelKey.SLACK, is_enabled=True).first()
    return str(row.secrets.get("signing_secret", "")) if row else ""


def is_signed(body: bytes, stamp: str, signature: str, *, secret: str, now: datetime) -> bool:
    """Slack's v0 signature over the raw body, not older or newer than five minutes."""
    if not secret or not re.fullmatch(r"[0-9]{1,12}", stamp):
        return False
    if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
        return False
    right = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.encode())


def press(payload: Any, *, at: datetime) -> Answer:
    """Does what the button says, as the person whose verified address the Slack member is. Safe to run twice."""
    if not isinstance(payload, dict) or payload.get("type") != "block_actions":
        return Answer()
    actions = payload.get("actions")
    pressed = next((one for one in actions if _is_ours(one)), None) if isinstance(actions, list) else None
    found = _VALUE.fullmatch(str(pressed.get("value", ""))) if pressed else None
    if found is None:
        return Answer()  # a link was followed
    member = payload.get("user")
    person = person_of(str(member.get("id", ""))) if isinstance(member, dict) else None
    reply_to = str(payload.get("response_url", ""))
    if person is None:
        return Answer(_how_to_link(), reply_to)
    if found["delivery"]:
        return Answer(_answer_own(int(found["delivery"]), person, at), reply_to)
    sentence, thread = _answer_place(int(found["place"]), int(found["incident"]), person, at)
    return Answer(sentence, reply_to, thread)


def _is_ours(action: Any) -> bool:
    return isinstance(action, dict) and action.get("action_id") == ACKNOWLEDGE


def person_of(member: str) -> User | None:
    """Who proved to be this Slack member; None for nobody, or somebody whose access has ended."""
    if not member:
        return None
    points = ContactPoint.objects.filter(channel=ChannelKey.SLACK, address=member, verified_at__isnull=False)
    point = points.select_related("user").order_by("verified_at", "id").first()
    return point.user if point is not None and is_usable(point.user) else None


def _how_to_link() -> str:
    where = absolute(reverse("message_settings"))
    return (
        "Nobody in MIM is known by your Slack account yet, so this was not counted. "
        f"Enter your Slack member ID under {where} and confirm it with the code you get here."
    )


def _answer_own(pk: int, person: User, at: datetime) -> str:
    row = Delivery.objects.filter(pk=pk, channel=ChannelKey.SLACK, recipient=person).first()
    if row is None:
        return "This message was not sent to you, so your answer was not counted."
    if row.moment not in routing.PAGES:
        receipts.acknowledge(row, person, at, "button in Slack")
        return "Thank you, noted."
    call = PageCall.objects.select_related("person", "page").filter(event=row.event_id, person=person).first()
    if call is None:
        return "This page is not open any more."
    try:
        escalation.answer(call, at=at)
    except ProcessError as refusal:
        return refusal.message
    return "Thank you, the page is yours. Nobody else is called."


def _answer_place(place: int, incident: int, person: User, at: datetime) -> tuple[str, int | None]:
    """Counts for the incident as the place shows it, if the person may see the incident at all."""
    thread = PlaceThread.objects.filter(destination=place, incident=incident).first()
    if thread is None:
        return "This message is not the one that is kept up to date any more.", None
    if not visible_incidents(person).filter(pk=incident).exists():
        return "You have no access to this incident, so your answer was not counted.", None
    _, is_new = PlaceAnswer.objects.get_or_create(thread=thread, person=person, defaults={"at": at})
    told = Delivery.objects.filter(incident=incident)
    own = list(told.filter(recipient=person).order_by("-id")[:1])
    for row in own or told.filter(destination=place).order_by("-id")[:1]:
        receipts.acknowledge(row, person, at, "button in Slack")
    if is_new:
        live.changed(f"MI-{incident}", "delivery")
    return ("Thank you, noted." if is_new else "You had acknowledged it before."), thread.pk


def payload_of(form: Any) -> Any:
    """What the form field says; None when it is no JSON."""
    try:
        return json.loads(form)
    except (TypeError, ValueError):
        return None
