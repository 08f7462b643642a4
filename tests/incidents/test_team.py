"""The team of a room: proposed, stood in for, called over, and command handed from one to the next."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import bridges, handovers, response, seats
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import OnCallShift, Seat, ServiceDependency, TimelineEvent, User
from incidents.process import EventKind
from incidents.queries.proposed_seats import proposed_seats
from incidents.queries.room_people import draft_of_handover, roll_call, span_of_control
from incidents.queries.war_room import Room, find_incident
from tests import factories
from tests.factories import minute
from tests.incidents.conftest import *  # noqa: F403 - the stories' stages

pytestmark = pytest.mark.django_db
HTMX = {"headers": {"HX-Request": "true"}}


def room(incident, person) -> Room:
    return Room(find_incident(person, incident.pk), person)


def test_the_team_is_proposed_from_services_rota_and_skills(declared, checkout, manager, engineer, change_manager):
    lead, owner = (
        factories.person("technical_staff", name="Lena Lead"),
        factories.person("technical_staff", name="Olga"),
    )
    team = factories.team("Web", lead=lead)
    checkout.owner, checkout.team = owner, team
    checkout.save()
    base = factories.service("Base", owner=factories.person("technical_staff", name="Bela"))
    ServiceDependency.objects.create(service=checkout, needs=base)
    duty = factories.person("technical_staff", name="Dan Duty")
    now = timezone.now()
    for person, about in ((duty, {"team": team}), (change_manager, {"role": "change_manager"})):
        OnCallShift.objects.create(
            person=person, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), **about
        )
    User.objects.filter(pk=engineer.pk).update(skills=["checkout", "kafka"])
    found = proposed_seats(declared, at=now)
    assert [(one.person.name, one.role, one.why) for one in found] == [
        ("Olga", "technical_staff", "owns Checkout"),
        ("Change Manager", "change_manager", "on call now; is change manager"),
        ("Dan Duty", "technical_staff", "on call for Web"),
        ("Lena Lead", "mit", "leads Web"),
        ("Bela", "technical_staff", "owns Base, which it needs"),
        ("Engineer", "technical_staff", "knows checkout"),
    ]
    seat = seats.invite(declared.pk, role="technical_staff", user=owner, actor=manager, at=now)
    assert "Olga" not in [one.person.name for one in proposed_seats(declared, at=now)]
    seats.decline(seat.pk, actor=owner, at=now)
    last = proposed_seats(declared, at=now)[-1]
    assert last.person == owner and last.declined_at == now


def test_a_stand_in_takes_the_seat_when_they_accept(assembled, change_manager, manager, deputy, outsider):
    held = Seat.objects.get(incident=assembled, user=change_manager)
    with pytest.raises(NotAccountable):
        seats.name_stand_in(held.pk, user=deputy, actor=outsider, at=minute(20))
    asked = seats.name_stand_in(held.pk, user=deputy, actor=change_manager, at=minute(20))
    assert Seat.objects.get(pk=held.pk).state == "accepted"
    seats.accept(asked.pk, actor=deputy, at=minute(21))
    assert Seat.objects.get(pk=held.pk).state == "released"
    assert Seat.objects.get(pk=asked.pk).state == "accepted"
    command = Seat.objects.get(incident=assembled, user=manager)
    with pytest.raises(Invalid):
        seats.name_stand_in(command.pk, user=deputy, actor=manager, at=minute(22))


def test_command_changes_hands_when_both_confirm_the_same_summary(client, assembled, manager, deputy, engineer):
    response.add_task(assembled.pk, title="Drain node 4", assignee=engineer, actor=manager, at=minute(20))
    summary = draft_of_handover(room(assembled, manager))
    assert "Drain node 4 (Engineer)" in summary and "Down: Checkout" in summary
    with pytest.raises(NotAccountable):
        handovers.offer(assembled.pk, taker=deputy, summary=summary, actor=engineer, at=minute(21))
    for taker, words in ((engineer, summary), (deputy, " "), (manager, summary)):
        with pytest.raises(Invalid):
            handovers.offer(assembled.pk, taker=taker, summary=words, actor=manager, at=minute(21))
    made = handovers.offer(assembled.pk, taker=deputy, summary=summary, actor=manager, at=minute(21))
    with pytest.raises(Duplicate):
        handovers.offer(assembled.pk, taker=deputy, summary=summary, actor=manager, at=minute(22))
    with pytest.raises(NotAccountable):
        handovers.confirm(made.pk, actor=manager, at=minute(22))
    assert room(assembled, manager).manager == manager
    client.force_login(deputy)
    page = client.get(reverse("war_room", args=[assembled.ref])).content.decode()
    assert "hands command over to you" in page and "Drain node 4 (Engineer)" in page
    done = client.post(reverse("act_on", args=[assembled.ref, "confirm-command", made.pk]), **HTMX)
    assert done.status_code == 204
    assert room(assembled, manager).manager == deputy
    entry = TimelineEvent.objects.get(kind=EventKind.COMMAND_HANDED_OVER)
    assert (entry.actor, entry.text, entry.payload["former"]) == (deputy, summary, "Manager")
    with pytest.raises(WrongStage):
        handovers.decline(made.pk, actor=deputy, at=minute(24))


def test_an_offer_nobody_stands_behind_any_more_cannot_be_confirmed(assembled, manager, deputy):
    third = factories.person("major_incident_manager", name="Third")
    made = handovers.offer(assembled.pk, taker=third, summary="All quiet", actor=manager, at=minute(21))
    seats.take_command(assembled.pk, actor=deputy, at=minute(22))
    with pytest.raises(WrongStage):
        handovers.confirm(made.pk, actor=third, at=minute(23))
    handovers.withdraw(made.pk, actor=deputy, at=minute(24))
    assert room(assembled, deputy).manager == deputy


def test_the_roll_is_called_by_button_by_presence_and_by_others(client, resolving, manager, engineer, change_manager):
    response.join_bridge(resolving.pk, actor=engineer, at=minute(30))
    response.join_bridge(resolving.pk, actor=engineer, at=minute(31))
    seat = Seat.objects.get(incident=resolving, user=change_manager)
    bridges.mark_joined(seat.pk, actor=engineer, at=minute(32))
    called = roll_call(room(resolving, manager))
    states = {one.person.name: (one.joined_at, one.is_present, one.marked_by) for one in called.called}
    assert states == {
        "Manager": (None, True, ""),  # in the room
        "Engineer": (minute(30), False, ""),
        "Change Manager": (minute(32), False, "Engineer"),
        "Problem Manager": (None, False, ""),
    }
    assert called.here == 3 and [one.person.name for one in called.missing] == ["Problem Manager"]
    client.force_login(manager)
    shown = client.get(reverse("war_room_roll_call", args=[resolving.ref])).content.decode()
    assert "3 of 4 answer" in shown and "Missing" in shown
    response.set_bridge(resolving.pk, join_url="https://meet.example.org/2", actor=manager, at=minute(33))
    assert roll_call(room(resolving, manager)).here == 1  # another bridge, called anew


def test_more_than_seven_are_too_many_for_one(client, assembled, manager):
    assert not span_of_control(room(assembled, manager)).is_wide
    for number in range(5):
        person = factories.person("technical_staff", name=f"Tech {number}")
        seat = seats.invite(assembled.pk, role="technical_staff", user=person, actor=manager, at=minute(20))
        seats.accept(seat.pk, actor=person, at=minute(21))
    client.force_login(manager)
    assert "8 people answer to one" in client.get(reverse("war_room", args=[assembled.ref])).content.decode()
