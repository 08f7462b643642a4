"""Who is on call now."""

from datetime import datetime

from incidents.models import OnCallShift, User


def on_call(role: str, at: datetime) -> list[User]:
    """Active people on call in an account role at `at` (aware), the first to page first; empty when nobody is."""
    shifts = (
        OnCallShift.objects.filter(role=role, starts_at__lte=at, ends_at__gt=at, person__is_active=True)
        .select_related("person")
        .order_by("rank", "starts_at")
    )
    return list(dict.fromkeys(shift.person for shift in shifts))
