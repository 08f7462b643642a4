"""Problems on pages: found, opened from an incident, understood, resolved."""

import pytest
from django.urls import reverse

from incidents.actions import problems
from incidents.models import Problem
from tests import factories
from tests.factories import again, minute


@pytest.fixture
def problem(problem_manager):
    return problems.open_problem(title="Pool runs dry", actor=problem_manager, at=minute(0))


@pytest.fixture
def at_problems(signed_in, problem_manager):
    return signed_in(problem_manager)


def move(client, problem, act):
    return client.post(reverse("problem_move", args=[problem.pk, act]))


def test_the_list_finds_by_state_cause_and_words(at_problems, problem):
    address = reverse("problem_list")
    assert "Pool runs dry" in at_problems.get(address).content.decode()
    assert "Pool runs dry" in at_problems.get(address, {"q": "pool", "cause": "unknown"}).content.decode()
    assert "Pool runs dry" in at_problems.get(address, {"q": problem.ref}).content.decode()
    assert "No problem is like that" in at_problems.get(address, {"status": "closed"}).content.decode()


def test_a_problem_is_opened_for_an_incident(signed_in, containing, manager, problem_manager):
    client = signed_in(manager)
    form = client.get(reverse("problem_new"), {"incident": containing.ref}).content.decode()
    assert f'<option value="{containing.pk}" selected>' in form
    given = {"title": "Pool runs dry", "major_incident": containing.pk, "owner": problem_manager.pk}
    answer = client.post(reverse("problem_new"), given)
    made = Problem.objects.get()
    assert answer.url == reverse("problem", args=[made.pk])
    assert containing.steps.get(key="problem").state == "done"


def test_linking_to_an_incident_is_a_guarded_act(signed_in, containing, technician, problem):
    answer = signed_in(technician).post(reverse("problem_link", args=[problem.pk]), {"incident": containing.pk})
    assert answer.status_code == 403
    assert "RACI" in answer.content.decode()


def test_a_problem_is_opened_for_a_ticket(at_problems):
    ticket = factories.ticket("Checkout is slow")
    form = at_problems.get(reverse("problem_new"), {"ticket": ticket.pk}).content.decode()
    assert f'name="tickets" value="{ticket.pk}"' in form
    at_problems.post(reverse("problem_new"), {"title": "Pool runs dry", "tickets": [ticket.pk]})
    assert Problem.objects.get().tickets.get() == ticket


def test_the_whys_are_saved_without_the_empty_ones(at_problems, problem):
    given = {"why_1": "Checkout answered 502", "why_2": "", "why_3": "No free connection"}
    at_problems.post(reverse("problem_whys", args=[problem.pk]), given)
    assert again(problem).five_whys == ["Checkout answered 502", "No free connection"]


def test_more_than_five_whys_are_possible(at_problems, problem):
    problems.edit_problem(
        problem.pk, changes={"five_whys": list("abcde")}, actor=problem.owner, at=minute(1)
    )  # fmt: skip
    assert 'name="why_6"' in at_problems.get(reverse("problem", args=[problem.pk])).content.decode()


def test_a_known_error_waits_for_words(at_problems, problem):
    move(at_problems, problem, "investigate")
    refused = move(at_problems, problem, "known-error")
    assert refused.status_code == 422
    assert "root cause or a workaround" in refused.content.decode()
    given = {"title": problem.title, "owner": problem.owner_id, "cause_category": "software", "workaround": "Restart"}
    assert at_problems.post(reverse("problem_edit", args=[problem.pk]), given).status_code == 302
    assert move(at_problems, problem, "known-error").status_code == 302
    assert again(problem).status == "known_error"


def test_resolving_and_closing_belong_to_the_owner(signed_in, at_problems, technician, problem):
    move(at_problems, problem, "investigate")
    assert move(signed_in(technician), problem, "resolve").status_code == 403
    page = signed_in(technician).get(reverse("problem", args=[problem.pk])).content.decode()
    assert reverse("problem_move", args=[problem.pk, "resolve"]) not in page


@pytest.mark.parametrize("name", ["problem", "problem_edit", "problem_link"])
def test_an_outsider_finds_no_problem(signed_in, requester, problem, name):
    assert signed_in(requester).get(reverse(name, args=[problem.pk])).status_code == 404


def test_an_outsider_moves_nothing(signed_in, requester, problem):
    assert move(signed_in(requester), problem, "investigate").status_code == 404
    assert signed_in(requester).get(reverse("problem_list")).status_code == 403
    assert signed_in(requester).get(reverse("problem_new")).status_code == 403
