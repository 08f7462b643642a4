import pytest
from django.core.files.base import ContentFile

from incidents.actions import tickets
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import Ticket, TimelineEvent
from incidents.process import EventKind
from tests import factories
from tests.racing import race

pytestmark = pytest.mark.django_db


def kinds(ticket):
    return list(ticket.events.values_list("kind", flat=True))


@pytest.fixture
def ticket(organisation, requester, checkout, minute):
    return factories.ticket(requester=requester, service=checkout, at=minute(0))


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"), [(1, 1, "P1"), (1, 2, "P1"), (2, 2, "P2"), (3, 2, "P3"), (4, 3, "P4")]
)
def test_priority_follows_from_impact_and_urgency(organisation, impact, urgency, priority):
    assert factories.ticket(impact=impact, urgency=urgency).priority == priority


def test_the_organisation_may_have_its_own_priority_table(organisation, ticket, technician, minute):
    factories.organisation(priority_table={"4/4": "P1"})
    edited = tickets.edit_ticket(ticket.pk, changes={"impact": 4, "urgency": 4}, actor=technician, at=minute(1))
    assert edited.priority == "P1"


def test_a_named_priority_wins_over_the_table(organisation, technician, minute, ticket):
    assert factories.ticket(priority="P1").priority == "P1"
    edited = tickets.edit_ticket(ticket.pk, changes={"impact": 1, "priority": "P4"}, actor=technician, at=minute(1))
    assert edited.priority == "P4"


def test_filing_is_not_an_acknowledgement(technician, minute, checkout):
    filed = factories.ticket(actor=technician, at=minute(3))
    assert filed.acknowledged_at is None
    assert filed.reported_at == minute(3)


def test_the_first_person_who_acknowledges_counts(ticket, technician, engineer, minute):
    tickets.acknowledge(ticket.pk, actor=technician, at=minute(2))
    again = tickets.acknowledge(ticket.pk, actor=engineer, at=minute(5))
    assert (again.acknowledged_at, again.acknowledged_by) == (minute(2), technician)
    assert kinds(again).count(EventKind.TICKET_ACKNOWLEDGED) == 1


def test_taking_a_ticket_acknowledges_it_and_handing_it_out_does_not(ticket, technician, engineer, minute):
    handed = tickets.assign(ticket.pk, assignee=engineer, actor=technician, at=minute(1))
    assert (handed.status, handed.acknowledged_at) == ("assigned", None)
    taken = tickets.assign(ticket.pk, assignee=technician, actor=technician, at=minute(2))
    assert (taken.status, taken.acknowledged_at) == ("assigned", minute(2))


def test_an_acknowledgement_before_the_report_counts_as_the_report(ticket, technician, minute):
    assert tickets.acknowledge(ticket.pk, actor=technician, at=minute(-5)).acknowledged_at == minute(0)


def test_a_ticket_lives_from_new_to_closed_and_back(ticket, technician, requester, minute):
    assert tickets.assign(ticket.pk, assignee=technician, actor=technician, at=minute(1)).status == "assigned"
    assert tickets.start_work(ticket.pk, actor=technician, at=minute(2)).status == "in_progress"
    assert tickets.hold(ticket.pk, reason="Supplier", actor=technician, at=minute(3)).status == "on_hold"
    assert tickets.start_work(ticket.pk, actor=technician, at=minute(4)).status == "in_progress"
    resolved = tickets.resolve(ticket.pk, resolution="Restarted", actor=technician, at=minute(5))
    assert (resolved.status, resolved.resolved_at) == ("resolved", minute(5))
    closed = tickets.close(ticket.pk, actor=requester, at=minute(6))
    assert (closed.status, closed.closed_at) == ("closed", minute(6))
    reopened = tickets.reopen(ticket.pk, reason="Still broken", actor=requester, at=minute(7))
    assert (reopened.status, reopened.resolved_at, reopened.closed_at) == ("in_progress", None, None)


