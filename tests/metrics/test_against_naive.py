"""An independent check: every figure against a second, naive computation over generated histories."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.models import (
    DowntimeInterval,
    IncidentStep,
    MaintenanceWindow,
    MajorIncident,
    Problem,
    Review,
    ServiceHours,
    Ticket,
    UpdatePromise,
)
from incidents.process import CLOCKS, STEP_BY_KEY
from metrics import rows
from metrics.definitions import STATISTICS
from metrics.kpis import figures
from metrics.models import IncidentFigures
from tests.metrics.histories import past_incident, scope, service, set_zone, utc
from tests.metrics.naive import Naive

STARTS = (utc(2026, 5, 1), utc(2026, 3, 28, 20), utc(2026, 10, 24, 21), utc(2026, 1, 31, 12), utc(2028, 2, 29))
"""An ordinary day, both changes of the clock in Berlin, an end of a month, a leap day."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York")
offsets = st.integers(-500, 2200)
intervals = st.lists(st.tuples(st.sampled_from([0, 1]), offsets, st.integers(0, 240)), max_size=3)
STAGES = ("closed", "closed", "closed", "maintenance", "identification", "stood_down")


@st.composite
def histories(draw):
    """Offsets in minutes from the start of the period; clocks in their order, some unknown; downtime may overlap."""
    known = draw(st.lists(st.booleans() | st.just(True), min_size=9, max_size=9))
    moments = sorted(draw(st.lists(offsets, min_size=9, max_size=9)))
    stage = draw(st.sampled_from(STAGES))
    clocks = {name: moment if is_known else None for name, moment, is_known in zip(CLOCKS, moments, known, strict=True)}
    return {
        "clocks": clocks,
        "stage": stage,
        "is_drill": draw(st.sampled_from([False, False, False, True])),
        "is_merged": draw(st.sampled_from([False, False, False, True])),
        "downtime": draw(intervals),
        "steps": draw(st.lists(st.tuples(st.booleans(), st.sampled_from(["done", "waived", "open"]), st.booleans()),
                               max_size=3)),
        "promises": draw(st.lists(st.sampled_from(["kept", "broken", "withdrawn"]), max_size=3)),
        "is_reviewed": draw(st.booleans()),
        "cause": draw(st.sampled_from([None, "change", "unknown"])),
        "channel": draw(st.sampled_from([None, "portal", "monitoring"])),
    }  # fmt: skip


def written(drawn, start: datetime, services, into: MajorIncident) -> tuple[MajorIncident, dict]:
    """The history in the database, and the same as the naive computation reads it."""

    def at(offset):
        return None if offset is None else start + timedelta(minutes=offset)

    clocks = {name: at(offset) for name, offset in drawn["clocks"].items()}
    spans = spans_of(drawn["downtime"], start, services, may_be_open=drawn["stage"] == "identification")
    incident = past_incident(
        **clocks, stage=drawn["stage"], stood_down_reason="No outage.", is_drill=drawn["is_drill"],
        merged_into=into if drawn["is_merged"] else None, downtime=spans,
    )  # fmt: skip
    for number, (is_opened, state, by_fallback) in enumerate(drawn["steps"]):
        IncidentStep.objects.create(
            incident=incident, key=list(STEP_BY_KEY)[number], position=number, state=state, by_fallback=by_fallback,
            opened_at=start if is_opened else None, done_at=start if state == "done" else None,
            waiver_reason="Not needed." if state == "waived" else "",
        )  # fmt: skip
    for state in drawn["promises"]:
        UpdatePromise.objects.create(incident=incident, due_at=start, made_at=start, state=state)
    if drawn["is_reviewed"]:
        Review.objects.create(incident=incident, state="completed", opened_at=start, completed_at=start)
    if drawn["cause"]:
        problem = Problem.objects.create(title="Why", cause_category=drawn["cause"], created_at=start)
        problem.major_incidents.add(incident)
    if drawn["channel"]:
        Ticket.objects.create(title="Later", channel="email", reported_at=start + timedelta(1), major_incident=incident)
        Ticket.objects.create(title="First", channel=drawn["channel"], reported_at=start, major_incident=incident)
    plain = {**clocks, **{name: drawn[name] for name in drawn if name not in ("clocks", "downtime")}}
    return incident, plain | {"downtime": [(one.pk, a, b) for one, a, b in spans]}


