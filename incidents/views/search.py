"""Search over everything, as a page and as the answers of the palette."""

from dataclasses import dataclass
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from incidents import permissions
from incidents.queries.search import KINDS, MOST_CHARACTERS, Hit, by_reference, search
from incidents.views.gate import Request, page

_LOOKS = {
    "major_incident": ("Major incidents", "alert-octagon"),
    "ticket": ("Tickets", "ticket"),
    "problem": ("Problems", "bug"),
    "change": ("Changes", "git-branch"),
    "candidate": ("Candidates", "speakerphone"),
    "document": ("Knowledge", "book-2"),
    "service": ("Services", "sitemap"),
    "person": ("People", "user"),
}
_PAGES = {
    "major_incident": "war_room",
    "ticket": "ticket",
    "problem": "problem",
    "change": "change",
    "candidate": "candidate",
    "document": "document",
}
_MOST_OF_A_KIND_IN_THE_PALETTE = 5


@dataclass(frozen=True)
class Group:
    """Hits of one kind with the address of each."""

    label: str
    icon: str
    kind: str
    hits: list[tuple[Hit, str]]


def _address(hit: Hit) -> str:
    """The page of a hit; the search page itself for a record without one."""
    try:
        if hit.kind == "service":
            return reverse("service", args=[hit.ref])
        if hit.kind == "person":
            return f"mailto:{quote(hit.ref, safe='@')}"
        return reverse(_PAGES[hit.kind], args=[hit.pk])
    except NoReverseMatch:
        return f"{reverse('search')}?q={quote(hit.ref)}"


def _groups(hits: list[Hit], most: int | None = None) -> list[Group]:
    """By kind, in the order of KINDS."""
    found = []
    for kind in KINDS:
        label, icon = _LOOKS[kind]
        of_kind = [(hit, _address(hit)) for hit in hits if hit.kind == kind][:most]
        if of_kind:
            found.append(Group(label, icon, kind, of_kind))
    return found


@page()
def search_page(request: Request) -> HttpResponse:
    """A reference opens its record at once; words list what they are found in."""
    asked = request.GET.get("q", "")[:MOST_CHARACTERS]
    named = by_reference(request.user, asked)
    if named is not None and not (url := _address(named)).startswith(reverse("search")):
        return redirect(url)
    groups = _groups(search(request.user, asked))
    return render(request, "incidents/search/search.html", {"asked": asked, "groups": groups})


@page()
def palette(request: Request) -> HttpResponse:
    """Options for Ctrl-K: records, then commands whose words match."""
    asked = request.GET.get("q", "")[:MOST_CHARACTERS].strip()
    groups = _groups(search(request.user, asked), _MOST_OF_A_KIND_IN_THE_PALETTE)
    context = {"asked": asked, "groups": groups, "commands": _commands(request, asked.lower())}
    return render(request, "incidents/search/palette.html", context)


@dataclass(frozen=True)
class Command:
    """Something to do: its words, its icon, the name of its address, and the act it needs ("" for anybody)."""

    words: str
    icon: str
    name: str
    act: str


_COMMANDS = (
    Command("New ticket: note a call", "phone-incoming", "ticket_new", "work_ticket"),
    Command("Propose as major", "speakerphone", "propose", "propose"),
    Command("Declare a major incident", "flame", "declare", "declare"),
    Command("New problem", "bug", "problem_new", "work_problem"),
    Command("New change", "git-branch", "change_new", "work_change"),
    Command("Report something", "message-report", "portal", "use_portal"),
    Command("Who is on call", "phone", "on_call", "view_desk"),
    Command("Invite a person", "user-plus", "person_invite", "configure"),
    Command("Organisation settings", "settings", "organisation", "configure"),
    Command("Audiences: who is told", "users-group", "audiences", "configure"),
    Command("My settings", "user-circle", "my_settings", ""),
)


def _commands(request: Request, asked: str) -> list[tuple[Command, str]]:
    return [
        (one, reverse(one.name))
        for one in _COMMANDS
        if asked in one.words.lower() and (not one.act or permissions.can(request.user, one.act))
    ]
