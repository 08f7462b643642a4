"""Searching everything the person may see, by reference and by words; a mistyped word is found by its trigrams."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Q, QuerySet

from incidents import permissions
from incidents.models import Document, Service, User
from incidents.permissions import (
    visible_candidates,
    visible_changes,
    visible_incidents,
    visible_problems,
    visible_tickets,
)
from incidents.queries.words import matching, search_query

ALIKE = 0.45
_REFERENCE = re.compile(r"\s*(INC|MI|CAN|PRB|CHG)[\s-]?([0-9]{1,15})\s*", re.IGNORECASE)
_VISIBLE: dict[str, Callable[[User], QuerySet]] = {
    "INC": visible_tickets,
    "MI": visible_incidents,
    "CAN": visible_candidates,
    "PRB": visible_problems,
    "CHG": visible_changes,
}


@dataclass(frozen=True)
class Found:
    """Records of one kind: `label` is its heading, `icon` its symbol."""

    label: str
    icon: str
    rows: list[Any] = field(default_factory=list)


def by_reference(user: User, text: str) -> Any | None:
    """The record a reference names, if the person may see it."""
    named = _REFERENCE.fullmatch(text)
    if named is None:
        return None
    return _VISIBLE[named[1].upper()](user).filter(pk=int(named[2])).first()


def search(user: User, text: str, *, most: int = 10) -> list[Found]:
    """Groups that have something, major incidents first. The number of queries does not depend on what is found."""
    if exact := by_reference(user, text):
        return [Found("Reference", "search", [exact])]
    if search_query(text) is None:
        return []
    groups = [
        Found("Major incidents", "alert-octagon", _rows(visible_incidents(user), text, most, "title", "description")),
        Found("Tickets", "ticket", _rows(visible_tickets(user), text, most, "title", "description")),
        Found("Problems", "bug", _rows(visible_problems(user), text, most, "title", "description", "root_cause")),
        Found("Changes", "git-branch", _rows(visible_changes(user), text, most, "title", "description")),
        Found("Knowledge", "book-2", _documents(user, text, most)),
        Found("Services", "sitemap", _services(user, text, most)),
        Found("People", "users", _people(user, text, most)),
    ]
    return [group for group in groups if group.rows]


def _rows(visible: QuerySet, text: str, most: int, *fields: str) -> list[Any]:
    """Whole words first; when there is none, titles in alike words."""
    found = list(matching(visible, text, *fields).order_by("-id")[:most])
    if found:
        return found
    alike = visible.annotate(alike=TrigramWordSimilarity(text, "title")).filter(alike__gte=ALIKE)
    return list(alike.order_by("-alike", "-id")[:most])


def _documents(user: User, text: str, most: int) -> list[Document]:
    if not permissions.can(user, "view_knowledge"):
        return []
    published = Document.objects.filter(published_at__isnull=False).select_related("incident")
    return list(matching(published, text, "title", "markdown").order_by("-published_at")[:most])


def _services(user: User, text: str, most: int) -> list[Service]:
    if not permissions.can(user, "view_services"):
        return []
    return list(Service.objects.filter(Q(name__icontains=text) | Q(description__icontains=text))[:most])


def _people(user: User, text: str, most: int) -> list[User]:
    if not permissions.can(user, "view_desk"):
        return []
    return list(User.objects.filter(Q(name__icontains=text) | Q(email__icontains=text), is_active=True)[:most])
