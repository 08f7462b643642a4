"""The desk: what is new, what looks alike, what is promised next."""

from django.urls import reverse
from django.utils import timezone

from incidents.actions import tickets
from incidents.models import Ticket
from tests import factories


def test_the_desk_shows_the_queue_and_what_it_waits_for(at_desk, ticket):
    page = at_desk.get(reverse("desk")).content.decode()
    assert ticket.title in page
    assert "Propose as major" in page


def test_an_empty_queue_says_so(at_desk):
    assert "The queue is empty" in at_desk.get(reverse("desk")).content.decode()


def test_the_live_part_is_the_same_as_on_the_page(at_desk, ticket):
    part = at_desk.get(reverse("desk_now")).content.decode()
    assert part.lstrip().startswith('<div class="stack" id="desk-now"')
    assert ticket.title in part


def test_tickets_about_one_service_look_alike(at_desk, checkout):
    for title in ("Cannot pay", "Basket is empty", "Error 502"):
        factories.ticket(title, at=timezone.now(), service=checkout)
    assert "3 tickets about Checkout" in at_desk.get(reverse("desk")).content.decode()


def test_tickets_in_the_same_words_look_alike_without_a_service(at_desk):
    factories.ticket("Printer shows paper jam", at=timezone.now())
    factories.ticket("Paper jam at the printer", at=timezone.now())
    factories.ticket("Cannot sign in", at=timezone.now())
    page = at_desk.get(reverse("desk")).content.decode()
    assert "2 tickets" in page and "3 tickets" not in page


def test_chosen_tickets_are_taken_at_once(at_desk, technician, ticket):
    answer = at_desk.post(reverse("take_tickets"), {"tickets": [ticket.pk], "back": "/desk/"})
    assert (answer.status_code, answer.url) == (302, "/desk/")
    assert Ticket.objects.get(pk=ticket.pk).assignee == technician


def test_taking_goes_back_only_to_addresses_of_ours(at_desk, ticket):
    answer = at_desk.post(reverse("take_tickets"), {"tickets": [ticket.pk], "back": "https://evil.example/"})
    assert answer.url == reverse("ticket_list")


def test_proposing_names_the_chosen_tickets(signed_in, technician, ticket):
    page = signed_in(technician, htmx=True).get(reverse("propose"), {"tickets": ticket.pk}).content.decode()
    assert f"INC-{ticket.pk}" in page
    assert "<html" not in page


def test_a_proposal_becomes_a_candidate_with_its_tickets(at_desk, ticket):
    given = {"tickets": ticket.ref, "reason": "Ten people in five minutes"}
    assert at_desk.post(reverse("propose"), given).status_code == 302
    candidate = Ticket.objects.get(pk=ticket.pk).candidate
    assert "Ten people" in candidate.reasons[0]


def test_a_proposal_without_a_ticket_needs_words_and_keeps_what_was_typed(at_desk):
    answer = at_desk.post(reverse("propose"), {"reason": "Phones ring off the hook"})
    assert answer.status_code == 422
    assert "Phones ring off the hook" in answer.content.decode()


def test_what_is_heard_on_the_phone_can_be_proposed(at_desk, checkout):
    given = {"title": "Nobody can pay", "service": checkout.pk, "reason": "Three callers at once"}
    assert at_desk.post(reverse("propose"), given).status_code == 302
    assert checkout.candidates.get().title == "Nobody can pay"


def test_promised_updates_of_open_incidents_are_on_the_desk(at_desk, manager, checkout):
    from incidents.actions import major_incidents

    major_incidents.declare(
        title="Checkout down", services=[checkout], impact=1, urgency=1, actor=manager, at=timezone.now()
    )
    assert "Checkout down" in at_desk.get(reverse("desk")).content.decode()


def test_a_requester_does_not_see_the_desk(signed_in, requester):
    assert signed_in(requester).get(reverse("desk")).status_code == 403


def test_management_reads_the_desk_without_its_acts(signed_in, management, ticket):
    page = signed_in(management).get(reverse("desk")).content.decode()
    assert ticket.title in page
    assert "take_tickets" not in page and 'type="checkbox"' not in page


def test_a_ticket_resolved_leaves_the_queue(at_desk, technician, ticket):
    tickets.resolve(ticket.pk, resolution="Restarted", actor=technician, at=timezone.now())
    assert "The queue is empty" in at_desk.get(reverse("desk")).content.decode()


def test_a_view_narrows_the_queue_and_stays_with_what_is_done_there(at_desk, technician, ticket):
    mine = factories.ticket("Cannot print", at=timezone.now())
    tickets.assign(mine.pk, assignee=technician, actor=technician, at=timezone.now())
    page = at_desk.get(reverse("desk"), {"assignee": "me"}).content.decode()
    assert mine.title in page
    assert ticket.title not in page
    assert 'href="/desk/?assignee=me" aria-current="page"' in page
    assert 'hx-get="/desk/now/?assignee=me"' in page
    assert 'name="back" value="/desk/?assignee=me"' in page
    assert "No ticket is like that" in at_desk.get(reverse("desk"), {"q": "nothing"}).content.decode()


def test_a_view_saved_on_the_desk_leads_back_to_it(at_desk):
    answer = at_desk.post(f"{reverse('view_new')}?of=tickets&back=/desk/&assignee=me", {"name": "My own"})
    assert answer.url == "/desk/?assignee=me"
    assert "My own" in at_desk.get(reverse("desk")).content.decode()


def test_the_service_of_several_is_named_at_once(at_desk, technician, checkout, ticket):
    unknown = factories.ticket("Something is slow", at=timezone.now())
    chosen = {"tickets": f"{ticket.pk},{unknown.pk}"}
    address = f"{reverse('tickets_service')}?tickets={chosen['tickets']}"
    assert at_desk.post(address, {}).status_code == 422
    answer = at_desk.post(address, {"service": checkout.pk})
    assert Ticket.objects.get(pk=unknown.pk).service == checkout
    rows = at_desk.get(answer.url).content.decode()  # one of them changed nothing, so the rows are shown
    assert "was about Checkout already" in rows
    assert "is about Checkout now" in rows


def test_the_desk_costs_the_same_however_long_the_queue(at_desk, queries_of, technician, checkout):
    factories.ticket("One", at=timezone.now(), service=checkout)
    few = queries_of(at_desk, reverse("desk"))
    for n in range(20):
        one = factories.ticket(f"Another {n}", at=timezone.now(), service=checkout)
        tickets.assign(one.pk, assignee=technician, actor=technician, at=timezone.now())
    assert queries_of(at_desk, reverse("desk")) == few