def test_a_refused_transition_names_what_is_possible(ticket, technician, minute):
    with pytest.raises(WrongStage) as refusal:
        tickets.close(ticket.pk, actor=technician, at=minute(1))
    assert refusal.value.details["possible"] == ["assign", "start work", "hold", "resolve"]
    assert "cannot be closed" in refusal.value.message
    tickets.resolve(ticket.pk, resolution="Done", actor=technician, at=minute(2))
    with pytest.raises(WrongStage):
        tickets.assign(ticket.pk, assignee=technician, actor=technician, at=minute(3))


def test_holding_needs_a_reason_and_resolving_a_resolution(ticket, technician, minute):
    with pytest.raises(Invalid) as refusal:
        tickets.hold(ticket.pk, reason="  ", actor=technician, at=minute(1))
    assert "reason" in refusal.value.errors
    with pytest.raises(Invalid) as refusal:
        tickets.resolve(ticket.pk, resolution="", actor=technician, at=minute(1))
    assert "resolution" in refusal.value.errors


def test_an_outsider_and_a_requester_do_not_work_tickets(ticket, outsider, requester, minute):
    for somebody in (outsider, requester):
        with pytest.raises(NotAccountable):
            tickets.start_work(ticket.pk, actor=somebody, at=minute(1))
        with pytest.raises(NotAccountable):
            tickets.comment(ticket.pk, text="x", public=False, actor=somebody, at=minute(1))
    with pytest.raises(NotAccountable):
        tickets.comment(ticket.pk, text="x", public=True, actor=outsider, at=minute(1))
    assert tickets.comment(ticket.pk, text="Still broken", public=True, actor=requester, at=minute(1)).public


def test_a_comment_is_kept_as_typed_and_shown_without_script(ticket, technician, minute):
    row = tickets.comment(
        ticket.pk, text="**Hi** <script>alert(1)</script>", public=True, actor=technician, at=minute(1)
    )
    assert "<script>" in row.text
    assert "<script" not in row.html
    assert "<strong>Hi</strong>" in row.html


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 251),
        ("title", "a\x00b"),
        ("title", "a\ud800b"),
        ("title", 7),
        ("description", "x" * 20_001),
        ("impact", 0),
        ("impact", True),
        ("urgency", "1"),
        ("channel", "pigeon"),
        ("kind", "wish"),
        ("priority", "P9"),
        ("requester_email", "nobody"),
    ],
)
def test_impossible_input_names_its_field(organisation, field, value):
    with pytest.raises(Invalid) as refusal:
        factories.ticket(**{"title": "Fine", field: value})
    assert list(refusal.value.errors) == [field]
    assert Ticket.objects.count() == 0


def test_a_report_cannot_come_from_the_future(organisation, minute):
    with pytest.raises(Invalid) as refusal:
        factories.ticket(at=minute(0), reported_at=minute(9))
    assert list(refusal.value.errors) == ["reported_at"]


def test_the_account_behind_an_address_is_the_requester(organisation, requester):
    assert factories.ticket(requester_email=requester.email.upper()).requester == requester
    stranger = factories.ticket(requester_email="someone@else.example")
    assert (stranger.requester, stranger.requester_email) == (None, "someone@else.example")


def test_editing_records_what_stood_there_before(ticket, technician, minute):
    edited = tickets.edit_ticket(
        ticket.pk, changes={"title": "Payment fails", "impact": 1}, actor=technician, at=minute(1)
    )
    event = edited.events.get(kind=EventKind.TICKET_EDITED)
    assert event.payload["changes"]["title"] == ["Checkout shows an error page", "Payment fails"]
    assert edited.priority == "P2"
    with pytest.raises(Invalid):
        tickets.edit_ticket(ticket.pk, changes={"created_by": None}, actor=technician, at=minute(1))


def test_editing_the_state_is_the_act_it_stands_for(ticket, technician, minute):
    edited = tickets.edit_ticket(ticket.pk, changes={"status": "in_progress"}, actor=technician, at=minute(1))
    assert (edited.status, edited.acknowledged_at, edited.assignee) == ("in_progress", minute(1), technician)
    with pytest.raises(Invalid):
        tickets.edit_ticket(ticket.pk, changes={"status": "new"}, actor=technician, at=minute(2))


