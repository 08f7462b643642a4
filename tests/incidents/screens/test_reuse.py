"""The fix that worked is offered to the next outage like it, used, judged, and the figure of reuse moves."""

import pytest
from django.urls import reverse

from incidents.actions import change_work, changes, downtime, history, major_incidents, problems, response, reuse, steps
from incidents.errors import Invalid, NotAccountable
from incidents.models import Change, PlanUse
from incidents.process import EventKind
from incidents.queries.reuse import offers, saved_by_reuse
from incidents.queries.reuse import reuse as figures
from tests.factories import again, minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(resolving, engineer, manager):
    """Resolved at minute 60: the first fix was rolled back, the second worked."""
    response.add_task(resolving.pk, title="Drain the nodes", actor=manager, at=minute(20))
    for title, works in (("Restart everything", False), ("Roll back the release", True)):
        change = changes.open_change(
            title=title, type="emergency", plan=f"{title}, now", major_incident=resolving, actor=engineer, at=minute(21)
        )
        change_work.add_steps(change.pk, part="plan", text=f"{title} (5 min)", actor=engineer, at=minute(21))
        changes.start(change.pk, actor=engineer, at=minute(22))
        changes.implement(change.pk, actor=engineer, at=minute(23))
        if not works:
            changes.roll_back(change.pk, reason="Worse", actor=engineer, at=minute(24))
    downtime.restore(resolving.pk, actor=manager, at=minute(50))
    return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(60))


@pytest.fixture
def declare(manager, checkout):
    def make(title, at, **fields):
        return major_incidents.declare(
            title=title, services=[checkout], impact=1, urgency=1, actor=manager, at=minute(at), **fields
        )

    return make


def _resolve(incident, manager, stand_in, at):
    """By the shortest honest way: what is not needed for the figure is waived."""
    for key in ("inform", "assemble", "bridge", "war_room", "problem", "change"):
        holder = stand_in if key == "change" else manager
        steps.waive(incident.pk, key=key, reason="A story about reuse", actor=holder, at=minute(at - 1))
    major_incidents.begin_containment(incident.pk, actor=manager, at=minute(at - 1))
    major_incidents.begin_resolution(incident.pk, actor=manager, at=minute(at - 1))
    downtime.restore(incident.pk, actor=manager, at=minute(at - 1))
    return major_incidents.confirm_resolution(incident.pk, actor=manager, at=minute(at))


def test_the_fix_that_worked_is_offered_first_used_and_judged(past, declare, manager, engineer, checkout):
    offered = offers(manager, title="Checkout gives 502 again", services=[checkout])
    assert [one.incident for one in offered] == [past]
    assert (offered[0].fix.title, offered[0].minutes) == ("Roll back the release", 50)
    new = declare("Checkout answers 502 again", 100)
    before = figures(minute(0), minute(500))
    use = reuse.use_plan(new.pk, source_id=past.pk, actor=manager, at=minute(101))
    assert reuse.use_plan(new.pk, source_id=past.pk, actor=manager, at=minute(102)) == use
    assert [task.title for task in new.tasks.all()] == ["Drain the nodes"]
    assert (use.change.title, use.change.plan, use.change.status) == (
        "Roll back the release", "Roll back the release, now", "draft",
    )  # fmt: skip
    assert use.change.type == "emergency" and use.change.links.get().incident == new
    assert [one.title for one in use.change.steps.all()] == ["Roll back the release"]
    assert new.events.filter(kind=EventKind.PLAN_USED).count() == 1
    reuse.judge_plan(use.pk, worked=True, actor=manager, at=minute(110))
    after = figures(minute(0), minute(500))
    assert (before.with_plan, before.worked, after.with_plan, after.worked) == (0, 0, 1, 1)
    assert after.percent == 50
    again_offered = offers(manager, title="Checkout answers 502", services=[checkout], besides=new.pk)[0]
    assert (again_offered.worked, again_offered.use) == (1, again_offered.use) and again_offered.use.pk == use.pk


def test_a_plan_that_did_not_work_sinks_below_one_that_did(past, declare, manager, engineer, checkout):
    new = declare("Checkout answers 502", 100)
    use = reuse.use_plan(new.pk, source_id=past.pk, actor=manager, at=minute(101))
    first = offers(manager, title="Checkout answers 502", services=[checkout])[0].score
    reuse.judge_plan(use.pk, worked=True, actor=manager, at=minute(102))
    better = offers(manager, title="Checkout answers 502", services=[checkout])[0].score
    reuse.judge_plan(use.pk, worked=False, actor=manager, at=minute(103))
    worse = offers(manager, title="Checkout answers 502", services=[checkout])[0].score
    assert worse < first < better
    assert PlanUse.objects.get().outcome == "not_worked"


def test_only_those_on_the_incident_use_a_plan_and_only_of_what_is_over(past, declare, manager, technician, engineer):
    new = declare("Checkout answers 502", 100)
    with pytest.raises(NotAccountable):
        reuse.use_plan(new.pk, source_id=past.pk, actor=technician, at=minute(101))
    open_one = declare("Search is slow", 102)
    for wrong in (open_one.pk, new.pk, 0):
        with pytest.raises(Invalid) as refusal:
            reuse.use_plan(new.pk, source_id=wrong, actor=manager, at=minute(103))
        assert list(refusal.value.errors) == ["source"]
    assert not PlanUse.objects.exists() and Change.objects.count() == 2


def test_minutes_saved_are_counted_against_the_median_without_a_plan(past, declare, manager, service_desk_manager):
    clocks = {"declared_at": minute(200), "resolved_at": minute(270), "closed_at": minute(280)}
    rows = [history.PastIncident(f"x{n}", f"Basket {n}", 1, 1, "SEV1", ("Checkout",), clocks) for n in range(2)]
    history.import_past(rows, actor=manager, at=minute(290))
    new = declare("Checkout answers 502", 300)
    use = reuse.use_plan(new.pk, source_id=past.pk, actor=manager, at=minute(301))
    new = _resolve(new, manager, service_desk_manager, 320)
    assert saved_by_reuse(new) is None
    reuse.judge_plan(use.pk, worked=True, actor=manager, at=minute(321))
    found = saved_by_reuse(again(new))
    assert (found.took, found.usual, found.compared, found.minutes) == (20, 70, 3, 50)
    assert figures(minute(0), minute(500)).minutes_saved == 50


def test_the_room_the_candidate_and_declaring_offer_it(past, declare, signed_in, manager, technician, checkout):
    problem = past.problems.get()
    problems.edit_problem(problem.pk, changes={"root_cause": "No limit"}, actor=manager, at=minute(61))
    new = declare("Checkout answers 502", 100)
    browser = signed_in(manager)
    asked = {"title": "checkout 502", "services": checkout.pk}
    assert "Roll back the release" in browser.get(reverse("plans_offered"), asked).content.decode()
    world = reverse("war_room_helped", args=[new.ref])
    shown = browser.get(world).content.decode()
    assert "Use this plan" in shown and "No limit" in shown
    assert browser.post(reverse("plan_use", args=[new.ref, past.pk])).status_code == 302
    use = PlanUse.objects.get()
    assert "Did it help?" in browser.get(world).content.decode()
    browser.post(reverse("plan_judge", args=[new.ref, use.pk, "worked"]))
    assert "Used, worked" in browser.get(world).content.decode()
    assert browser.post(reverse("plan_judge", args=[past.ref, use.pk, "worked"])).status_code == 404
    assert signed_in(technician).post(reverse("plan_use", args=[new.ref, past.pk])).status_code == 403
