"""What the line says. Every sentence can be said otherwise by the organisation, in the integration's settings."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.html import strip_tags

from incidents.queries.portal import Outage

_LONGEST = 600
_SPOKEN_UPDATE = 400
_SPOKEN_OUTAGES = 3


@dataclass(frozen=True)
class Words:
    """`{organisation}` and `{reference}` are put in where they stand; nothing else is."""

    greeting: str = "Welcome to the service desk of {organisation}."
    known: str = "We know of the following."
    menu: str = (
        "To report something that does not work, press 1. To hear what we know to be out of order, press 2. "
        "If many people cannot work, press 3 for the manager on call."
    )
    record: str = "After the tone, please say your name, what does not work, and since when. Then press the hash key."
    thanks: str = "Thank you. Your report has the number {reference}. Goodbye."
    no_outage: str = "We know of no disruption at the moment."
    connecting: str = "The manager on call is being told. I am putting you through."
    nobody: str = "The manager on call is being told. Please leave a message for them."
    goodbye: str = "Thank you. Goodbye."
    closed: str = "This line is not in service at the moment. Please use the portal or write to us."

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Words":
        """The organisation's sentences where it has some, ours elsewhere; what is no text counts as not given."""
        given = {one.name: settings.get(one.name) for one in fields(cls)}
        return cls(**{name: text[:_LONGEST] for name, text in given.items() if isinstance(text, str) and text.strip()})


def filled(sentence: str, *, organisation: str = "", reference: str = "") -> str:
    return sentence.replace("{organisation}", organisation).replace("{reference}", spoken_reference(reference))


def spoken_reference(reference: str) -> str:
    """“I N C, 3 0 4 1”: letter by letter, so that nobody hears three thousand and forty-one."""
    letters, _, number = reference.partition("-")
    return f"{' '.join(letters)}, {' '.join(number)}" if number else reference


def spoken_outages(outages: list[Outage]) -> list[str]:
    """The current outages in public words, a sentence or two each; the last of several says how many more there are."""
    said = [_spoken(outage) for outage in outages[:_SPOKEN_OUTAGES]]
    more = len(outages) - len(said)
    return [*said, f"And {more} more."] if more > 0 else said


def _spoken(outage: Outage) -> str:
    update = " ".join(html.unescape(strip_tags(outage.html)).split())
    if len(update) > _SPOKEN_UPDATE:
        update = update[:_SPOKEN_UPDATE].rsplit(" ", 1)[0]
    if outage.is_restored:
        update = f"{update} It works again and is being watched.".strip()
    return f"{outage.title}. {update or 'We are working on it. You need not report it again.'}"
