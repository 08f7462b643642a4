"""Occasions to try words on: everything known, as little as possible, over already, and as a drill."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from notifications.messages import Facts, Occasion
from notifications.particulars import Particulars
from notifications.template_variables import SAMPLE_AT, Variable, variables_of

_OF_FACTS = {one.name for one in fields(Facts)}


def occasion(
    moment: str, audience: str, *, sparse: bool = False, facts: Facts | None = None, link: str = ""
) -> Occasion:
    """The sample of a moment; `sparse` leaves out all that may be missing. With `facts` it is about that incident,
    and only what the moment needs and the incident does not have is filled from the sample."""
    known = variables_of(moment, audience)
    values = {one.path: one.nothing if sparse and one.optional else one.sample for one in _all(moment, audience, known)}
    has_incident = any(path.startswith("incident.") for path in values)
    sample = _facts(values) if has_incident else None
    return Occasion(
        moment=moment,
        audience=audience,
        at=SAMPLE_AT,
        incident=_filled(facts, sample, known) if facts and sample else sample,
        actor=str(values.get("actor", "")),
        particulars=Particulars(
            {path.removeprefix("it."): value for path, value in values.items() if path.startswith("it.")},
            quote=str(values.get("quote", "")),
            url=link,
            choices=(("It works", link or "https://desk.example.org/"),) if values.get("choices") else (),
        ),
    )


def occasions(moment: str, audience: str) -> Iterator[Occasion]:
    """All that words must be fit for before they are accepted."""
    full = occasion(moment, audience)
    yield full
    yield occasion(moment, audience, sparse=True)
    certain = {one.path for one in variables_of(moment, audience) if not one.optional}
    if full.incident is not None:
        if "incident.next_update_at" not in certain:
            yield replace(full, incident=replace(full.incident, is_open=False, next_update_at=None))
        yield replace(full, incident=replace(full.incident, is_drill=True))


def _all(moment: str, audience: str, known: list[Variable]) -> list[Variable]:
    """The layout also says internal facts of an incident where the words may not; a sample has them all."""
    internal = variables_of(moment, audience and "technical") if audience else known
    named = {one.path for one in known}
    return [*known, *(one for one in internal if one.path not in named and one.path.startswith("incident."))]


def _facts(values: dict[str, Any]) -> Facts:
    found = {path.removeprefix("incident."): value for path, value in values.items() if path.startswith("incident.")}
    found["services"] = tuple(found.get("services") or ())
    needed = {"ref": "MI-12", "title": "Checkout answers 502", "severity": "SEV1", "stage": "Containment"}
    return Facts(**needed | {name: value for name, value in found.items() if name in _OF_FACTS})


def _filled(facts: Facts, sample: Facts, known: list[Variable]) -> Facts:
    """What the moment takes for granted and this incident has not come to yet, for example when it was contained."""
    certain = [one.path.removeprefix("incident.") for one in known if not one.optional]
    missing = {
        name: getattr(sample, name) for name in certain if name in _OF_FACTS and getattr(facts, name) in (None, "")
    }
    return replace(facts, **missing)
