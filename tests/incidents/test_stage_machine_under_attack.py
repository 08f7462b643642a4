"""Everybody presses everything in any order: no illegal stage, no step without evidence, clocks in order."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from incidents import evidence
from incidents.actions import (
    changes,
    clocks,
    documents,
    downtime,
    major_incidents,
    problems,
    response,
    reviews,
    seats,
    steps,
)
from incidents.errors import ProcessError, StepsOutstanding
from incidents.models import Change, MajorIncident, Seat
from incidents.process import CLOCK_CHAINS, GATES, STEPS, Role
from tests import factories
from tests.factories import minute

ROLES = (
    "service_desk_technician",
    "major_incident_manager",
    "technical_staff",
    "change_manager",
    "problem_manager",
    "management",
    "service_desk_manager",
    "administrator",
    "requester",
)
LEGAL = {
    ("identification", "containment"),
    ("containment", "resolution"),
    ("resolution", "maintenance"),
    ("resolution", "containment"),
    ("maintenance", "closed"),
    ("maintenance", "containment"),
    ("closed", "containment"),
    ("stood_down", "identification"),
    *((stage, "stood_down") for stage in ("identification", "containment", "resolution", "maintenance")),
}
people = st.sampled_from(ROLES)
moments = st.integers(min_value=-30, max_value=200).map(minute)
steps_keys = st.sampled_from([step.key for step in STEPS])


class Desk(RuleBasedStateMachine):
    """One incident and nine people with one role each. Refusals are fine; what they leave behind must be legal."""

    done = 0
    """Acts that were not refused, over all runs."""

    def __init__(self):
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize()
    def declare(self):
        factories.organisation(observation_hours=0)
        self.people = {role: factories.person(role, email=f"{role}@attack.example") for role in ROLES}
        self.service = factories.service(f"Shop {id(self)}")
        self.incident = major_incidents.declare(
            title="Under attack", services=[self.service], impact=1, urgency=1,
            actor=self.people["major_incident_manager"], at=minute(0),
        )  # fmt: skip
        self.stage = self.incident.stage

    def press(self, act, *args, **kwargs):
        """Does it or is refused in the words of the process; anything else is a defect."""
        try:
            with transaction.atomic():
                answer = act(*args, **kwargs)
            Desk.done += 1
            return answer
        except StepsOutstanding as refusal:
            named = refusal.details["steps"]
            assert named
            fresh = MajorIncident.objects.get(pk=self.incident.pk)
            assert not any(fresh.steps.get(key=key).is_passed for key in named)
        except ProcessError as refusal:
            assert str(refusal)
        return None

    @rule(name=st.sampled_from(list(GATES)), who=people, at=moments)
    def move(self, name, who, at):
        self.press(getattr(major_incidents, name), self.incident.pk, actor=self.people[who], at=at)

    @rule(name=st.sampled_from(["fall_back", "reopen", "stand_down", "reinstate"]), who=people, at=moments)
    def go_back(self, name, who, at):
        self.press(getattr(major_incidents, name), self.incident.pk, reason="Because", actor=self.people[who], at=at)

    @rule(at=moments)
    def contain(self, at):
        self.press(major_incidents.contain, self.incident.pk, actor=self.people["major_incident_manager"], at=at)

    @rule(at=moments)
    def restore(self, at):
        self.press(downtime.restore, self.incident.pk, actor=self.people["major_incident_manager"], at=at)

    @rule(key=steps_keys, who=people, reason=st.sampled_from(["", "Because"]))
    def waive(self, key, who, reason):
        self.press(steps.waive, self.incident.pk, key, reason=reason, actor=self.people[who], at=minute(5))

    @rule(who=people, role=st.sampled_from(list(Role.values)))
    def seat(self, who, role):
        seat = self.press(
            seats.invite, self.incident.pk, role=role, user=self.people[who],
            actor=self.people["major_incident_manager"], at=minute(5),
        )  # fmt: skip
        if seat is not None and seat.state == "invited":
            self.press(seats.accept, seat.pk, actor=self.people[who], at=minute(6))

    @rule(who=people)
    def release(self, who):
        seat = Seat.objects.filter(incident=self.incident, user=self.people[who], state="accepted").first()
        if seat is not None:
            self.press(seats.release, seat.pk, actor=self.people["major_incident_manager"], at=minute(7))

    @rule(who=people, reached=people)
    def bridge(self, who, reached):
        self.press(
            response.set_bridge, self.incident.pk, join_url="https://meet.example/x", actor=self.people[who],
            at=minute(7),
        )  # fmt: skip
        steps.record_evidence(
            self.incident.pk, "bridge", {"invitation_delivered_to": [self.people[reached].email]}, [],
            is_complete=True, at=minute(8),
        )  # fmt: skip

    @rule(complete=st.booleans(), key=st.sampled_from(["inform", "measure"]))
    def report(self, complete, key):
        missing = [] if complete else ["Somebody was not told."]
        steps.record_evidence(self.incident.pk, key, {"n": 1}, missing, is_complete=complete, at=minute(8))

    @rule(who=people, at=moments)
    def war_room(self, who, at):
        self.press(response.open_war_room, self.incident.pk, location="4", actor=self.people[who], at=at)
        self.press(
            response.enter_war_room, self.incident.pk, actor=self.people["major_incident_manager"], at=minute(150)
        )

    @rule(who=people)
    def problem(self, who):
        self.press(
            problems.open_problem, title="Cause", major_incident=self.incident, actor=self.people[who], at=minute(9)
        )

    @rule(who=people, at=moments)
    def fix(self, who, at):
        change = self.press(
            changes.open_change, title="Fix", type="emergency", major_incident=self.incident, relation="fix",
            actor=self.people[who], at=minute(-30),
        )  # fmt: skip
        if change is not None:
            self.press(changes.start, change.pk, actor=self.people[who], at=minute(-30))
            self.press(changes.implement, change.pk, actor=self.people[who], at=at)

    @rule(who=people)
    def roll_back(self, who):
        change = Change.objects.filter(links__incident=self.incident).last()
        if change is not None:
            self.press(changes.roll_back, change.pk, reason="Worse", actor=self.people[who], at=minute(180))

    @rule(who=people, at=moments)
    def learn(self, who, at):
        facts = {
            "cause": "A deploy", "findings": "No canary", "no_actions_because": "Planned already",
            "observation_hours": 0,
        }  # fmt: skip
        self.press(reviews.edit_review, self.incident.pk, changes=facts, actor=self.people[who], at=at)
        self.press(reviews.complete_review, self.incident.pk, actor=self.people[who], at=at)
        self.press(documents.publish_document, self.incident.pk, actor=self.people[who], at=at)

    @rule(
        clock=st.sampled_from(["started_at", "detected_at", "contained_at", "declared_at", "restored_at"]), at=moments
    )
    def correct(self, clock, at):
        self.press(
            clocks.correct, self.incident.pk, clock=clock, value=at, reason="Log files",
            actor=self.people["major_incident_manager"], at=minute(190),
        )  # fmt: skip

    @invariant()
    def the_stage_moved_only_along_the_arrows(self):
        if not hasattr(self, "incident"):
            return
        fresh = MajorIncident.objects.get(pk=self.incident.pk)
        if fresh.stage != self.stage:
            assert (self.stage, fresh.stage) in LEGAL
        self.stage = fresh.stage
        event(f"was in {fresh.stage}")

    @invariant()
    def no_step_of_the_current_or_a_later_stage_is_done_without_evidence(self):
        if not hasattr(self, "incident"):
            return
        fresh = steps._fresh(self.incident)
        for step in fresh.steps.all():
            if step.state == "done" and (step.stage == fresh.stage or step.key == "change") and fresh.is_open:
                assert evidence.find(fresh, step).missing == []
            if step.state == "waived":
                assert step.waiver_reason

    @invariant()
    def the_clocks_are_in_order(self):
        if not hasattr(self, "incident"):
            return
        fresh = MajorIncident.objects.get(pk=self.incident.pk)
        for chain in CLOCK_CHAINS:
            known = [value for name in chain if (value := getattr(fresh, name)) is not None]
            assert known == sorted(known)
        for interval in fresh.downtime.all():
            assert interval.ended_at is None or interval.ended_at >= interval.started_at

    @invariant()
    def the_timeline_has_no_gap(self):
        if hasattr(self, "incident"):
            numbers = list(self.incident.events.order_by("seq").values_list("seq", flat=True))
            assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_no_order_of_acts_breaks_the_process():
    Desk.done = 0
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert Desk.done > 12, "an attack that is refused throughout proves nothing"
