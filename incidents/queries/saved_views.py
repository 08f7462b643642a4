"""The views of a list somebody may pick: those that come with the product, their own, their team's."""

from dataclasses import dataclass

from django.db.models import Q

from incidents.models import SavedView, User, ViewedList

BUILT_IN = {
    ViewedList.TICKETS: (
        ("Open", ""),
        ("New", "status=new"),
        ("Mine", "assignee=me"),
        ("Nobody’s", "assignee=nobody"),
        ("Breaching soon", "sla=soon&sort=due"),
    ),
    ViewedList.INCIDENTS: (
        ("All", ""),
        ("Open", "state=open"),
        ("In review", "state=maintenance"),
        ("Severity 1", "severity=SEV1"),
    ),
}
ON_COMMAND = (("All open", ""), ("Severity 1", "severity=SEV1"), ("Severity 2", "severity=SEV2"))
"""Only what is open stands there, so the views by state lead nowhere new."""


@dataclass(frozen=True)
class View:
    """`pk` None comes with the product; `is_own` may be removed by this person; `by` shared it."""

    name: str
    query: str
    is_current: bool
    pk: int | None = None
    is_own: bool = False
    by: str = ""


def views_for(
    user: User,
    current: str,
    screen: ViewedList = ViewedList.TICKETS,
    shipped_with: tuple[tuple[str, str], ...] | None = None,
) -> list[View]:
    """`current` are the filters as they stand in the address; `shipped_with` those of a page of its own. One query."""
    shipped = [View(name, query, query == current) for name, query in shipped_with or BUILT_IN[screen]]
    mine = Q(owner=user) | Q(team=user.team_id) if user.team_id else Q(owner=user)
    rows = SavedView.objects.filter(mine, screen=screen).select_related("owner")
    kept = [
        View(
            row.name, row.query, row.query == current, row.pk, row.owner_id == user.pk,
            "" if row.owner_id == user.pk else row.owner.display_name,
        )
        for row in rows
    ]  # fmt: skip
    return shipped + kept
