"""The conversation of a call we made, and what an SMS that comes back means.

A page is answered by a key or a word of the person called, and by nothing else: a mailbox that picks up, or somebody
who listens and hangs up, leaves it open.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from incidents.intake.voice.twiml import Answer, Speech
from incidents.models import Organisation, User
from notifications import contact_messages, page_answers, page_links, receipts
from notifications.messages import wording_of
from notifications.models import (
    CallState,
    ChannelKey,
    ContactPoint,
    Delivery,
    PageCall,
    PageState,
    TextReply,
)

TAKE, PASS_ON = "1", "2"
REPLIES_ANSWER_WITHIN = timedelta(hours=12)
_TAKE_WORDS = frozenset({"1", "ack", "acknowledge", "acknowledged"})
_PASS_WORDS = frozenset({"2", "pass"})
_STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})
_START_WORDS = frozenset({"start", "unstop", "yes"})
_LONGEST_SPOKEN = 400


@dataclass(frozen=True)
class Subject:
    """What a call is about: a page of one person, another message of theirs, or a code (nothing to press)."""

    sentence: str
    delivery: Delivery | None = None
    call: PageCall | None = None

    @classmethod
    def of(cls, about: dict[str, Any]) -> "Subject | None":
        """None when what it was about is not there any more."""
        if "say" in about:
            return cls(str(about["say"]))
        if "message_id" in about:
            message = contact_messages.by_message_id(str(about["message_id"]))
            spoken = contact_messages.spoken(message) if message else ""
            return cls(spoken) if spoken else None
        rows = Delivery.objects.select_related("recipient", "event__incident", "event__actor")
        row = rows.filter(pk=int(about["delivery"]), channel=ChannelKey.VOICE).first()
        if row is None:
            return None
        sentence = _spoken(wording_of(row.event, row.moment, row.audience).subject)
        calls = PageCall.objects.select_related("person", "page__answered_by")
        mine = calls.filter(event=row.event_id, person=row.recipient_id)
        return cls(sentence, row, mine.first() if row.moment == page_links.MOMENT else None)


def _spoken(text: str) -> str:
    """Without addresses; references letter by letter, so that nobody hears "three thousand and forty-one"."""
    said = re.sub(r"https?://\S+", "", text)
    said = re.sub(r"\b(MI|CAN|INC|CHG|PRB)-(\d+)\b", lambda found: f"{' '.join(found[1])} {' '.join(found[2])}", said)
    said = re.sub(r"\bSEV(\d)\b", r"severity \1", said)
    return said[:_LONGEST_SPOKEN]


# --- Calls -------------------------------------------------------------------------------------
def greet(subject: Subject, key_url: str) -> Answer:
    """The message twice, and what can be pressed; whoever presses nothing has answered nothing."""
    answer = Answer(Speech())
    who = f"This is {Organisation.current().name}."
    if (over := _why_over(subject)) is not None:
        return answer.say(who, subject.sentence, over, "Goodbye.").hang_up()
    menu = _menu(subject)
    if not menu:
        return answer.say(who, subject.sentence, "Once more.", subject.sentence, "Goodbye.").hang_up()
    answer.gather(key_url, [who, subject.sentence, menu, "Once more.", subject.sentence, menu])
    return answer.say("No key was pressed. Goodbye.").hang_up()


def pressed(subject: Subject, key: str, key_url: str, *, at: datetime) -> Answer:
    """Does what the key means, once however often the provider asks."""
    answer = Answer(Speech())
    if subject.call is not None and key in (TAKE, PASS_ON):
        return answer.say(_answered(subject.call, key == TAKE, at), "Goodbye.").hang_up()
    if subject.call is None and subject.delivery is not None and key == TAKE:
        receipts.acknowledge(subject.delivery, subject.delivery.recipient, at, "a key on the telephone")
        return answer.say("Thank you. It is noted that you heard it. Goodbye.").hang_up()
    answer.gather(key_url, ["This key means nothing here.", _menu(subject)])
    return answer.say("No key was pressed. Goodbye.").hang_up()


def _menu(subject: Subject) -> str:
    if subject.call is not None:
        return "To take it, press 1. If you cannot, press 2, and the next person is called."
    return "Press 1 to say that you heard it." if subject.delivery is not None else ""


def _why_over(subject: Subject) -> str | None:
    """Why a page needs no answer any more; None while it does. An answer of a second ago counts."""
    call = subject.call
    if call is None or call.page.state in (PageState.PAGING, PageState.UNANSWERED):
        return None
    return f"{call.page.reason or 'It is over'}. You need not do anything."


def _answered(call: PageCall, takes: bool, at: datetime) -> str:
    """Takes it or passes it on; the sentence that says what is so now."""
    if call.state == CallState.ANSWERED:
        return "You have it already."
    if call.state == CallState.PASSED_ON:
        return "You passed it on already."
    if call.page.state in (PageState.ANSWERED, PageState.ENDED):
        return f"{call.page.reason or 'It is over'}. You need not do anything."
    refusal = page_answers.act(call, "acknowledge" if takes else "pass", at=at)
    if refusal:
        return refusal
    return "You have it. Nobody else is called." if takes else "The next person is called now."


# --- SMS that come back ------------------------------------------------------------------------
@transaction.atomic
def replied(provider_id: str, number: str, text: str, *, at: datetime) -> str:
    """What is said in return to an SMS; "" where the provider answers itself. The same one again changes nothing."""
    reply, is_new = TextReply.objects.get_or_create(
        provider_id=provider_id, defaults={"number": number[:20], "text": text[:200], "received_at": at}
    )
    if not is_new:
        return reply.answer
    reply.answer = _answer_to(number, text.strip().strip(".!").lower(), at)[:320]
    reply.save(update_fields=["answer"])
    return reply.answer


def _answer_to(number: str, word: str, at: datetime) -> str:
    points = ContactPoint.objects.filter(channel=ChannelKey.SMS, address=number)
    if word in _STOP_WORDS:
        points.update(stopped_at=at, verified_at=None)
        return ""
    if word in _START_WORDS:
        return "To get messages here again, verify this number in MIM under My settings, Messages."
    owners = User.objects.filter(pk__in=points.filter(verified_at__isnull=False).values("user"), is_active=True)
    if not owners.exists():
        return f"{Organisation.current().name}: nobody has verified this number, so nothing was done."
    if word not in _TAKE_WORDS | _PASS_WORDS:
        return "Nobody reads this number. Reply 1 to take the last page, 2 to pass it on, STOP for no more SMS."
    calls = PageCall.objects.select_related("person", "page__answered_by")
    last = (
        calls.filter(person__in=owners, called_at__gte=at - REPLIES_ANSWER_WITHIN, event__isnull=False)
        .order_by("-called_at", "-id")
        .first()
    )
    if last is None:
        return "No page waits for you: nothing was called within twelve hours."
    return f"{last.page.ref}: {_answered(last, word in _TAKE_WORDS, at)}"
