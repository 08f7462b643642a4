"""How a row of the permission matrix is written: a route, its methods, the record, and who gets which answer."""

from dataclasses import dataclass

ROLES = (
    "requester", "stakeholder", "technician", "engineer", "manager", "change", "problem", "consultant",
    "management", "desk_manager", "administrator",
)  # fmt: skip
"""One account for each account role of the process, by its short name here."""
OTHERS = ("guest", "other_guest", "no_role")
"""A guest seated on the own incident, a guest seated on another one, somebody without any role."""
OUTSIDE = ("disabled", "ended", "nobody")
"""An account that was disabled, a guest whose access has ended, and nobody signed in: always one answer."""
ACTORS = (*ROLES, *OTHERS, *OUTSIDE)
INSIDE = (*ROLES, *OTHERS)

OK, NO, HIDDEN, SIGN_IN = "ok", "no", "hidden", "sign in"
"""Past authorisation (also when the process or the form then refuses) · 403 · 404 · to the sign-in page, 401."""

_DESK = "technician engineer manager change problem desk_manager administrator"
GROUPS = {
    "desk": _DESK,
    "staff": f"{_DESK} management",
    "roles": f"requester stakeholder {_DESK} management",
    "seated": "technician engineer manager change problem management guest",
    "guests": "consultant guest other_guest",
    "team_own": "technician engineer manager change problem management guest desk_manager",
    "team_foreign": "manager desk_manager other_guest",
    "bystanders": "stakeholder consultant guest other_guest no_role",
    "not_own": "requester consultant other_guest no_role",
    "not_foreign": "requester consultant guest no_role",
    "inside": " ".join(INSIDE),
    "anybody": " ".join(ACTORS),
}
"""desk: works tickets, problems, changes. staff: reads them too. roles: everybody with a role but guests.
seated: holds an accepted seat on the own incident. team_own, team_foreign: contribute to that incident.
bystanders: have nothing to do with any ticket. not_own, not_foreign: may not know of that incident.
inside: everybody signed in. anybody: nobody, too."""


def people(words: str) -> frozenset[str]:
    """The actors named: names and groups, "-name" takes one out again. KeyError for a name that is none."""
    found: set[str] = set()
    for word in words.split():
        named = word.removeprefix("-")
        members = set(GROUPS[named].split()) if named in GROUPS else {named}
        if unknown := members.difference(ACTORS):
            raise KeyError(f"nobody is called {', '.join(unknown)}")
        found = found - members if word.startswith("-") else found | members
    return frozenset(found)


@dataclass(frozen=True)
class Row:
    """One line of the matrix. `on` names the record ("MI own"), `act` the act of a route that has several."""

    route: str
    methods: tuple[str, ...]
    on: str
    act: str
    answers: tuple[tuple[str, str], ...]
    said: str

    def expected(self) -> dict[str, str]:
        return dict(self.answers)

    def __str__(self) -> str:
        about = f" {self.act}" if self.act else ""
        return f"{self.route}{about} {' '.join(self.methods)} {self.on or '-'}"


def row(
    route: str, methods: str, on: str = "", ok: str = "", *, rest: str = NO, no: str = "", hidden: str = "",
    outside: str = "", act: str = "", said: str = "",
) -> Row:  # fmt: skip
    """`ok`, `no`, `hidden` name who gets that answer, everybody else inside gets `rest`, those outside `sign in`
    unless `outside` says otherwise. `said` is a remark for the reader."""
    given = {**dict.fromkeys(INSIDE, rest), **dict.fromkeys(OUTSIDE, outside or SIGN_IN)}
    for words, answer in ((hidden, HIDDEN), (no, NO), (ok, OK)):
        given |= dict.fromkeys(people(words), answer)
    answers = tuple((actor, given[actor]) for actor in ACTORS)
    return Row(route, tuple(methods.split()), on, act, answers, said)
