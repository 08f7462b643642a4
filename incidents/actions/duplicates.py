"""Whoever reported a duplicate hears what happens to the ticket it was merged into, under their own reference."""

from collections.abc import Iterator
from datetime import datetime

from incidents import events, permissions
from incidents.models import Ticket, User
from incidents.process import EventKind


def conversation(ticket_id: int, actor: User | None) -> tuple[Ticket, Ticket | None]:
    """The locked ticket whose conversation this is, and the duplicate through which one speaks in it.

    The second is None for the desk: its words are meant for everybody who reported the matter. Whoever reported a
    duplicate speaks through it, also when naming the ticket it was merged into.
    """
    survivor = Ticket.objects.values_list("merged_into", flat=True).get(pk=ticket_id)
    ticket = Ticket.objects.select_for_update(of=("self",)).get(pk=survivor or ticket_id)
    if ticket.merged_into_id is not None:  # merged in between
        return conversation(ticket_id, actor)
    if survivor is not None:
        named = Ticket.objects.get(pk=ticket_id)
        if named.merged_into_id != survivor:
            return conversation(ticket_id, actor)
        return ticket, None if actor is not None and permissions.can(actor, "work_ticket") else named
    if actor is not None and not permissions.can(actor, "comment_ticket", ticket):
        return ticket, ticket.merged_tickets.filter(requester=actor).first()
    return ticket, None


def others_who_reported(ticket: Ticket) -> Iterator[Ticket]:
    """The duplicates whose requesters are other people than the survivor's, one for each person."""
    told = {_who(ticket)}
    for duplicate in ticket.merged_tickets.order_by("pk"):
        if (who := _who(duplicate)) and who not in told:
            told.add(who)
            yield duplicate


def _who(ticket: Ticket) -> object:
    return ticket.requester_id or ticket.requester_email.lower()


def say_solved(ticket: Ticket, before: str, *, actor: User | None, at: datetime) -> None:
    """Whoever reported a duplicate of the solved ticket is told the solution under their own reference."""
    ticket.merged_tickets.update(resolution=ticket.resolution)
    for duplicate in others_who_reported(ticket):
        events.record(
            EventKind.TICKET_STATUS_CHANGED, duplicate, actor=actor, at=at, text=ticket.resolution,
            **{"from": before, "to": ticket.status, "through": ticket.ref},
        )  # fmt: skip
