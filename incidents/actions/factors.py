"""The tree of what contributed to a problem; its entries point at the timeline for their evidence."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from incidents import events
from incidents.actions.input import clean_text
from incidents.actions.problems import locked
from incidents.actions.ticket_states import allow
from incidents.errors import Invalid
from incidents.models import Factor, TimelineEvent, User
from incidents.process import EventKind
from incidents.queries.problems import evidence_for

MOST, LONGEST = 60, 2_000


@transaction.atomic
def add_factor(
    problem_id: int,
    *,
    text: str,
    parent: Factor | None = None,
    is_root: bool = False,
    evidence: Sequence[TimelineEvent] = (),
    actor: User,
    at: datetime,
) -> Factor:
    """Adds what contributed to `parent`, without one to the problem itself. Evidence is of its own incidents."""
    problem = locked(problem_id)
    allow(actor, "work_problem", problem)
    said = clean_text("text", text, LONGEST, required=True)
    if parent is not None and parent.problem_id != problem.pk:
        raise Invalid(parent="This factor belongs to another problem.")
    if problem.factors.count() >= MOST:
        raise Invalid(text=f"At most {MOST} factors; join those that say the same.")
    wanted = {event.pk for event in evidence}
    if wanted - set(evidence_for(problem).filter(pk__in=wanted).values_list("pk", flat=True)):
        raise Invalid(evidence=f"Choose entries of the incidents {problem.ref} caused.")
    factor = problem.factors.create(text=said, parent=parent, is_root=bool(is_root), added_by=actor, added_at=at)
    factor.evidence.set(wanted)
    events.record(EventKind.PROBLEM_EDITED, problem, actor=actor, at=at, text=said, others=["factors"])
    return factor


@transaction.atomic
def remove_factor(problem_id: int, factor_id: int, *, actor: User, at: datetime) -> None:
    """With everything that hangs on it. Gone already changes nothing."""
    problem = locked(problem_id)
    allow(actor, "work_problem", problem)
    factor = problem.factors.filter(pk=factor_id).first()
    if factor is not None:
        said = factor.text
        factor.delete()
        events.record(EventKind.PROBLEM_EDITED, problem, actor=actor, at=at, removed=said[:200], others=["factors"])
