"""Mattermost by an incoming webhook: one message with an attachment for each moment."""

from typing import Any

from incidents import outgoing
from notifications.channels import Outcome, Outgoing
from notifications.channels.card import card_of, link_of, voice_of, zone
from notifications.channels.remote import RemoteChannel, Values, cut, judged, words
from notifications.channels.teams import plain
from notifications.models import ChannelKey

LONGEST_TITLE, LONGEST_TEXT = 250, 7000
_COLOUR = {"bad": "#b42318", "warn": "#b54708", "good": "#067647"}
_GONE = "Mattermost knows no such webhook. Make a new one under Integrations and enter its address."


class MattermostChannel(RemoteChannel):
    key = ChannelKey.MATTERMOST.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        reply = outgoing.request("POST", values.place["url"], json=body_of(one))
        return judged(reply, _GONE if reply.status in (404, 410) else "")


def body_of(one: Outgoing) -> dict[str, Any]:
    place, incident = one.delivery.destination, one.delivery.incident
    card = card_of(incident, voice_of(place)) if place is not None and incident is not None else None
    title = cut(one.message.subject, LONGEST_TITLE)
    attachment: dict[str, Any] = {
        "fallback": title,
        "title": _still(title),
        "text": _still(cut(words(one), LONGEST_TEXT)),
    }
    if url := (card.url if card else link_of(one.message)):
        attachment["title_link"] = url
    if card:
        facts = card.in_words(zone())
        attachment["color"] = _COLOUR[card.tone]
        attachment["fields"] = [{"title": label, "value": _still(said), "short": True} for label, said in facts]
    return {"text": "", "attachments": [attachment]}


def _still(text: str) -> str:
    """No Markdown, and nobody is called by a title that says @channel."""
    return plain(text).replace("@", "@\u200b")
