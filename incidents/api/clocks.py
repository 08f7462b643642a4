"""Clocks with their history, and downtime."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.actions import clocks, downtime
from incidents.api.endpoint import Changing, Collection, Detail, Making, ShortList, Verb, or_404
from incidents.api.fields import Moment, ServiceName, email_of
from incidents.api.incident_shapes import IntervalOut
from incidents.api.major_incidents import OnIncident
from incidents.api.shapes import MomentIn, ReasonIn, Shape
from incidents.models import DowntimeInterval, MajorIncident
from incidents.process import CLOCKS


class ClockEntryOut(Shape):
    value = Moment(allow_null=True)
    previous = Moment(allow_null=True)
    is_correction = serializers.BooleanField()
    reason = serializers.CharField()
    set_by = email_of("set_by")
    set_at = Moment()


class ClockOut(Shape):
    name = serializers.ChoiceField([(name, name) for name in CLOCKS])
    value = Moment(allow_null=True)
    set_by = serializers.EmailField(allow_null=True, help_text="Who set the present value; null: the product itself.")
    set_at = Moment(allow_null=True)
    is_corrected = serializers.BooleanField()
    not_applicable = serializers.CharField(allow_null=True, help_text="Why it needs no value.")
    corrections = ClockEntryOut(many=True)


def shown_clocks(incident: MajorIncident) -> list[dict[str, Any]]:
    """All nine clocks with every value each ever had; one query."""
    history: dict[str, list[Any]] = {name: [] for name in CLOCKS}
    for entry in incident.clock_entries.select_related("set_by"):
        history[entry.clock].append(entry)
    return [_shown_clock(incident, name, history[name]) for name in CLOCKS]


def _shown_clock(incident: MajorIncident, name: str, entries: list[Any]) -> dict[str, Any]:
    last = entries[-1] if entries else None
    return {
        "name": name,
        "value": getattr(incident, name),
        "set_by": last.set_by.email if last and last.set_by else None,
        "set_at": last.set_at if last else None,
        "is_corrected": name in incident.corrected_clocks,
        "not_applicable": incident.clocks_not_applicable.get(name),
        "corrections": entries,
    }


class ClockList(OnIncident, ShortList):
    """The nine clocks, each with its author and its corrections."""

    Out = ClockOut

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.whole(shown_clocks(self.incident()))


class ClockDetail(OnIncident, Detail):
    """One clock."""

    Out = ClockOut

    def find(self) -> dict[str, Any]:
        incident = self.incident()
        if self.kwargs["name"] not in CLOCKS:
            raise Http404
        return next(clock for clock in shown_clocks(incident) if clock["name"] == self.kwargs["name"])


class ClockNotApplicable(ClockDetail, Verb):
    """A clock that has no value and needs none, with the reason."""

    In = ReasonIn
    http_method_names = ["post", "options"]

    def act(self, record: Any, **given: Any) -> None:
        clocks.mark_not_applicable(self.kwargs["ref"], clock=record["name"], actor=self.actor, **given)


# --- Downtime -------------------------------------------------------------------------------------------
class IntervalIn(MomentIn):
    service = ServiceName(required=False, allow_null=True, max_length=120)
    started_at = Moment(past=True)
    ended_at = Moment(required=False, allow_null=True, past=True, help_text="Absent or null: still down.")


class DowntimeChange(Shape):
    started_at = Moment(required=False, past=True)
    ended_at = Moment(required=False, allow_null=True, past=True)


class DowntimeList(OnIncident, Collection, Making):
    """When each affected service was down; `POST` adds an interval."""

    In, Out = IntervalIn, IntervalOut
    queryset = DowntimeInterval.objects.none()
    default_ordering = "id"
    orderings = {"id": "id", "started_at": "started_at", "ended_at": "ended_at"}

    def rows(self) -> QuerySet:
        return self.incident().downtime.select_related("service")

    def make(self, **given: Any) -> DowntimeInterval:
        at = given.pop("at", None) or self.now
        given.setdefault("service", None)
        return downtime.add(self.incident().pk, actor=self.actor, at=at, **given)


class DowntimeDetail(OnIncident, Changing):
    """One interval. `PATCH` corrects it."""

    In, Out = DowntimeChange, IntervalOut
    queryset = DowntimeInterval.objects.none()

    def find(self) -> DowntimeInterval:
        return or_404(self.incident().downtime.select_related("service"), pk=self.kwargs["id"])

    def change(self, record: DowntimeInterval, given: dict[str, Any]) -> None:
        downtime.correct(record.pk, changes=given, actor=self.actor, at=self.now)
