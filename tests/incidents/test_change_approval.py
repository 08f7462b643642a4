"""Approving changes: quorum, delegates, conditions, votes taken back, freezes, steps, checks, templates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.actions import change_templates, change_votes, change_work, changes, freezes
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import ChangeStep
from incidents.process import EventKind
from incidents.queries.changes import success
from incidents.queries.my_work import waiting_for
from incidents.risk import QUESTIONS, risk_of
from incidents.votes import tally
from tests import factories
from tests.factories import again, minute
from tests.incidents.conftest import fix
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(organisation, change_manager, management, deputy):
    return [change_manager, management, deputy]


@pytest.fixture
def submitted(board, engineer):
    change = changes.open_change(title="Pool", approvers=board, quorum=2, actor=engineer, at=minute(20))
    return changes.submit(change.pk, actor=engineer, at=minute(21))


@given(
    votes=st.lists(st.sampled_from(["approve", "reject", "pending"]), max_size=8),
    quorum=st.none() | st.integers(1, 10),
)
def test_a_tally_never_says_both_and_says_something_once_everybody_voted(votes, quorum):
    found = tally(votes, quorum)
    assert not (found.is_approved and found.is_rejected)
    assert found.is_approved == (bool(votes) and votes.count("approve") >= min(quorum or len(votes), len(votes)))
    if votes and "pending" not in votes:
        assert found.is_approved or found.is_rejected
    # One more approval never takes an approval away.
    if found.is_approved and "pending" in votes:
        more = ["approve" if vote == "pending" else vote for vote in votes]
        assert tally(more, quorum).is_approved


def test_a_quorum_decides_as_soon_as_it_is_reached_or_out_of_reach(submitted, board, engineer):
    first, second, third = board
    assert changes.vote(submitted.pk, approve=False, actor=first, at=minute(22)).status == "awaiting_approval"
    assert changes.vote(submitted.pk, approve=True, actor=second, at=minute(23)).status == "awaiting_approval"
    assert changes.vote(submitted.pk, approve=True, actor=third, at=minute(24)).status == "approved"
    other = changes.open_change(title="Other", approvers=board, quorum=2, actor=engineer, at=minute(20))
    changes.submit(other.pk, actor=engineer, at=minute(21))
    changes.vote(other.pk, approve=False, actor=first, at=minute(22))
    assert changes.vote(other.pk, approve=False, actor=second, at=minute(23)).status == "rejected"


def test_a_quorum_nobody_can_reach_is_refused(board, engineer):
    change = changes.open_change(title="Pool", approvers=board, quorum=4, actor=engineer, at=minute(20))
    with pytest.raises(Invalid) as refusal:
        changes.submit(change.pk, actor=engineer, at=minute(21))
    assert list(refusal.value.errors) == ["quorum"]


def test_a_vote_taken_back_does_not_count(submitted, board):
    first, second, _ = board
    with pytest.raises(WrongStage):
        change_votes.withdraw_vote(submitted.pk, actor=first, at=minute(22))
    changes.vote(submitted.pk, approve=True, actor=first, at=minute(22))
    change_votes.withdraw_vote(submitted.pk, actor=first, at=minute(23))
    assert changes.vote(submitted.pk, approve=True, actor=second, at=minute(24)).status == "awaiting_approval"
    assert changes.vote(submitted.pk, approve=True, actor=first, at=minute(25)).status == "approved"
    with pytest.raises(WrongStage):
        change_votes.withdraw_vote(submitted.pk, actor=first, at=minute(26))


def test_a_delegate_votes_in_the_place_of_an_approver(submitted, board, engineer, technician):
    first, second, _ = board
    for nobody, field in ((engineer, "to"), (second, "to")):
        with pytest.raises(Invalid) as refusal:
            change_votes.delegate_vote(submitted.pk, to=nobody, actor=first, at=minute(22))
        assert list(refusal.value.errors) == [field]
    with pytest.raises(NotAccountable):
        change_votes.delegate_vote(submitted.pk, to=technician, actor=technician, at=minute(22))
    with pytest.raises(NotAccountable):
        changes.vote(submitted.pk, approve=True, actor=technician, at=minute(22))
    change_votes.delegate_vote(submitted.pk, to=technician, actor=first, at=minute(22))
    assert [one.kind for one in waiting_for(technician)] == ["vote"]
    with pytest.raises(Invalid):
        changes.edit_change(submitted.pk, changes={"implementer": technician}, actor=engineer, at=minute(22))
    changes.vote(submitted.pk, approve=True, actor=technician, at=minute(23))
    row = submitted.approvals.get(approver=first)
    assert (row.vote, row.voted_by) == ("approve", technician)
    assert changes.vote(submitted.pk, approve=True, actor=second, at=minute(24)).status == "approved"


def test_a_change_approved_under_a_condition_begins_once_it_is_met(submitted, board, engineer, technician):
    first, second, _ = board
    under = {"approve": True, "condition": "Only after the backup ran."}
    changes.vote(submitted.pk, **under, actor=first, at=minute(22))
    assert changes.vote(submitted.pk, approve=True, actor=second, at=minute(23)).status == "approved"
    with pytest.raises(WrongStage) as refusal:
        changes.start(submitted.pk, actor=engineer, at=minute(24))
    assert "Only after the backup ran." in refusal.value.message
    with pytest.raises(NotAccountable):
        change_votes.meet_condition(submitted.pk, approver=first, actor=technician, at=minute(25))
    change_votes.meet_condition(submitted.pk, approver=first, note="It ran.", actor=first, at=minute(25))
    assert changes.start(submitted.pk, actor=engineer, at=minute(26)).status == "implementing"
    with pytest.raises(Invalid):
        changes.vote(submitted.pk, approve=False, condition="if", actor=first, at=minute(27))


@pytest.mark.django_db(transaction=True)
def test_the_last_votes_at_once_decide_once_and_a_vote_taken_back_meanwhile_is_counted_or_refused(board, engineer):
    first, second, third = board
    change = changes.open_change(title="Pool", approvers=board, quorum=2, actor=engineer, at=minute(20))
    changes.submit(change.pk, actor=engineer, at=minute(21))
    changes.vote(change.pk, approve=True, actor=first, at=minute(22))
    race(
        lambda: changes.vote(change.pk, approve=True, actor=second, at=minute(23)),
        lambda: changes.vote(change.pk, approve=False, actor=third, at=minute(23)),
        lambda: change_votes.withdraw_vote(change.pk, actor=first, at=minute(23)),
    )
    found, votes = again(change), tally(change.approvals.values_list("vote", flat=True), 2)
    assert found.status == (
        "approved" if votes.is_approved else "rejected" if votes.is_rejected else "awaiting_approval"
    )
    moves = change.events.filter(kind=EventKind.CHANGE_STATUS_CHANGED, payload__to__in=["approved", "rejected"])
    assert moves.count() == (found.status != "awaiting_approval")


_ACTS = st.sampled_from(
    ["submit", "approve", "reject", "withdraw", "start", "implement", "roll_back", "close", "cancel"]
)
_EDGES = {
    "draft": {"awaiting_approval", "approved", "implementing", "cancelled"},
    "awaiting_approval": {"approved", "rejected", "implementing", "cancelled"},
    "approved": {"implementing", "cancelled"},
    "implementing": {"implemented", "rolled_back"},
    "implemented": {"rolled_back", "closed"},
    "rolled_back": {"closed"},
}


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["standard", "normal", "emergency"]),
    quorum=st.sampled_from([None, 1, 2]),
    acts=st.lists(st.tuples(_ACTS, st.integers(0, 3)), min_size=3, max_size=14),
)
def test_whatever_is_tried_a_change_keeps_to_its_states(kind, quorum, acts):
    """Every order of acts by everybody: states move along the edges; only emergencies begin unapproved."""
    engineer, board = _people()
    everybody = [engineer, *board]
    change = changes.open_change(title="x", type=kind, approvers=board, quorum=quorum, actor=engineer, at=minute(0))
    for at, (act, who) in enumerate(acts, start=1):
        before, by = again(change), {"actor": everybody[who], "at": minute(at)}
        try:
            if act in ("approve", "reject"):
                changes.vote(change.pk, approve=act == "approve", **by)
            elif act == "withdraw":
                change_votes.withdraw_vote(change.pk, **by)
            elif act == "roll_back":
                changes.roll_back(change.pk, reason="It failed", **by)
            else:
                getattr(changes, act)(change.pk, **by)
        except (WrongStage, NotAccountable, Invalid):
            found = again(change)
            assert (found.status, found.approval_state) == (before.status, before.approval_state)
            continue
        found = again(change)
        assert found.status == before.status or found.status in _EDGES[before.status]
        if act in ("approve", "reject", "withdraw"):
            assert who != 0  # whoever asks for a change never votes on it
        votes = tally(change.approvals.values_list("vote", flat=True), quorum)
        if found.approval_state == "approved" and kind != "standard":
            assert votes.is_approved
        if found.status in ("implementing", "implemented") and kind != "emergency":
            assert found.approval_state == "approved"
        if found.status == "closed" and not found.rolled_back_at:
            assert found.approval_state == "approved"


def _people():
    factories.organisation()
    return factories.person("technical_staff"), [factories.person("change_manager") for _ in range(3)]


def test_a_freeze_holds_up_what_is_no_emergency_unless_a_change_manager_lets_it_through(
    checkout, engineer, change_manager, technician
):
    with pytest.raises(NotAccountable):
        freezes.save_freeze(name="X", starts_at=minute(0), ends_at=minute(9), actor=engineer, at=minute(0))
    with pytest.raises(Invalid) as refusal:
        freezes.save_freeze(name="X", starts_at=minute(9), ends_at=minute(9), actor=change_manager, at=minute(0))
    assert list(refusal.value.errors) == ["ends_at"]
    season = {"name": "Season", "starts_at": minute(50), "ends_at": minute(500), "services": [checkout]}
    freezes.save_freeze(**season, actor=change_manager, at=minute(0))
    window = {"window_start": minute(100), "window_end": minute(120)}

    def drafted(title, kind="standard", **fields):
        return changes.open_change(title=title, type=kind, actor=engineer, at=minute(1), **fields)

    elsewhere = drafted("Elsewhere", services=[factories.service("Wiki")], **window)
    assert changes.submit(elsewhere.pk, actor=engineer, at=minute(2)).status == "approved"
    held = drafted("Held", services=[checkout], **window)
    with pytest.raises(WrongStage) as refusal:
        changes.submit(held.pk, actor=engineer, at=minute(2))
    assert "Season" in refusal.value.message
    late = drafted("Before, begun late", services=[checkout], window_start=minute(10), window_end=minute(20))
    changes.submit(late.pk, actor=engineer, at=minute(2))
    with pytest.raises(WrongStage):
        changes.start(late.pk, actor=engineer, at=minute(60))
    emergency = drafted("Now", "emergency", services=[checkout], **window)
    assert changes.start(emergency.pk, actor=engineer, at=minute(100)).status == "implementing"
    with pytest.raises(NotAccountable):
        freezes.waive_freeze(held.pk, reason="It is small", actor=technician, at=minute(3))
    freezes.waive_freeze(held.pk, reason="It is small", actor=change_manager, at=minute(3))
    changes.submit(held.pk, actor=engineer, at=minute(4))
    assert changes.start(held.pk, actor=engineer, at=minute(100)).status == "implementing"


def test_steps_have_their_times_and_reach_the_war_room(assembled, engineer, change_manager):
    change = changes.open_change(
        title="Roll back",
        type="emergency",
        major_incident=assembled,
        window_start=minute(30),
        actor=engineer,
        at=minute(20),
    )
    text = "1. Drain node A (10 min)\n- Deploy the old version [5m]\n\n* Watch it"
    change_work.add_steps(change.pk, part="plan", text=text, actor=engineer, at=minute(20))
    steps = list(change.steps.all())
    assert [(one.title, one.minutes) for one in steps] == [
        ("Drain node A", 10), ("Deploy the old version", 5), ("Watch it", None),
    ]  # fmt: skip
    with pytest.raises(WrongStage):
        change_work.do_step(change.pk, steps[0].pk, actor=engineer, at=minute(21))
    changes.start(change.pk, actor=engineer, at=minute(21))
    for _ in range(2):
        change_work.do_step(change.pk, steps[0].pk, actor=engineer, at=minute(22))
    change_work.log(change.pk, text="Node A is empty.", actor=engineer, at=minute(23))
    told = assembled.events.filter(kind=EventKind.CHANGE_LOGGED).order_by("seq")
    assert [(one.payload.get("step"), one.text) for one in told] == [("Drain node A", ""), (None, "Node A is empty.")]
    with pytest.raises(WrongStage):
        change_work.remove_step(change.pk, steps[0].pk, actor=engineer, at=minute(24))
    change_work.remove_step(change.pk, steps[2].pk, actor=engineer, at=minute(24))
    with pytest.raises(ChangeStep.DoesNotExist):
        change_work.do_step(change.pk, steps[2].pk, actor=engineer, at=minute(24))


def test_success_counts_what_was_rolled_back_failed_its_check_or_caused_an_outage(assembled, engineer, change_manager):
    good, checked, back, cause = (fix(assembled, engineer, at=minute(20 + n)) for n in range(4))
    with pytest.raises(Invalid) as refusal:
        change_work.check(checked.pk, result="failed", actor=engineer, at=minute(40))
    assert list(refusal.value.errors) == ["notes"]
    change_work.check(good.pk, result="passed", actor=engineer, at=minute(40))
    change_work.check(checked.pk, result="failed", notes="Still slow", actor=engineer, at=minute(40))
    changes.roll_back(back.pk, reason="Worse", actor=engineer, at=minute(41))
    with pytest.raises(WrongStage):
        change_work.check(back.pk, result="passed", actor=engineer, at=minute(42))
    changes.link(cause.pk, incident_id=assembled.pk, relation="cause", actor=engineer, at=minute(42))
    found = success(minute(0), minute(60))
    assert (found.ended, found.succeeded, found.rolled_back, found.check_failed, found.caused) == (4, 1, 1, 1, 1)
    assert found.percent == 25
    assert success(minute(100), minute(200)).rate is None


def test_a_template_makes_a_standard_change_with_its_steps(checkout, engineer, change_manager):
    text = {
        "name": "Renew a certificate",
        "plan": "Order it (5 min)\nInstall it",
        "backout_plan": "Put it back",
    }
    with pytest.raises(NotAccountable):
        change_templates.save_template(changes=text, actor=engineer, at=minute(0))
    template = change_templates.save_template(
        changes=text | {"services": [checkout]}, actor=change_manager, at=minute(0)
    )
    with pytest.raises(Duplicate):
        change_templates.save_template(changes={"name": "renew a CERTIFICATE"}, actor=change_manager, at=minute(0))
    change = change_templates.use_template(template.pk, actor=engineer, at=minute(1))
    assert (change.type, change.risk, list(change.services.all())) == ("standard", "low", [checkout])
    assert [(one.part, one.title) for one in change.steps.all()] == [
        ("back", "Put it back"), ("plan", "Order it"), ("plan", "Install it"),
    ]  # fmt: skip
    assert changes.submit(change.pk, actor=engineer, at=minute(2)).status == "approved"
    change_templates.save_template(template.pk, changes={"is_active": False}, actor=change_manager, at=minute(3))
    with pytest.raises(WrongStage):
        change_templates.use_template(template.pk, actor=engineer, at=minute(4))


def test_the_questionnaire_decides_the_risk_once_it_is_complete(organisation, engineer):
    harmless, grave = ({one.key: place for one in QUESTIONS} for place in (0, 2))
    assert (risk_of(harmless), risk_of(grave), risk_of({"reach": 0})) == ("low", "high", None)
    change = changes.open_change(title="x", risk_answers=grave, actor=engineer, at=minute(0))
    assert change.risk == "high"
    edited = changes.edit_change(change.pk, changes={"risk_answers": harmless}, actor=engineer, at=minute(1))
    assert edited.risk == "low"
    for wrong in ({"weather": 1}, {"reach": 9}, {"reach": True}, [1]):
        with pytest.raises(Invalid) as refusal:
            changes.edit_change(change.pk, changes={"risk_answers": wrong}, actor=engineer, at=minute(2))
        assert list(refusal.value.errors) == ["risk_answers"]
