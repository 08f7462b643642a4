"""Reading people: the list for administrators, and who belongs where."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from incidents.models import Team, User
from incidents.process import AccountRole
from incidents.queries.words import matching

ORDER = ("name", "id")
STATES = {
    "active": "Active",
    "invited": "Invited, no password yet",
    "ended": "Access ended",
    "inactive": "Deactivated",
    "all": "All",
}
_NO_PASSWORD = Q(password="") | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
_ENDED = Q(access_expires_at__lte=Now())


def filtered_people(*, q: str = "", role: str = "", team: str = "", state: str = "active") -> QuerySet[User]:
    """Accounts by name. "active" is everybody who may sign in, the invited included."""
    rows = User.objects.select_related("team", "line_manager").prefetch_related("role_rows")
    if q:
        rows = rows.filter(email__icontains=q.strip()) if "@" in q else matching(rows, q, "name", "email", "job_title")
    if role in AccountRole.values:
        rows = rows.filter(role_rows__role=role)
    if team:
        rows = rows.filter(team__slug=team)
    if state == "all":
        return rows
    if state == "inactive":
        return rows.filter(is_active=False)
    rows = rows.filter(is_active=True)
    if state == "ended":
        return rows.filter(_ENDED)
    return rows.exclude(_ENDED) if state != "invited" else rows.filter(_NO_PASSWORD)


def teams_to_choose() -> list[tuple[str, str]]:
    return list(Team.objects.values_list("slug", "name"))


def teams_with_members() -> QuerySet[Team]:
    """Every team with its lead and `member_count`, the active ones."""
    return Team.objects.select_related("lead").annotate(
        member_count=Count("members", filter=Q(members__is_active=True))
    )
