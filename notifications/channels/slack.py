"""Slack by its Web API: a head message per incident and place that shows how it stands now, later moments below it.

Slack has no exactly-once: before a message is sent a second time it is looked for, by the name it bears in its
metadata.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.utils.text import slugify

from incidents import mail_reference, outgoing
from incidents.models import MajorIncident
from incidents.outgoing import OutgoingFailed, OutgoingRefused, pause_asked
from incidents.process import Audience
from notifications.channels import Outcome, Outgoing, threads
from notifications.channels.card import Card, card_of, link_of, voice_of, zone
from notifications.channels.remote import RemoteChannel, Values, cut, first_words, judged, words
from notifications.models import ChannelKey, Destination, PlaceThread
from notifications.templatetags.message_times import zoned

ACKNOWLEDGE = "acknowledge"
LONGEST_HEADER, LONGEST_SECTION, LONGEST_FIELD, LONGEST_TEXT, LONGEST_URL = 150, 2900, 1900, 3500, 3000
MOST_FIELDS, MOST_NAMES = 10, 8
_LOOKED_AT = 100
_EVENT_TYPE = "mim_message"


@dataclass(frozen=True)
class _Meaning:
    said: str
    is_final: bool = False
    blames_address: bool = False


_TOKEN = "Slack refuses the bot token. Install the app again and enter its new token under Channels."  # noqa: S105
_MEANINGS: dict[str, _Meaning] = {
    "channel_not_found": _Meaning("Slack knows no such channel, or the app may not see it.", True, True),
    "not_in_channel": _Meaning("The app is not a member of the channel. Write /invite @MIM there.", False, True),
    "is_archived": _Meaning("The channel is archived.", True, True),
    "user_not_found": _Meaning("Slack knows no member with this ID.", True, True),
    "users_not_found": _Meaning("Slack knows no member with this ID.", True, True),
    "user_disabled": _Meaning("This member’s account in Slack is disabled.", True, True),
    "cannot_dm_bot": _Meaning("This ID belongs to a bot.", True, True),
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"), _Meaning(_TOKEN)
    ),
    "missing_scope": _Meaning("The app lacks a permission. Compare its scopes with the manifest."),
    "ratelimited": _Meaning("Slack asks to slow down."),
    "msg_too_long": _Meaning("Slack finds the message too long.", True),
    "invalid_blocks": _Meaning("Slack does not take the layout of the message.", True),
}
"""What Slack's words mean. Whatever is not here is tried again."""


class SlackRefused(Exception):
    """`ok: false`. `outcome` says what follows; `word` is Slack's own."""

    def __init__(self, word: str, outcome: Outcome) -> None:
        super().__init__(outcome.answer)
        self.word, self.outcome = word, outcome


class SlackChannel(RemoteChannel):
    key = ChannelKey.SLACK.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        api = Api(values.account)
        try:
            if one.delivery.destination is not None:
                return _in_place(api, one, one.delivery.destination, values.place["channel"])
            return _in_person(api, one, values.place["member"])
        except SlackRefused as refused:
            return refused.outcome


class Api:
    def __init__(self, account: Mapping[str, str]) -> None:
        self._base = account["base_url"].rstrip("/")
        self._bearer = {"Authorization": f"Bearer {account['bot_token']}"}

    def call(self, method: str, **said: Any) -> dict[str, Any]:
        """Raises SlackRefused, OutgoingFailed, OutgoingRefused."""
        headers = {**self._bearer, "Content-Type": "application/json; charset=utf-8"}
        body = json.dumps(said)
        return _heard(outgoing.request("POST", f"{self._base}/{method}", content=body, headers=headers))

    def ask(self, method: str, **said: Any) -> dict[str, Any]:
        """As `call`, for the methods that read: they take no JSON."""
        url = f"{self._base}/{method}?{urlencode(said)}"
        return _heard(outgoing.request("GET", url, headers=self._bearer, most_bytes=1024 * 1024))


