"""What people and programs may hand in: one place that says no, and says why."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from incidents import markup
from incidents.errors import Invalid
from incidents.models import User

TITLE = 250
TEXT = markup.MAX_CHARACTERS
_LEVELS = (1, 2, 3, 4)


def clean_text(field: str, value: object, max: int = TEXT, *, required: bool = False) -> str:
    """The text without surrounding blanks; "" for None. Raises Invalid naming `field`.

    NUL and lone surrogates are refused: the database and every mail reader choke on them.
    """
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise Invalid(**{field: "This must be text."})
    text = value.strip()
    if "\x00" in text:
        raise Invalid(**{field: "This contains a NUL character, which cannot be stored. Remove it and send it again."})
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(
            **{field: "This contains half of a character (a lone surrogate). Send it again as valid UTF-8."}
        ) from None
    if len(text) > max:
        raise Invalid(**{field: f"At most {max:,} characters; this has {len(text):,}. Shorten it or attach a file."})
    if required and not text:
        raise Invalid(**{field: "This is needed."})
    return text


def clean_title(value: object, field: str = "title") -> str:
    """One line of at most 250 characters, never empty."""
    return " ".join(clean_text(field, value, TITLE, required=True).split())


def clean_choice(field: str, value: object, choices: Iterable[str]) -> str:
    """One of the literal `choices`. The refusal lists them."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise Invalid(**{field: f"“{str(value)[:60]}” is not possible here. Use one of: {', '.join(known)}."})
    return str(value)


def clean_level(field: str, value: object) -> int:
    """Impact or urgency: a whole number from 1 (highest) to 4."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in _LEVELS:
        raise Invalid(**{field: "Use a whole number from 1 (highest) to 4 (lowest)."})
    return int(value)


def clean_number(field: str, value: object, *, least: int = 0, most: int = 2_147_483_647) -> int:
    """A whole number between `least` and `most`, both included."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(**{field: f"Use a whole number from {least} to {most}."})
    return int(value)


def clean_time(field: str, value: object, *, not_after: datetime | None = None) -> datetime:
    """An aware moment. `not_after` (aware) refuses what lies later."""
    if not isinstance(value, datetime):
        raise Invalid(**{field: "Use a date and time, for example 2026-03-02T09:15:00Z."})
    if timezone.is_naive(value):
        raise Invalid(**{field: "The time needs its zone, for example 2026-03-02T09:15:00Z."})
    if not 1970 <= value.year <= 9000 or not math.isfinite(value.timestamp()):
        raise Invalid(**{field: "This year is out of range."})
    if not_after is not None and value > not_after:
        raise Invalid(**{field: "This lies in the future. Give the time at which it happened."})
    return value


def clean_email(field: str, value: object, *, required: bool = False) -> str:
    """A lower-case e-mail address; "" when none is given and none is needed."""
    text = clean_text(field, value, 254, required=required).lower()
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise Invalid(**{field: f"“{text[:60]}” is not an e-mail address."}) from None
    return text


def clean_person(field: str, person: User | None, *, required: bool = False) -> User | None:
    """An account that may still sign in."""
    if person is None and required:
        raise Invalid(**{field: "Name a person."})
    if person is not None and not person.is_active:
        raise Invalid(**{field: f"{person.email} no longer has access. Choose somebody else."})
    return person


def needed(field: str, sentence: str, value: Any) -> None:
    """Refuses an empty value with a sentence of its own."""
    if not value:
        raise Invalid(**{field: sentence})


def unknown_fields(changes: dict[str, Any], known: Iterable[str]) -> None:
    """Refuses keys nobody may change, naming all of them."""
    left = set(changes) - set(known)
    if left:
        raise Invalid(**dict.fromkeys(sorted(left), "This cannot be changed here."))
