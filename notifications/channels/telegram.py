"""Telegram by its bot API: the first message of an incident in a chat, the later ones as answers to it."""

import html
import json
from datetime import timedelta
from typing import Any

from incidents import outgoing
from notifications.channels import Outcome, Outgoing, threads
from notifications.channels.card import link_of
from notifications.channels.remote import RemoteChannel, Values, cut, judged, words
from notifications.models import ChannelKey

LONGEST_TITLE, LONGEST_TEXT = 200, 3500
"""A message holds 4,096 characters after its markup is read."""
_TOKEN = "Telegram refuses the bot token. Enter the one of @BotFather under Channels."  # noqa: S105


class TelegramChannel(RemoteChannel):
    key = ChannelKey.TELEGRAM.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        thread = threads.thread_of(one)
        url = f"{values.account['base_url'].rstrip('/')}/bot{values.account['bot_token']}/sendMessage"
        said = {
            "chat_id": values.place["chat"],
            "text": text_of(one),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }
        if thread is not None and thread.head.isdigit():
            said["reply_parameters"] = {"message_id": int(thread.head), "allow_sending_without_reply": True}
        reply = outgoing.request("POST", url, json=said)
        answer = _parsed(reply.text)
        if reply.status != 200 or answer.get("ok") is not True:
            return _refused(reply, answer)
        number = str((answer.get("result") or {}).get("message_id", ""))
        if thread is None:
            threads.begin(one, head=number, room=values.place["chat"])
        return Outcome(True, "In the chat", provider_id=f"{values.place['chat']}:{number}"[:120])


def text_of(one: Outgoing) -> str:
    title, said = cut(one.message.subject, LONGEST_TITLE), cut(words(one), LONGEST_TEXT)
    url = link_of(one.message)
    link = f'<a href="{html.escape(url)}">Open</a>' if url else ""
    return "\n\n".join(filter(None, (f"<b>{html.escape(title)}</b>", html.escape(said, quote=False), link)))


def _refused(reply: outgoing.Reply, answer: dict[str, Any]) -> Outcome:
    said = str(answer.get("description", ""))[:300]
    more = answer.get("parameters") if isinstance(answer.get("parameters"), dict) else {}
    if moved := (more or {}).get("migrate_to_chat_id"):
        return Outcome(False, f"{reply.status} {said}. The group has the new chat ID {moved}: enter it.", True, True)
    if reply.status == 429:
        wait = (more or {}).get("retry_after")
        outcome = judged(reply, said, blames_address=False)
        pause = timedelta(seconds=wait) if isinstance(wait, int) and 0 <= wait < 86_400 else outcome.retry_after
        return Outcome(False, outcome.answer, retry_after=pause)
    if reply.status in (401, 404):  # the token stands in the address: a wrong one is not found
        return Outcome(False, f"{reply.status} {said}: {_TOKEN}")
    if reply.status == 200:
        return Outcome(False, "This is no answer of Telegram. Check the address of the API.")
    return judged(reply, said, blames_address=reply.status in (400, 403))


def _parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
