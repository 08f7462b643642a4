"""The words of each moment and audience: the shipped files, or the organisation's own."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.template import Engine

from notifications.models import TemplateVersion
from notifications.template_language import Words
from notifications.template_variables import Variable, barred_from, variables_of

FOLDER = "notifications/messages"
PERSON = "person"
SUBJECT = Variable("subject", "the subject of this message", "MI-12 SEV1 declared: Checkout answers 502", public=True)
"""Known to the short text only."""


@dataclass(frozen=True)
class Sources:
    """The three parts as they are written. HTML is made from the text."""

    subject: str
    short: str
    text: str


@dataclass(frozen=True)
class Compiled:
    """Checked and ready. `version` is the organisation's own, None for the shipped words."""

    subject: Words
    short: Words
    text: Words
    version: TemplateVersion | None = None


def known_to(part: str, moment: str, audience: str) -> list[Variable]:
    """What a part (subject, short, text) may name."""
    found = variables_of(moment, audience)
    return [SUBJECT, *found] if part == "short" else found


def compiled(part: str, source: str, moment: str, audience: str) -> Words:
    """Raises Refused when the source may not be used for this moment and audience."""
    known = known_to(part, moment, audience)
    lists = [one.path for one in known if one.is_list]
    return Words(source, [one.path for one in known], lists, barred_from(moment, audience))


def compile_all(sources: Sources, moment: str, audience: str, version: TemplateVersion | None = None) -> Compiled:
    """Raises Refused."""
    return Compiled(
        compiled("subject", sources.subject, moment, audience),
        compiled("short", sources.short, moment, audience),
        compiled("text", sources.text, moment, audience),
        version,
    )


@lru_cache(maxsize=256)
def shipped_sources(moment: str, audience: str) -> Sources:
    """Raises LookupError when a moment has no words for the audience."""
    whose = audience or PERSON
    return Sources(
        subject=_read(f"{moment}/subject.{whose}.txt", f"{moment}/subject.txt"),
        short=_read(f"{moment}/short.{whose}.txt", f"{moment}/short.txt", "short.txt"),
        text=_read(f"{moment}/{whose}.txt", f"{moment}/everyone.txt"),
    )


@lru_cache(maxsize=256)
def shipped(moment: str, audience: str) -> Compiled:
    """Raises LookupError as `shipped_sources`."""
    return compile_all(shipped_sources(moment, audience), moment, audience)


def _read(*names: str) -> str:
    """The first of the files that is there."""
    for name in names:
        for folder in Engine.get_default().dirs:
            file = Path(folder) / FOLDER / name
            if file.is_file():
                return file.read_text().strip()
    raise LookupError(f"No words: {' or '.join(names)}")


def newest_version(moment: str, audience: str) -> TemplateVersion | None:
    """The newest version, shipped or not; None when nobody ever changed these words. One query."""
    return TemplateVersion.objects.filter(moment=moment, audience=audience).order_by("-number").first()


def own_words(moment: str, audience: str) -> TemplateVersion | None:
    """The organisation's own version that counts; None while the shipped words do."""
    found = newest_version(moment, audience)
    return found if found and not found.is_shipped else None


def sources_of(version: TemplateVersion | None, moment: str, audience: str) -> Sources:
    """What counts: the version's, or the shipped ones without one."""
    if version is None or version.is_shipped:
        return shipped_sources(moment, audience)
    return Sources(version.subject, version.short, version.text)