def _heard(reply: outgoing.Reply) -> dict[str, Any]:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    if reply.status != 200 or not isinstance(answer, dict):
        outcome = judged(reply, blames_address=False)
        if outcome.accepted:  # a proxy or a sign-in page in between
            outcome = Outcome(False, f"This is no answer of Slack: {first_words(reply.text)}")
        raise SlackRefused("ratelimited" if reply.status == 429 else "", outcome)
    if answer.get("ok") is True:
        return answer
    word = str(answer.get("error", "unknown"))[:80]
    meaning = _MEANINGS.get(word, _Meaning("Slack did not take it."))
    needed = f" It needs {str(answer['needed'])[:80]}." if answer.get("needed") else ""
    said = f"{word}: {meaning.said}{needed}"
    raise SlackRefused(word, Outcome(False, said, meaning.is_final, meaning.blames_address, pause_asked(reply.headers)))


# --- Sending ----------------------------------------------------------------------------------
def _in_place(api: Api, one: Outgoing, place: Destination, room: str) -> Outcome:
    """The head message first; what it does not say itself, and every later moment, in its thread."""
    incident = one.delivery.incident
    if incident is None:
        return _posted(_post(api, one, room, one.delivery.message_id, _plain(one)))
    thread = threads.thread_of(one)
    if thread is None:
        head = _post(api, one, room, _name_of_head(place, incident), _head(place, incident, None))
        thread = threads.begin(one, head=head["ts"], room=head["channel"])
    if thread is None or (thread.begun_by_id == one.delivery.event_id and one.delivery.moment == "declared"):
        return Outcome(True, "In the channel", provider_id=_provider_id(room, thread.head if thread else ""))
    reply = _post(api, one, thread.room, one.delivery.message_id, _plain(one), thread_ts=thread.head)
    return _posted(reply, show_now(api, thread))


def show_now(api: Api, thread: PlaceThread) -> str:
    """Edits the head message to how the incident stands; why not in words, "" when it is done.

    That the head is old is no reason to send a message again that was taken: it never raises.
    """
    place, incident = thread.destination, thread.incident
    said = _head(place, incident, thread)
    try:
        api.call(
            "chat.update", channel=thread.room, ts=thread.head, metadata=_mark(_name_of_head(place, incident)), **said
        )
    except SlackRefused as refused:
        if refused.word == "message_not_found":
            thread.delete()  # somebody deleted it in Slack: the next moment begins a new one
        return str(refused)
    except (OutgoingFailed, OutgoingRefused) as failed:
        return str(failed)
    return ""


def _in_person(api: Api, one: Outgoing, member: str) -> Outcome:
    room = api.call("conversations.open", users=member)["channel"]["id"]
    return _posted(_post(api, one, room, one.delivery.message_id, _plain(one, is_personal=True)))


def _post(api: Api, one: Outgoing, room: str, name: str, said: dict[str, Any], thread_ts: str = "") -> dict[str, str]:
    """Channel and timestamp of the message: of the one that is there already, when an earlier attempt got so far."""
    if one.delivery.attempts > 1 and (known := _find(api, room, name, one.delivery.queued_at, thread_ts)):
        return {"channel": room, "ts": known}
    below = {"thread_ts": thread_ts} if thread_ts else {}
    quiet = {"unfurl_links": False, "unfurl_media": False}
    answer = api.call("chat.postMessage", channel=room, metadata=_mark(name), **quiet, **below, **said)
    return {"channel": str(answer.get("channel", room)), "ts": str(answer["ts"])}


def _find(api: Api, room: str, name: str, since: datetime, thread_ts: str) -> str:
    """The timestamp of the message that bears this name; "" when there is none, or the app may not look.

    Any other refusal is raised: not knowing, a second message would be a guess.
    """
    asked: dict[str, Any] = {"channel": room, "limit": _LOOKED_AT, "include_all_metadata": "true"}
    asked |= {"oldest": f"{(since - timedelta(minutes=1)).timestamp():.6f}"}
    try:
        if thread_ts:
            found = api.ask("conversations.replies", ts=thread_ts, **asked)
        else:
            found = api.ask("conversations.history", **asked)
    except SlackRefused as refused:
        if refused.word != "missing_scope":
            raise
        return ""
    for message in found.get("messages") or ():
        if (message.get("metadata") or {}).get("event_payload") == _mark(name)["event_payload"]:
            return str(message.get("ts", ""))
    return ""


