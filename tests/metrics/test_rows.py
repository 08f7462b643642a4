"""The KPI row of an incident, and the step "measure" that it proves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import clocks, downtime, major_incidents, seats, steps
from incidents.models import IncidentStep, MajorIncident
from metrics import rows, tasks
from metrics.models import IncidentFigures
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def declared(manager, checkout):
    at = timezone.now() - timedelta(hours=3)
    return major_incidents.declare(
        title="Checkout unavailable", services=[checkout], impact=1, urgency=1, actor=manager, at=at,
        clocks_given={"started_at": at - timedelta(minutes=10), "detected_at": at - timedelta(minutes=6),
                      "reported_at": at - timedelta(minutes=5), "acknowledged_at": None},
    )  # fmt: skip


def in_maintenance(incident, manager):
    """Every step of the earlier stages waived by its accountable, then restored and confirmed."""
    at = incident.declared_at
    for number, transition in enumerate(("begin_containment", "begin_resolution", "confirm_resolution"), 1):
        moment = at + timedelta(minutes=20 * number)
        if transition == "confirm_resolution":
            downtime.restore(incident.pk, actor=manager, at=moment - timedelta(minutes=5))
        for key in MajorIncident.objects.get(pk=incident.pk).missing_steps(transition):
            step_actor = manager if key != "change" else accountable_for_change(incident, manager, moment)
            steps.waive(incident.pk, key, reason="Not needed in this story.", actor=step_actor, at=moment)
        incident = getattr(major_incidents, transition)(incident.pk, actor=manager, at=moment)
    return incident


def accountable_for_change(incident, manager, at):
    person = factories.person("change_manager", name="Change Holder")
    seat = seats.invite(incident.pk, role="change_manager", user=person, actor=manager, at=at)
    seats.accept(seat.pk, actor=person, at=at)
    return person


def measure_step(incident) -> IncidentStep:
    return IncidentStep.objects.get(incident=incident, key="measure")


def test_the_act_only_marks_the_row_and_the_sweep_waits_for_maintenance(declared):
    row = IncidentFigures.objects.get(incident=declared)
    assert row.stale_since is not None
    assert row.computed_at is None
    assert rows.waiting() == []
    tasks.sweep_kpi_rows()
    assert IncidentFigures.objects.get().computed_at is None


def test_measuring_is_done_once_every_clock_has_a_value_or_does_not_apply(declared, manager):
    incident = in_maintenance(declared, manager)
    assert rows.waiting() == [incident.pk]
    tasks.sweep_kpi_rows()
    step = measure_step(incident)
    assert step.state == "open"
    assert step.missing == ["The clock “acknowledged” has no value. Set it, or mark it not applicable with a reason."]
    clocks.mark_not_applicable(
        incident.pk, clock="acknowledged_at", reason="The monitoring declared it.", actor=manager, at=timezone.now()
    )
    tasks.sweep_kpi_rows()
    step = measure_step(incident)
    assert (step.state, step.missing) == ("done", [])
    row = IncidentFigures.objects.get()
    assert (row.mttd_seconds, row.mtta_seconds, row.is_complete) == (240, None, True)
    assert step.evidence["figures"]["mttd_seconds"] == 240


def test_a_correction_moves_the_row_and_running_twice_changes_nothing(declared, manager):
    incident = in_maintenance(declared, manager)
    tasks.sweep_kpi_rows()
    assert rows.waiting() == []
    assert rows.compute(incident.pk, at=timezone.now()) is None
    clocks.correct(
        incident.pk, clock="acknowledged_at", value=incident.reported_at + timedelta(minutes=2),
        reason="Found in the call log.", actor=manager, at=timezone.now(),
    )  # fmt: skip
    assert rows.waiting() == [incident.pk]
    tasks.compute_kpi_row(incident.pk)
    assert IncidentFigures.objects.get().mtta_seconds == 120
    assert measure_step(incident).state == "done"
    tasks.compute_kpi_row(incident.pk)
    assert measure_step(incident).state == "done"


def test_after_reopening_the_step_needs_new_evidence(declared, manager):
    incident = in_maintenance(declared, manager)
    clocks.mark_not_applicable(
        incident.pk, clock="acknowledged_at", reason="Declared by a rule.", actor=manager, at=timezone.now()
    )
    tasks.sweep_kpi_rows()
    assert measure_step(incident).state == "done"
    major_incidents.reopen(incident.pk, reason="It came back.", actor=manager, at=timezone.now())
    assert measure_step(incident).state == "pending"
    assert rows.waiting() == []
