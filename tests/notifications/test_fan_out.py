"""From an event to its deliveries."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents import events
from incidents.actions import changes, major_incidents, seats, steps, updates
from incidents.models import AudienceMembership, RoleHeld, TimelineEvent, User
from incidents.process import AccountRole, Audience, EventKind
from notifications import fan_out
from notifications.models import Delivery, FanOut
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db


def told(incident, moment, channel="email"):
    rows = Delivery.objects.filter(incident=incident, moment=moment, channel=channel)
    return {row.address: row for row in rows}


def test_everybody_in_the_four_audiences_is_queued_when_an_incident_is_declared(people, checkout):
    incident = declare(people["manager"], checkout)
    rows = told(incident, "declared")
    assert {address: row.audience for address, row in rows.items()} == {
        "manager@shop.example": "technical",
        "engineer@shop.example": "technical",
        "director@shop.example": "management",
        "stakeholder@shop.example": "key_stakeholders",
        "requester@shop.example": "users",
    }
    assert len(told(incident, "declared", "in_app")) == 5


def test_a_person_in_three_audiences_gets_one_message_in_the_most_detailed_words(people, checkout):
    many = person("many", AccountRole.MANAGEMENT, AccountRole.KEY_STAKEHOLDER, AccountRole.REQUESTER)
    incident = declare(people["manager"], checkout)
    row = told(incident, "declared")[many.email]
    assert (row.audience, row.audiences) == ("management", ["management", "key_stakeholders", "users"])
    assert Delivery.objects.filter(recipient=many, channel="email", moment="declared").count() == 1


def test_the_event_and_its_deliveries_are_rolled_back_together(people, checkout):
    with pytest.raises(RuntimeError), transaction.atomic():
        declare(people["manager"], checkout)
        assert Delivery.objects.exists()
        raise RuntimeError("the act failed after all")
    assert not Delivery.objects.exists()
    assert not TimelineEvent.objects.exists()


def test_a_drill_reaches_only_seated_people(people, checkout):
    incident = declare(people["manager"], checkout, is_drill=True)
    seats.invite(
        incident.pk, role="technical_staff", user=people["engineer"], actor=people["manager"], at=timezone.now()
    )
    major_incidents.contain(incident.pk, actor=people["manager"], at=timezone.now())
    addresses = set(Delivery.objects.values_list("address", flat=True).filter(channel="email"))
    assert addresses == {"manager@shop.example", "engineer@shop.example"}


def test_disabled_people_and_guests_whose_access_ended_are_not_told(people, checkout):
    gone = person("gone", AccountRole.MANAGEMENT)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    late = person("late", AccountRole.MANAGEMENT)
    User.objects.filter(pk=late.pk).update(access_expires_at=timezone.now())
    rows = told(declare(people["manager"], checkout), "declared")
    assert gone.email not in rows
    assert late.email not in rows


def test_an_administrators_setting_decides_who_belongs_to_an_audience(people, checkout):
    setting = AudienceMembership.objects.create(audience=Audience.MANAGEMENT, roles=[])
    setting.people.add(people["stakeholder"])
    rows = told(declare(people["manager"], checkout), "declared")
    assert "director@shop.example" not in rows
    assert rows["stakeholder@shop.example"].audiences == ["management", "key_stakeholders"]


def test_management_and_every_seat_hear_of_a_step_that_is_done(people, checkout):
    manager, consultant = people["manager"], person("consultant", AccountRole.EXTERNAL_CONSULTANT)
    incident = declare(manager, checkout)
    seats.invite(incident.pk, role="external_consultant", user=consultant, actor=manager, at=timezone.now())
    deliver()
    steps.record_evidence(incident.pk, "inform", {"note": "told"}, [], is_complete=True, at=timezone.now())
    rows = told(incident, "step_done")
    assert rows["director@shop.example"].audience == "management"
    assert rows["consultant@shop.example"].audience == "technical"
    assert "requester@shop.example" not in rows
    assert "stakeholder@shop.example" not in rows


def test_a_candidate_is_told_to_managers_and_the_technical_team_only(people, checkout):
    from incidents.models import Candidate

    candidate = Candidate.objects.create(
        title="Checkout slow", source="proposed", service=checkout, reasons=["14 tickets"], raised_at=timezone.now()
    )
    with transaction.atomic():
        events.record(
            EventKind.CANDIDATE_FLAGGED, candidate, actor=None, at=timezone.now(), reasons=["14 tickets in 12 minutes"]
        )
    rows = Delivery.objects.filter(channel="email")
    told = set(rows.values_list("address", "moment"))
    assert told == {("manager@shop.example", "page"), ("engineer@shop.example", "candidate")}
    assert rows.get(address="manager@shop.example").priority == 0


def test_an_update_reaches_only_the_audiences_it_was_written_for(people, checkout):
    incident = declare(people["manager"], checkout)
    updates.publish_update(incident.pk, texts={"users": "We are on it."}, actor=people["manager"], at=timezone.now())
    assert set(told(incident, "update")) == {"requester@shop.example"}


def test_an_audience_that_was_empty_at_first_is_told_of_the_declaration_with_the_next_update(
    manager, engineer, checkout
):
    incident = declare(manager, checkout)
    late = person("late", AccountRole.MANAGEMENT)
    updates.publish_update(incident.pk, texts={"technical": "Rolling back."}, actor=manager, at=timezone.now())
    assert late.email in told(incident, "declared")


def test_everybody_who_was_told_hears_of_the_stand_down_once(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    RoleHeld.objects.filter(user=people["stakeholder"]).delete()
    major_incidents.stand_down(incident.pk, reason="A test alarm", actor=people["manager"], at=timezone.now())
    deliver()
    subjects = [mail["Subject"] for mail in smtp.to("stakeholder@shop.example")]
    assert subjects[-1] == "All clear: Checkout"
    assert smtp.addresses().count("stakeholder@shop.example") == 2


def test_what_had_not_left_before_the_stand_down_is_held_back(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    major_incidents.stand_down(incident.pk, reason="Wrong dashboard", actor=people["manager"], at=timezone.now())
    deliver()
    assert smtp.mails == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"suppressed"}


def crowd(size: int) -> None:
    people = User.objects.bulk_create(User(email=f"user{n}@shop.example", name=f"User {n}") for n in range(size))
    RoleHeld.objects.bulk_create(RoleHeld(user=one, role=AccountRole.REQUESTER) for one in people)


def statements_of_declaring(manager, service):
    with CaptureQueriesContext(connection) as queries:
        incident = declare(manager, service)
    return incident, len(queries)


def test_declaring_costs_the_same_statements_for_five_people_and_for_a_thousand(people, checkout):
    _, few = statements_of_declaring(people["manager"], checkout)
    crowd(1000)
    incident, many = statements_of_declaring(people["manager"], checkout)
    assert many <= few + 3  # the row that remembers the rest, and its savepoint
    assert Delivery.objects.filter(incident=incident, moment="declared", channel="email").count() == fan_out.AT_ONCE
    assert FanOut.objects.filter(finished_at__isnull=True).count() == 1


def test_a_large_audience_is_written_in_batches_and_nobody_is_left_out(people, checkout):
    crowd(1000)
    incident = declare(people["manager"], checkout)
    assert "engineer@shop.example" in told(incident, "declared")  # who works on it comes first
    while fan_out.expand_next():
        pass
    assert len(told(incident, "declared")) == 1005
    assert not FanOut.objects.filter(finished_at__isnull=True).exists()


def test_expanding_again_after_a_crash_adds_nobody_twice(people, checkout):
    crowd(500)
    incident = declare(people["manager"], checkout)
    fan_out.expand_next()
    FanOut.objects.update(after_user=0)
    while fan_out.expand_next():
        pass
    assert len(told(incident, "declared")) == 505


def test_the_message_id_is_derived_from_event_channel_and_address():
    first = fan_out.message_id(7, "email", "a@shop.example")
    assert first == fan_out.message_id(7, "email", "a@shop.example")
    assert first != fan_out.message_id(8, "email", "a@shop.example")
    assert first != fan_out.message_id(7, "email", "b@shop.example")


def test_an_emergency_change_asks_its_approvers_once_it_has_begun(people, checkout):
    chief = person("chief", AccountRole.CHANGE_MANAGER)
    change = changes.open_change(
        title="Switch the rule off", type="emergency", approvers=[chief], actor=people["engineer"], at=timezone.now()
    )
    assert not Delivery.objects.filter(moment="change_approval_asked").exists()
    changes.start(change.pk, actor=people["engineer"], at=timezone.now())
    asked = Delivery.objects.filter(moment="change_approval_asked", channel="email")
    assert [row.address for row in asked] == [chief.email]
