"""Reading people: the list of accounts."""

from django.db.models import Q, QuerySet

from incidents.models import User
from incidents.process import AccountRole


def accounts(*, q: str = "", role: str = "", state: str = "active") -> QuerySet[User]:
    """Accounts with team, line manager and roles; `state` is active, disabled or all."""
    rows = User.objects.select_related("team", "line_manager").prefetch_related("role_rows")
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(email__icontains=q) | Q(job_title__icontains=q))
    if role in AccountRole.values:
        rows = rows.filter(role_rows__role=role)
    if state in ("active", "disabled"):
        rows = rows.filter(is_active=state == "active")
    return rows
