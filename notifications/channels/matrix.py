"""Matrix by the client API. The transaction is named after the message, so a repetition is no second message."""

import html
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from incidents import outgoing
from notifications.channels import Outcome, Outgoing, threads
from notifications.channels.card import link_of
from notifications.channels.remote import RemoteChannel, Values, cut, judged, words
from notifications.models import ChannelKey, PlaceThread

LONGEST_TEXT = 16_000
"""An event holds 64 KB in all, with the text in it twice."""
_MEANINGS: dict[str, tuple[str, bool, bool]] = {
    "M_FORBIDDEN": ("The account is not in this room, or may not write there. Invite it and accept.", False, True),
    "M_NOT_FOUND": ("The homeserver knows no such room.", True, True),
    "M_UNKNOWN_TOKEN": ("The homeserver refuses the access token. Enter a new one under Channels.", False, False),
    "M_MISSING_TOKEN": ("The homeserver refuses the access token. Enter a new one under Channels.", False, False),
    "M_TOO_LARGE": ("The homeserver finds the message too large.", True, False),
}
"""What an errcode means, whether it is final, whether the room is to blame."""


class MatrixChannel(RemoteChannel):
    key = ChannelKey.MATRIX.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        """The first message of an incident begins its thread; a head the room lost does not stop the later ones."""
        thread = threads.thread_of(one)
        room, transaction = quote(values.place["room"], safe=""), quote(one.delivery.message_id.strip("<>"), safe="")
        base = values.account["base_url"].rstrip("/")
        url = f"{base}/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}"
        bearer = {"Authorization": f"Bearer {values.account['access_token']}"}
        reply = outgoing.request("PUT", url, json=body_of(one, thread), headers=bearer)
        answer = _parsed(reply.text)
        event = str(answer.get("event_id", ""))
        if reply.status != 200 or not event:
            return _refused(reply, answer)
        if thread is None:
            threads.begin(one, head=event, room=values.place["room"])
        return Outcome(True, "In the room", provider_id=event[:120])


def body_of(one: Outgoing, thread: PlaceThread | None) -> dict[str, Any]:
    title, said, url = one.message.subject, cut(words(one), LONGEST_TEXT), link_of(one.message)
    paragraphs = "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in said.split("\n\n") if part)
    link = f'<p><a href="{html.escape(url)}">Open</a></p>' if url else ""
    content: dict[str, Any] = {
        "msgtype": "m.text",
        "body": "\n\n".join(filter(None, (title, said, url))),
        "format": "org.matrix.custom.html",
        "formatted_body": f"<p><strong>{html.escape(title)}</strong></p>{paragraphs}{link}",
        "m.mentions": {},
    }
    if thread is not None and thread.begun_by_id != one.delivery.event_id:
        content["m.relates_to"] = {
            "rel_type": "m.thread",
            "event_id": thread.head,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": thread.head},
        }
    return content


def _refused(reply: outgoing.Reply, answer: dict[str, Any]) -> Outcome:
    code = str(answer.get("errcode", ""))[:60]
    if code == "M_LIMIT_EXCEEDED" or reply.status == 429:
        outcome = judged(reply, "The homeserver asks to slow down.", blames_address=False)
        wait = answer.get("retry_after_ms")
        pause = (
            timedelta(milliseconds=wait) if isinstance(wait, int) and 0 <= wait < 86_400_000 else outcome.retry_after
        )
        return Outcome(False, outcome.answer, retry_after=pause)
    if code in _MEANINGS:
        said, is_final, blames_address = _MEANINGS[code]
        return Outcome(False, f"{code}: {said}", is_final, blames_address)
    if reply.status == 200:
        return Outcome(False, "This is no answer of a homeserver. Check its address.")
    return judged(reply, f"{code} {answer.get('error', '')}".strip(), blames_address=False)


def _parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
