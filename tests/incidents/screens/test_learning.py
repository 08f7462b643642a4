"""What is learnt after an outage: reviews signed off, actions followed up, causes, problems that come back."""

from datetime import timedelta

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents import pdf
from incidents.actions import (
    documents,
    downtime,
    factors,
    history,
    major_incidents,
    problems,
    recurrence,
    response,
    review_actions,
    reviews,
    updates,
)
from incidents.blameless import hints
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import Problem, ReviewAction, TimelineEvent
from incidents.process import EventKind
from incidents.queries.learning import learning
from incidents.queries.my_work import waiting_for
from incidents.queries.repeats import repeats
from notifications.models import Delivery
from notifications.status.public import public_key
from tests import factories
from tests.factories import again, minute
from tests.incidents.conftest import fix

pytestmark = pytest.mark.django_db
DAY = 24 * 60


@pytest.fixture
def resolved(resolving, manager, engineer):
    fix(resolving, engineer, at=minute(30))
    downtime.restore(resolving.pk, actor=manager, at=minute(31))
    return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(40))


@pytest.fixture
def written(resolved, engineer, manager):
    """A review with everything in it, its action due on the seventh day."""
    action = {"title": "Limit the CPU of a rule", "owner": engineer, "due_at": minute(7 * DAY)}
    told = {"cause": "A rule", "findings": "No limit", "hindered": "No map", "attendees": [manager, engineer]}
    reviews.edit_review(resolved.pk, changes=told | {"actions": [action]}, actor=engineer, at=minute(50))
    return resolved


def test_a_review_is_written_signed_off_or_sent_back(resolved, written, engineer, manager, technician):
    with pytest.raises(NotAccountable):
        reviews.submit_review(written.pk, actor=technician, at=minute(51))
    review = reviews.submit_review(written.pk, actor=manager, at=minute(51))
    assert (review.state, review.submitted_by) == ("in_review", manager)
    with pytest.raises(WrongStage):
        reviews.submit_review(written.pk, actor=manager, at=minute(52))
    assert not written.steps.filter(key="review", state="done").exists()
    with pytest.raises(NotAccountable):
        reviews.return_review(written.pk, reason="Too short", actor=manager, at=minute(52))
    assert reviews.return_review(written.pk, reason="Too short", actor=engineer, at=minute(52)).state == "draft"
    reviews.submit_review(written.pk, actor=manager, at=minute(53))
    with pytest.raises(Invalid) as refusal:
        reviews.complete_review(written.pk, actor=engineer, at=minute(54))
    assert list(refusal.value.errors) == ["observation_hours"]
    done = reviews.complete_review(written.pk, actor=engineer, at=minute(2 * DAY))
    assert (done.state, set(done.attendees.all())) == ("completed", {manager, engineer})
    assert written.steps.get(key="review").state == "done"
    assert "No map" in again(written.document).markdown


def test_an_action_is_reminded_escalated_and_done_with_proof(written, engineer, service_desk_manager):
    action = ReviewAction.objects.get()
    assert review_actions.remind_and_escalate(at=minute(4 * DAY)) == 0
    assert [review_actions.remind_and_escalate(at=minute(5 * DAY)) for _ in range(2)] == [1, 0]
    told = Delivery.objects.filter(moment="review_action_due")
    assert {row.recipient for row in told} == {engineer}
    boss = factories.person("management", name="Boss")
    type(engineer).objects.filter(pk=engineer.pk).update(line_manager=boss)
    assert [review_actions.remind_and_escalate(at=minute(9 * DAY)) for _ in range(2)] == [1, 0]
    late = Delivery.objects.filter(moment="review_action_overdue")
    assert {row.recipient for row in late} == {engineer, boss, service_desk_manager}
    found = learning(minute(9 * DAY))
    assert (found.overdue_count, found.open_actions) == (1, 1)
    moved = {"actions": [{"id": action.pk, "title": action.title, "owner": engineer, "due_at": minute(20 * DAY)}]}
    reviews.edit_review(written.pk, changes=moved, actor=engineer, at=minute(9 * DAY))
    assert again(action).reminded_at is None
    done = reviews.complete_action(action.pk, proof="CHG-12 is in place", actor=engineer, at=minute(10 * DAY))
    assert (done.proof, done.done_by) == ("CHG-12 is in place", engineer)
    assert review_actions.remind_and_escalate(at=minute(30 * DAY)) == 0


def test_wording_that_blames_is_pointed_at_and_nothing_else():
    text = "Human error: Omar deployed it although he should have known. Clearly he forgot the check."
    said = [hint.said.lower() for hint in hints(text, ["Omar Haddad"])]
    assert said == ["human error", "omar deployed", "should have", "clearly", "forgot"]
    assert hints("The rule had no limit, and the alarm rang after four minutes.", ["Omar Haddad"]) == []


