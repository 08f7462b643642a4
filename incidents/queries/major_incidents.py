"""Major incidents as a list: filtered, newest first, a page at a time by key."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Count, Prefetch, Q, QuerySet

from incidents.models import DowntimeInterval, MajorIncident, Seat, User
from incidents.permissions import visible_incidents
from incidents.priority import Severity
from incidents.process import OPEN_STAGES, Role, SeatState, Stage
from incidents.queries.references import numbers_in

PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """The filters of the address; what is not known there is ignored."""

    words: str = ""
    state: str = ""
    severity: str = ""
    service: str = ""
    before: int | None = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Wanted":
        before = given.get("before", "")
        return cls(
            words=given.get("q", "").strip().replace("\x00", "")[:200],
            state=state if (state := given.get("state", "")) in (*Stage.values, "open") else "",
            severity=severity if (severity := given.get("severity", "")) in Severity.values else "",
            service=given.get("service", "")[:120].replace("\x00", ""),
            before=int(before) if before.isdigit() and len(before) < 16 else None,
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.words or self.state or self.severity or self.service)

    def address(self, **changed: object) -> str:
        """The query string of these filters with some of them changed."""
        named = {"q": self.words, "state": self.state, "severity": self.severity, "service": self.service} | changed
        return urlencode({name: value for name, value in named.items() if value})


@dataclass(frozen=True)
class IncidentPage:
    rows: list[MajorIncident]
    older: str


def narrowed(rows: QuerySet[MajorIncident], wanted: Wanted) -> QuerySet[MajorIncident]:
    """Those that the filters let through."""
    if wanted.words:
        found = SearchVector("title", "description", config="simple")
        matches = Q(found=SearchQuery(wanted.words, config="simple", search_type="websearch"))
        rows = rows.annotate(found=found).filter(
            matches | Q(title__icontains=wanted.words) | Q(pk__in=numbers_in(wanted.words, "MI"))
        )
    if wanted.state:
        rows = rows.filter(stage__in=OPEN_STAGES if wanted.state == "open" else [wanted.state])
    if wanted.severity:
        rows = rows.filter(severity=wanted.severity)
    if wanted.service:
        rows = rows.filter(affected__service__slug=wanted.service)
    return rows


def page_of(user: User, wanted: Wanted) -> IncidentPage:
    """At most 50 incidents this person may see; `older` is the query string of the next page. Four queries."""
    rows = narrowed(visible_incidents(user), wanted)
    if wanted.before:
        rows = rows.filter(pk__lt=wanted.before)
    managers = Seat.objects.filter(role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED).select_related("user")
    found_rows: list[MajorIncident] = list(
        rows.select_related("merged_into")
        .annotate(children=Count("tickets", distinct=True))
        .prefetch_related(
            Prefetch("seats", queryset=managers, to_attr="managers"),
            Prefetch("downtime", queryset=DowntimeInterval.objects.select_related("service")),
        )
        .order_by("-pk")[: PAGE + 1]
    )
    more = len(found_rows) > PAGE
    found_rows = found_rows[:PAGE]
    return IncidentPage(found_rows, wanted.address(before=found_rows[-1].pk) if more else "")