def spans_of(drawn, start, services, *, may_be_open):
    spans, still_open = [], set()
    for which, begin, length in drawn:
        is_open = may_be_open and length == 0 and which not in still_open
        if is_open:
            still_open.add(which)
        begins = start + timedelta(minutes=begin)
        spans.append((services[which], begins, None if is_open else begins + timedelta(minutes=max(length, 1))))
    return spans


def check(found, naive: Naive, services) -> None:
    whole = found.whole
    assert whole.count == len(naive.chosen)
    expected = naive.statistics()
    for kpi in STATISTICS:
        one = whole.statistics[kpi.key]
        assert (one.mean_seconds, one.median_seconds, one.p90_seconds, one.n) == pytest.approx(expected[kpi.key])
    assert (whole.cost.value, whole.cost.n) == pytest.approx(naive.cost())
    for key, rate in naive.rates().items():
        assert (whole.rates[key].value, whole.rates[key].n) == pytest.approx(rate), key
    assert whole.detection_by_channel == naive.channels()
    assert whole.causes == naive.causes()
    months = [(one.month, one.count, one.change_percent, one.change_previous_percent) for one in found.months]
    assert months == [pytest.approx(row) if None not in row else row for row in naive.months()]
    one = found.mtbf
    assert (one.mean_seconds, one.failures, one.uptime_seconds, one.start_to_start_seconds) == pytest.approx(
        naive.between_failures([row.pk for row in services])
    )


class AgainstTheNaiveComputation(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(histories(), max_size=4), st.integers(30, 3000), st.sampled_from(STARTS), st.sampled_from(ZONES),
        st.booleans(), intervals, st.integers(0, 3),
    )  # fmt: skip
    def test_every_figure_kept_or_not_and_after_corrections(
        self, drawn, length, start, zone_name, with_window, corrected, which
    ):
        set_zone(zone_name)
        zone = ZoneInfo(zone_name)
        hours = ServiceHours.objects.create(name="Office", time_zone="Europe/Berlin")
        services = [service("shop", 60), service("pay", 120)]
        services[1].off_hours_percent, services[1].hours = 25, hours
        services[1].save()
        end, now = start + timedelta(minutes=length), start + timedelta(minutes=2500)
        windows = []
        if with_window:
            window = MaintenanceWindow.objects.create(
                title="Work", starts_at=start + timedelta(minutes=100), ends_at=start + timedelta(minutes=220)
            )
            window.services.add(services[0])
            windows = [(services[0].pk, window.starts_at, window.ends_at)]
        prices = {services[0].pk: (60, 1, zone, (8, 18)), services[1].pk: (120, 0.25, hours_zone, (8, 18))}
        into = past_incident(is_drill=True)
        made = [written(one, start, services, into) for one in drawn]
        plain = [one for _, one in made]

        def both():
            asked = {"start": start, "end": end, "zone": zone_name}
            naive = Naive(plain, start=start, end=end, now=now, zone=zone, windows=windows, prices=prices)
            check(figures(scope(**asked), at=now), naive, services)
            check(figures(scope(**asked, use_kept=False), at=now), naive, services)

        rows.compute_many([incident.pk for incident, _ in made], at=now)
        both()
        if made:  # downtime of one is corrected, whatever was kept
            incident, one = made[which % len(made)]
            spans = spans_of(corrected, start, services, may_be_open=False)
            DowntimeInterval.objects.filter(incident=incident).delete()
            DowntimeInterval.objects.bulk_create(
                DowntimeInterval(incident=incident, service=known, started_at=a, ended_at=b) for known, a, b in spans
            )
            one["downtime"] = [(known.pk, a, b) for known, a, b in spans]
            if one["resolved_at"] is not None and one["closed_at"] is None:
                one["resolved_at"] += timedelta(minutes=7)
                MajorIncident.objects.filter(pk=incident.pk).update(resolved_at=one["resolved_at"])
            both()
            rows.compute_many(rows.waiting(), at=now)
            assert not IncidentFigures.objects.filter(
                stale_since__isnull=False, incident__stage__in=rows.MEASURED_STAGES
            ).exists()
            both()


hours_zone = ZoneInfo("Europe/Berlin")