def test_functional_escalation_hands_it_to_another_tier(ticket, technician, minute):
    network = factories.team("Network", support_tier=2)
    tickets.start_work(ticket.pk, actor=technician, at=minute(1))
    handed = tickets.escalate(
        ticket.pk, kind="functional", to_team=network, reason="Needs a router", actor=technician, at=minute(2)
    )
    assert (handed.team, handed.support_tier, handed.assignee, handed.status) == (network, 2, None, "assigned")
    with pytest.raises(Invalid) as refusal:
        tickets.escalate(ticket.pk, kind="functional", reason="?", actor=technician, at=minute(3))
    assert "to" in refusal.value.errors


def test_hierarchical_escalation_goes_up_the_line(ticket, technician, service_desk_manager, minute):
    boss = factories.person("service_desk_technician", name="Boss")
    tickets.escalate(ticket.pk, kind="hierarchical", reason="Angry customer", actor=technician, at=minute(1))
    assert ticket.escalations.last().to_user == service_desk_manager
    technician.line_manager = boss
    technician.save()
    tickets.start_work(ticket.pk, actor=technician, at=minute(2))
    kept = tickets.escalate(ticket.pk, kind="hierarchical", reason="Again", actor=technician, at=minute(3))
    assert ticket.escalations.last().to_user == boss
    assert kept.assignee == technician
    with pytest.raises(Invalid):
        tickets.escalate(ticket.pk, kind="hierarchical", reason=" ", actor=technician, at=minute(3))


def test_watching_is_done_once_and_undone(ticket, technician, minute):
    tickets.watch(ticket.pk, actor=technician, at=minute(1))
    tickets.watch(ticket.pk, actor=technician, at=minute(2))
    assert ticket.watchers.count() == 1
    tickets.unwatch(ticket.pk, actor=technician, at=minute(3))
    assert ticket.watchers.count() == 0


@pytest.mark.parametrize(
    ("name", "content", "kept", "content_type"),
    [
        ("screen.png", b"\x89PNG\r\n\x1a\n123", "screen.png", "image/png"),
        ("report.pdf", b"<html><script>1</script>", "report.pdf", "text/plain"),
        ("../../etc/passwd", b"root:x", "passwd", "text/plain"),
        ("a\r\nb\u202e.txt", b"\xff\xfea\x00", "a b.txt", "text/plain"),
        ("..", "schön".encode(), "file", "text/plain"),
        ("book.xlsx", b"PK\x03\x04....xl/workbook", "book.xlsx", None),
    ],
)
def test_what_a_file_is_is_read_from_its_content(ticket, technician, minute, name, content, kept, content_type):
    file = ContentFile(content)
    file.name = name
    row = tickets.attach(ticket.pk, file=file, actor=technician, at=minute(1))
    assert row.filename == kept
    assert content_type in (None, row.content_type)
    assert str(row.uuid) in row.file.name
    assert row.file.read() == content


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", b""), ("a.png", b"MZ\x90"), ("a", b"\x7fELF"), ("run.sh", b"#!/bin/sh"), ("setup.EXE", b"text")],
)
def test_programs_and_empty_files_are_refused(ticket, technician, minute, name, content):
    with pytest.raises(Invalid) as refusal:
        tickets.attach(ticket.pk, file=ContentFile(content, name=name), actor=technician, at=minute(1))
    assert list(refusal.value.errors) == ["file"]


def test_a_file_above_the_limit_is_refused(ticket, technician, minute, settings):
    settings.ATTACHMENT_MAX_BYTES = 10
    with pytest.raises(Invalid):
        tickets.attach(ticket.pk, file=ContentFile(b"x" * 11, name="a"), actor=technician, at=minute(1))


@pytest.mark.django_db(transaction=True)
def test_two_people_resolving_at_once_resolve_it_once(ticket, technician, minute):
    def resolve():
        return tickets.resolve(ticket.pk, resolution="Done", actor=technician, at=minute(1))

    results = race(resolve, times=4)
    assert sum(isinstance(result, Ticket) for result in results) == 1
    assert sum(isinstance(result, WrongStage) for result in results) == 3
    assert TimelineEvent.objects.filter(ticket=ticket, payload__to="resolved").count() == 1