def test_the_editor_beside_the_record_hints_and_sends_for_sign_off(resolved, signed_in, engineer, outsider):
    browser, path = signed_in(engineer), reverse("review", args=[resolved.ref])
    wording = reverse("review_wording", args=[resolved.ref])
    assert "ends the search" in browser.post(wording, {"findings": "Human error"}).content.decode()
    rows = {"actions-TOTAL_FORMS": "0", "actions-INITIAL_FORMS": "0", "observation_hours": "0"}
    refused = browser.post(path, rows | {"do": "submit", "findings": "No limit"})
    assert refused.status_code == 422 and "Write the cause" in refused.content.decode()
    text = {"cause": "A rule", "findings": "No limit", "no_actions_because": "Done"}
    assert browser.post(path, rows | text | {"do": "submit"}).status_code == 302
    assert "Waits for sign-off" in browser.get(path).content.decode()
    assert signed_in(outsider).post(wording, {}).status_code == 404


def test_causes_hang_together_and_point_at_the_timeline(resolved, signed_in, engineer, manager, checkout):
    problem = resolved.problems.get()
    entry = resolved.events.filter(kind=EventKind.CHANGE_STATUS_CHANGED).first()
    above = factors.add_factor(
        problem.pk, text="No limit", is_root=True, evidence=[entry], actor=engineer, at=minute(50)
    )
    factors.add_factor(problem.pk, text="Nobody owned rules", parent=above, actor=engineer, at=minute(51))
    other = problems.open_problem(title="Other", actor=engineer, at=minute(52))
    stray = problems.open_problem(title="Stray", actor=engineer, at=minute(52))
    elsewhere = factors.add_factor(other.pk, text="Else", actor=engineer, at=minute(52))
    for wrong, field in (({"parent": elsewhere}, "parent"), ({"text": " "}, "text")):
        with pytest.raises(Invalid) as refusal:
            factors.add_factor(stray.pk, **({"text": "x"} | wrong), actor=engineer, at=minute(53))
        assert list(refusal.value.errors) == [field]
    with pytest.raises(Invalid) as refusal:
        factors.add_factor(stray.pk, text="x", evidence=[entry], actor=engineer, at=minute(53))
    assert list(refusal.value.errors) == ["evidence"]
    page = signed_in(engineer).get(reverse("problem", args=[problem.pk])).content.decode()
    assert page.index("No limit") < page.index("Nobody owned rules") and f"{resolved.ref} #{entry.seq}" in page
    dialog = signed_in(engineer).get(reverse("problem_factor", args=[problem.pk])).content.decode()
    assert f"{resolved.ref} #{entry.seq}" in dialog
    factors.remove_factor(problem.pk, above.pk, actor=engineer, at=minute(54))
    assert not problem.factors.exists()


def test_after_ninety_days_the_owner_hears_whether_it_came_back(resolved, problem_manager, manager, checkout):
    problem = resolved.problems.get()
    by = {"actor": problem_manager, "at": minute(60)}
    problems.investigate(problem.pk, **by)
    problems.edit_problem(problem.pk, changes={"root_cause": "Checkout answers 502 after deploy"}, **by)
    problems.resolve(problem.pk, **by)
    assert recurrence.check_recurrences(at=minute(80 * DAY)) == 0
    clocks = {"declared_at": minute(30 * DAY), "resolved_at": minute(31 * DAY), "closed_at": minute(31 * DAY)}
    rows = [history.PastIncident("a", "Checkout answers 502 after a deploy", 1, 1, "SEV1", ("Checkout",), clocks),
            history.PastIncident("b", "Printers have no paper", 1, 1, "SEV1", ("Checkout",), clocks)]  # fmt: skip
    history.import_past(rows, actor=manager, at=minute(40 * DAY))
    assert [recurrence.check_recurrences(at=minute(91 * DAY)) for _ in range(2)] == [1, 0]
    assert again(problem).recurrences == 1
    assert {row.recipient for row in Delivery.objects.filter(moment="problem_came_back")} == {problem_manager}
    assert [one.kind for one in waiting_for(problem_manager) if one.record == problem] == ["recurrence"]
    assert [one.pk for one in learning(minute(91 * DAY)).came_back] == [problem.pk]
    back = problems.investigate(problem.pk, actor=problem_manager, at=minute(92 * DAY))
    assert (back.status, back.resolved_at, back.recurrences) == ("investigating", None, None)


