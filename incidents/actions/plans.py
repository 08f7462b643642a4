"""Communication plans: every saving is a new version, and incidents keep theirs until a manager switches."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from incidents import events
from incidents.actions.input import clean_choice, clean_text
from incidents.actions.locking import check_open, check_reason, lock_incident
from incidents.communication import shipped
from incidents.errors import Duplicate, Invalid, Stale
from incidents.models import BridgeProvider, CommunicationPlan, MajorIncident, PlanVersion, Service, User
from incidents.permissions import require
from incidents.priority import Severity
from incidents.process import EventKind
from incidents.queries import plans as reading

Content = Mapping[str, Mapping[str, Any]]


def current_version(severity: str, services: Iterable[Service], *, at: datetime) -> PlanVersion:
    """The version a declaration keeps; what is shipped becomes version 1 of the severity's plan on first use."""
    found = reading.in_force(severity, services)
    return found if found.pk else _keep_shipped(severity, at=at)


def _keep_shipped(severity: str, *, at: datetime) -> PlanVersion:
    plan, _ = CommunicationPlan.objects.get_or_create(key=reading.key_of(severity), defaults={"severity": severity})
    defaults = {"content": shipped(severity), "created_at": at, "note": "As shipped."}
    return PlanVersion.objects.get_or_create(plan=plan, number=1, defaults=defaults)[0]


@transaction.atomic
def make_plan(
    *, severity: str, service: Service | None = None, tier: int | None = None, note: str = "", actor: User, at: datetime
) -> PlanVersion:
    """A plan for one service or tier, beginning as what counts for it now. Raises Invalid or Duplicate.

    One that was withdrawn counts again, from its last version on.
    """
    require(actor, "configure_communication")
    clean_choice("severity", severity, Severity.values)
    if (service is None) == (tier is None):
        raise Invalid(service="Choose a service or a tier. A severity alone has its plan already.")
    if tier is not None and tier not in Service.Tier.values:
        raise Invalid(tier="There is no such tier.")
    key = reading.key_of(severity, service, tier)
    before = CommunicationPlan.objects.select_for_update(of=("self",)).filter(key=key).first()
    if before is not None:
        if before.withdrawn_at is None:
            raise Duplicate(f"There is a plan for {before} already. Change that one.")
        before.withdrawn_at = before.withdrawn_by = None
        before.save(update_fields=["withdrawn_at", "withdrawn_by"])
        return before.versions.all()[0]
    begins_as = reading.in_force(severity, [service] if service else [])
    plan = CommunicationPlan.objects.create(key=key, severity=severity, service=service, tier=tier)
    said = clean_text("note", note, 2_000) or f"Begins as {begins_as}." if begins_as.pk else "Begins as shipped."
    return PlanVersion.objects.create(
        plan=plan, number=1, content=begins_as.content, bridge=begins_as.bridge, note=said, created_by=actor,
        created_at=at,
    )  # fmt: skip


def keep_version(
    plan: CommunicationPlan,
    content: Content,
    *,
    bridge: BridgeProvider | None = None,
    note: str = "",
    based_on: int | None = None,
    actor: User,
    at: datetime,
) -> PlanVersion:
    """Saves checked content as the next version. `based_on` is the version that was edited: Stale when there is a
    newer one. Open incidents keep theirs. `bridge` is what a conference bridge is made from at declaration."""
    require(actor, "configure_communication")
    said = clean_text("note", note, 2_000)
    try:
        with transaction.atomic():
            if plan.pk is None:
                plan = _keep_shipped(plan.severity, at=at).plan
            newest = reading.newest_number(plan)
            # What is shipped may have become version 1 while it was edited; it says the same.
            if based_on is not None and based_on != newest and (based_on, newest) != (0, 1):
                raise Stale(f"Version {newest} was saved in the meantime. Look at it before saving yours.")
            if plan.withdrawn_at is not None:
                raise Invalid(plan=f"The plan for {plan} is withdrawn. Make it again first.")
            return PlanVersion.objects.create(
                plan=plan, number=newest + 1, content=content, bridge=bridge, note=said, created_by=actor,
                created_at=at,
            )  # fmt: skip
    except IntegrityError:
        raise Stale("Somebody saved another version at this moment. Look at it before saving yours.") from None


def withdraw(plan: CommunicationPlan, *, actor: User, at: datetime) -> None:
    """It counts for no new incident any more; the severity's plan does. Raises Invalid for that one itself."""
    require(actor, "configure_communication")
    if not plan.is_particular:
        raise Invalid(plan="The plan of a severity cannot be withdrawn: every incident needs one.")
    CommunicationPlan.objects.filter(pk=plan.pk, withdrawn_at=None).update(withdrawn_at=at, withdrawn_by=actor)


@transaction.atomic
def switch(incident_id: int, *, version: PlanVersion, reason: str, actor: User, at: datetime) -> MajorIncident:
    """The incident goes on under another version, from its next message on. Its promise stays as it was made."""
    incident = lock_incident(incident_id)
    require(actor, "command", incident)
    check_open(incident, "switching its communication plan")
    reason = check_reason(reason)
    before = reading.version_of(incident)
    if version.pk is None:
        version = _keep_shipped(version.plan.severity, at=at)
    if incident.plan_version_id == version.pk:
        raise Invalid(version=f"It runs under {version} already.")
    incident.plan_version = version
    incident.save(update_fields=["plan_version", "updated_at"])
    events.record(
        EventKind.INCIDENT_EDITED, incident, actor=actor, at=at,
        reason=f"Communication plan {version} instead of {before}: {reason}",
        before={"communication_plan": str(before)}, after={"communication_plan": str(version)},
    )  # fmt: skip
    return incident
