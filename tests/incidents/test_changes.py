import pytest

from incidents.actions import changes, seats, services
from incidents.change_collisions import collisions
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import Change
from incidents.process import EventKind
from tests import factories
from tests.factories import again, minute
from tests.racing import race

pytestmark = pytest.mark.django_db
DAY = 24 * 60


@pytest.fixture
def change(organisation, engineer, change_manager):
    return changes.open_change(title="Bigger pool", actor=engineer, at=minute(20))


@pytest.fixture
def submitted(change, engineer):
    return changes.submit(change.pk, actor=engineer, at=minute(21))


@pytest.fixture
def emergency(organisation, engineer, change_manager):
    change = changes.open_change(title="Switch it off", type="emergency", actor=engineer, at=minute(20))
    return changes.start(change.pk, actor=engineer, at=minute(21))


@pytest.fixture
def seated_engineer(declared, engineer, manager):
    seat = seats.invite(declared.pk, role="technical_staff", user=engineer, actor=manager, at=minute(11))
    seats.accept(seat.pk, actor=engineer, at=minute(12))
    return engineer


def test_a_standard_change_is_approved_by_being_submitted(organisation, engineer):
    change = changes.open_change(title="Rotate the key", type="standard", actor=engineer, at=minute(20))
    approved = changes.submit(change.pk, actor=engineer, at=minute(21))
    assert (approved.status, approved.approval_state) == ("approved", "approved")
    with pytest.raises(WrongStage):
        changes.submit(change.pk, actor=engineer, at=minute(22))


def test_the_change_manager_approves_when_nobody_is_named(submitted, change_manager):
    assert (submitted.status, submitted.approval_state) == ("awaiting_approval", "pending")
    assert [row.approver for row in submitted.approvals.all()] == [change_manager]
    approved = changes.vote(submitted.pk, approve=True, actor=change_manager, at=minute(22))
    assert (approved.status, approved.approval_state) == ("approved", "approved")


def test_all_named_approvers_must_approve(change, engineer, change_manager, management):
    edited = {"approvers": [change_manager, management]}
    changes.edit_change(change.pk, changes=edited, actor=engineer, at=minute(21))
    changes.submit(change.pk, actor=engineer, at=minute(21))
    first = changes.vote(change.pk, approve=True, actor=management, at=minute(22))
    assert first.status == "awaiting_approval"
    assert changes.vote(change.pk, approve=True, actor=change_manager, at=minute(23)).status == "approved"


def test_one_rejection_rejects(submitted, change_manager):
    rejected = changes.vote(submitted.pk, approve=False, comment="Too risky", actor=change_manager, at=minute(22))
    assert (rejected.status, rejected.approval_state) == ("rejected", "rejected")
    assert rejected.approvals.get().comment == "Too risky"
    with pytest.raises(WrongStage):
        changes.vote(submitted.pk, approve=True, actor=change_manager, at=minute(23))


def test_requester_and_implementer_never_approve(change, engineer, change_manager):
    for field, people in (("approvers", [engineer]), ("approvers", [change_manager])):
        changes.edit_change(change.pk, changes={"implementer": change_manager}, actor=engineer, at=minute(21))
        with pytest.raises(Invalid) as refusal:
            changes.edit_change(change.pk, changes={field: people}, actor=engineer, at=minute(21))
        assert list(refusal.value.errors) == ["approvers"]
    with pytest.raises(Invalid) as refusal:
        changes.submit(change.pk, actor=engineer, at=minute(22))
    assert list(refusal.value.errors) == ["approvers"]


def test_an_approver_cannot_become_the_implementer(submitted, engineer, change_manager):
    with pytest.raises(Invalid):
        changes.edit_change(submitted.pk, changes={"implementer": change_manager}, actor=engineer, at=minute(22))


def test_only_named_approvers_vote(submitted, engineer, management):
    for somebody in (engineer, management):
        with pytest.raises(NotAccountable) as refusal:
            changes.vote(submitted.pk, approve=True, actor=somebody, at=minute(22))
        assert refusal.value.details["who_may"] == ["change.manager@example.org"]


def test_a_normal_change_waits_for_approval(change, engineer):
    with pytest.raises(WrongStage) as refusal:
        changes.start(change.pk, actor=engineer, at=minute(21))
    assert "approved" in refusal.value.message


def test_a_change_runs_from_draft_to_closed(submitted, engineer, change_manager):
    changes.vote(submitted.pk, approve=True, actor=change_manager, at=minute(22))
    started = changes.start(submitted.pk, actor=engineer, at=minute(30))
    assert (started.status, started.implementer, started.started_at) == ("implementing", engineer, minute(30))
    with pytest.raises(Invalid) as refusal:
        changes.implement(submitted.pk, actor=engineer, at=minute(29))
    assert list(refusal.value.errors) == ["at"]
    assert changes.implement(submitted.pk, actor=engineer, at=minute(31)).implemented_at == minute(31)
    assert changes.close(submitted.pk, actor=change_manager, at=minute(40)).status == "closed"
    with pytest.raises(WrongStage):
        changes.cancel(submitted.pk, actor=engineer, at=minute(41))


def test_a_draft_can_be_cancelled(change, engineer):
    assert changes.cancel(change.pk, actor=engineer, at=minute(21)).status == "cancelled"


def test_an_emergency_change_starts_first_and_owes_its_approval(emergency, engineer, change_manager):
    assert (emergency.status, emergency.approval_state) == ("implementing", "pending")
    assert emergency.approval_due_at == minute(21 + DAY)
    changes.implement(emergency.pk, actor=engineer, at=minute(25))
    with pytest.raises(WrongStage):
        changes.close(emergency.pk, actor=engineer, at=minute(26))
    approved = changes.vote(emergency.pk, approve=True, actor=change_manager, at=minute(27))
    assert (approved.status, approved.approval_state) == ("implemented", "approved")
    assert changes.close(emergency.pk, actor=engineer, at=minute(28)).status == "closed"


