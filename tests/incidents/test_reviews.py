import pytest

from incidents.actions import downtime, major_incidents, reviews, steps
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.process import EventKind
from incidents.review_facts import review_facts
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


def written(engineer, **more):
    return {
        "cause": "A deploy",
        "findings": "No canary",
        "actions": [{"title": "Add a canary", "owner": engineer, "due_at": minute(30 * DAY)}],
        **more,
    }


def edit(incident, actor, at=None, **changes):
    return reviews.edit_review(incident.pk, changes=changes, actor=actor, at=at or minute(50))


def test_before_maintenance_there_is_no_review(resolving, engineer):
    with pytest.raises(WrongStage):
        edit(resolving, engineer, cause="x")


def test_everything_missing_is_named_at_once(resolved, engineer):
    with pytest.raises(Invalid) as refusal:
        reviews.complete_review(resolved.pk, actor=engineer, at=minute(50))
    assert set(refusal.value.errors) == {"observation_hours", "cause", "findings", "actions"}
    assert "2024-03-05 09:40 UTC" in refusal.value.errors["observation_hours"][0]


def test_a_review_is_completed_after_the_observation_window(resolved, engineer):
    edit(resolved, engineer, **written(engineer))
    with pytest.raises(Invalid) as refusal:
        reviews.complete_review(resolved.pk, actor=engineer, at=minute(39 + DAY))
    assert set(refusal.value.errors) == {"observation_hours"}
    review = reviews.complete_review(resolved.pk, actor=engineer, at=minute(40 + DAY))
    assert (review.state, review.completed_by) == ("completed", engineer)
    assert resolved.steps.get(key="review").state == "done"
    with pytest.raises(WrongStage):
        edit(resolved, engineer, cause="Another")


def test_no_observation_no_cause_and_no_actions_need_their_reasons(resolved, engineer):
    edit(
        resolved,
        engineer,
        observation_hours=0,
        unknown_because="Logs were lost",
        findings="Keep logs",
        no_actions_because="Done already",
    )
    assert reviews.complete_review(resolved.pk, actor=engineer, at=minute(50)).state == "completed"


def test_every_seat_writes_but_only_the_letters_complete(resolved, problem_manager, engineer, outsider):
    edit(resolved, problem_manager, **written(engineer, observation_hours=0))
    with pytest.raises(NotAccountable) as refusal:
        reviews.complete_review(resolved.pk, actor=problem_manager, at=minute(50))
    assert refusal.value.details["step"] == "review"
    with pytest.raises(NotAccountable):
        edit(resolved, outsider, cause="Sabotage")


def test_actions_have_owner_and_due_date(resolved, engineer):
    with pytest.raises(Invalid) as refusal:
        edit(resolved, engineer, actions=[{"title": "Canary"}])
    assert len(refusal.value.errors["actions"]) == 2


def test_sending_the_same_actions_again_keeps_what_is_done(resolved, engineer, manager):
    review = edit(resolved, engineer, **written(engineer))
    action = review.actions.get()
    with pytest.raises(NotAccountable):
        reviews.complete_action(action.pk, actor=factories.person("technical_staff"), at=minute(60))
    reviews.complete_action(action.pk, actor=engineer, at=minute(60))
    edit(resolved, engineer, **written(engineer))
    assert review.actions.get().done_at == minute(60)
    edit(resolved, engineer, actions=[{"title": "Other", "owner": manager, "due_at": minute(99)}])
    assert [row.title for row in review.actions.all()] == ["Other", "Add a canary"]


def test_reopening_asks_for_a_new_review(resolved, engineer, manager):
    edit(resolved, engineer, **written(engineer, observation_hours=0))
    reviews.complete_review(resolved.pk, actor=engineer, at=minute(50))
    major_incidents.reopen(resolved.pk, reason="Back again", actor=manager, at=minute(60))
    assert again(resolved).review.state == "draft"
    assert resolved.steps.get(key="review").state != "done"


def test_the_record_beside_the_review_is_complete(
    resolving, manager, engineer, change_manager, django_assert_max_num_queries
):
    steps.waive(resolving.pk, "change", reason="Nothing to change", actor=change_manager, at=minute(30))
    downtime.restore(resolving.pk, actor=manager, at=minute(31))
    incident = major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(40))
    with django_assert_max_num_queries(16):
        facts = review_facts(incident)
    assert [step.key for step in facts["waivers"]] == ["change"]
    assert facts["clocks"][0]["value"] == minute(0)
    assert EventKind.DECLARED in [event.kind for event in facts["timeline"]]
    assert [row.ended_at for row in facts["downtime"]] == [minute(31)]
    assert len(facts["problems"]) == 1
