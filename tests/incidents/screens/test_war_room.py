"""The war room: what it shows, to whom, what it costs, and every act on it."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents.actions import major_incidents, response, seats, updates
from incidents.models import MajorIncident, Seat, Task, TimelineEvent
from incidents.views.room_acts import ACTS
from tests import factories
from tests.incidents.conftest import *  # noqa: F403 - the stories' stages
from tests.incidents.conftest import again

pytestmark = pytest.mark.django_db
HTMX = {"headers": {"HX-Request": "true"}}


def page_of(client, incident, person, **query):
    client.force_login(person)
    return client.get(reverse("war_room", args=[incident.ref]), query)


def act(client, incident, person, name, target="", **given):
    client.force_login(person)
    parts = [incident.ref, name, *([target] if target else [])]
    return client.post(reverse("act_on" if target else "act", args=parts), given, **HTMX)


def words(answer) -> str:
    return " ".join(answer.content.decode().split())


def signals(answer):
    return json.loads(answer.headers["HX-Trigger"])


# --- reading
def test_the_header_names_reference_severity_stage_manager_and_promise(client, declared, manager):
    shown = words(page_of(client, declared, manager))
    for fact in (declared.ref, "Checkout answers 502", "SEV1", "Identification", manager.display_name, "Next update"):
        assert fact in shown


def test_somebody_who_may_not_see_it_gets_not_found(client, declared, outsider, requester):
    assert page_of(client, declared, outsider).status_code == 404
    assert page_of(client, declared, requester).status_code == 404


def test_a_reference_that_does_not_exist_is_not_found(client, manager):
    client.force_login(manager)
    assert client.get("/major-incidents/MI-999999/").status_code == 404


def test_nobody_signed_in_is_sent_to_sign_in(client, declared):
    answer = client.get(reverse("war_room", args=[declared.ref]))
    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_a_guest_sees_the_incident_he_has_a_seat_on_and_no_other(client, assembled, manager, consultant, minute):
    assert page_of(client, assembled, consultant).status_code == 404
    seats.invite(assembled.pk, role="external_consultant", user=consultant, actor=manager, at=minute(20))
    assert page_of(client, assembled, consultant).status_code == 200


def test_a_step_says_what_is_missing_and_who_holds_r_and_a(client, containing, manager):
    shown = words(page_of(client, containing, manager))
    assert "Nobody from the technical staff has accepted." in shown
    assert "Nobody seated is responsible: the accountable does it." in shown


def test_the_gate_names_the_missing_steps_and_offers_no_button(client, declared, manager):
    shown = words(page_of(client, declared, manager))
    assert "Begin containment waits for inform stakeholders." in shown
    assert "/act/begin_containment/" not in shown


def test_the_gate_offers_its_button_to_the_manager_alone_once_nothing_is_missing(client, informed, manager, engineer):
    address = reverse("act", args=[informed.ref, "begin_containment"])
    assert address in words(page_of(client, informed, manager))
    assert address not in words(page_of(client, informed, engineer))


def test_action_buttons_are_only_for_those_who_may(client, containing, manager, engineer):
    invite = reverse("act", args=[containing.ref, "invite"])
    assert invite in words(page_of(client, containing, manager))
    assert invite not in words(page_of(client, containing, engineer))


def test_a_merged_incident_leads_to_where_it_went(client, declared, manager, checkout, minute):
    other = major_incidents.declare(title="Shop down", impact=1, urgency=1, actor=manager, at=minute(15))
    major_incidents.merge_into(other.pk, target_id=declared.pk, actor=manager, at=minute(16))
    answer = page_of(client, other, manager)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("war_room", args=[declared.ref]))
    assert page_of(client, other, manager, stay=1).status_code == 200


@pytest.mark.parametrize("part", ["header", "process", "situation", "timeline", "people", "world"])
def test_every_part_is_fetched_again_by_itself(client, resolving, manager, part):
    client.force_login(manager)
    answer = client.get(reverse(f"war_room_{part}", args=[resolving.ref]), **HTMX)
    assert answer.status_code == 200
    assert f'data-live="{resolving.ref}"' in words(answer)
    assert "<html" not in words(answer)


# --- the timeline
def test_the_timeline_is_filtered_by_its_groups(client, declared, manager, minute):
    response.post_note(declared.pk, text="WAF looks busy", actor=manager, at=minute(11))
    response.record_decision(declared.pk, text="Switch it off", rationale="Fast", actor=manager, at=minute(12))
    notes = words(client_part(client, declared, manager, show="notes"))
    assert "WAF looks busy" in notes
    assert "Switch it off" not in notes
    decisions = words(client_part(client, declared, manager, show="decisions"))
    assert "Switch it off" in decisions
    assert "Fast" in decisions


def client_part(client, incident, person, **query):
    client.force_login(person)
    return client.get(reverse("war_room_timeline", args=[incident.ref]), query, **HTMX)


def test_older_entries_come_on_request_and_a_permalink_reaches_the_first(client, declared, manager, minute):
    for number in range(60):
        response.post_note(declared.pk, text=f"note number {number}.", actor=manager, at=minute(11))
    newest = words(client_part(client, declared, manager))
    assert "note number 59." in newest
    assert "note number 3." not in newest
    assert "note number 3." in words(client_part(client, declared, manager, count=100))
    linked = words(page_of(client, declared, manager, entry=1))
    assert 'id="e1"' in linked
    assert "Older entries." in linked


def test_nonsense_in_the_address_is_ignored(client, declared, manager):
    for query in ({"show": "x'"}, {"count": "-1"}, {"entry": "9" * 30}, {"upto": "abc"}):
        assert page_of(client, declared, manager, **query).status_code == 200


def test_every_wording_stays_readable(client, declared, manager, minute):
    event = response.post_note(declared.pk, text="first words", actor=manager, at=minute(11))
    answer = act(client, declared, manager, "reword", event.pk, text="second words")
    assert answer.status_code == 204
    shown = words(page_of(client, declared, manager))
    assert "second words" in shown
    assert "first words" not in shown
    every = client.get(reverse("act_on", args=[declared.ref, "wordings", event.pk]), **HTMX)
    assert "first words" in words(every)


# --- acting
def test_a_note_is_posted_and_the_page_is_told_to_look_again(client, declared, manager):
    answer = act(client, declared, manager, "note", text="CPU at **100 %**")
    assert answer.status_code == 204
    assert signals(answer)["acted"] is True
    assert "<strong>100 %</strong>" in words(page_of(client, declared, manager))


def test_an_empty_note_comes_back_with_the_reason_at_its_field(client, declared, manager):
    answer = act(client, declared, manager, "note", text="  ")
    assert answer.status_code == 422
    assert "form_text_error" in words(answer)


def test_a_refusal_leaves_the_dialog_and_says_who_may(client, declared, engineer, manager):
    answer = act(client, declared, engineer, "bridge", join_url="https://meet.example.org/x", provider="other")
    assert answer.status_code == 403  # htmx leaves the dialog as it is and shows the sentence
    assert "may be done by R or A of the RACI matrix" in words(answer)
    assert manager.display_name in words(answer)


def test_a_dialog_is_not_shown_to_somebody_who_may_not(client, declared, engineer):
    client.force_login(engineer)
    assert client.get(reverse("act", args=[declared.ref, "stand_down"]), **HTMX).status_code == 403


def test_the_team_is_invited_and_answers(client, containing, manager, engineer):
    assert act(client, containing, manager, "invite", role="technical_staff", user=engineer.pk).status_code == 204
    seat = Seat.objects.get(user=engineer)
    assert "You are invited" in words(page_of(client, containing, engineer))
    assert act(client, containing, engineer, "accept", seat.pk).status_code == 204
    assert Seat.objects.get(pk=seat.pk).state == "accepted"


def test_a_seat_of_another_incident_is_not_found(client, declared, manager, minute):
    other = major_incidents.declare(title="Other", impact=1, urgency=1, actor=manager, at=minute(15))
    seat = other.seats.get()
    assert act(client, declared, manager, "release", seat.pk).status_code == 404


def test_bridge_and_war_room_are_set_up(client, assembled, manager):
    answer = act(client, assembled, manager, "bridge", join_url="https://meet.example.org/x", provider="jitsi")
    assert answer.status_code == 204
    assert act(client, assembled, manager, "open-war-room", location="Room 4", enter="on").status_code == 204
    room = again(assembled)
    assert room.bridge.join_url == "https://meet.example.org/x"
    assert room.steps.get(key="war_room").state == "done"
    assert act(client, assembled, manager, "leave").status_code == 204


def test_a_wrong_bridge_address_is_named_at_its_field(client, assembled, manager):
    answer = act(client, assembled, manager, "bridge", join_url="not a link", provider="jitsi")
    assert answer.status_code == 422
    assert "form_join_url_error" in words(answer)


def test_the_situation_is_not_overwritten_unseen(client, declared, manager, deputy):
    assert act(client, declared, manager, "situation", conditions="All down", seen_at="").status_code == 204
    answer = act(client, declared, deputy, "situation", conditions="My words", seen_at="")
    assert answer.status_code == 422
    assert "Somebody else changed the situation" in words(answer)
    assert "My words" in words(answer)


def test_tasks_are_added_taken_and_done_and_never_twice(client, declared, manager):
    assert act(client, declared, manager, "task", title="Check origin").status_code == 204
    assert act(client, declared, manager, "task", title="check ORIGIN").status_code == 422
    task = Task.objects.get()
    assert act(client, declared, manager, "take-task", task.pk).status_code == 204
    assert act(client, declared, manager, "finish-task", task.pk).status_code == 204
    assert Task.objects.get().status == "done"


def test_the_accountable_waives_with_a_reason(client, declared, manager):
    assert act(client, declared, manager, "waive", "inform", reason=" ").status_code == 422
    assert act(client, declared, manager, "waive", "inform", reason="Told by phone").status_code == 204
    assert "Told by phone" in words(page_of(client, declared, manager))
    assert act(client, declared, manager, "begin_containment").status_code == 204
    assert again(declared).stage == "containment"


def test_a_step_is_handed_to_another_seat(client, assembled, manager, engineer):
    seat = assembled.seats.get(user=engineer)
    assert act(client, assembled, manager, "hand-over", "bridge", seat=seat.pk).status_code == 204
    assert again(assembled).steps.get(key="bridge").accountable_seat == seat


def test_a_step_that_does_not_exist_is_not_found(client, declared, manager):
    assert act(client, declared, manager, "waive", "lunch", reason="x").status_code == 404


def test_a_closed_gate_refuses_with_the_missing_steps(client, declared, manager):
    answer = act(client, declared, manager, "begin_containment")
    assert answer.status_code == 422
    assert "Informing stakeholders" in words(answer)


def test_contained_and_restored(client, declared, manager, checkout):
    assert act(client, declared, manager, "contain").status_code == 204
    assert act(client, declared, manager, "contain").status_code == 422
    assert act(client, declared, manager, "restore", services=[checkout.pk]).status_code == 204
    shown = again(declared)
    assert shown.contained_at
    assert shown.restored_at


def test_an_opinion_is_given_in_one_click(client, assembled, engineer, problem_manager):
    consult = next(c for step in assembled.steps.all() for c in step.consults.all() if c.user == engineer)
    assert "Your opinion:" in words(page_of(client, assembled, engineer))
    assert act(client, assembled, engineer, "agree", consult.pk).status_code == 204
    consult.refresh_from_db()
    assert consult.agrees is True
    assert act(client, assembled, problem_manager, "agree", consult.pk).status_code == 403


def test_management_is_asked_and_decides(client, declared, manager, management):
    asked = {"question": "Switch off the WAF?", "approver": management.pk, "options": "Now\nTonight"}
    assert act(client, declared, manager, "ask", **asked).status_code == 204
    approval = declared.approvals.get()
    assert "Your decision:" in words(page_of(client, declared, management))
    assert act(client, declared, management, "decide", approval.pk, chosen="Later").status_code == 422
    assert act(client, declared, management, "decide", approval.pk, chosen="Now").status_code == 204
    assert declared.approvals.get().chosen == "Now"


def test_a_problem_and_a_fix_are_opened_from_the_room(client, assembled, manager, change_manager):
    assert act(client, assembled, manager, "problem", title="Cause unknown").status_code == 204
    assert assembled.problems.get().title == "Cause unknown"
    given = {"title": "Roll back", "type": "emergency", "risk": "low", "relation": "fix"}
    assert act(client, assembled, change_manager, "change", **given).status_code == 204
    link = assembled.change_links.get()
    assert link.relation == "fix"
    assert act(client, assembled, manager, "problem", title="").status_code == 422


def test_clocks_are_corrected_with_a_reason_and_their_history_shown(client, declared, manager):
    earlier = (declared.started_at - timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%M")
    answer = act(client, declared, manager, "correct-clock", "started_at", value=earlier, reason="Read in the graphs")
    assert answer.status_code == 204
    shown = words(client.get(reverse("act", args=[declared.ref, "clocks"]), **HTMX))
    assert "Read in the graphs" in shown
    backwards = act(client, declared, manager, "correct-clock", "detected_at", value="2020-01-01T00:00", reason="x")
    assert backwards.status_code == 422


def test_an_unknown_clock_is_refused(client, declared, manager):
    assert act(client, declared, manager, "correct-clock", "lunch_at", value="", reason="x").status_code == 422


def test_downtime_is_added_and_corrected(client, declared, manager, minute):
    payments = factories.service("Payments")
    begin, end = (minute(n).strftime("%Y-%m-%dT%H:%M") for n in (11, 13))
    given = {"service": payments.pk, "started_at": begin, "ended_at": end}
    assert act(client, declared, manager, "add-downtime", **given).status_code == 204
    row = declared.downtime.get(service=payments)
    later = minute(14).strftime("%Y-%m-%dT%H:%M")
    answer = act(client, declared, manager, "correct-downtime", row.pk, started_at=begin, ended_at=later)
    assert answer.status_code == 204
    row.refresh_from_db()
    assert row.ended_at == minute(14)


def test_command_is_taken_over(client, declared, deputy, engineer):
    assert act(client, declared, deputy, "take-command").status_code == 204
    assert again(declared).seats.get(state="accepted").user == deputy
    assert act(client, declared, engineer, "take-command").status_code == 403


def test_the_incident_is_corrected_with_its_services(client, declared, manager, checkout):
    payments = factories.service("Payments")
    given = {
        "title": "New title", "impact": 1, "urgency": 2, "severity": "SEV2", "affects": "both",
        "services": [checkout.pk, payments.pk], "reason": "More is broken",
    }  # fmt: skip
    assert act(client, declared, manager, "edit", **given).status_code == 204
    assert again(declared).services.count() == 2


def test_tickets_are_linked_by_reference(client, declared, manager):
    ticket = factories.ticket("Same thing")
    assert act(client, declared, manager, "link-tickets", tickets="INC-999999").status_code == 422
    assert act(client, declared, manager, "link-tickets", tickets=ticket.ref).status_code == 204
    assert declared.tickets.get() == ticket


def test_a_false_alarm_is_stood_down_and_the_stand_down_reversed(client, declared, manager):
    assert act(client, declared, manager, "stand_down", reason="A test").status_code == 204
    assert "Stood down: A test" in words(page_of(client, declared, manager))
    assert act(client, declared, manager, "reinstate", reason="It was real").status_code == 204
    assert again(declared).stage == "identification"


def test_without_scripts_an_act_is_a_page_and_leads_back(client, declared, manager):
    client.force_login(manager)
    address = reverse("act", args=[declared.ref, "contain"])
    shown = client.get(address)
    assert "<html" in words(shown)
    answer = client.post(address, {})
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("war_room", args=[declared.ref])


@pytest.mark.parametrize("name", sorted(ACTS))
def test_every_act_without_a_target_shows_its_dialog_or_refuses_in_words(client, resolving, manager, name):
    client.force_login(manager)
    answer = client.get(reverse("act", args=[resolving.ref, name]), **HTMX)
    assert answer.status_code in (200, 403, 404)


def test_an_act_that_does_not_exist_is_not_found(client, declared, manager):
    client.force_login(manager)
    assert client.get(reverse("act", args=[declared.ref, "dance"])).status_code == 404


# --- cost
def crowd(incident, manager, number, minute):
    """`number` notes, tasks, tickets, seats and downtime of as many services."""
    for n in range(number):
        response.post_note(incident.pk, text=f"Note {n}", actor=manager, at=minute(21))
        response.add_task(incident.pk, title=f"Task {n}", assignee=manager, actor=manager, at=minute(21))
        person = factories.person("technical_staff")
        seats.invite(incident.pk, role="technical_staff", user=person, actor=manager, at=minute(21))
        updates.ask_approval(incident.pk, question=f"May we {n}?", approver=person, actor=manager, at=minute(21))
        ticket = factories.ticket(f"Broken {n}", at=minute(5))
        type(ticket).objects.filter(pk=ticket.pk).update(major_incident=incident)


def queries_of(client, address):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    besides = (
        "django_session",
        'SELECT "incidents_organisation"."time_zone" AS',
        'FROM "incidents_user" WHERE "incidents_user"."id"',
        "incidents_roleheld",
    )
    return [q["sql"] for q in seen if not any(part in q["sql"] for part in besides) and "SAVEPOINT" not in q["sql"]]


@pytest.mark.parametrize("number", [1, 10, 100])
def test_the_room_costs_at_most_twelve_queries_however_crowded(client, resolving, manager, minute, number):
    crowd(resolving, manager, number, minute)
    client.force_login(manager)
    for name in ("war_room", "war_room_world", "war_room_helped", "war_room_people"):
        found = queries_of(client, reverse(name, args=[resolving.ref]))
        assert len(found) <= 12, "\n".join(sql[:80] for sql in found)


def test_two_thousand_entries_make_a_page_of_at_most_150_kib(client, resolving, manager, minute):
    note = response.post_note(
        resolving.pk, text="A note of usual length about what was seen.", actor=manager, at=minute(21)
    )
    rows = [
        TimelineEvent(
            incident=resolving, seq=note.seq + n, kind="note", group="notes", actor=manager, at=minute(21),
            recorded_at=timezone.now(), text=note.text, html=note.html,
        )
        for n in range(1, 2000)
    ]  # fmt: skip
    TimelineEvent.objects.bulk_create(rows)
    MajorIncident.objects.filter(pk=resolving.pk).update(last_seq=note.seq + 1999)
    answer = page_of(client, resolving, manager)
    assert len(answer.content) <= 150 * 1024
    assert words(answer).count('class="entry ') == 50
