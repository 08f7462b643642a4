"""Using what worked before: the plan of a past incident taken over, and whether it worked this time."""

from datetime import datetime

from django.db import transaction

from incidents import events, permissions
from incidents.actions import work
from incidents.actions.changes import open_change
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Invalid
from incidents.models import Change, ChangeStep, ChangeType, MajorIncident, PlanUse, TaskStatus, User
from incidents.process import EventKind
from incidents.queries.reuse import fix_that_worked, is_a_precedent


@transaction.atomic
def use_plan(incident_id: int, *, source_id: int, actor: User, at: datetime) -> PlanUse:
    """Copies the tasks of a past incident, and its fix that worked as the draft of an emergency change.

    Tasks open here already are not copied again; taking the same plan twice changes nothing. Whoever may not work on
    changes gets the tasks alone. Raises Invalid naming `source`, NotAccountable without a seat.
    """
    incident = lock_incident(incident_id)
    permissions.require(actor, "contribute", incident)
    check_open(incident, "using a plan")
    source = permissions.visible_incidents(actor).filter(pk=source_id).first()
    if source is None or not is_a_precedent(source) or source.pk == incident.pk:
        raise Invalid(source="Choose another major incident that is resolved, and no drill.")
    if present := PlanUse.objects.filter(incident=incident, source=source).first():
        return present
    copied = _copy_tasks(source, incident, actor=actor, at=at)
    fix = fix_that_worked(source)
    may_change = fix is not None and permissions.can(actor, "work_change")
    change = _copy_change(fix, incident, actor=actor, at=at) if fix and may_change else None
    if not copied and change is None:
        raise Invalid(
            source=f"{source.ref} has neither tasks nor a change that worked, so there is nothing to take over."
        )
    use = PlanUse.objects.create(
        incident=incident, source=source, change=change, tasks=copied, used_by=actor, used_at=at
    )
    events.record(
        EventKind.PLAN_USED,
        incident,
        actor=actor,
        at=at,
        source=source.ref,
        title=source.title,
        tasks=copied,
        change=change.ref if change else None,
    )
    return use


def _copy_tasks(source: MajorIncident, incident: MajorIncident, *, actor: User, at: datetime) -> int:
    """What is to be done, to what and within how long: who does it is decided anew."""
    rows = source.tasks.exclude(status=TaskStatus.CANCELLED).order_by("pk")
    items = list(rows.values("title", "target", "minutes")[: work.MOST_ITEMS])
    if not items:
        return 0
    name = f"{source.ref} {source.title}"[: work.LONGEST_TARGET]
    return len(work.add_together(incident, items, name, actor=actor, at=at)[0])


def _copy_change(fix: Change, incident: MajorIncident, *, actor: User, at: datetime) -> Change:
    change = open_change(
        title=fix.title,
        type=ChangeType.EMERGENCY,
        description=f"As {fix.ref} did it.",
        plan=fix.plan,
        test_plan=fix.test_plan,
        backout_plan=fix.backout_plan,
        risk=fix.risk,
        services=list(incident.services.all()) or list(fix.services.all()),
        major_incident=incident,
        relation="fix",
        actor=actor,
        at=at,
    )
    ChangeStep.objects.bulk_create(
        ChangeStep(change=change, part=one.part, position=one.position, title=one.title, minutes=one.minutes)
        for one in fix.steps.all()
    )
    return change


@transaction.atomic
def judge_plan(use_id: int, *, worked: bool, actor: User, at: datetime) -> PlanUse:
    """Whether the plan of the past helped this time; it ranks what is offered the next time. May be corrected."""
    incident = lock_incident(PlanUse.objects.values_list("incident", flat=True).get(pk=use_id))
    permissions.require(actor, "contribute", incident)
    use = PlanUse.objects.select_for_update(of=("self",)).select_related("source").get(pk=use_id)
    outcome = PlanUse.Outcome.WORKED if worked else PlanUse.Outcome.NOT_WORKED
    if use.outcome != outcome:
        use.outcome, use.judged_by, use.judged_at = outcome, actor, at
        use.save(update_fields=["outcome", "judged_by", "judged_at"])
        events.record(EventKind.PLAN_JUDGED, incident, actor=actor, at=at, source=use.source.ref, worked=bool(worked))
    return use
