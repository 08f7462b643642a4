"""“I'm affected too”: one click, each person once, taken back in one click, seen by those who decide."""

import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from incidents.actions import affected, candidates, major_incidents, tickets
from incidents.models import AffectedPerson, Ticket, TimelineEvent
from incidents.process import EventKind
from incidents.queries import affected as reading
from tests import factories
from tests.factories import minute


@pytest.fixture
def at_portal(signed_in, requester):
    return signed_in(requester)


def say(client, incident, **given):
    return client.post(reverse("portal_affected", args=[incident.ref]), given)


def people(incident):
    return reading.of_incident(incident.pk).count()


def test_a_click_counts_the_person_once_without_a_ticket(at_portal, declared):
    say(at_portal, declared)
    say(at_portal, declared)
    page = at_portal.get(reverse("portal")).content.decode()
    assert "1 person says they are affected" in page and "You are counted" in page
    assert people(declared) == 1
    assert not Ticket.objects.exists()


def test_the_click_is_taken_back_and_the_row_stays(at_portal, declared):
    say(at_portal, declared)
    say(at_portal, declared, undo="1")
    assert people(declared) == 0
    assert AffectedPerson.objects.get().taken_back_at is not None
    say(at_portal, declared)
    assert people(declared) == 1


def test_htmx_gets_the_outages_back_with_the_count(signed_in, requester, declared):
    part = say(signed_in(requester, htmx=True), declared).content.decode()
    assert "<html" not in part and "You are counted" in part


def test_the_war_room_and_the_desk_show_how_many(at_portal, signed_in, manager, technician, declared):
    say(at_portal, declared)
    affected.say_affected(declared.pk, actor=technician, at=minute(20))
    world = signed_in(manager).get(reverse("war_room_world", args=[declared.ref])).content.decode()
    assert "2 people say they are affected" in world
    assert "2 affected" in signed_in(technician).get(reverse("desk")).content.decode()


def test_the_record_says_when_marks_are_reached_and_not_each_click(declared):
    everybody = [factories.person("requester") for _ in range(11)]
    for number, person in enumerate(everybody):
        affected.say_affected(declared.pk, actor=person, at=minute(20 + number))
    marks = TimelineEvent.objects.filter(incident=declared, kind=EventKind.AFFECTED_COUNTED)
    assert [row.payload["people"] for row in marks] == [1, 5, 10]
    affected.take_back(declared.pk, actor=everybody[0], at=minute(40))
    affected.take_back(declared.pk, actor=everybody[1], at=minute(40))
    affected.say_affected(declared.pk, actor=everybody[0], at=minute(41))
    assert marks.count() == 3


def test_a_drill_and_what_is_over_cannot_be_joined(at_portal, manager, checkout, declared):
    drill = major_incidents.declare(
        title="Exercise", services=[checkout], impact=1, urgency=1, is_drill=True, actor=manager, at=timezone.now()
    )
    assert say(at_portal, drill).status_code == 404
    assert at_portal.post(reverse("portal_affected", args=["MI-999"])).status_code == 404
    major_incidents.stand_down(declared.pk, reason="False alarm", actor=manager, at=timezone.now())
    answer = say(at_portal, declared)
    assert answer.status_code == 422 and "is over" in answer.content.decode()
    assert people(declared) == 0


def test_a_get_counts_nobody(at_portal, declared):
    assert at_portal.get(reverse("portal_affected", args=[declared.ref])).status_code == 405


def test_people_affected_by_a_candidate_count_for_what_it_becomes(technician, manager, requester, checkout):
    candidate = candidates.flag(
        title="Checkout", source="proposed", service=checkout, reasons=["many"], actor=technician, at=minute(0)
    )
    assert affected.say_affected_by_candidate(candidate.pk, actor=requester, at=minute(1)) == 1
    incident = major_incidents.declare(
        title="Checkout", services=[checkout], impact=1, urgency=1, candidate=candidate, actor=manager, at=minute(2)
    )
    assert people(incident) == 1
    affected.say_affected(incident.pk, actor=requester, at=minute(3))
    assert people(incident) == 1
    assert AffectedPerson.objects.get().service == checkout
    affected.take_back(incident.pk, actor=requester, at=minute(4))
    assert people(incident) == 0


def test_people_affected_move_with_a_merge(requester, manager, declared):
    other = major_incidents.declare(
        title="Basket", services=[], impact=1, urgency=1, actor=manager, at=minute(11), clocks_given={}
    )
    affected.say_affected(other.pk, actor=requester, at=minute(12))
    major_incidents.merge_into(other.pk, target_id=declared.pk, actor=manager, at=minute(13))
    assert people(declared) == 1


def test_a_person_whose_report_is_linked_is_shown_the_report_instead(at_portal, requester, declared):
    mine = factories.ticket(channel="portal", actor=requester)
    tickets.link([mine.pk], incident_id=declared.pk, actor=None, at=timezone.now())
    page = at_portal.get(reverse("portal")).content.decode()
    assert f"Your report {mine.ref}" in page and "I’m affected too" not in page


@pytest.mark.django_db(transaction=True)
def test_two_clicks_of_one_person_at_once_are_one(requester, declared):
    barrier = threading.Barrier(4)

    def click():
        try:
            barrier.wait()
            affected.say_affected(declared.pk, actor=requester, at=minute(20))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert people(declared) == 1 and AffectedPerson.objects.count() == 1
