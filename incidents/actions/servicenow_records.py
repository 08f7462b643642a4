"""Records of senders that can only speak to ServiceNow: each is a ticket, with the alert that ties it to its sender.

The rules are not asked: whoever posts to an incident table wants an incident. The sender's word that it is over
resolves a ticket nobody has taken; somebody's work is not taken out of their hands by a program: recovery is proposed
to them, as for every alert.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from incidents.actions import payloads, tickets
from incidents.actions.input import TEXT, TITLE
from incidents.models import Alert, AlertState, Channel, Integration, Payload, Service, Ticket

MAX_KEY = Alert._meta.get_field("dedup_key").max_length or 512


@dataclass(frozen=True, slots=True)
class Report:
    """What the sender says of the record. `status` is a value of AlertState or "" when it says nothing about that;
    levels are 1 to 4, None when not given; `service` is a slug or name."""

    title: str = ""
    description: str = ""
    said: str = ""
    status: str = ""
    close_notes: str = ""
    impact: int | None = None
    urgency: int | None = None
    service: str = ""
    configuration_item: str = ""
    severity: str = "error"
    labels: dict[str, str] | None = None


@transaction.atomic
def open_record(payload: Payload, *, key: str, report: Report, at: datetime) -> Alert:
    """The payload (not saved yet), a ticket and its alert. While a record with this key is open, it is answered
    instead and counts one more report: a sender whose answer got lost asks again. Texts that are too long are cut.
    Raises Invalid without a title."""
    integration = _kept(payload)
    shortened = key[:MAX_KEY]
    found = Alert.objects.filter(integration=integration, dedup_key=shortened, ended_at__isnull=True).first()
    if found is not None and found.ticket_id is not None:
        Alert.objects.filter(pk=found.pk).update(reports=F("reports") + 1, last_received_at=at, payload=payload)
        return found
    ticket = _ticket(integration, report, at)
    return Alert.objects.create(
        integration=integration,
        dedup_key=shortened,
        episode=at.isoformat(),
        status=AlertState.FIRING,
        severity=report.severity,
        title=report.title[:1024],
        body=ticket.description,
        service=ticket.service,
        labels=report.labels or {},
        started_at=at,
        state_at=at,
        first_received_at=at,
        last_received_at=at,
        outcome="ticket",
        ticket=ticket,
        payload=payload,
    )


def _ticket(integration: Integration, report: Report, at: datetime) -> Ticket:
    """For the team of the integration, when it has one."""
    service = _service(report.service) or integration.service
    description = "\n\n".join(part for part in (report.description, _new_words(report)) if part)
    ticket = tickets.open_ticket(
        title=" ".join(report.title.split())[:TITLE],
        description=description[:TEXT],
        channel=Channel.MONITORING,
        actor=None,
        at=at,
        service=service,
        configuration_item=report.configuration_item[:200],
        impact=report.impact or 3,
        urgency=report.urgency or 3,
    )
    if integration.team is not None:
        tickets.assign(ticket.pk, assignee=None, team=integration.team, actor=None, at=at)
    return ticket


@transaction.atomic
def change_record(payload: Payload, *, alert_id: int, report: Report, at: datetime) -> Alert:
    """What the sender adds: words become an internal comment, a state that of the alert and, where nobody has taken
    it, of the ticket. Saying a state again changes nothing. Raises Alert.DoesNotExist for one of others.

    Let `alert_recovery.review_alerts` look at it once this is committed.
    """
    integration = _kept(payload)
    alert = Alert.objects.select_for_update(of=("self",)).get(pk=alert_id, integration=integration)
    alert.reports, alert.last_received_at, alert.payload = alert.reports + 1, at, payload
    words = [report.said]
    if report.status == AlertState.RESOLVED and alert.ended_at is None:
        alert.status, alert.ended_at, alert.state_at, alert.changes = report.status, at, at, alert.changes + 1
        words += _over(alert, integration, report, at)
    elif report.status == AlertState.ACKNOWLEDGED and alert.status == AlertState.FIRING:
        alert.status, alert.state_at, alert.changes = report.status, at, alert.changes + 1
    elif report.status == AlertState.FIRING and alert.ended_at is not None:
        alert.status, alert.ended_at, alert.state_at, alert.changes = report.status, None, at, alert.changes + 1
        words += _again(alert, integration, at)
    alert.save()
    text = "\n\n".join(word for word in words if word)
    if text and alert.ticket_id is not None:
        tickets.comment(alert.ticket_id, text=text[:TEXT], public=False, actor=None, at=at)
    return alert


def _over(alert: Alert, integration: Integration, report: Report, at: datetime) -> list[str]:
    """Resolves a ticket nobody has taken. What is left to say to those who work on it."""
    ticket = alert.ticket
    if ticket is None or not ticket.is_open:
        return []
    is_taken = ticket.acknowledged_at or ticket.assignee_id or ticket.major_incident_id or ticket.candidate_id
    if is_taken:
        return [report.close_notes]
    said = report.close_notes or f"{integration.name} reports that this is over."
    tickets.resolve(ticket.pk, resolution=said[:TEXT], actor=None, at=at)
    return []


def _again(alert: Alert, integration: Integration, at: datetime) -> list[str]:
    said = f"{integration.name} reports that this is back."
    ticket = alert.ticket
    if ticket is not None and not ticket.is_open:
        tickets.reopen(ticket.pk, reason=said, actor=None, at=at)
        return []
    return [said]


def _kept(payload: Payload) -> Integration:
    """Saves the payload. Posts of one sender wait for each other, so that two with one key are one record."""
    payloads.lock_sender(payload.integration_id, wait=True)
    payloads.keep(payload)
    return Integration.objects.select_related("service", "team").get(pk=payload.integration_id)


def _new_words(report: Report) -> str:
    return "" if report.said == report.description else report.said


def _service(named: str) -> Service | None:
    if not named:
        return None
    return Service.objects.filter(Q(slug__iexact=named) | Q(name__iexact=named)).order_by("pk").first()
