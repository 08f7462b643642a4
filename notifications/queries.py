"""What pages and API read: deliveries one may see, and who of an incident's audiences was told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from incidents.models import MajorIncident, User
from incidents.permissions import is_staff, is_usable
from incidents.process import Audience
from notifications import audiences, chase, evidence
from notifications.models import WAITING_STATES, ChannelKey, Delivery, DeliveryState, Notice
from notifications.plans import Plan, plan_for


def visible_deliveries(user: User) -> QuerySet[Delivery]:
    """All for staff; what was addressed to oneself for everybody else."""
    rows = Delivery.objects.select_related("recipient", "wording", "incident", "event", "destination")
    if not is_usable(user):
        return rows.none()
    return rows if is_staff(user) else rows.filter(recipient=user)


@dataclass(frozen=True)
class AudienceTold:
    """One audience of one incident. `told` of `of` people heard of the declaration, `acknowledged` of `to_acknowledge`
    said so; times are aware UTC or None."""

    audience: Audience
    told: int
    of: int
    last_told_at: datetime | None
    next_due_at: datetime | None
    waiting: int
    failed: int
    empty_reason: str
    acknowledged: int = 0
    to_acknowledge: int = 0

    @property
    def is_complete(self) -> bool:
        return bool(self.empty_reason) or (self.of > 0 and self.told == self.of)


def told_by_audience(incident: MajorIncident) -> list[AudienceTold]:
    """The four audiences in their order, in a constant number of queries."""
    found = evidence.told_of(incident.pk, evidence.DECLARING, incident.declared_by_id)
    settings = audiences.memberships()
    mails = Delivery.objects.filter(incident=incident).exclude(channel=ChannelKey.IN_APP)
    figures: dict[str, Any] = {}
    for name in Audience.values:
        within = Q(audiences__contains=[name])
        figures |= {
            f"{name}_last": Max("delivered_at", filter=within),
            f"{name}_waiting": Count("pk", filter=within & Q(state__in=WAITING_STATES)),
            f"{name}_failed": Count("pk", filter=within & Q(state=DeliveryState.FAILED)),
        }
    counted = mails.aggregate(**figures)
    given = chase.counts(incident)
    plan = plan_for(incident)
    return [
        AudienceTold(
            audience=audience,
            told=found[audience].told,
            of=found[audience].of,
            last_told_at=counted[f"{audience}_last"],
            next_due_at=_next_due(incident, plan, audience, counted[f"{audience}_last"]),
            waiting=counted[f"{audience}_waiting"],
            failed=counted[f"{audience}_failed"],
            empty_reason=plan.silent_because(audience)
            or (settings[audience].empty_reason if not found[audience].of else ""),
            acknowledged=given.get(audience, (0, 0))[0],
            to_acknowledge=given.get(audience, (0, 0))[1],
        )
        for audience in Audience
    ]


def _next_due(incident: MajorIncident, plan: Plan, audience: str, last_told_at: datetime | None) -> datetime | None:
    """The promised time, or the cadence of the plan when that is sooner; None when nothing is owed any more."""
    if not incident.is_open or incident.resolved_at is not None:
        return None
    by_plan = last_told_at + timedelta(minutes=plan.cadence(audience)) if last_told_at else None
    return min((due for due in (by_plan, incident.next_update_at) if due), default=None)


def troubled_deliveries(incident: MajorIncident) -> QuerySet[Delivery]:
    """Messages that failed or wait after a failed attempt, newest first."""
    rows = Delivery.objects.filter(incident=incident).select_related("recipient", "wording", "destination")
    return rows.filter(Q(state=DeliveryState.FAILED) | Q(state__in=WAITING_STATES) & ~Q(reason="")).order_by("-id")


def unread_count(user: User) -> int:
    return Notice.objects.filter(user=user, read_at__isnull=True).count()
