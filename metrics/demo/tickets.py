"""Eighteen months of ordinary tickets, with the rhythm of a week and a day."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from incidents.models import Channel, Ticket, TicketComment, TicketKind, TicketStatus, User
from incidents.priority import priority_for
from metrics.demo.organisation import SERVICES
from metrics.demo.people import Cast
from metrics.demo.reports import REPORTS, REQUESTS

DAYS = 548
BY_WEEKDAY = (8.6, 7.4, 6.9, 6.6, 5.9, 1.9, 1.4)
"""How many arrive on an ordinary Monday, Tuesday and so on."""
BY_HOUR = (1, 1, 1, 1, 1, 2, 5, 14, 26, 30, 28, 24, 18, 22, 24, 22, 18, 13, 9, 7, 6, 5, 3, 2)
CHANNELS = ((Channel.PORTAL, 44), (Channel.EMAIL, 30), (Channel.HOTLINE, 19), (Channel.MONITORING, 5), (Channel.API, 2))
LEVELS = ((4, 30), (3, 52), (2, 16), (1, 2))
CUSTOMERS = ("a.berger", "c.nilsson", "d.rossi", "e.martin", "f.kowalski", "g.brown", "h.jansen", "i.sokolov")


def weighted(dice: random.Random, choices: tuple[tuple[Any, int], ...]) -> Any:
    """One of them, by weight."""
    return dice.choices([one for one, _ in choices], [weight for _, weight in choices])[0]


def load(cast: Cast, dice: random.Random) -> list[Ticket]:
    """About three thousand tickets, oldest first, none later than `cast.at`."""
    arrivals = sorted(_arrivals(cast, dice))
    return Ticket.objects.bulk_create([_ticket(cast, dice, moment) for moment in arrivals], batch_size=1000)


def _arrivals(cast: Cast, dice: random.Random) -> Iterator[datetime]:
    for back in range(DAYS, -1, -1):
        day = (cast.at - timedelta(days=back)).astimezone(cast.zone)
        usual = BY_WEEKDAY[day.weekday()] * (0.85 + 0.3 * (DAYS - back) / DAYS)
        for _ in range(max(0, round(dice.gauss(usual, usual**0.5)))):
            hour = dice.choices(range(24), BY_HOUR)[0]
            moment = day.replace(
                hour=hour, minute=dice.randrange(60), second=dice.randrange(60), microsecond=0
            ).astimezone(cast.at.tzinfo)
            if moment < cast.at - timedelta(hours=2):
                yield moment


def _ticket(cast: Cast, dice: random.Random, moment: datetime) -> Ticket:
    entry = dice.choices(SERVICES, [one.share_of_tickets for one in SERVICES])[0]
    title, description, resolution = dice.choice(REPORTS[entry.key])
    impact, urgency = weighted(dice, LEVELS), weighted(dice, LEVELS)
    if impact <= 2 and urgency == 1:
        urgency = 2
    requesters = cast.with_role("requester")
    is_customer = dice.random() < 0.35
    technician = dice.choice(cast.with_role("service_desk_technician"))
    fields = {
        "title": title, "description": description, "service": cast.services[entry.key],
        "impact": impact, "urgency": urgency, "priority": priority_for(impact, urgency),
        "kind": TicketKind.SERVICE_REQUEST if title in REQUESTS else TicketKind.INCIDENT,
        "channel": weighted(dice, CHANNELS), "requester": None if is_customer else dice.choice(requesters),
        "requester_email": f"{dice.choice(CUSTOMERS)}@customer.example" if is_customer else "",
        "created_by": technician, "reported_at": moment, "team": cast.teams["service-desk"], "support_tier": 1,
    }  # fmt: skip
    return Ticket(**fields | _progress(cast, dice, moment, technician, resolution, entry.team))


def _progress(
    cast: Cast, dice: random.Random, reported: datetime, technician: User, resolution: str, service_team: str
) -> dict[str, Any]:
    """As far as a ticket of that age usually is: the state it is created in, and what belongs to it."""
    age = cast.at - reported
    acknowledged = reported + timedelta(minutes=dice.uniform(3, 90))
    needed = timedelta(hours=min(dice.lognormvariate(2.6, 1.2), 24 * 12))
    found: dict[str, Any] = {"status": TicketStatus.NEW}
    if acknowledged < cast.at:
        states = [TicketStatus.ASSIGNED, TicketStatus.IN_PROGRESS, TicketStatus.ON_HOLD]
        found = {
            "status": dice.choices(states, [3, 5, 1])[0],
            "acknowledged_at": acknowledged,
            "acknowledged_by": technician,
            "assignee": technician,
        }
        if dice.random() < 0.2:
            team = cast.teams[service_team]
            members = [user for user in cast.with_role("technical_staff") if user.team_id == team.pk]
            found |= {"team": team, "support_tier": 2, "assignee": dice.choice(members or [technician])}
    resolved = acknowledged + needed
    if resolved < cast.at and (age > timedelta(days=14) or dice.random() < 0.8):
        found |= {"status": TicketStatus.RESOLVED, "resolved_at": resolved, "resolution": resolution}
        if resolved + timedelta(days=3) < cast.at:
            found |= {"status": TicketStatus.CLOSED, "closed_at": resolved + timedelta(days=3)}
    if found["status"] == TicketStatus.ON_HOLD:
        found["hold_reason"] = dice.choice(("Waits for the supplier.", "Waits for an answer of the requester."))
    return found


CONVERSATION = (
    "Thank you for your report. I am looking at it.",
    "Could you tell me when it last worked, and whether a colleague sees the same?",
    "I have handed this to the team that runs the service; they will answer here.",
    "Please try again and tell us if it still happens.",
)


def load_conversations(tickets: list[Ticket], dice: random.Random) -> None:
    """A public answer on most of the latest tickets."""
    recent = [
        (ticket, ticket.acknowledged_at) for ticket in tickets[-400:] if ticket.acknowledged_at and ticket.assignee
    ]
    TicketComment.objects.bulk_create(
        TicketComment(
            ticket=ticket, author=ticket.assignee, text=text, html=f"<p>{text}</p>\n", public=True,
            created_at=acknowledged + timedelta(minutes=2),
        )
        for ticket, acknowledged in recent
        if dice.random() < 0.7
        for text in [dice.choice(CONVERSATION)]
    )  # fmt: skip


# What happened to the tickets, told by their own columns; one statement for thousands of entries.
_RECORD = """
INSERT INTO incidents_timelineevent
  (ticket_id, kind, "group", actor_id, at, recorded_at, text, html, payload)
SELECT t.id, said.kind, 'system', said.actor_id, said.at, said.at, said.text,
  CASE WHEN said.text = '' THEN '' ELSE '<p>' || said.text || '</p>' END, said.payload
FROM incidents_ticket t
  CROSS JOIN LATERAL (VALUES
    (1, 'ticket_opened', t.created_by_id, t.reported_at, '',
     jsonb_build_object('title', t.title, 'channel', t.channel)),
    (2, 'ticket_acknowledged', t.acknowledged_by_id, t.acknowledged_at, '', '{}'::jsonb),
    (3, 'ticket_status_changed', t.assignee_id, t.resolved_at, t.resolution,
     jsonb_build_object('from', 'in_progress', 'to', 'resolved')),
    (4, 'ticket_status_changed', NULL, t.closed_at, '', jsonb_build_object('from', 'resolved', 'to', 'closed'))
  ) AS said(number, kind, actor_id, at, text, payload)
WHERE t.id BETWEEN %s AND %s AND said.at IS NOT NULL
ORDER BY said.at, t.id, said.number
"""


def record(first: int, last: int) -> None:
    """The timeline of the tickets with these ids."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [first, last])
