"""Two tickets about one matter become one, one ticket about two matters becomes two, and both can be undone.

A duplicate keeps its reference, its requester and their privacy: whoever reported it reads on under the old reference
what the desk answers, and never what the other requester wrote. Splitting is undone by merging.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from incidents import events, markup, permissions
from incidents.actions import clocks
from incidents.actions.children import adopt, lock_many
from incidents.actions.input import clean_text
from incidents.actions.locking import lock_incident
from incidents.actions.sla_follow import follow
from incidents.actions.ticket_states import allow, locked
from incidents.actions.tickets import open_ticket
from incidents.errors import Duplicate, Invalid, WrongStage
from incidents.models import (
    Attachment,
    MajorIncident,
    Ticket,
    TicketComment,
    TicketMerge,
    TicketStatus,
    TicketWatcher,
    User,
)
from incidents.process import EventKind

MOST_AT_ONCE = 50


@transaction.atomic
def merge(ticket_id: int, *, into_id: int, reason: str = "", actor: User, at: datetime) -> Ticket:
    """Puts a duplicate into the ticket that survives, and answers the latter.

    Conversation and files move, people of the desk who watched it watch the other one, its major incident takes the
    survivor when that has none. Raises Invalid, Duplicate, WrongStage or NotAccountable.
    """
    permissions.require(actor, "work_ticket")
    if ticket_id == into_id:
        raise Invalid(into="A ticket cannot be merged into itself.")
    incident = _incident_to_join(ticket_id, into_id)
    pair = {ticket.pk: ticket for ticket in lock_many([ticket_id, into_id])}
    source, target = pair[ticket_id], pair[into_id]
    allow(actor, "work_ticket", source)
    allow(actor, "work_ticket", target)
    why = clean_text("reason", reason)
    _check(source, target)
    done = TicketMerge.objects.create(
        source=source, target=target, reason=why, merged_by=actor, merged_at=at, status_before=source.status,
        resolved_before=source.resolved_at, closed_before=source.closed_at,
        watchers_added=_move_belongings(source, target, at),
    )  # fmt: skip
    _flatten(source, target)
    source.to_merged()
    source.merged_into = target
    source.resolved_at = source.resolved_at or max(at, source.reported_at)
    source.closed_at = max(at, source.resolved_at)
    names = ["status", "merged_into", "resolved_at", "closed_at"]
    source.save(update_fields=[*names, *follow(source, at=at), "updated_at"])
    target.save(update_fields=["updated_at"])
    if incident is not None and incident.is_open:
        adopt([target], incident, actor=actor, at=at)
        clocks.recompute(incident, actor=actor, at=at)
    said: dict[str, Any] = {"actor": actor, "at": at, "text": why, "merge_id": done.pk}
    events.record(EventKind.TICKET_MERGED, source, into=target.ref, **said)
    events.record(EventKind.TICKET_MERGED, target, merged=source.ref, **said)
    return target


@transaction.atomic
def merge_all(ticket_ids: Sequence[int], *, into_id: int, reason: str = "", actor: User, at: datetime) -> Ticket:
    """Several duplicates at once, all of them or none."""
    duplicates = [number for number in sorted(set(ticket_ids)) if number != into_id]
    if not duplicates:
        raise Invalid(tickets="Choose at least two tickets.")
    if len(duplicates) > MOST_AT_ONCE:
        raise Invalid(tickets=f"At most {MOST_AT_ONCE} tickets are merged at once.")
    for number in duplicates:
        merge(number, into_id=into_id, reason=reason, actor=actor, at=at)
    return Ticket.objects.get(pk=into_id)


def _incident_to_join(ticket_id: int, into_id: int) -> MajorIncident | None:
    """The duplicate's major incident under lock, before any ticket's, when the survivor has none."""
    parents = dict(Ticket.objects.filter(pk__in=[ticket_id, into_id]).values_list("pk", "major_incident"))
    joins = parents.get(ticket_id) if parents.get(into_id) is None else None
    return lock_incident(joins) if joins else None


def _check(source: Ticket, target: Ticket) -> None:
    if source.merged_into_id:
        raise Duplicate(
            f"{source.ref} was merged into INC-{source.merged_into_id} already.",
            ticket=source.ref, merged_into=f"INC-{source.merged_into_id}",
        )  # fmt: skip
    if target.merged_into_id:
        raise Invalid(into=f"{target.ref} was merged into INC-{target.merged_into_id} itself. Choose that one.")
    if target.status == TicketStatus.CLOSED:
        raise WrongStage(f"{target.ref} is closed. Reopen it before merging into it.", status=target.status)
    parents = {pk for pk in (source.major_incident_id, target.major_incident_id) if pk}
    if len(parents) > 1:
        named = " and ".join(f"MI-{pk}" for pk in sorted(parents))
        raise Duplicate(f"They belong to {named}. Unlink one of them first.", ticket=source.ref)


def _move_belongings(source: Ticket, target: Ticket, at: datetime) -> list[int]:
    """Conversation and files; who of the desk watches the survivor from now on."""
    for rows in (source.comments, source.attachments):
        rows.filter(origin=None).update(origin=source)
        rows.update(ticket=target)
    watching = [row.user for row in source.watchers.select_related("user").prefetch_related("user__role_rows")]
    known = set(target.watchers.values_list("user", flat=True))
    added = [user for user in watching if user.pk not in known and permissions.can(user, "view_desk")]
    TicketWatcher.objects.bulk_create(TicketWatcher(ticket=target, user=user, created_at=at) for user in added)
    return [user.pk for user in added]


def _flatten(source: Ticket, target: Ticket) -> None:
    """What was merged into the duplicate belongs to the survivor now, so that no reference leads twice."""
    TicketMerge.objects.filter(target=source, undone_at=None).update(target=target)
    Ticket.objects.filter(merged_into=source).update(merged_into=target)


@transaction.atomic
def unmerge(ticket_id: int, *, reason: str, actor: User, at: datetime) -> Ticket:
    """It was no duplicate: it is as it was before, and its part of the conversation is its own again."""
    survivor = Ticket.objects.values_list("merged_into", flat=True).get(pk=ticket_id)
    pair = {ticket.pk: ticket for ticket in lock_many([ticket_id, *([survivor] if survivor else [])])}
    ticket = pair[ticket_id]
    allow(actor, "work_ticket", ticket)
    why = clean_text("reason", reason, required=True)
    merged = TicketMerge.objects.filter(source=ticket, undone_at=None).first()
    if merged is None or ticket.merged_into_id is None:
        raise WrongStage(f"{ticket.ref} is not merged into another ticket.", status=ticket.status)
    target = pair[ticket.merged_into_id]
    for rows in (TicketComment.objects, Attachment.objects):
        rows.filter(ticket=target, origin=ticket).update(ticket=ticket, origin=None)
    target.watchers.filter(user__in=merged.watchers_added).delete()
    merged.undone_at, merged.undone_by = at, actor
    merged.save(update_fields=["undone_at", "undone_by"])
    ticket.merged_into = None
    ticket.to_unmerged(merged.status_before)
    ticket.resolved_at, ticket.closed_at = merged.resolved_before, merged.closed_before
    names = ["status", "merged_into", "resolved_at", "closed_at"]
    ticket.save(update_fields=[*names, *follow(ticket, at=at), "updated_at"])
    target.save(update_fields=["updated_at"])
    events.record(EventKind.TICKET_UNMERGED, ticket, actor=actor, at=at, text=why, out_of=target.ref)
    events.record(EventKind.TICKET_UNMERGED, target, actor=actor, at=at, text=why, unmerged=ticket.ref)
    return ticket


@transaction.atomic
def split(
    ticket_id: int,
    *,
    title: str,
    description: str = "",
    comment_id: int | None = None,
    attachment_ids: Sequence[int] = (),
    actor: User,
    at: datetime,
    **fields: object,
) -> Ticket:
    """Makes a ticket of its own of a part of this one and answers it: of one comment, or of what `description` says.

    Who wrote the comment is its requester, else whoever reported this one. What was said among the desk stays so.
    `fields` are further ones of a new ticket (service, kind, impact, urgency). Chosen files move along.
    """
    ticket = locked(ticket_id)
    allow(actor, "work_ticket", ticket)
    if ticket.merged_into_id:
        raise WrongStage(f"{ticket.ref} was merged into INC-{ticket.merged_into_id}. Split that one.")
    comment = _comment(ticket, comment_id)
    text = clean_text("description", description)
    if comment is None and not text:
        raise Invalid(description="Say what the new ticket is about, or choose the comment it comes from.")
    writer = comment.author if comment and comment.author and _reports(comment.author, comment) else ticket.requester
    made = open_ticket(
        title=title, channel=ticket.channel, description=text or _readable(comment),
        requester=writer if writer and writer.is_active else None,
        requester_email="" if writer and writer.is_active else ticket.requester_email,
        reported_at=min(comment.created_at, at) if comment else None, actor=actor, at=at,
        **{"service": ticket.service, "kind": ticket.kind, **fields},  # type: ignore[arg-type]
    )  # fmt: skip
    made.split_from = ticket
    made.save(update_fields=["split_from"])
    if comment is not None:
        comment.became = made
        comment.save(update_fields=["became"])
        if not comment.public:
            _copy_note(comment, made)
    files = ticket.attachments.filter(pk__in=list(attachment_ids))
    moved = files.update(ticket=made, origin=None)
    events.record(EventKind.TICKET_SPLIT, ticket, actor=actor, at=at, became=made.ref, files=moved or None)
    events.record(EventKind.TICKET_SPLIT, made, actor=actor, at=at, split_from=ticket.ref)
    return made


def _comment(ticket: Ticket, comment_id: int | None) -> TicketComment | None:
    if comment_id is None:
        return None
    rows = TicketComment.objects.select_for_update(of=("self",)).select_related("author", "origin")
    comment = rows.filter(ticket=ticket, pk=comment_id).first()
    if comment is None:
        raise Invalid(comment=f"This is no comment of {ticket.ref}.")
    if comment.became_id:
        raise Duplicate(f"This comment became INC-{comment.became_id} already.", ticket=f"INC-{comment.became_id}")
    return comment


def _reports(author: User, comment: TicketComment) -> bool:
    """Wrote about a trouble of their own, and not as somebody of the desk."""
    return comment.public and not permissions.can(author, "work_ticket")


def _readable(comment: TicketComment | None) -> str:
    """What the requester of the new ticket may read of the comment."""
    return comment.text if comment is not None and comment.public else ""


def _copy_note(comment: TicketComment, made: Ticket) -> None:
    TicketComment.objects.create(
        ticket=made, author=comment.author, text=comment.text, html=markup.render(comment.text), public=False,
        created_at=comment.created_at,
    )  # fmt: skip
