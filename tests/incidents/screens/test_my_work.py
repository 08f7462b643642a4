"""My work: what waits for me, and answering it."""

import pytest
from django.urls import reverse

from incidents.actions import changes, response, seats, steps, updates
from incidents.models import Approval, Consult, Seat, Task
from incidents.process import Role
from incidents.queries.my_work import waiting_for
from tests.factories import again, minute


def kinds(person):
    return [one.kind for one in waiting_for(person)]


def answer(client, kind, record, words, **given):
    return client.post(reverse("my_work_do", args=[kind, record.pk, words]), given)


def test_an_invitation_is_accepted_with_one_click(signed_in, declared, manager, engineer):
    seat = seats.invite(declared.pk, role=Role.TECHNICAL_STAFF, user=engineer, actor=manager, at=minute(11))
    assert kinds(engineer) == ["seat"]
    assert answer(signed_in(engineer), "seat", seat, "accept").status_code == 302
    assert Seat.objects.get(pk=seat.pk).state == "accepted"


def test_the_manager_holds_the_open_steps(declared, manager):
    held = {one.record.key: one.letters for one in waiting_for(manager) if one.kind == "step"}
    assert held == {"inform": "R/A"}


def test_without_anybody_seated_the_service_desk_manager_stands_in(declared, manager, service_desk_manager):
    seats.release(declared.seats.get().pk, actor=manager, at=minute(11))
    assert {one.record.key for one in waiting_for(service_desk_manager) if one.kind == "step"} == {"inform"}


def test_a_question_is_answered_in_one_click(signed_in, assembled, problem_manager):
    question = Consult.objects.filter(user=problem_manager).first()
    assert "consult" in kinds(problem_manager)
    assert answer(signed_in(problem_manager), "consult", question, "agree").status_code == 302
    assert Consult.objects.get(pk=question.pk).agrees is True


def test_a_question_is_answered_in_words(signed_in, assembled, problem_manager):
    question = Consult.objects.filter(user=problem_manager).first()
    answer(signed_in(problem_manager), "consult", question, "answer", text="Look at the pool first")
    assert Consult.objects.get(pk=question.pk).text == "Look at the pool first"


def test_a_task_is_begun_and_done(signed_in, assembled, manager, engineer):
    task = response.add_task(assembled.pk, title="Check node 3", assignee=engineer, actor=manager, at=minute(15))
    assert kinds(engineer).count("task") == 1
    answer(signed_in(engineer), "task", task, "done")
    assert Task.objects.get(pk=task.pk).status == "done"


def test_a_decision_is_given_with_its_option(signed_in, declared, manager, management):
    asked = updates.ask_approval(
        declared.pk, question="Switch provider?", approver=management, options=["Now", "Later"], due_at=minute(40),
        actor=manager, at=minute(12),
    )  # fmt: skip
    assert kinds(management) == ["decision"]
    answer(signed_in(management), "decision", asked, "approve", chosen="Now", comment="Go")
    decided = Approval.objects.get(pk=asked.pk)
    assert (decided.state, decided.chosen, decided.comment) == ("approved", "Now", "Go")


def test_a_change_waits_for_its_approver(engineer, change_manager):
    change = changes.open_change(title="Patch", actor=engineer, at=minute(0), approvers=[change_manager])
    assert kinds(change_manager) == []
    changes.submit(change.pk, actor=engineer, at=minute(1))
    assert kinds(change_manager) == ["vote"]


def test_the_nearest_deadline_is_first(assembled, manager, engineer):
    for title, due in (("Later", 90), ("Soon", 30), ("Whenever", None)):
        response.add_task(
            assembled.pk, title=title, assignee=engineer, due_at=due and minute(due), actor=manager, at=minute(15)
        )
    tasks = [one.record.title for one in waiting_for(engineer) if one.kind == "task"]
    assert tasks == ["Soon", "Later", "Whenever"]


@pytest.mark.parametrize(("kind", "words"), [("seat", "accept"), ("consult", "agree"), ("task", "done")])
def test_what_waits_for_somebody_else_is_not_there(signed_in, assembled, manager, engineer, outsider, kind, words):
    record = {
        "seat": Seat.objects.first(),
        "consult": Consult.objects.first(),
        "task": response.add_task(assembled.pk, title="x", assignee=engineer, actor=manager, at=minute(15)),
    }[kind]
    assert answer(signed_in(outsider), kind, record, words).status_code == 404


def test_answering_twice_is_told_in_words(signed_in, assembled, problem_manager):
    question = Consult.objects.filter(user=problem_manager).first()
    steps.answer_consult(question.pk, agrees=True, actor=problem_manager, at=minute(15))
    again_answered = answer(signed_in(problem_manager), "consult", question, "agree")
    assert again_answered.status_code == 422
    assert "answered already" in again_answered.content.decode()


def test_the_page_shows_every_kind(signed_in, assembled, manager, engineer):
    response.add_task(assembled.pk, title="Check node 3", assignee=engineer, actor=manager, at=minute(15))
    page = signed_in(engineer).get(reverse("my_work")).content.decode()
    assert "Check node 3" in page and "My tickets" in page
    assert "Check node 3" in signed_in(engineer).get(reverse("my_work_now")).content.decode()


def test_nothing_to_do_says_so(signed_in, outsider):
    assert "Nothing waits for you" in signed_in(outsider).get(reverse("my_work")).content.decode()


def test_a_guest_sees_the_seat_offered(signed_in, declared, manager, consultant):
    seats.invite(declared.pk, role=Role.EXTERNAL_CONSULTANT, user=consultant, actor=manager, at=minute(11))
    page = signed_in(consultant).get(reverse("my_work")).content.decode()
    assert "Take the seat: external consultant" in page
    assert again(declared).title in page
