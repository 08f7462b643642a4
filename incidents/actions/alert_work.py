"""What people do with an alert: open a ticket from it, propose it as major, attach it to a major incident."""

from datetime import datetime

from django.db import transaction

from incidents import events, live, permissions
from incidents.actions import candidates, payloads, tickets
from incidents.actions.input import clean_text
from incidents.actions.locking import check_open, lock_incident
from incidents.errors import Duplicate, Invalid
from incidents.models import Alert, AlertOutcome, AlertSeverity, Candidate, Channel, MajorIncident, Ticket, User
from incidents.process import EventKind

LEVELS = {AlertSeverity.CRITICAL: 2, AlertSeverity.ERROR: 3, AlertSeverity.WARNING: 3, AlertSeverity.INFO: 4}
"""Impact and urgency that a severity suggests to whoever opens a ticket."""
_TITLE = 250


def _hold(alert_id: int) -> None:
    """The sender's lock, before any other, as the rules take it: none of them decides about the alert meanwhile, and
    what a person decides takes it out of their hands. Raises Alert.DoesNotExist."""
    payloads.lock_sender(Alert.objects.values_list("integration", flat=True).get(pk=alert_id), wait=True)


def locked(alert_id: int) -> Alert:
    """The alert under its row lock. Raises Alert.DoesNotExist."""
    return Alert.objects.select_for_update(of=("self",)).select_related("service", "integration").get(pk=alert_id)


def suggested(alert: Alert) -> dict[str, object]:
    """What a ticket about the alert would say."""
    level = LEVELS[AlertSeverity(alert.severity)]
    return {
        "title": " ".join(alert.title.split())[:_TITLE],
        "description": alert.body,
        "service": alert.service if alert.service and alert.service.is_active else None,
        "impact": level,
        "urgency": level,
    }


@transaction.atomic
def open_ticket_from(alert_id: int, *, actor: User, at: datetime, **given: object) -> Ticket:
    """One ticket about the alert, of the channel monitoring; `given` goes before what the alert suggests.

    Raises Duplicate when it has a ticket already, and Alert.DoesNotExist.
    """
    permissions.require(actor, "work_ticket")
    _hold(alert_id)
    alert = locked(alert_id)
    if alert.ticket_id is not None:
        raise Duplicate(f"INC-{alert.ticket_id} is about this alert already.", ticket=f"INC-{alert.ticket_id}")
    fields = {**suggested(alert), **given}
    began = min(alert.started_at, at)
    ticket = tickets.open_ticket(
        channel=Channel.MONITORING,
        reported_at=began,
        actor=actor,
        at=at,
        **fields,  # type: ignore[arg-type]
    )
    alert.ticket, alert.outcome, alert.decide_at = ticket, AlertOutcome.TICKET, None
    alert.save(update_fields=["ticket", "outcome", "decide_at"])
    _nudge(alert)
    return ticket


@transaction.atomic
def propose_alert(alert_id: int, *, reason: str, business_impact: str = "", actor: User, at: datetime) -> Candidate:
    """A technician thinks that this alert may be a major incident; joins the open candidate of its service."""
    permissions.require(actor, "propose")
    why = clean_text("reason", reason, required=True)
    _hold(alert_id)
    alert = locked(alert_id)
    _not_elsewhere(alert)
    candidate = candidates.flag(
        title=str(suggested(alert)["title"]),
        source="proposed",
        service=alert.service,
        cluster="" if alert.service else f"alert {alert.pk}",
        reasons=[f"{actor.display_name}: {why}", f"{alert.integration}: {alert.title}"[:500]],
        business_impact=business_impact,
        ticket_ids=[alert.ticket_id] if alert.ticket_id else [],
        actor=actor,
        at=at,
    )
    alert.candidate, alert.outcome, alert.decide_at = candidate, AlertOutcome.CANDIDATE, None
    alert.save(update_fields=["candidate", "outcome", "decide_at"])
    _nudge(alert)
    return candidate


@transaction.atomic
def attach_to_incident(alert_id: int, *, incident_id: int, actor: User, at: datetime) -> Alert:
    """The alert belongs to that open major incident; its ticket becomes a child. Doing it again changes nothing.

    Raises Duplicate when it belongs to another one, and Alert.DoesNotExist.
    """
    permissions.require(actor, "work_ticket")
    _hold(alert_id)
    incident = lock_incident(incident_id)
    alert = locked(alert_id)
    check_open(incident, "attaching an alert")
    if alert.major_incident_id == incident.pk:
        return alert
    _not_elsewhere(alert)
    if alert.is_drill and not incident.is_drill:
        raise Invalid(incident="This alert was a test; only a drill takes it.")
    alert.major_incident, alert.outcome, alert.decide_at = incident, AlertOutcome.INCIDENT, None
    alert.save(update_fields=["major_incident", "outcome", "decide_at"])
    if alert.ticket_id is not None:
        tickets.link([alert.ticket_id], incident_id=incident.pk, actor=actor, at=at)
    events.record(
        EventKind.ALERT_ATTACHED, incident, actor=actor, at=at, alert=alert.pk, title=alert.title[:_TITLE],
        source=alert.integration.name,
    )  # fmt: skip
    _nudge(alert)
    return alert


def _not_elsewhere(alert: Alert) -> None:
    """Refuses an alert that belongs to a major incident already."""
    if alert.major_incident_id is not None:
        named = MajorIncident(pk=alert.major_incident_id).ref
        raise Duplicate(f"This alert belongs to {named} already.", major_incident=named)


def _nudge(alert: Alert) -> None:
    live.changed("alerts", "alert_worked")
