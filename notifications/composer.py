"""Writing a status update: what differs from the common text, what should not leave the house, a first wording."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F, TextField, Value
from django.db.models.functions import Length
from django.template.loader import render_to_string

from incidents.actions.update_drafts import FRESH
from incidents.models import MajorIncident, Organisation, StatusUpdate, UpdateDraft, User
from incidents.permissions import STAFF_ROLES
from incidents.process import Audience
from notifications.messages import Facts
from notifications.plans import plan_for

OUTSIDE = (Audience.KEY_STAKEHOLDERS, Audience.USERS)
"""Audiences that should not read how the house is built."""

_WORDS = re.compile(r"\S+\s*")
_REFERENCE = re.compile(r"\b(?:INC|CAN|MI|PRB|CHG)-\d+\b", re.IGNORECASE)
_IPV4 = re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b")
_IPV6 = re.compile(r"(?<![\w:])(?=[0-9a-f:]*:[0-9a-f:]*:)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![@\w.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}\b", re.IGNORECASE)
_NUMBERED = re.compile(r"(?<![\w./-])(?:[a-z]+(?:-[a-z0-9]+)*-\d+[a-z]?|[a-z]{2,}\d{2,})(?![\w-]|\.\w)", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_INSIDE_ENDINGS = (".local", ".internal", ".lan", ".corp", ".intra", ".intranet", ".home.arpa", ".svc", ".cluster")
_SHORTEST_NAME = 5


@dataclass(frozen=True)
class Piece:
    """A run of words: `kind` is same, added (only in the audience's text) or removed (only in the common one)."""

    kind: str
    text: str


def difference(common: str, own: str) -> list[Piece]:
    """Word by word what an audience reads instead of the common text; one piece when both are the same.

    Blanks belong to the word before them and are not compared, so that a run of changed words is one piece.
    """
    before, after = _WORDS.findall(common.strip()), _WORDS.findall(own.strip())
    pieces: list[Piece] = []
    old, new = [word.strip() for word in before], [word.strip() for word in after]
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(after[c:d])))
            continue
        if a < b:
            pieces.append(Piece("removed", "".join(before[a:b])))
        if c < d:
            pieces.append(Piece("added", "".join(after[c:d])))
    return pieces


@dataclass(frozen=True)
class InternalWord:
    kind: str
    word: str


def internal_words(text: str) -> list[InternalWord]:
    """What in a text for people outside tells how the house is built: each word once, in the order of the kinds.

    A hint for the author, never a refusal. One query, for the names of staff.
    """
    found: dict[str, InternalWord] = {}

    def note(kind: str, words: Iterable[str]) -> None:
        for word in words:
            found.setdefault(word.lower(), InternalWord(kind, word))

    note("reference", _REFERENCE.findall(text))
    note("address", [*_IPV4.findall(text), *(word for word in _IPV6.findall(text) if not _CLOCK.fullmatch(word))])
    note("host name", (word for word in _DOTTED.findall(text) if _is_inside(word)))
    note("host name", (word for word in _NUMBERED.findall(text) if not re.fullmatch(r"(?i)sev\d+|utc\d+", word)))
    note("name of a colleague", _names_in(text))
    return list(found.values())


def _is_inside(name: str) -> bool:
    lowered = name.lower()
    if lowered == (urlsplit(settings.PUBLIC_URL).hostname or ""):
        return False
    return lowered.endswith(_INSIDE_ENDINGS) or any(letter.isdigit() for letter in lowered.split(".")[0])


def _names_in(text: str) -> list[str]:
    """Full names of staff that stand in the text, as the text spells them."""
    staff = User.objects.filter(role_rows__role__in=STAFF_ROLES, is_active=True).annotate(
        said=Value(text, output_field=TextField()), length=Length("name")
    )
    names = staff.filter(length__gte=_SHORTEST_NAME, said__icontains=F("name")).values_list("name", flat=True)
    matches = (re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in names.distinct()[:50])
    return [match.group() for match in matches if match]


@dataclass(frozen=True)
class AudienceText:
    """One audience in the composer. `differs` when it does not read the common text."""

    audience: str
    pieces: list[Piece]
    internal: list[InternalWord]

    @property
    def label(self) -> str:
        return str(Audience(self.audience).label)

    @property
    def differs(self) -> bool:
        return any(piece.kind != "same" for piece in self.pieces)


def look_over(common: str, texts: Mapping[str, str]) -> list[AudienceText]:
    """Each chosen audience with what it reads differently, and what should not leave."""
    return [
        AudienceText(name, difference(common, texts[name]), internal_words(texts[name]) if name in OUTSIDE else [])
        for name in Audience.values
        if texts.get(name)
    ]


def suggestion(incident: MajorIncident, audience: str, *, next_update_at: datetime | None) -> str:
    """A first wording from the facts, in the words of the audience: how bad, what has been tried, what happens next."""
    facts = Facts.of(incident)
    are_many = len(facts.services) > 1
    context = {
        "incident": facts,
        "what": facts.services_in_words if facts.services else "one of our services",
        "are": "are" if are_many else "is",
        "works": "work" if are_many else "works",
        "next_update_at": next_update_at,
        "zone": Organisation.current().time_zone,
    }
    said = render_to_string(f"notifications/updates/suggestions/{audience}.txt", context)
    return re.sub(r"\n{3,}", "\n\n", said).strip()


def proposed_minutes(incident: MajorIncident, audiences: Iterable[str]) -> int:
    """When the plan has the next update follow, in minutes from now.

    The technical team hears more often by what is done; the promise is made to the others while they are told.
    """
    plan = plan_for(incident)
    told = list(audiences) or list(Audience)
    waiting = [name for name in told if name != Audience.TECHNICAL] or told
    return min(plan.cadence(name) for name in waiting)


@dataclass(frozen=True)
class Writing:
    """Somebody else's draft. `is_fresh` while they are writing."""

    draft: UpdateDraft
    is_fresh: bool


def others_writing(incident: MajorIncident, reader: User, now: datetime) -> list[Writing]:
    """Drafts of others from the last hour, the newest first."""
    rows = UpdateDraft.objects.filter(incident=incident, saved_at__gt=now - timedelta(hours=1)).exclude(author=reader)
    return [Writing(row, now - row.saved_at < FRESH) for row in rows.select_related("author")[:5]]


def fields_of(update: StatusUpdate) -> dict[str, str]:
    """The fields of the composer as they were for a published update: what most audiences read is the common text."""
    texts = [update.texts[name] for name in update.audiences if name in update.texts]
    common = max(texts, key=texts.count, default="")
    own = {f"text_{name}": text for name, text in update.texts.items() if text != common}
    return {"text": common, **own}
