"""Shifts from a calendar file: looked at first, then made. The same file again changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import calendars, permissions
from incidents.actions.input import clean_text
from incidents.actions.rotas import fits
from incidents.errors import Invalid
from incidents.models import OnCallShift, Organisation, RotaLayer, RotaOverride, Team, User

LARGEST = 1024 * 1024
NEW, CHANGED, SAME, REMOVED, LEFT_OUT, WRONG = "new", "changed", "unchanged", "removed", "left out", "wrong"


@dataclass(frozen=True)
class Target:
    """Where entries go: overrides of a layer, else single shifts of a role or a team with a rank."""

    layer: RotaLayer | None = None
    role: str = ""
    team: Team | None = None
    rank: int = 1

    @property
    def fields(self) -> dict[str, Any]:
        """What the rows of this target have in common, which also finds them."""
        return {"layer": self.layer} if self.layer else {"role": self.role, "team": self.team}

    @property
    def needed_role(self) -> str:
        return self.layer.rota.role if self.layer else self.role

    @property
    def zone(self) -> str:
        return self.layer.rota.time_zone if self.layer else Organisation.current().time_zone

    def rows(self) -> Any:
        model: Any = RotaOverride if self.layer else OnCallShift
        return model.objects.filter(**self.fields).exclude(uid="").select_related("person")


@dataclass(frozen=True)
class Planned:
    """What becomes of one entry: `state` and, when it is not made, why in words."""

    entry: calendars.Entry
    state: str
    person: User | None = None
    sentence: str = ""


def plan(text: str, target: Target, *, actor: User, at: datetime) -> list[Planned]:
    """What importing the file would do, entry by entry. Writes nothing. Raises Invalid naming `file`."""
    permissions.require(actor, "keep_rota")
    if len(clean_text("file", text, LARGEST, required=True).encode()) > LARGEST:
        raise Invalid(file="At most 1 MiB. Export a shorter time.")
    try:
        entries = calendars.read(text, zone=target.zone, at=at)
    except calendars.Unreadable as problem:
        raise Invalid(file=str(problem)) from None
    if not entries:
        raise Invalid(file="There is no entry in this calendar.")
    known = {row.uid: row for row in target.rows()}
    people = _People()
    seen: set[str] = set()
    return [_planned(entry, known.get(entry.uid), people, target, seen, at) for entry in entries]


@transaction.atomic
def carry_out(text: str, target: Target, *, actor: User, at: datetime) -> list[Planned]:
    """Makes, changes and removes what `plan` says; entries with a problem are left out. Safe to run twice."""
    if target.layer:
        RotaLayer.objects.select_for_update(of=("self",)).get(pk=target.layer.pk)
    planned = plan(text, target, actor=actor, at=at)
    rows = {row.uid: row for row in target.rows()}
    for one in planned:
        if one.state == REMOVED:
            rows[one.entry.uid].delete()
        elif one.state == CHANGED:
            row = rows[one.entry.uid]
            row.person, row.starts_at, row.ends_at = one.person, one.entry.starts_at, one.entry.ends_at
            row.save(update_fields=["person", "starts_at", "ends_at"])
        elif one.state == NEW:
            _make(one, target, actor, at)
    return planned


def _make(one: Planned, target: Target, actor: User, at: datetime) -> None:
    entry = one.entry
    span = {"person": one.person, "starts_at": entry.starts_at, "ends_at": entry.ends_at, "uid": entry.uid}
    if target.layer:
        RotaOverride.objects.create(**span, layer=target.layer, reason=entry.summary, made_by=actor, made_at=at)
    else:
        OnCallShift.objects.create(**span, **target.fields, rank=target.rank)


def _planned(
    entry: calendars.Entry, known: Any, people: "_People", target: Target, seen: set[str], at: datetime
) -> Planned:
    if entry.problem:
        return Planned(entry, WRONG, sentence=entry.problem)
    if entry.uid in seen:
        return Planned(entry, LEFT_OUT, sentence="The file has this entry twice; the first counts.")
    seen.add(entry.uid)
    if entry.is_cancelled:
        return Planned(entry, REMOVED if known else LEFT_OUT, sentence="It was cancelled.")
    assert entry.ends_at is not None
    if entry.ends_at <= at and known is None:
        return Planned(entry, LEFT_OUT, sentence="It is over.")
    try:
        person = fits(people.of(entry), target.needed_role, "person")
    except Invalid as refusal:
        return Planned(entry, WRONG, sentence=refusal.message)
    if known is None:
        return Planned(entry, NEW, person)
    same = (known.person_id, known.starts_at, known.ends_at) == (person.pk, entry.starts_at, entry.ends_at)
    return Planned(entry, SAME if same else CHANGED, person)


class _People:
    """Whom an entry means: its attendee, else the address or the full name in its title. Two queries at most."""

    def __init__(self) -> None:
        people = User.objects.filter(is_active=True, is_guest=False).prefetch_related("role_rows")
        self.by_email = {person.email.lower(): person for person in people}
        self.by_name = sorted(self.by_email.values(), key=lambda person: -len(person.name))

    def of(self, entry: calendars.Entry) -> User:
        """Raises Invalid with what the entry should say."""
        for email in entry.emails:
            if email in self.by_email:
                return self.by_email[email]
        title = entry.summary.casefold()
        if words := [word.strip("<>(),;") for word in title.split() if "@" in word]:
            for word in words:
                if word in self.by_email:
                    return self.by_email[word]
        named = [person for person in self.by_name if person.name and person.name.casefold() in title]
        longest = [person for person in named if len(person.name) == len(named[0].name)]
        if len(longest) == 1:
            return longest[0]
        if longest:
            raise Invalid(person=f"Several people are called {longest[0].name}. Add the attendee’s e-mail address.")
        who = ", ".join(entry.emails) or entry.summary or "nobody"
        raise Invalid(person=f"Nobody here is “{who[:80]}”. Name an account by attendee, address or full name.")