def _posted(answer: dict[str, str], complaint: str = "") -> Outcome:
    said = f"In the channel. The head message could not be edited: {complaint}" if complaint else "In the channel"
    return Outcome(True, said, provider_id=_provider_id(answer["channel"], answer["ts"]))


def _provider_id(room: str, ts: str) -> str:
    return f"{room}:{ts}"[:120]


def _name_of_head(place: Destination, incident: MajorIncident) -> str:
    return f"{incident.ref}.{place.pk}@{mail_reference.own_host()}"


def _mark(name: str) -> dict[str, Any]:
    """How we find the message again; for anybody else in the workspace it says nothing."""
    return {"event_type": _EVENT_TYPE, "event_payload": {"name": sha256(name.encode()).hexdigest()[:32]}}


# --- Layout -----------------------------------------------------------------------------------
def escape(text: str) -> str:
    """The three characters that mean something to Slack; what looks like a mention or link stays text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mrkdwn(text: str, most: int) -> dict[str, str]:
    """Cut so that the escaped text fits, and no half of an escape is left."""
    short = cut(text, most)
    while len(escape(short)) > most:
        short = cut(short, len(short) - max((len(escape(short)) - most) // 5, 1))
    return {"type": "mrkdwn", "text": escape(short)}


def _moment(said: str | datetime, zone_name: str) -> str:
    """In the reader's own zone; where a client cannot, in the organisation's."""
    if isinstance(said, datetime):
        return f"<!date^{int(said.timestamp())}^{{date_short_pretty}} {{time}}|{escape(zoned(said, zone_name))}>"
    return escape(cut(said, LONGEST_FIELD))


def _head(place: Destination, incident: MajorIncident, thread: PlaceThread | None) -> dict[str, Any]:
    audience = voice_of(place)
    card = card_of(incident, audience)
    names = _names(thread)
    return {
        "text": escape(cut(card.title, LONGEST_TEXT)),
        "blocks": list(
            _blocks_of(card, names, None if audience == Audience.USERS else f"place-{place.pk}-{incident.pk}")
        ),
    }


def _names(thread: PlaceThread | None) -> list[str]:
    if thread is None:
        return []
    return [answer.person.display_name for answer in thread.answers.select_related("person")]


def _blocks_of(card: Card, names: list[str], press: str | None) -> Iterable[dict[str, Any]]:
    zone_name = zone()
    sign = {"bad": "🔴", "warn": "🟠", "good": "🟢"}[card.tone]
    yield {"type": "header", "text": {"type": "plain_text", "text": cut(f"{sign} {card.title}", LONGEST_HEADER)}}
    fields = [
        {"type": "mrkdwn", "text": f"*{escape(label)}*\n{_moment(said, zone_name)}"} for label, said in card.facts
    ]
    if fields:
        yield {"type": "section", "fields": fields[:MOST_FIELDS]}
    if names:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield {
            "type": "context",
            "elements": [_mrkdwn(f"✓ Acknowledged by {', '.join(names[:MOST_NAMES])}{more}", 1000)],
        }
    yield _buttons(press if card.is_open else None, card.url, card.link_label)


def _buttons(press: str | None, url: str, label: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    if press:
        found.append(_button("Acknowledge", ACKNOWLEDGE, value=press, style="primary"))
    if url and len(url) <= LONGEST_URL:
        found.append(_button(label, f"open-{slugify(label)}", url=url))
    return {"type": "actions", "elements": found}


def _button(label: str, act: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": act, **more}


def _plain(one: Outgoing, *, is_personal: bool = False) -> dict[str, Any]:
    """One message in its words; a personal one with its button."""
    subject = one.message.subject
    title = _mrkdwn(subject, 250)["text"]
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{title}*"}}]
    if said := words(one):
        blocks.append({"type": "section", "text": _mrkdwn(said, LONGEST_SECTION)})
    url = link_of(one.message)
    press = f"delivery-{one.delivery.pk}" if is_personal and one.delivery.pk else None
    buttons = _buttons(press, url, "Open")
    if buttons["elements"]:
        blocks.append(buttons)
    return {"text": escape(cut(subject, LONGEST_TEXT)), "blocks": blocks}
