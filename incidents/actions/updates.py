"""Status updates, the promise of the next one, and decisions asked of management."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from incidents import events
from incidents.actions import steps
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Duplicate, Invalid, NotAccountable
from incidents.markup import MAX_CHARACTERS
from incidents.models import Approval, MajorIncident, StatusUpdate, UpdatePromise, User
from incidents.permissions import is_usable, require, require_step
from incidents.process import Audience, EventKind
from incidents.queries.plans import minutes_to_next_update


@transaction.atomic
def publish_update(
    incident_id: int,
    *,
    texts: Mapping[str, str],
    audiences: Iterable[str] | None = None,
    next_update_at: datetime | None = None,
    actor: User,
    at: datetime,
) -> StatusUpdate:
    """Tells the audiences where things stand; guarded by the step "inform".

    `texts` maps audience to Markdown. `next_update_at` None withdraws no promise: the old one is settled and no new
    one is made. Raises Invalid, WrongStage or NotAccountable.
    """
    incident = lock_incident(incident_id)
    require_step(actor, incident, "inform")
    check_open(incident, "publishing an update")
    chosen = list(dict.fromkeys(audiences if audiences is not None else texts))
    cleaned = _check_texts(texts, chosen)
    if next_update_at is not None and next_update_at <= at:
        raise Invalid(next_update_at="The next update must be promised for later than this one.")
    update = StatusUpdate.objects.create(
        incident=incident, texts=cleaned, audiences=chosen, author=actor, published_at=at,
        next_update_at=next_update_at,
    )  # fmt: skip
    settle_promise(incident, at=at)
    events.record(
        EventKind.UPDATE_PUBLISHED, incident, actor=actor, at=at, text=cleaned[chosen[0]], update_id=update.pk,
        audiences=chosen, next_update_at=next_update_at and next_update_at.isoformat(),
    )  # fmt: skip
    if next_update_at is not None:
        make_promise(incident, next_update_at, actor=actor, at=at)
    steps.refresh(incident, actor=actor, at=at)
    return update


def _check_texts(texts: Mapping[str, str], audiences: list[str]) -> dict[str, str]:
    if not audiences:
        raise Invalid(audiences="Choose at least one audience.")
    if unknown := [name for name in audiences if name not in Audience.values]:
        raise Invalid(audiences=f"Not an audience: {', '.join(unknown)}. Known: {', '.join(Audience.values)}.")
    cleaned = {name: str(texts.get(name, "")).strip() for name in audiences}
    if empty := [Audience(name).label for name, text in cleaned.items() if not text]:
        raise Invalid(text=f"Write what {', '.join(empty)} should read.")
    if any(len(text) > MAX_CHARACTERS for text in cleaned.values()):
        raise Invalid(text=f"An update has at most {MAX_CHARACTERS:,} characters.")
    return cleaned


def make_promise(incident: MajorIncident, due_at: datetime, *, actor: User | None, at: datetime) -> UpdatePromise:
    """The next update is promised; it replaces an open promise of the locked incident."""
    incident.promises.filter(state=UpdatePromise.State.OPEN).update(state=UpdatePromise.State.WITHDRAWN, settled_at=at)
    promise = UpdatePromise.objects.create(incident=incident, due_at=due_at, made_at=at, made_by=actor)
    incident.next_update_at = due_at
    incident.save(update_fields=["next_update_at", "updated_at"])
    events.record(EventKind.PROMISE_MADE, incident, actor=actor, at=at, due_at=due_at.isoformat())
    return promise


def promise_by_plan(incident: MajorIncident, *, since: datetime, actor: User | None, at: datetime) -> UpdatePromise:
    """What the communication plan promises without anybody asking: an update one cadence after `since`."""
    due_at = since + timedelta(minutes=minutes_to_next_update(incident))
    return make_promise(incident, due_at, actor=actor, at=at)


def settle_promise(incident: MajorIncident, *, at: datetime, withdraw: bool = False) -> None:
    """An update went out: the open promise was kept if it was in time. `withdraw` when none is owed any more."""
    for promise in incident.promises.filter(state=UpdatePromise.State.OPEN):
        kept = UpdatePromise.State.KEPT if at <= promise.due_at else UpdatePromise.State.BROKEN
        promise.state = UpdatePromise.State.WITHDRAWN if withdraw else kept
        promise.settled_at = at
        promise.save(update_fields=["state", "settled_at"])
    if incident.next_update_at is not None:
        incident.next_update_at = None
        incident.save(update_fields=["next_update_at", "updated_at"])


@transaction.atomic
def ask_approval(
    incident_id: int,
    *,
    question: str,
    approver: User,
    options: Iterable[str] = (),
    due_at: datetime | None = None,
    cost_of_waiting: str = "",
    actor: User,
    at: datetime,
) -> Approval:
    """Asks one person of management for a decision."""
    incident = lock_incident(incident_id)
    require(actor, "contribute", incident)
    check_open(incident, "asking for a decision")
    if not question.strip():
        raise Invalid(question="Write the question.")
    if not is_usable(approver) or approver.is_guest:
        raise Invalid(approver=f"{approver.display_name} cannot decide: the account is disabled or a guest’s.")
    if due_at is not None and due_at <= at:
        raise Invalid(due_at="The decision is due later than now.")
    approval = Approval.objects.create(
        incident=incident, question=question.strip(), approver=approver, asked_by=actor, asked_at=at, due_at=due_at,
        options=[option.strip() for option in options if option.strip()], cost_of_waiting=cost_of_waiting.strip(),
    )  # fmt: skip
    events.record(
        EventKind.APPROVAL_ASKED, incident, actor=actor, at=at, text=approval.question, approval_id=approval.pk,
        approver_id=approver.pk, approver=approver.display_name, question=approval.question,
    )  # fmt: skip
    return approval


@transaction.atomic
def decide_approval(
    approval_id: int, *, approve: bool, chosen: str = "", comment: str = "", actor: User, at: datetime
) -> Approval:
    """The approver decides, once."""
    incident = lock_incident(Approval.objects.values_list("incident", flat=True).get(pk=approval_id))
    approval = Approval.objects.select_for_update(of=("self",)).select_related("approver").get(pk=approval_id)
    if approval.approver_id != actor.pk:
        raise NotAccountable(f"{approval.approver.display_name} decides this.", who_may=[approval.approver.email])
    if approval.state != Approval.State.PENDING:
        raise Duplicate(f"This was {approval.get_state_display().lower()} already.")
    if chosen and approval.options and chosen not in approval.options:
        raise Invalid(chosen=f"Choose one of: {', '.join(approval.options)}.")
    approval.state = Approval.State.APPROVED if approve else Approval.State.REFUSED
    approval.chosen, approval.comment, approval.decided_by, approval.decided_at = chosen, comment.strip(), actor, at
    approval.save(update_fields=["state", "chosen", "comment", "decided_by", "decided_at"])
    events.record(
        EventKind.APPROVAL_DECIDED, incident, actor=actor, at=at, text=comment.strip(), approval_id=approval.pk,
        question=approval.question, state=approval.state, chosen=chosen,
    )  # fmt: skip
    return approval
