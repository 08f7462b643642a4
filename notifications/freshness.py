"""Whether a message is wanted still, asked just before it leaves."""

import time
from datetime import datetime

from django.db.models import Q

from incidents.models import (
    Approval,
    Bridge,
    ChangeApproval,
    CommandHandover,
    Consult,
    MajorIncident,
    Seat,
    UpdatePromise,
)
from incidents.process import SeatState, Stage
from notifications import withdrawal
from notifications.audiences import LIVE_SEATS
from notifications.models import CallState, Delivery, DeliveryState, Page, PageCall, PageState

_REREAD_SECONDS = 0.5
_STANDS_ALONE = (
    *("stood_down", "ticket_opened", "ticket_commented", "ticket_resolved", "ticket_assigned"),
    *("change_approval_asked", "change_flagged", "bridge_cancelled", "seat_released"),
)
"""Wanted whatever became of the incident."""


class Check:
    """One batch long; reads the incident again when half a second has passed."""

    def __init__(self) -> None:
        self._incidents: dict[int, tuple[float, MajorIncident]] = {}
        self._updates: dict[int, tuple[float, str]] = {}

    def why_not(self, row: Delivery, now: datetime) -> str:
        """Why this message must not go out, as a sentence; empty when it is wanted."""
        if now > row.valid_until:
            return f"Too late: it was of use until {row.valid_until:%Y-%m-%d %H:%M} UTC."
        person = row.recipient
        if person is not None and not person.is_active:
            return "The account is disabled."
        if person is not None and person.access_expires_at and person.access_expires_at <= now:
            return "The guest’s access has ended."
        return self._about_the_incident(row) or self._about_the_update(row) or _about_the_question(row)

    def _about_the_incident(self, row: Delivery) -> str:
        if row.incident_id is None:
            return ""
        incident = self._incident(row.incident_id)
        if incident.stage == Stage.STOOD_DOWN and row.moment not in _STANDS_ALONE:
            return "The incident was stood down before this left."
        if incident.stage != Stage.STOOD_DOWN and row.moment == "stood_down":
            return "The stand-down was reversed before this left."
        if row.moment == "stood_down" and not _was_told(row):
            return "This person had not been told of the incident."
        if incident.is_drill and row.recipient_id is None:
            return "A drill reaches only seated people."
        if incident.is_drill and not _is_seated(row):
            return "A drill reaches only seated people."
        if row.moment == "promise_due_soon" and not _promise_is_open(row):
            return "The update went out in time."
        return ""

    def _about_the_update(self, row: Delivery) -> str:
        if row.moment != "update" or row.event_id is None:
            return ""
        read_at, reason = self._updates.get(row.event_id, (0.0, ""))
        if time.monotonic() - read_at > _REREAD_SECONDS:
            reason = withdrawal.why_not(int(row.event.payload.get("update_id") or 0))
            self._updates[row.event_id] = (time.monotonic(), reason)
        return reason

    def _incident(self, pk: int) -> MajorIncident:
        read_at, incident = self._incidents.get(pk, (0.0, None))
        if incident is None or time.monotonic() - read_at > _REREAD_SECONDS:
            incident = MajorIncident.objects.only("stage", "is_drill", "next_update_at").get(pk=pk)
            self._incidents[pk] = (time.monotonic(), incident)
        return incident


def _about_the_question(row: Delivery) -> str:
    """Questions and invitations that were answered meanwhile."""
    payload = row.event.payload
    if row.moment == "page":
        return _about_the_page(row)
    if row.moment == "seat_invited":
        asked = Seat.objects.filter(pk=payload.get("seat_id")).first()
        return "" if asked and asked.state == SeatState.INVITED else "The invitation was answered or taken back."
    if row.moment == "command_offered":
        offered = CommandHandover.objects.filter(pk=payload.get("handover_id"), state=CommandHandover.State.OFFERED)
        return "" if offered.exists() else "The handover was settled."
    if row.moment == "bridge":
        return _about_the_bridge(row)
    if row.moment == "consult_asked":
        answered = Consult.objects.filter(pk=payload.get("consult_id"), answered_at__isnull=False)
        return "The question was answered." if answered.exists() else ""
    if row.moment == "approval_asked":
        pending = Approval.objects.filter(pk=payload.get("approval_id"), state=Approval.State.PENDING)
        return "" if pending.exists() else "The decision was given."
    if row.moment == "change_approval_asked":
        waiting = ChangeApproval.objects.filter(
            change=row.event.change_id, approver=row.recipient_id, vote=ChangeApproval.Vote.PENDING
        )
        return "" if waiting.exists() else "The vote was given."
    if row.moment == "acknowledgement_reminded":
        missing = Delivery.objects.filter(
            incident=row.incident_id, recipient=row.recipient_id, acknowledgement_wanted_by__isnull=False,
            acknowledged_at__isnull=True,
        )  # fmt: skip
        return "" if missing.exists() else "It was acknowledged meanwhile."
    return ""


def _about_the_bridge(row: Delivery) -> str:
    """An invitation that a later one, or the cancelling, has overtaken would put the wrong entry into calendars."""
    bridge = Bridge.objects.filter(incident=row.incident_id).first()
    if bridge is None or bridge.cancelled_at is not None:
        return "The bridge was cancelled before this left."
    if row.event.payload.get("revision", bridge.revision) != bridge.revision:
        return "The bridge was changed before this left; the newer invitation goes out."
    return ""


def _about_the_page(row: Delivery) -> str:
    """Read from the database at this very moment: an answer of a second ago stops it."""
    page = Page.objects.select_related("candidate").get(pk=row.event.payload.get("page_id"))
    if page.state in (PageState.ANSWERED, PageState.ENDED):  # nobody answered: it is wanted all the more
        return f"{page.reason or 'The page was over'} before this left."
    if page.candidate is not None and page.candidate.status != "open":
        return f"{page.ref} was {page.candidate.get_status_display().lower()} before this left."
    calls = PageCall.objects.filter(event=row.event_id, person=row.recipient_id)
    if calls.exclude(state=CallState.CALLED).exists():
        return "The person answered before this left."
    return ""


def _was_told(row: Delivery) -> bool:
    """Delivered, or on its way with another worker. What this worker holds back in the same batch is not told."""
    told = Q(state=DeliveryState.DELIVERED) | Q(state=DeliveryState.SENDING) & ~Q(lease=row.lease)
    about = Delivery.objects.filter(incident=row.incident_id, channel=row.channel, address=row.address)
    return about.filter(told).exclude(moment="stood_down").exists()


def _is_seated(row: Delivery) -> bool:
    return Seat.objects.filter(incident=row.incident_id, user=row.recipient_id, state__in=LIVE_SEATS).exists()


def _promise_is_open(row: Delivery) -> bool:
    return UpdatePromise.objects.filter(incident=row.incident_id, state=UpdatePromise.State.OPEN).exists()
