"""Loads the demo organisation: once, in one transaction, the same story every time, told from now."""

import os
import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from incidents.actions import ticket_links, usual
from incidents.actions import tickets as ticket_actions
from incidents.models import Candidate, Ticket, User
from metrics import rows
from metrics.demo import learning, organisation, past_incidents, people, tickets

SEED = 20190702
SIGN_IN_NAMES = (
    "admin", "manager", "deputy", "technician", "engineer", "change", "problem", "consultant", "management",
    "stakeholder", "servicedesk", "requester",
)  # fmt: skip

FRESH_REPORTS = (
    # minutes ago, channel, who, title
    (11, "monitoring", "", "Checkout: share of failed orders above 20 %"),
    (9, "hotline", "requester", "Customers cannot order, several calls"),
    (7, "portal", "felix", "Order button ends in an error page"),
    (6, "email", "h.jansen@customer.example", "Your shop does not let me pay"),
    (4, "hotline", "mateo", "Campaign page works, but nobody can order"),
    (3, "portal", "yusuf", "Error 502 after choosing the delivery"),
)
"""What came in about the checkout just now: enough for a candidate, and nobody has judged it yet."""


@dataclass(frozen=True)
class Loaded:
    """What was written; `password` opens every account of the demo."""

    password: str
    ticket_count: int
    incident_count: int
    candidate: Candidate


def is_loaded() -> bool:
    return User.objects.filter(email=f"manager@{organisation.MAIL_DOMAIN}").exists()


def password_file() -> Path:
    return settings.VAR_DIR / "demo_password"


def demo_password() -> str:
    """The one of this installation: made at the first load, kept where only its owner reads it."""
    path = password_file()
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    password = secrets.token_urlsafe(12)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{password}\n")
    return password


@transaction.atomic
def load(*, at: datetime) -> Loaded:
    """Everything, relative to `at` (aware). The caller asks `is_loaded` first."""
    dice = random.Random(SEED)  # noqa: S311 (a story, not a secret)
    password = demo_password()
    cast = people.load(password=password, at=at)
    ordinary = tickets.load(cast, dice)
    tickets.load_conversations(ordinary, dice)
    pasts = past_incidents.load(cast, dice)
    children = past_incidents.load_children(cast, pasts, dice)
    tickets.record(ordinary[0].pk, children[-1].pk)
    learning.load(cast, pasts, dice)
    learning.load_open(cast)
    past_incidents.write_timelines(pasts)
    rows.compute_many([past.incident.pk for past in pasts], at=at)
    candidate = _candidate(cast)
    usual.renew(at=at)
    return Loaded(password, Ticket.objects.count(), len(pasts), candidate)


def _candidate(cast: people.Cast) -> Candidate:
    """Reported and proposed as people do it, so that everybody who would be told is told."""
    technician = cast.people["technician"]
    fresh = []
    for minutes, channel, who, title in FRESH_REPORTS:
        person = cast.people.get(who)
        fresh.append(
            ticket_actions.open_ticket(
                title=title, channel=channel, service=cast.services["checkout"], impact=2, urgency=2,
                requester=person, requester_email=who if not person else "", actor=person or None,
                at=cast.at - timedelta(minutes=minutes), description="Since a few minutes. It worked before.",
            )
        )  # fmt: skip
    return ticket_links.propose(
        [ticket.pk for ticket in fresh],
        reason="Six reports about the checkout in ten minutes, normally one an hour.",
        business_impact="No orders. About 18,000 € an hour.",
        actor=technician,
        at=cast.at - timedelta(minutes=2),
    )