def test_an_emergency_change_without_approval_is_flagged_once(emergency):
    assert changes.flag_late_approvals(at=minute(20 + DAY)) == 0
    assert changes.flag_late_approvals(at=minute(22 + DAY)) == 1
    assert changes.flag_late_approvals(at=minute(23 + DAY)) == 0
    assert again(emergency).flagged_at == minute(22 + DAY)
    assert emergency.events.filter(kind=EventKind.CHANGE_FLAGGED).count() == 1


def test_an_emergency_change_rejected_later_is_rolled_back_or_accepted(emergency, engineer, change_manager, management):
    changes.implement(emergency.pk, actor=engineer, at=minute(25))
    rejected = changes.vote(emergency.pk, approve=False, actor=change_manager, at=minute(27))
    assert (rejected.status, rejected.approval_state) == ("implemented", "rejected")
    with pytest.raises(WrongStage):
        changes.close(emergency.pk, actor=engineer, at=minute(28))
    with pytest.raises(NotAccountable):
        changes.accept_rejected(emergency.pk, actor=engineer, at=minute(28))
    accepted = changes.accept_rejected(emergency.pk, reason="It holds", actor=management, at=minute(29))
    assert accepted.accepted_by == management
    assert changes.close(emergency.pk, actor=engineer, at=minute(30)).status == "closed"


def test_a_rejected_emergency_change_can_be_rolled_back_and_closed(emergency, engineer, change_manager):
    changes.implement(emergency.pk, actor=engineer, at=minute(25))
    changes.vote(emergency.pk, approve=False, actor=change_manager, at=minute(27))
    changes.roll_back(emergency.pk, reason="Rejected", actor=engineer, at=minute(28))
    assert changes.close(emergency.pk, actor=engineer, at=minute(30)).status == "closed"


def test_the_fix_of_an_incident_is_held_by_the_letters_of_the_step(declared, seated_engineer, change_manager):
    fix = changes.open_change(
        title="Fix", type="standard", major_incident=declared, actor=seated_engineer, at=minute(20)
    )
    changes.submit(fix.pk, actor=seated_engineer, at=minute(21))
    other = factories.person("technical_staff", name="Unseated")
    with pytest.raises(NotAccountable) as refusal:
        changes.start(fix.pk, actor=other, at=minute(22))
    assert refusal.value.details["step"] == "change"
    assert seated_engineer.email in refusal.value.details["who_may"]
    changes.start(fix.pk, actor=seated_engineer, at=minute(22))
    changes.implement(fix.pk, actor=seated_engineer, at=minute(23))
    assert declared.steps.get(key="change").state == "done"
    changes.roll_back(fix.pk, reason="Made it worse", actor=seated_engineer, at=minute(24))
    assert declared.steps.get(key="change").state != "done"


def test_linking_the_cause_twice_is_one_link(declared, change, engineer):
    for _ in range(2):
        changes.link(change.pk, incident_id=declared.pk, relation="cause", actor=engineer, at=minute(22))
    assert change.links.get().relation == "cause"
    with pytest.raises(Invalid):
        changes.link(change.pk, incident_id=declared.pk, relation="friend", actor=engineer, at=minute(22))


def test_a_window_ends_after_it_starts(organisation, engineer):
    with pytest.raises(Invalid) as refusal:
        changes.open_change(title="x", window_start=minute(60), window_end=minute(50), actor=engineer, at=minute(20))
    assert list(refusal.value.errors) == ["window_end"]
    assert not Change.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_last_votes_at_the_same_moment_approve_once(engineer, change_manager, management, deputy):
    voters = [change_manager, management, deputy]
    change = changes.open_change(title="Pool", approvers=voters, actor=engineer, at=minute(20))
    changes.submit(change.pk, actor=engineer, at=minute(21))
    race(*[lambda voter=voter: changes.vote(change.pk, approve=True, actor=voter, at=minute(22)) for voter in voters])
    assert again(change).status == "approved"
    moves = change.events.filter(kind=EventKind.CHANGE_STATUS_CHANGED, payload__to="approved")
    assert moves.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_starting_at_once_start_it_once(engineer, change_manager):
    change = changes.open_change(title="Key", type="standard", actor=engineer, at=minute(20))
    changes.submit(change.pk, actor=engineer, at=minute(21))
    results = race(lambda: changes.start(change.pk, actor=engineer, at=minute(22)), times=3)
    assert sum(isinstance(result, WrongStage) for result in results) == 2


def test_changes_on_the_same_or_a_dependent_service_collide(organisation, engineer, administrator):
    shop, pay, wiki = (factories.service(name) for name in ("Shop", "Pay", "Wiki"))
    services.add_dependency(shop.pk, needs=pay, actor=administrator, at=minute(0))

    def planned(title, service, start, end):
        return changes.open_change(
            title=title,
            services=[service],
            window_start=minute(start),
            window_end=minute(end),
            actor=engineer,
            at=minute(0),
        )

    change = planned("Pay", pay, 100, 200)
    same, dependent = planned("Pay too", pay, 150, 160), planned("Shop", shop, 190, 300)
    planned("Elsewhere", wiki, 100, 200)
    planned("Later", pay, 200, 300)
    changes.cancel(planned("Dropped", pay, 100, 200).pk, actor=engineer, at=minute(1))
    assert list(collisions(change)) == [same, dependent]
    assert list(collisions(changes.open_change(title="No window", actor=engineer, at=minute(0)))) == []
