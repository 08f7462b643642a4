"""Search on a page, and the same as options of the command palette."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from incidents import permissions
from incidents.queries.search import by_reference, search
from incidents.templatetags.records import address_of
from incidents.views.gate import Request, page

MOST_IN_PALETTE = 5


@page()
def search_page(request: Request) -> HttpResponse:
    """A reference opens its record at once; words list what they are found in."""
    q = request.GET.get("q", "").strip()[:200]
    record = by_reference(request.user, q)
    if record is not None and (url := address_of(record)):
        return redirect(url)
    return render(request, "incidents/search/search.html", {"q": q, "groups": search(request.user, q) if q else []})


@page()
def palette(request: Request) -> HttpResponse:
    """Options for Ctrl-K: commands whose words match, then records."""
    q = request.GET.get("q", "").strip()[:200]
    groups = search(request.user, q, most=MOST_IN_PALETTE) if q else []
    context = {"q": q, "groups": groups, "commands": _commands(request, q.lower())}
    return render(request, "incidents/search/palette.html", context)


@dataclass(frozen=True)
class Command:
    words: str
    icon: str
    name: str
    act: str


_COMMANDS = (
    Command("New ticket: note a call", "phone-incoming", "ticket_new", "work_ticket"),
    Command("Propose as major", "speakerphone", "propose", "propose"),
    Command("New problem", "bug", "problem_new", "work_problem"),
    Command("New change", "git-branch", "change_new", "work_change"),
    Command("Report something", "message-report", "portal", "use_portal"),
    Command("Who is on call", "phone", "on_call", "view_desk"),
    Command("Invite a person", "user-plus", "person_invite", "configure"),
    Command("Organisation settings", "settings", "organisation", "configure"),
    Command("Audiences: who is told", "users-group", "audiences", "configure"),
    Command("My settings", "user-circle", "my_settings", ""),
)


def _commands(request: Request, q: str) -> list[dict[str, Any]]:
    return [
        {"words": one.words, "icon": one.icon, "url": reverse(one.name)}
        for one in _COMMANDS
        if q in one.words.lower() and (not one.act or permissions.can(request.user, one.act))
    ]
