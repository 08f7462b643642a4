"""Microsoft Teams by a webhook of its Workflows: an adaptive card for each moment."""

from typing import Any

from incidents import outgoing
from notifications.channels import Outcome, Outgoing
from notifications.channels.card import Card, card_of, link_of, voice_of, zone
from notifications.channels.remote import RemoteChannel, Values, cut, judged, words
from notifications.models import ChannelKey

LONGEST_TITLE, LONGEST_TEXT = 250, 8000
"""A message of Teams holds about 28 KB in all."""
_COLOUR = {"bad": "attention", "warn": "warning", "good": "good"}
_GONE = "The workflow behind this address is gone or switched off. Make a new one in Teams and enter its address."


class TeamsChannel(RemoteChannel):
    key = ChannelKey.TEAMS.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        reply = outgoing.request("POST", values.place["url"], json=body_of(one))
        return judged(reply, _GONE if reply.status in (404, 410) else "")


def body_of(one: Outgoing) -> dict[str, Any]:
    place, incident = one.delivery.destination, one.delivery.incident
    card = card_of(incident, voice_of(place)) if place is not None and incident is not None else None
    colour = _COLOUR[card.tone] if card else "default"
    parts: list[dict[str, Any]] = [
        _text(cut(one.message.subject, LONGEST_TITLE), size="large", weight="bolder", color=colour)
    ]
    if card and (facts := card.in_words(zone())):
        parts.append({"type": "FactSet", "facts": [{"title": label, "value": plain(said)} for label, said in facts]})
    if said := words(one):
        parts.append(_text(cut(said, LONGEST_TEXT)))
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": parts,
        "msteams": {"width": "Full"},
    }
    if url := (card.url if card else link_of(one.message)):
        content["actions"] = [{"type": "Action.OpenUrl", "title": _label(card), "url": url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def plain(text: str) -> str:
    """Without what Teams reads as Markdown: a title written by a stranger makes no link."""
    for letter in "\\*_[]`~":
        text = text.replace(letter, f"\\{letter}")
    return text


def _text(said: str, **look: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": plain(said), "wrap": True, **look}


def _label(card: Card | None) -> str:
    return card.link_label if card else "Open"
