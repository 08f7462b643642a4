"""Stages, gates and refusals: what the process table says, row by row."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import downtime, major_incidents, response, seats, steps
from incidents.errors import ClockOrder, Duplicate, Invalid, NotAccountable, OpenDowntime, StepsOutstanding, WrongStage
from incidents.models import Consult
from incidents.process import STEP_BY_KEY
from tests.factories import minute, service
from tests.incidents.conftest import again, tell_everybody


def to_maintenance(resolving, manager, change_manager, at=22):
    """Out of resolution with a waived change and everything up again."""
    steps.waive(resolving.pk, "change", reason="Healed by itself", actor=change_manager, at=minute(at))
    downtime.restore(resolving.pk, actor=manager, at=minute(at))
    return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(at + 1))


def test_containment_waits_until_stakeholders_are_informed(declared, manager):
    with pytest.raises(StepsOutstanding) as refusal:
        major_incidents.begin_containment(declared.pk, actor=manager, at=minute(11))
    assert refusal.value.details == {"steps": ["inform"]}


def test_containment_begins_when_everybody_was_told(informed, manager):
    incident = major_incidents.begin_containment(informed.pk, actor=manager, at=minute(12))
    assert incident.stage == "containment"
    opened = incident.steps.filter(state="open").values_list("key", flat=True)
    assert list(opened) == ["assemble", "bridge", "war_room", "problem"]


def test_a_late_double_click_hears_about_the_stage_not_the_next_steps(containing, manager):
    with pytest.raises(WrongStage):
        major_incidents.begin_containment(containing.pk, actor=manager, at=minute(13))


def test_resolution_names_every_missing_step(containing, manager):
    with pytest.raises(StepsOutstanding) as refusal:
        major_incidents.begin_resolution(containing.pk, actor=manager, at=minute(13))
    assert refusal.value.details == {"steps": ["assemble", "bridge", "war_room", "problem"]}


@pytest.mark.parametrize("name", ["begin_containment", "begin_resolution", "confirm_resolution", "close"])
def test_only_the_manager_of_the_incident_moves_it(declared, deputy, engineer, name):
    for somebody in (deputy, engineer):
        with pytest.raises(NotAccountable) as refusal:
            getattr(major_incidents, name)(declared.pk, actor=somebody, at=minute(12))
        assert refusal.value.details["who_may"] == ["manager@example.org"]


def test_without_a_manager_the_service_desk_manager_stands_in(informed, manager, service_desk_manager):
    seats.release(informed.seats.get().pk, actor=manager, at=minute(12))
    with pytest.raises(NotAccountable):
        major_incidents.begin_containment(informed.pk, actor=manager, at=minute(13))
    incident = major_incidents.begin_containment(informed.pk, actor=service_desk_manager, at=minute(13))
    assert incident.stage == "containment"


def test_another_manager_may_take_command_and_it_is_recorded(declared, manager, deputy):
    seats.take_command(declared.pk, actor=deputy, at=minute(12))
    holders = {seat.user: seat.state for seat in declared.seats.all()}
    assert holders == {manager: "released", deputy: "accepted"}
    assert declared.events.filter(kind="command_taken").get().payload["former"] == manager.display_name


def test_assembling_needs_the_manager_and_an_accepted_technician(containing, manager, engineer):
    seat = seats.invite(containing.pk, role="technical_staff", user=engineer, actor=manager, at=minute(13))
    assert containing.steps.get(key="assemble").state == "open"
    seats.accept(seat.pk, actor=engineer, at=minute(14))
    assert containing.steps.get(key="assemble").state == "done"


def test_a_released_technician_takes_the_evidence_along(assembled, manager, engineer):
    seats.release(assembled.seats.get(user=engineer).pk, actor=manager, at=minute(16))
    step = assembled.steps.get(key="assemble")
    assert step.state == "open"
    assert step.missing == ["Nobody from the technical staff has accepted."]


def test_the_bridge_counts_once_its_invitation_reached_somebody(assembled, manager, engineer):
    response.set_bridge(assembled.pk, join_url="https://meet.example.org/1", actor=manager, at=minute(15))
    assert assembled.steps.get(key="bridge").state == "open"
    for reached, state in (([manager.email], "open"), ([engineer.email], "done")):
        found = {"invitation_delivered_to": reached}
        steps.record_evidence(assembled.pk, "bridge", found, [], is_complete=True, at=minute(16))
        assert assembled.steps.get(key="bridge").state == state


@pytest.mark.parametrize("url", ["", "meet.example.org", "javascript:alert(1)", "ftp://x.example", "https://"])
def test_a_bridge_needs_a_whole_web_address(assembled, manager, url):
    with pytest.raises(Invalid) as refusal:
        response.set_bridge(assembled.pk, join_url=url, actor=manager, at=minute(15))
    assert "join_url" in refusal.value.errors


def test_the_war_room_counts_once_the_manager_entered_after_it_opened(containing, manager):
    with pytest.raises(WrongStage):
        response.enter_war_room(containing.pk, actor=manager, at=minute(13))
    response.open_war_room(containing.pk, location="Room 4", actor=manager, at=minute(14))
    assert containing.steps.get(key="war_room").state == "open"
    response.enter_war_room(containing.pk, actor=manager, at=minute(15))
    assert containing.steps.get(key="war_room").state == "done"


def test_resolution_waits_for_the_fix_then_for_the_last_service(resolving, manager, engineer, change_manager):
    with pytest.raises(StepsOutstanding) as refusal:
        major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(21))
    assert refusal.value.details == {"steps": ["change"]}
    steps.waive(resolving.pk, "change", reason="It healed by itself", actor=change_manager, at=minute(22))
    with pytest.raises(OpenDowntime) as still_down:
        major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(23))
    assert still_down.value.details == {"services": ["checkout"]}
    downtime.restore(resolving.pk, actor=manager, at=minute(22))
    incident = major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(24))
    assert (incident.stage, incident.resolved_at, incident.restored_at) == ("maintenance", minute(24), minute(22))
    assert incident.review.state == "draft"


def test_resolved_cannot_lie_before_restored(resolving, manager, change_manager):
    steps.waive(resolving.pk, "change", reason="It healed by itself", actor=change_manager, at=minute(22))
    downtime.restore(resolving.pk, actor=manager, at=minute(30))
    with pytest.raises(ClockOrder):
        major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(25))
    assert again(resolving).stage == "resolution"


def test_a_waiver_needs_the_accountable_and_a_reason(declared, manager, deputy):
    with pytest.raises(NotAccountable) as refusal:
        steps.waive(declared.pk, "inform", reason="no", actor=deputy, at=minute(11))
    assert refusal.value.details["step"] == "inform"
    with pytest.raises(Invalid):
        steps.waive(declared.pk, "inform", reason="  ", actor=manager, at=minute(11))
    steps.waive(declared.pk, "inform", reason="Mail is down; told by phone", actor=manager, at=minute(11))
    with pytest.raises(Duplicate):
        steps.waive(declared.pk, "inform", reason="again", actor=manager, at=minute(11))
    assert major_incidents.begin_containment(declared.pk, actor=manager, at=minute(12)).stage == "containment"


def test_the_signature_can_be_handed_to_another_seat(assembled, manager, engineer):
    seat = assembled.seats.get(user=engineer)
    steps.reassign(assembled.pk, "bridge", seat_id=seat.pk, actor=manager, at=minute(15))
    with pytest.raises(NotAccountable):
        steps.waive(assembled.pk, "bridge", reason="no", actor=manager, at=minute(16))
    steps.waive(assembled.pk, "bridge", reason="All in one room", actor=engineer, at=minute(16))
    assert assembled.steps.get(key="bridge").by_fallback is False


def test_the_refusal_of_anybody_else_names_step_letters_and_holders(assembled, engineer):
    with pytest.raises(NotAccountable) as refusal:
        response.set_bridge(assembled.pk, join_url="https://meet.example.org/x", actor=engineer, at=minute(15))
    assert STEP_BY_KEY["bridge"].title in str(refusal.value)
    assert refusal.value.details["letters"] == "R or A"
    assert refusal.value.details["who_may"] == ["manager@example.org"]


def test_falling_back_needs_a_reason_and_a_new_fix(resolving, manager, change_manager):
    steps.waive(resolving.pk, "change", reason="x", actor=change_manager, at=minute(21))
    with pytest.raises(Invalid):
        major_incidents.fall_back(resolving.pk, reason="", actor=manager, at=minute(22))
    incident = major_incidents.fall_back(resolving.pk, reason="Still failing", actor=manager, at=minute(22))
    assert incident.stage == "containment"
    assert incident.steps.get(key="change").state == "pending"
    assert major_incidents.begin_resolution(incident.pk, actor=manager, at=minute(23)).stage == "resolution"


def test_standing_down_needs_a_reason_and_can_be_reversed(declared, manager):
    with pytest.raises(Invalid):
        major_incidents.stand_down(declared.pk, reason=" ", actor=manager, at=minute(11))
    incident = major_incidents.stand_down(declared.pk, reason="Test traffic", actor=manager, at=minute(11))
    assert incident.stage == "stood_down"
    with pytest.raises(WrongStage):
        major_incidents.contain(incident.pk, actor=manager, at=minute(12))
    incident = major_incidents.reinstate(incident.pk, reason="It was real", actor=manager, at=minute(13))
    assert (incident.stage, incident.stood_down_reason) == ("identification", "")


def test_merging_moves_what_belongs_to_the_outage(declared, manager):
    other = service("Payments")
    target = major_incidents.declare(
        title="Payments down", services=[other], impact=1, urgency=2, actor=manager, at=minute(12)
    )
    response.add_task(declared.pk, title="Restart", actor=manager, at=minute(13))
    merged = major_incidents.merge_into(declared.pk, target_id=target.pk, actor=manager, at=minute(14))
    assert (merged.stage, merged.merged_into) == ("closed", target)
    assert target.tasks.get().title == "Restart"
    assert {s.slug for s in target.services.all()} == {"checkout", "payments"}
    with pytest.raises(Invalid):
        major_incidents.merge_into(target.pk, target_id=target.pk, actor=manager, at=minute(15))


def test_reopening_clears_the_end_and_asks_for_new_evidence(resolving, manager, change_manager):
    incident = to_maintenance(resolving, manager, change_manager)
    assert incident.stage == "maintenance"
    with pytest.raises(Invalid):
        major_incidents.reopen(incident.pk, reason="", actor=manager, at=minute(30))
    incident = major_incidents.reopen(incident.pk, reason="Errors again", actor=manager, at=minute(30))
    assert incident.stage == "containment"
    assert (incident.restored_at, incident.resolved_at, incident.closed_at) == (None, None, None)
    assert incident.downtime.filter(ended_at__isnull=True).get().started_at == minute(30)
    assert {s.key for s in incident.steps.all() if s.is_passed} == {
        "declare", "inform", "assemble", "bridge", "war_room", "problem"
    }  # fmt: skip
    kept = incident.clock_entries.filter(clock="resolved_at").values_list("value", flat=True)
    assert None in kept
    assert len(kept) == 2


def test_contained_is_set_once_and_again_after_it_came_back(declared, manager):
    incident = major_incidents.contain(declared.pk, actor=manager, at=minute(12))
    assert incident.contained_at == minute(12)
    with pytest.raises(Duplicate):
        major_incidents.contain(declared.pk, actor=manager, at=minute(13))


def test_services_come_back_one_by_one(declared, manager):
    payments = service("Payments")
    downtime.add(declared.pk, service=payments, started_at=minute(12), actor=manager, at=minute(12))
    checkout = declared.services.get(slug="checkout")
    incident = downtime.restore(declared.pk, services=[checkout], actor=manager, at=minute(20))
    assert incident.restored_at is None
    incident = downtime.restore(declared.pk, actor=manager, at=minute(25))
    assert incident.restored_at == minute(25)
    with pytest.raises(Duplicate):
        downtime.restore(declared.pk, actor=manager, at=minute(26))
    downtime.add(declared.pk, service=payments, started_at=minute(30), actor=manager, at=minute(30))
    assert again(declared).restored_at is None


def test_a_time_in_the_future_is_refused(declared, manager):
    with pytest.raises(Invalid) as refusal:
        major_incidents.contain(declared.pk, actor=manager, at=timezone.now() + timedelta(hours=1))
    assert "at" in refusal.value.errors


def test_consults_are_asked_when_the_step_opens_and_answered_once(assembled, manager, engineer, problem_manager):
    asked = {(c.step.key, c.user.email) for c in Consult.objects.filter(step__incident=assembled)}
    assert ("bridge", engineer.email) in asked
    assert ("bridge", problem_manager.email) in asked
    assert ("war_room", engineer.email) not in asked
    consult = Consult.objects.get(step__key="bridge", user=engineer)
    with pytest.raises(NotAccountable):
        steps.answer_consult(consult.pk, agrees=True, actor=manager, at=minute(16))
    steps.answer_consult(consult.pk, agrees=True, actor=engineer, at=minute(16))
    with pytest.raises(Duplicate):
        steps.answer_consult(consult.pk, agrees=False, actor=engineer, at=minute(17))
    assert assembled.events.filter(kind="consult_answered").count() == 1


def test_an_unanswered_consult_is_marked_and_never_blocks(assembled, engineer):
    expected = Consult.objects.filter(step__incident=assembled).count()
    assert expected > 0
    assert steps.expire_consults(at=minute(14 + 14)) == 0
    assert steps.expire_consults(at=minute(14 + 16)) == expected
    assert steps.expire_consults(at=minute(14 + 17)) == 0


def test_told_is_not_untold_by_a_second_report(informed):
    tell_everybody(informed, minute(12))
    assert informed.events.filter(kind="step_done", payload__step="inform").count() == 1
