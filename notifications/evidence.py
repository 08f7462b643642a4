"""What deliveries prove: that the audiences were informed, that the bridge invitation arrived.

A message counts when its channel accepted it for somebody besides the declarer; inside the product
only for people with no other address. A merged message counts for all its audiences. In a drill an
audience without a seated member is not waited for.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import CharField, Count, Min, Q
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from incidents.actions import steps
from incidents.communication import Moment
from incidents.models import IncidentStep, MajorIncident
from incidents.process import OPEN_STAGES, Audience, StepState
from notifications import audiences
from notifications.models import ChannelKey, Delivery, DeliveryState, FanOut
from notifications.plans import plan_for

DECLARING = ("declared", "reinstated")
"""Moments that tell an audience that there is a major incident."""


@dataclass(frozen=True)
class Told:
    """How many people of an audience are to be told, and how many were; `others` leave out the declarer.

    `first_at` is when the first of the others was (aware UTC), None before.
    """

    of: int
    told: int
    others: int
    others_told: int
    first_at: datetime | None


@dataclass(frozen=True)
class Proof:
    facts: dict[str, Any]
    missing: list[str]
    at: datetime

    @property
    def is_complete(self) -> bool:
        return not self.missing


def told_of(incident_id: int, moments: tuple[str, ...], declarer_id: int | None = None) -> dict[str, Told]:
    """Per audience, from the deliveries of these moments. One query, counted by the database."""
    rows = (
        Delivery.objects.filter(incident=incident_id, moment__in=moments)
        .exclude(state=DeliveryState.SUPPRESSED)
        .exclude(channel=ChannelKey.IN_APP, recipient__email__gt="")  # there is another address; only that is evidence
        .filter(destination__isnull=True)  # a place many read proves of nobody that they read it
        .annotate(reader=Coalesce(Cast("recipient", CharField()), "address"))
    )
    delivered = Q(state=DeliveryState.DELIVERED)
    besides = ~Q(recipient=declarer_id) | Q(recipient__isnull=True) if declarer_id else Q(pk__isnull=False)
    figures: dict[str, Any] = {}
    for name in Audience.values:
        within = Q(audiences__contains=[name])
        figures |= {
            f"{name}_of": Count("reader", distinct=True, filter=within),
            f"{name}_told": Count("reader", distinct=True, filter=within & delivered),
            f"{name}_others": Count("reader", distinct=True, filter=within & besides),
            f"{name}_others_told": Count("reader", distinct=True, filter=within & delivered & besides),
            f"{name}_first_at": Min("delivered_at", filter=within & delivered & besides),
        }
    found = rows.aggregate(**figures)
    return {name: Told(*(found[f"{name}_{one.name}"] for one in fields(Told))) for name in Audience.values}


def inform(incident: MajorIncident) -> Proof:
    """Whether every audience has heard that the incident was declared, with "n of m told" for each."""
    found = told_of(incident.pk, DECLARING, incident.declared_by_id)
    settings, plan = audiences.memberships(), plan_for(incident)
    facts: dict[str, Any] = {}
    missing, latest = [], incident.declared_at or timezone.now()
    for name in Audience.values:
        told = found[name]
        facts[name] = {"told": told.told, "of": told.of}
        if told.first_at is not None:
            latest = max(latest, told.first_at)
        elif not plan.tells(name, Moment.DECLARED) and not told.of:
            facts[name]["empty_reason"] = plan.silent_because(name)
        elif settings[name].empty_reason and not told.of:
            facts[name]["empty_reason"] = settings[name].empty_reason
        elif incident.is_drill and name != Audience.TECHNICAL and not told.others:
            facts[name]["empty_reason"] = "Nobody of this audience has a seat in the drill."
        else:
            missing.append(_lacking(name, told))
    return Proof({"audiences": facts}, missing, min(latest, timezone.now()))


def _lacking(name: str, told: Told) -> str:
    label = Audience(name).label
    if not told.of:
        return f"{label}: nobody belongs to it. Add people to this audience and publish an update."
    if told.told and not told.others_told and not told.others:
        return f"{label}: only the person who declared has been told."
    return f"{label}: {told.told} of {told.of} told."


def bridge_invitations(incident: MajorIncident) -> list[str]:
    """E-mail addresses of people who got the invitation to the bridge as it is set now, in order."""
    bridge = getattr(incident, "bridge", None)
    if bridge is None:
        return []
    delivered = Delivery.objects.filter(
        incident=incident, moment="bridge", state=DeliveryState.DELIVERED, event__at__gte=bridge.set_at
    )
    counted = delivered.exclude(channel=ChannelKey.IN_APP, recipient__email__gt="")
    return sorted({email for email in counted.values_list("recipient__email", flat=True) if email})


def report(incident_id: int) -> None:
    """Tells the incident what its deliveries prove, when that differs from what it knows. Safe to run twice."""
    incident = MajorIncident.objects.select_related("bridge").get(pk=incident_id)
    known = {step.key: step for step in IncidentStep.objects.filter(incident=incident, key__in=("inform", "bridge"))}
    if "inform" in known:
        _report_inform(incident, known["inform"])
    if "bridge" in known and getattr(incident, "bridge", None):
        reached = bridge_invitations(incident)
        if reached != known["bridge"].evidence.get("invitation_delivered_to", []):
            steps.record_evidence(
                incident.pk,
                "bridge",
                {"invitation_delivered_to": reached},
                [],
                is_complete=bool(reached),
                at=timezone.now(),
            )


def _report_inform(incident: MajorIncident, step: IncidentStep) -> None:
    proof = inform(incident)
    wanted = {**proof.facts, "missing": proof.missing}
    if any(step.evidence.get(key) != value for key, value in wanted.items()):
        steps.record_evidence(
            incident.pk, "inform", proof.facts, proof.missing, is_complete=proof.is_complete, at=proof.at
        )


def report_outstanding() -> None:
    """What a crash between sending and reporting left: open incidents whose "inform" or "bridge" is not done."""
    waiting = (
        IncidentStep.objects.filter(key__in=("inform", "bridge"), incident__stage__in=OPEN_STAGES)
        .exclude(state__in=(StepState.DONE, StepState.WAIVED))
        .values_list("incident_id", flat=True)
        .distinct()
    )
    for incident_id in waiting:
        report(incident_id)


def is_expanding(incident_id: int) -> bool:
    """Whether more recipients are still being written for a large audience."""
    return FanOut.objects.filter(event__incident=incident_id, finished_at__isnull=True).exists()
