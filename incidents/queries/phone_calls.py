"""Calls that reached the telephone line."""

from incidents.models import PhoneCall, Ticket

SHOWN = 8


def latest_calls() -> list[PhoneCall]:
    """The last calls, the newest first, each with its ticket and requester; one query."""
    return list(PhoneCall.objects.select_related("ticket", "requester").order_by("-id")[:SHOWN])


def calls_of(ticket: Ticket) -> list[PhoneCall]:
    return list(PhoneCall.objects.filter(ticket=ticket).order_by("pk"))
