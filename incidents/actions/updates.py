"""Status updates, the promise of the next one, and decisions asked of management."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from incidents import events
from incidents.actions import marks, steps
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Duplicate, Invalid, NotAccountable, Stale, TooLate
from incidents.markup import MAX_CHARACTERS
from incidents.models import (
    Approval,
    MajorIncident,
    Organisation,
    StatusUpdate,
    UpdateDraft,
    UpdatePromise,
    User,
)
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
    corrects: int | None = None,
    seen: int | None = None,
    marked: Iterable[int] = (),
    actor: User,
    at: datetime,
) -> StatusUpdate:
    """Tells the audiences where things stand; guarded by the step "inform".

    `texts` maps audience to Markdown. `next_update_at` None withdraws no promise: the old one is settled and no new
    one is made. `corrects` is the id of the update whose words were wrong; its audiences hear the correction. `seen` is
    the id of the newest update the author knows of (0 for none), None to publish whatever came in between. `marked`
    are ids of public drafts that went into it.
    Raises Invalid, WrongStage, Stale or NotAccountable.
    """
    incident = lock_incident(incident_id)
    require_step(actor, incident, "inform")
    check_open(incident, "publishing an update")
    chosen = list(dict.fromkeys(audiences if audiences is not None else texts))
    cleaned = _check_texts(texts, chosen)
    if next_update_at is not None and next_update_at <= at:
        raise Invalid(next_update_at="The next update must be promised for later than this one.")
    _refuse_unseen(incident, seen)
    wrong = _corrected(incident, corrects, chosen)
    organisation = Organisation.current()
    update = StatusUpdate.objects.create(
        incident=incident, texts=cleaned, audiences=chosen, author=actor, published_at=at,
        next_update_at=next_update_at, corrects=wrong, promised_before=incident.next_update_at,
        leaves_at=_wait(organisation.update_hold_seconds),
        technical_leaves_at=_wait(organisation.technical_hold_seconds),
    )  # fmt: skip
    settle_promise(incident, at=at, by=update)
    marks.used(incident.pk, list(marked), update)
    events.record(
        EventKind.UPDATE_PUBLISHED, incident, actor=actor, at=at, text=cleaned[chosen[0]], update_id=update.pk,
        audiences=chosen, next_update_at=next_update_at and next_update_at.isoformat(), corrects=wrong and wrong.pk,
        corrects_at=wrong and wrong.published_at.isoformat(),
    )  # fmt: skip
    if next_update_at is not None:
        make_promise(incident, next_update_at, actor=actor, at=at)
    UpdateDraft.objects.filter(incident=incident, author=actor).delete()
    steps.refresh(incident, actor=actor, at=at)
    return update


def _wait(seconds: int) -> datetime | None:
    """From now on, however far back the update itself is dated; None when it leaves at once."""
    return timezone.now() + timedelta(seconds=seconds) if seconds else None


def _refuse_unseen(incident: MajorIncident, seen: int | None) -> None:
    """Two people publishing at once: the second reads the first one's words before saying the same again."""
    newest = incident.updates.select_related("author").order_by("-id").first() if seen is not None else None
    if newest is None or newest.pk <= (seen or 0):
        return
    who = newest.author.display_name if newest.author else "Somebody"
    raise Stale(
        f"{who} published an update while you were writing: “{next(iter(newest.texts.values()))[:300]}” Yours has not "
        "left. Publish it again if it still says something new.",
        update_id=newest.pk,
    )


def _corrected(incident: MajorIncident, update_id: int | None, chosen: list[str]) -> StatusUpdate | None:
    """The update that is put right, which must be heard of by all who may have read it."""
    if update_id is None:
        return None
    wrong = incident.updates.filter(pk=update_id).first()
    if wrong is None:
        raise Invalid(corrects=f"{incident.ref} has no such update.")
    if missing := [Audience(name).label for name in wrong.reached if name not in chosen]:
        raise Invalid(audiences=f"{', '.join(missing)} got the wrong words, so the correction must reach them as well.")
    return wrong


@transaction.atomic
def undo_update(update_id: int, *, actor: User, at: datetime) -> StatusUpdate:
    """Takes back what has not left yet, within the waiting time; what was promised before is owed again.

    Raises TooLate, Duplicate or NotAccountable. Who got it already stays recorded; they need a correction.
    """
    incident = lock_incident(StatusUpdate.objects.values_list("incident", flat=True).get(pk=update_id))
    update = StatusUpdate.objects.select_for_update(of=("self",)).get(pk=update_id)
    require_step(actor, incident, "inform")
    if update.undone_at is not None:
        raise Duplicate("This update was taken back already.")
    if not update.can_be_undone(at):
        raise TooLate("It has left. Publish a correction: it reaches exactly those who got the wrong words.")
    update.undone_at, update.undone_by = at, actor
    update.save(update_fields=["undone_at", "undone_by"])
    if not incident.updates.filter(pk__gt=update.pk).exists():
        _owe_again(incident, update, at=at)
    events.record(
        EventKind.UPDATE_UNDONE, incident, actor=actor, at=at, update_id=update.pk, audiences=update.audiences,
        published_at=update.published_at.isoformat(),
    )  # fmt: skip
    return update


def _owe_again(incident: MajorIncident, update: StatusUpdate, *, at: datetime) -> None:
    """The promise of the update goes with it, and the one it kept is open again."""
    State = UpdatePromise.State
    incident.promises.filter(state=State.OPEN).update(
        state=State.WITHDRAWN, settled_at=at, reason="The update that made it was taken back."
    )
    incident.promises.filter(settled_by=update, state=State.KEPT).update(
        state=State.OPEN, settled_at=None, settled_by=None
    )
    incident.next_update_at = update.promised_before
    incident.save(update_fields=["next_update_at", "updated_at"])


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


def make_promise(
    incident: MajorIncident, due_at: datetime, *, actor: User | None, at: datetime, reason: str = ""
) -> UpdatePromise:
    """The next update is promised; it replaces an open promise of the locked incident, which keeps `reason`."""
    incident.promises.filter(state=UpdatePromise.State.OPEN).update(
        state=UpdatePromise.State.WITHDRAWN, settled_at=at, reason=reason
    )
    promise = UpdatePromise.objects.create(incident=incident, due_at=due_at, made_at=at, made_by=actor)
    incident.next_update_at = due_at
    incident.save(update_fields=["next_update_at", "updated_at"])
    events.record(EventKind.PROMISE_MADE, incident, actor=actor, at=at, text=reason, due_at=due_at.isoformat())
    return promise


def promise_by_plan(incident: MajorIncident, *, since: datetime, actor: User | None, at: datetime) -> UpdatePromise:
    """What the communication plan promises without anybody asking: an update one cadence after `since`."""
    due_at = since + timedelta(minutes=minutes_to_next_update(incident))
    return make_promise(incident, due_at, actor=actor, at=at)


def settle_promise(
    incident: MajorIncident, *, at: datetime, withdraw: bool = False, by: StatusUpdate | None = None, reason: str = ""
) -> None:
    """An update went out: the open promise was kept if it was in time. `withdraw` when none is owed any more."""
    for promise in incident.promises.filter(state=UpdatePromise.State.OPEN):
        kept = UpdatePromise.State.KEPT if at <= promise.due_at else UpdatePromise.State.BROKEN
        promise.state = UpdatePromise.State.WITHDRAWN if withdraw else kept
        promise.settled_at, promise.settled_by, promise.reason = at, by, reason
        promise.save(update_fields=["state", "settled_at", "settled_by", "reason"])
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
