"""Who reads what of a ticket's conversation, also when it was merged into another one."""

from django.db.models import Q, QuerySet

from incidents.models import Attachment, Ticket, TicketComment, TicketMerge, User
from incidents.permissions import is_staff

UNREAD_OF_A_MAIL = ("mail__raw", "mail__headers", "mail__text")


def comments_for(user: User, ticket: Ticket) -> QuerySet[TicketComment]:
    """The desk reads everything. A requester reads the public words under their own reference: their own ones, and
    what the desk answered, never what another requester wrote."""
    rows = TicketComment.objects.select_related("author", "origin", "became", "mail").defer(*UNREAD_OF_A_MAIL)
    if is_staff(user):
        return rows.filter(origin=ticket) if ticket.merged_into_id else rows.filter(ticket=ticket)
    public = rows.filter(public=True)
    if ticket.merged_into_id is None:
        return public.filter(Q(origin=None) | Q(origin__requester=user), ticket=ticket)
    merged = TicketMerge.objects.filter(source=ticket, undone_at=None).select_related("target").first()
    if merged is None:
        return public.filter(origin=ticket)
    answers = Q(ticket=merged.target, origin=None, created_at__gte=merged.merged_at, author__isnull=False)
    return public.filter(Q(origin=ticket) | (answers & ~Q(author=merged.target.requester_id)))


def files_for(user: User, ticket: Ticket) -> QuerySet[Attachment]:
    """Files of the desk are not for requesters, nor are those of another requester."""
    rows = Attachment.objects.select_related("uploaded_by")
    if is_staff(user):
        return rows.filter(origin=ticket) if ticket.merged_into_id else rows.filter(ticket=ticket)
    theirs = Q(uploaded_by=user) | Q(uploaded_by=ticket.requester_id)
    return rows.filter(Q(ticket=ticket) | Q(origin=ticket)).filter(theirs)


def relatives(ticket: Ticket) -> list[Ticket]:
    """What was merged into it and split off from it, the oldest first; one query."""
    rows = Ticket.objects.filter(Q(merged_into=ticket) | Q(split_from=ticket))
    return list(rows.select_related("requester").order_by("reported_at", "id"))
