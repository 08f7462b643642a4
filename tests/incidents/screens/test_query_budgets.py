"""Pages ask the database as often for a hundred rows as for one. Budgets include the session, the person and the
frame around the page."""

import pytest
from django.urls import reverse

from incidents.actions import affected, changes, major_incidents, problems, response, updates
from tests import factories
from tests.factories import minute

BUDGETS = {
    "ticket_list": 8,
    "desk": 13,
    "problem_list": 8,
    "change_list": 8,
    "portal": 10,
    "my_reports": 8,
    "hotline": 10,
    "ticket": 16,
    "problem": 14,
    "change": 16,
}


def fill(count, technician, engineer, checkout):
    for number in range(count):
        ticket = factories.ticket(
            f"Ticket number {number}", at=minute(number), actor=technician, requester=technician, service=checkout
        )
        if number < 12:  # problems and changes have one page each; tickets are what there are many of
            problems.open_problem(title=f"Problem {number}", tickets=[ticket], actor=engineer, at=minute(0))
            changes.open_change(
                title=f"Change {number}", services=[checkout], actor=engineer, at=minute(0),
                window_start=minute(0), window_end=minute(60),
            )  # fmt: skip
    return ticket


@pytest.mark.parametrize("count", [1, 10, 100])
def test_a_page_keeps_its_budget_however_many_rows(
    client, technician, engineer, checkout, django_assert_max_num_queries, count
):
    ticket = fill(count, technician, engineer, checkout)
    client.force_login(technician)
    first = {"ticket": [ticket.pk], "problem": [problems.Problem.objects.first().pk]}
    first["change"] = [changes.Change.objects.first().pk]
    for name, budget in BUDGETS.items():
        with django_assert_max_num_queries(budget, info=f"{name} with {count} rows"):
            assert client.get(reverse(name, args=first.get(name, []))).status_code == 200


@pytest.mark.parametrize("count", [1, 25])
def test_my_work_keeps_its_budget(client, assembled, manager, engineer, django_assert_max_num_queries, count):
    for number in range(count):
        response.add_task(assembled.pk, title=f"Task {number}", assignee=engineer, actor=manager, at=minute(15))
        factories.ticket(f"Ticket {number}")
    client.force_login(engineer)
    with django_assert_max_num_queries(18):
        client.get(reverse("my_work"))


@pytest.mark.parametrize("count", [1, 20])
def test_the_portal_asks_as_often_for_many_outages_as_for_one(client, manager, requester, checkout, count, queries_of):
    for number in range(count):
        incident = major_incidents.declare(
            title=f"Outage {number}", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(number)
        )
        affected.say_affected(incident.pk, actor=requester, at=minute(number))
        told = {"users": "We are on it."}
        updates.publish_update(
            incident.pk, texts=told, audiences=["users"], next_update_at=None, actor=manager, at=minute(number)
        )
    client.force_login(requester)
    assert queries_of(client, reverse("portal")) <= 15
    assert queries_of(client, reverse("portal_outages")) <= 10
