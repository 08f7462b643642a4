"""Reading API keys and the seats somebody holds."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from incidents.models import ApiKey, Seat, User
from incidents.permissions import LIVE_SEATS
from incidents.process import OPEN_STAGES

ORDER = ("-created_at", "-id")


def keys(owner: User | None) -> QuerySet[ApiKey]:
    """Keys of one person, or of everybody for None."""
    rows = ApiKey.objects.select_related("user")
    return rows.filter(user=owner) if owner else rows


@dataclass(frozen=True)
class KeyRow:
    """`state` is active, expired or revoked."""

    key: ApiKey
    state: str


def key_rows(found: list[ApiKey], at: datetime) -> list[KeyRow]:
    return [KeyRow(one, "revoked" if one.revoked_at else "active" if one.is_usable(at) else "expired") for one in found]


def live_seats(user: User) -> QuerySet[Seat]:
    """Seats the person holds or is invited to on open incidents, the latest first."""
    rows = Seat.objects.filter(user=user, state__in=LIVE_SEATS, incident__stage__in=OPEN_STAGES)
    return rows.select_related("incident").order_by("-incident_id", "id")[:50]
