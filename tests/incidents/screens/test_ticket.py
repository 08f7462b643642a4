"""One ticket: conversation, acts, files, and what a requester sees of it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents.actions import tickets
from incidents.models import Ticket, TicketStatus
from tests import factories
from tests.factories import again


def page_of(client, ticket, name="ticket"):
    return client.get(reverse(name, args=[ticket.pk])).content.decode()


def do(client, ticket, act):
    return client.post(reverse("ticket_do", args=[ticket.pk, act]))


def fill(client, ticket, act, **given):
    return client.post(reverse("ticket_form", args=[ticket.pk, act]), given)


@pytest.fixture
def talked(ticket, technician):
    tickets.comment(ticket.pk, text="We look into it", public=True, actor=technician, at=timezone.now())
    tickets.comment(ticket.pk, text="Smells like the gateway", public=False, actor=technician, at=timezone.now())
    return ticket


def test_the_desk_reads_public_and_internal_words(at_desk, talked):
    page = page_of(at_desk, talked)
    assert "We look into it" in page and "Smells like the gateway" in page
    assert "Desk only" in page


def test_the_requester_reads_only_public_words(signed_in, requester, talked):
    page = page_of(signed_in(requester), talked)
    assert "We look into it" in page
    assert "Smells like the gateway" not in page
    for word in ("Open and alike", "Watching", ">History<", "Priority", "Propose"):
        assert word not in page


def test_somebody_elses_ticket_is_not_there(signed_in, ticket):
    other = factories.person("requester", name="Other Requester")
    for name in ("ticket", "ticket_now"):
        assert signed_in(other).get(reverse(name, args=[ticket.pk])).status_code == 404
    assert fill(signed_in(other), ticket, "attach").status_code == 404
    assert do(signed_in(other), ticket, "close").status_code == 404


def test_nobody_signed_in_is_sent_to_sign_in(client, ticket):
    assert client.get(reverse("ticket", args=[ticket.pk])).url.startswith("/accounts/login/")


def test_a_number_that_is_no_ticket_is_not_found(at_desk):
    assert at_desk.get("/tickets/INC-999999999999999999999/").status_code == 404


def test_one_click_takes_and_starts(at_desk, technician, ticket):
    do(at_desk, ticket, "take")
    do(at_desk, ticket, "start")
    assert (again(ticket).assignee, again(ticket).status) == (technician, TicketStatus.IN_PROGRESS)
    assert again(ticket).acknowledged_by == technician


def test_a_get_changes_nothing(at_desk, ticket):
    assert at_desk.get(reverse("ticket_do", args=[ticket.pk, "take"])).status_code == 405


def test_an_act_out_of_order_is_told_in_words(at_desk, ticket):
    answer = do(at_desk, ticket, "close")
    assert answer.status_code == 422
    assert "cannot be closed" in answer.content.decode()


def test_holding_needs_a_reason_and_keeps_the_dialog(at_desk, ticket):
    assert fill(at_desk, ticket, "hold", reason="").status_code == 422
    assert fill(at_desk, ticket, "hold", reason="Supplier calls back").status_code == 302
    assert "Supplier calls back" in page_of(at_desk, ticket)


def test_resolving_asks_the_requester_who_may_say_still_broken(at_desk, signed_in, requester, ticket):
    fill(at_desk, ticket, "resolve", resolution="Restarted the gateway")
    mine = signed_in(requester)
    page = page_of(mine, ticket)
    assert "It works" in page and "Still broken" in page and "Restarted the gateway" in page
    assert fill(mine, ticket, "reopen", reason="No change here").status_code == 302
    assert again(ticket).status == TicketStatus.IN_PROGRESS


def test_the_requester_closes_what_works(at_desk, signed_in, requester, ticket):
    fill(at_desk, ticket, "resolve", resolution="Restarted the gateway")
    assert do(signed_in(requester), ticket, "close").status_code == 302
    assert again(ticket).status == TicketStatus.CLOSED


@pytest.mark.parametrize("act", ["take", "start", "acknowledge"])
def test_a_requester_does_not_work_tickets(signed_in, requester, ticket, act):
    assert do(signed_in(requester), ticket, act).status_code == 403


@pytest.mark.parametrize("act", ["hold", "resolve", "assign", "escalate", "unlink", "add-watcher"])
def test_a_requester_is_offered_no_form_of_the_desk(signed_in, requester, ticket, act):
    address = reverse("ticket_form", args=[ticket.pk, act])
    assert signed_in(requester).get(address).status_code == 403


def test_escalating_hands_the_ticket_to_another_team(at_desk, ticket):
    team = factories.team("Network")
    assert fill(at_desk, ticket, "escalate", kind="functional", to_team=team.pk, reason="Routing").status_code == 302
    assert again(ticket).team == team


def test_escalating_to_nowhere_is_refused_in_words(at_desk, ticket):
    answer = fill(at_desk, ticket, "escalate", kind="functional", reason="Routing")
    assert answer.status_code == 422
    assert "Routing" in answer.content.decode()


def test_impact_and_urgency_give_the_priority(at_desk, ticket):
    given = {"title": ticket.title, "impact": "1", "urgency": "1", "kind": "incident", "service": ticket.service_id}
    assert at_desk.post(reverse("ticket_edit", args=[ticket.pk]), given).status_code == 302
    assert again(ticket).priority == "P1"


def test_a_reply_reaches_the_requester_and_a_note_does_not(at_desk, signed_in, requester, ticket):
    address = reverse("ticket_comment", args=[ticket.pk])
    assert at_desk.post(address, {"text": "Please restart", "public": "yes"}).status_code == 302
    assert at_desk.post(address, {"text": "He is annoyed", "public": "no"}).status_code == 302
    page = page_of(signed_in(requester), ticket)
    assert "Please restart" in page and "He is annoyed" not in page


def test_a_requester_cannot_write_internal_notes(signed_in, requester, ticket):
    address = reverse("ticket_comment", args=[ticket.pk])
    assert signed_in(requester).post(address, {"text": "x", "public": "no"}).status_code == 403


def test_a_refused_reply_keeps_what_was_typed(at_desk, ticket):
    answer = at_desk.post(reverse("ticket_comment", args=[ticket.pk]), {"text": "a\x00b", "public": "no"})
    assert answer.status_code == 422
    empty = at_desk.post(reverse("ticket_comment", args=[ticket.pk]), {"text": "", "public": "no"})
    assert empty.status_code == 422


def test_markup_of_a_reply_is_rendered_and_scripts_are_not(at_desk, ticket):
    text = "**bold** <script>alert(1)</script>"
    at_desk.post(reverse("ticket_comment", args=[ticket.pk]), {"text": text, "public": "yes"})
    page = page_of(at_desk, ticket)
    assert "<strong>bold</strong>" in page and "<script>alert" not in page


def test_a_file_comes_back_as_a_download(at_desk, ticket):
    file = SimpleUploadedFile("page.html", b"<script>alert(1)</script>", content_type="text/html")
    assert fill(at_desk, ticket, "attach", file=file).status_code == 302
    answer = at_desk.get(reverse("attachment", args=[ticket.attachments.get().uuid]))
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "text/plain"


def test_files_of_the_desk_are_not_for_the_requester(at_desk, signed_in, requester, ticket):
    fill(at_desk, ticket, "attach", file=SimpleUploadedFile("trace.txt", b"secret"))
    fill(signed_in(requester), ticket, "attach", file=SimpleUploadedFile("mine.txt", b"screen"))
    theirs, own = ticket.attachments.order_by("pk")
    mine = signed_in(requester)
    assert mine.get(reverse("attachment", args=[theirs.uuid])).status_code == 403
    assert mine.get(reverse("attachment", args=[own.uuid])).status_code == 200
    page = page_of(mine, ticket)
    assert "mine.txt" in page and "trace.txt" not in page


def test_a_file_of_somebody_elses_ticket_is_not_there(at_desk, signed_in, ticket):
    fill(at_desk, ticket, "attach", file=SimpleUploadedFile("trace.txt", b"secret"))
    other = factories.person("requester", name="Other Requester")
    assert signed_in(other).get(reverse("attachment", args=[ticket.attachments.get().uuid])).status_code == 404


def test_a_program_is_refused_at_the_field(at_desk, ticket):
    answer = fill(at_desk, ticket, "attach", file=SimpleUploadedFile("run.exe", b"MZ\x00"))
    assert answer.status_code == 422
    assert "Programs and scripts cannot be attached" in answer.content.decode()


def test_tickets_like_this_one_are_shown(at_desk, ticket, checkout):
    factories.ticket("Checkout shows error page", service=None)
    factories.ticket("Basket is empty", service=checkout)
    factories.ticket("Printer jams")
    assert reverse("look_alike", args=[ticket.pk]) in page_of(at_desk, ticket)
    panel = at_desk.get(reverse("look_alike", args=[ticket.pk])).content.decode()
    assert "Checkout shows error page" in panel and "Basket is empty" in panel and "Printer jams" not in panel
    assert "both say" in panel and "same service, 0 min apart" in panel
    assert panel.count('name="tickets"') == 3


def test_a_linked_ticket_names_its_incident_and_can_be_unlinked(at_desk, technician, ticket, declared):
    tickets.link([ticket.pk], incident_id=declared.pk, actor=technician, at=timezone.now())
    assert declared.ref in page_of(at_desk, ticket)
    assert fill(at_desk, ticket, "unlink", reason="Another outage").status_code == 302
    assert again(ticket).major_incident is None


def test_watching_begins_and_ends_with_one_click(at_desk, technician, ticket):
    do(at_desk, ticket, "watch")
    assert ticket.watchers.get().user == technician
    do(at_desk, ticket, "unwatch")
    assert not ticket.watchers.exists()


def test_the_call_form_opens_a_ticket_for_the_caller(at_desk, requester):
    given = {
        "requester_email": requester.email, "title": "Printer is on fire", "impact": "4", "urgency": "1",
        "kind": "incident", "channel": "hotline",
    }  # fmt: skip
    answer = at_desk.post(reverse("ticket_new"), given)
    made = Ticket.objects.get()
    assert answer.url == reverse("ticket", args=[made.pk])
    assert (made.requester, made.channel, made.priority) == (requester, "hotline", "P3")


def test_a_report_from_the_future_is_refused_at_its_field(at_desk):
    given = {
        "title": "x", "impact": "4", "urgency": "4", "kind": "incident", "channel": "hotline",
        "reported_at": "2999-01-01T00:00",
    }  # fmt: skip
    answer = at_desk.post(reverse("ticket_new"), given)
    assert answer.status_code == 422
    assert answer.context["form"].errors["reported_at"]


def test_a_form_asked_for_by_htmx_is_only_the_dialog_and_sends_the_page_on(signed_in, technician, ticket):
    client = signed_in(technician, htmx=True)
    address = reverse("ticket_form", args=[ticket.pk, "hold"])
    assert "<html" not in client.get(address).content.decode()
    answer = client.post(address, {"reason": "Supplier"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("ticket", args=[ticket.pk]))