_PROBLEM_ACTS = st.sampled_from(["investigate", "known_error", "resolve", "close", "explain", "forget"])
_PROBLEM_EDGES = {
    "open": {"investigating"}, "investigating": {"known_error", "resolved"}, "known_error": {"resolved"},
    "resolved": {"closed", "investigating"}, "closed": set(),
}  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(
    acts=st.lists(st.sampled_from(["investigate", "known_error", "resolve", "close", "explain", "forget"]), max_size=12)
)
def test_whatever_is_tried_a_problem_keeps_to_its_states(acts):
    factories.organisation()
    owner = factories.person("problem_manager")
    problem = problems.open_problem(title="x", actor=owner, at=minute(0))
    for at, act in enumerate(acts, start=1):
        before, by = again(problem).status, {"actor": owner, "at": minute(at)}
        try:
            if act in ("explain", "forget"):
                text = "It backtracks" if act == "explain" else ""
                problems.edit_problem(problem.pk, changes={"root_cause": text}, **by)
            else:
                getattr(problems, act)(problem.pk, **by)
        except (WrongStage, Invalid):
            assert again(problem).status == before
            continue
        found = again(problem)
        assert found.status == before or found.status in _PROBLEM_EDGES[before]
        if found.status in ("known_error", "resolved"):
            assert found.root_cause or found.workaround
        assert (found.recurrence_check_at is not None) == (found.status in ("resolved", "closed"))


def test_reports_that_repeat_are_a_problem_before_they_are_an_outage(signed_in, technician, checkout):
    for n in range(6):
        factories.ticket(f"Scanner loses its connection ({n})", at=minute(n), service=checkout,
                         requester_email=f"a{n % 3}@shop.example")  # fmt: skip
    factories.ticket("Where is the coffee", at=minute(9))
    found = repeats(minute(60))
    assert [(one.count, one.people, one.service) for one in found] == [(6, 3, checkout)]
    problem = problems.open_problem(title="Scanner", tickets=found[0].tickets[:2], actor=technician, at=minute(61))
    assert repeats(minute(62)) == [] and problem.tickets.count() == 2
    assert repeats(minute(60) + timedelta(days=40)) == []


def test_managements_view_of_learning(written, signed_in, management, engineer, requester):
    problem = Problem.objects.get()
    problems.edit_problem(problem.pk, changes={"cause_category": "software"}, actor=engineer, at=minute(60))
    found = learning(minute(60))
    assert [(one.key, one.count, one.before) for one in found.causes] == [("software", 1, 0)]
    assert (found.changes.ended, found.changes.percent, [one.incident for one in found.reviews_due]) == (
        1,
        100,
        [written],
    )
    assert found.reuse.incidents == 1
    assert signed_in(management).get(reverse("learning")).status_code == 200
    assert signed_in(requester).get(reverse("learning")).status_code == 403


def test_the_public_reads_a_post_mortem_of_its_own(resolved, signed_in, client, manager, engineer, technician):
    updates.publish_update(
        resolved.pk, texts={"users": "Checkout works again."}, audiences=["users"], next_update_at=None, actor=manager,
        at=minute(41),
    )  # fmt: skip
    documents.generate(resolved.pk, actor=manager, at=minute(42))
    page = reverse("status_file", args=[f"incidents/{public_key('incident', resolved.pk)}/"])
    assert "What we learned" not in client.get(page).content.decode()
    dialog = signed_in(manager).get(reverse("post_mortem", args=[resolved.ref])).content.decode()
    assert "Checkout works again." in dialog and resolved.title not in dialog
    assert signed_in(technician).get(reverse("post_mortem", args=[resolved.ref])).status_code == 403
    hostile = "A rule had no limit. <script>alert(1)</script> [x](javascript:alert(1))"
    sent = signed_in(manager).post(reverse("post_mortem", args=[resolved.ref]), {"markdown": hostile})
    assert sent.status_code == 302
    read = client.get(page).content.decode()
    assert "A rule had no limit." in read and "<script>alert" not in read and 'href="javascript' not in read
    signed_in(manager).post(reverse("document_do", args=[resolved.ref, "withdraw"]))
    assert "A rule had no limit." not in client.get(page).content.decode()


def test_a_document_of_six_hundred_entries_is_a_tagged_pdf_with_names_of_all_kinds(resolved, manager):
    first = response.post_note(resolved.pk, text="Заметка 0 – Ölpumpe Łódź", actor=manager, at=minute(33))
    TimelineEvent.objects.bulk_create(
        TimelineEvent(
            incident=resolved, kind=first.kind, group=first.group, actor=manager, at=minute(33), seq=first.seq + n,
            recorded_at=first.recorded_at, text=f"Заметка {n} – Ölpumpe Łódź",
        )
        for n in range(1, 600)
    )  # fmt: skip
    type(resolved).objects.filter(pk=resolved.pk).update(last_seq=first.seq + 600)
    written = documents.generate(resolved.pk, actor=manager, at=minute(43))
    assert written.markdown.count("Заметка") == 600
    made = pdf.to_pdf(written)
    assert made.startswith(b"%PDF-") and b"StructTreeRoot" in made and b"/Lang" in made
