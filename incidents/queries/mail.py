"""Reading e-mail in: where it may come to, whose it is, what was kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from incidents import mail_reference
from incidents.models import (
    InboundMail,
    Mailbox,
    MailRules,
    MailState,
    MajorIncident,
    ReceivingAddress,
    Service,
    Team,
    Ticket,
    User,
)
from incidents.permissions import DESK_ROLES, can, is_staff, visible_tickets

ORDER = ("-id",)
SAME_MAIL_FOR = timedelta(days=7)
QUIET_FOR = timedelta(seconds=90)
"""A listener that has not shown itself for so long counts as stopped."""


# --- Where mail may come to -----------------------------------------------------------------------
def accepted_addresses() -> frozenset[str]:
    """Every address the desk receives at, lower-case and without plus-tags: its own, and the active rows."""
    rows = ReceivingAddress.objects.filter(is_active=True).values_list("address", flat=True)
    return frozenset(map(mail_reference.without_reference, [mail_reference.desk_address(), *rows])) - {""}


@dataclass(frozen=True)
class Route:
    """The service and team a new ticket belongs to; None where the address says nothing."""

    service: Service | None = None
    team: Team | None = None


def route_for(recipients: Iterable[str], mailbox: Mailbox | None = None) -> Route:
    """By the first recipient that has a row; else as the mailbox says. Services no longer offered do not count."""
    wanted = [mail_reference.without_reference(one) for one in recipients]
    rows = ReceivingAddress.objects.filter(is_active=True).select_related("service", "team")
    known = {mail_reference.without_reference(row.address): row for row in rows}
    found = next((known[one] for one in wanted if one in known), None) or mailbox
    if found is None:
        return Route()
    service = found.service if found.service and found.service.is_active else None
    return Route(service, found.team)


# --- Whose it is ----------------------------------------------------------------------------------
def standing_of(address: str, ticket: Ticket) -> str:
    """What somebody is to a ticket by their address: requester, watcher, desk, or ""."""
    if not address:
        return ""
    requester = ticket.requester.email if ticket.requester else ticket.requester_email
    if address in (requester.lower(), ticket.requester_email.lower()):
        return "requester"
    person = account_of(address)
    if person is None or person.is_guest:
        return ""
    if ticket.watchers.filter(user=person).exists():
        return "watcher"
    return "desk" if person.has_role(*DESK_ROLES) else ""


def account_of(address: str) -> User | None:
    """The active account of an address."""
    return User.objects.filter(email__iexact=address, is_active=True).first() if address else None


def ticket_in_incident(incident: MajorIncident, address: str) -> Ticket | None:
    """The latest report of this address among the linked tickets."""
    mine = Q(requester__email__iexact=address) | Q(requester_email__iexact=address)
    return incident.tickets.filter(mine).select_related("requester").order_by("-id").first() if address else None


def ticket_of_message(message_ids: Iterable[str]) -> Ticket | None:
    """The ticket that a mail with one of these Message-IDs became or went to."""
    wanted = [one[:300] for one in message_ids][:50]
    rows = InboundMail.objects.filter(message_id__in=wanted, ticket__isnull=False).order_by("-id")
    found = rows.select_related("ticket__requester").only("ticket").first() if wanted else None
    return found.ticket if found else None


def earlier_copy(mail: InboundMail) -> InboundMail | None:
    """The same mail that came before by another way: same Message-ID, sender and content, within a week."""
    if not mail.message_id:
        return None
    same = InboundMail.objects.filter(message_id=mail.message_id, sender=mail.sender, body_sha256=mail.body_sha256)
    since = mail.received_at - SAME_MAIL_FOR
    return same.filter(pk__lt=mail.pk, received_at__gte=since).defer("raw").order_by("id").first()


def tickets_opened_by(sender: str, since: datetime) -> int:
    """How many tickets this sender's mail has opened since."""
    mails = InboundMail.objects.filter(sender=sender, received_at__gte=since - timedelta(days=1))
    return mails.filter(state=MailState.TICKET, processed_at__gte=since, released_by=None).count()


def answers_to(sender: str, since: datetime) -> int:
    """How many automatic answers this sender has got since."""
    mails = InboundMail.objects.filter(sender=sender, received_at__gte=since - timedelta(days=1))
    return mails.filter(is_answered=True, processed_at__gte=since).count()


def thread_of(ticket_id: int, address: str) -> str:
    """The Message-ID of the latest mail of this address on the ticket, which our answer refers to; "" without one."""
    mails = InboundMail.objects.filter(ticket=ticket_id, sender=address.lower()).exclude(message_id="")
    return mails.order_by("-id").values_list("message_id", flat=True).first() or ""


# --- Pages ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Listener:
    """Where the listener said it listens; `is_well` while it shows itself."""

    address: str
    seen_at: datetime | None
    is_well: bool


def listener(rules: MailRules, at: datetime) -> Listener:
    seen_at = rules.listener_seen_at
    return Listener(rules.listener_address, seen_at, seen_at is not None and at - seen_at <= QUIET_FOR)


def receiving_addresses() -> QuerySet[ReceivingAddress]:
    return ReceivingAddress.objects.select_related("service", "team")


def mailboxes() -> QuerySet[Mailbox]:
    """With `last_mail_at`, when the latest mail came from it."""
    latest = InboundMail.objects.filter(mailbox=OuterRef("pk")).order_by("-id").values("received_at")[:1]
    return Mailbox.objects.select_related("service", "team").annotate(last_mail_at=Subquery(latest))


def counts_by_state() -> dict[str, int]:
    """How many mails wait for somebody, by state; one query over an index."""
    waiting = (MailState.WAITING, MailState.QUARANTINED, MailState.PARKED, MailState.FAILED)
    rows = InboundMail.objects.filter(state__in=waiting).order_by().values_list("state").annotate(Count("pk"))
    return dict(rows)


def inbound_mails(state: str = "", sender: str = "") -> QuerySet[InboundMail]:
    """Without the raw source, which only one page needs."""
    rows = InboundMail.objects.defer("raw", "headers", "text").select_related("ticket", "mailbox")
    rows = rows.filter(state=state) if state in MailState.values else rows
    words = sender.replace("\x00", "").strip()
    return rows.filter(Q(sender__icontains=words) | Q(subject__icontains=words)) if words else rows


def mail_for(user: User, mail_id: int) -> InboundMail:
    """One mail for whoever sees to mail, or works the desk and sees its ticket. Raises InboundMail.DoesNotExist."""
    rows = InboundMail.objects.defer("raw").select_related("ticket", "mailbox", "released_by")
    if not can(user, "view_mail"):
        rows = rows.filter(ticket__in=visible_tickets(user)) if is_staff(user) else rows.none()
    return rows.get(pk=mail_id)


def source_of(mail: InboundMail) -> bytes:
    """The raw source."""
    return bytes(InboundMail.objects.values_list("raw", flat=True).get(pk=mail.pk))


def due_mails(at: datetime) -> QuerySet[InboundMail]:
    return InboundMail.objects.filter(state=MailState.WAITING, next_attempt_at__lte=at).order_by(
        "next_attempt_at", "id"
    )
