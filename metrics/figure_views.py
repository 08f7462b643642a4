"""Questions about figures kept under a name: for oneself, for the team, for everybody who reads figures."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from incidents import permissions
from incidents.actions.input import clean_choice, clean_text
from incidents.errors import Duplicate, Invalid, NotAccountable
from incidents.models import User
from metrics.models import FigureView

MOST_VIEWS = 50


@dataclass(frozen=True)
class Kept:
    """`by` names who shared it, empty for one's own."""

    pk: int
    name: str
    query: str
    is_current: bool
    is_own: bool
    by: str


def views_for(user: User, current: str) -> list[Kept]:
    """Those this person may pick; `current` is the question as it stands in the address. One query."""
    mine = Q(owner=user) | Q(shared_with=FigureView.SharedWith.EVERYBODY)
    if user.team_id:
        mine |= Q(shared_with=FigureView.SharedWith.TEAM, team=user.team_id)
    return [
        Kept(row.pk, row.name, row.query, row.query == current, row.owner_id == user.pk,
             "" if row.owner_id == user.pk else row.owner.display_name)
        for row in FigureView.objects.filter(mine).select_related("owner")[:200]
    ]  # fmt: skip


@transaction.atomic
def keep(*, name: str, query: str, shared_with: str, actor: User, at: datetime) -> FigureView:
    """Raises Invalid and Duplicate with the way out."""
    permissions.require(actor, "view_figures")
    said = " ".join(clean_text("name", name, 60, required=True).split())
    clean_choice("shared_with", shared_with, FigureView.SharedWith.values)
    if shared_with == FigureView.SharedWith.TEAM and actor.team_id is None:
        raise Invalid(shared_with="You belong to no team. Ask an administrator, or keep it for yourself.")
    if FigureView.objects.filter(owner=actor).count() >= MOST_VIEWS:
        raise Invalid(name=f"You have {MOST_VIEWS} views already. Remove one first.")
    view = FigureView(
        owner=actor, name=said, query=clean_text("query", query, 1000), shared_with=shared_with, created_at=at,
        team=actor.team if shared_with == FigureView.SharedWith.TEAM else None,
    )  # fmt: skip
    try:
        with transaction.atomic():
            view.save(force_insert=True)
    except IntegrityError:
        raise Duplicate(f"You have a view called “{said}” already. Choose another name, or remove it first.") from None
    return view


@transaction.atomic
def remove(view_id: int, *, actor: User) -> None:
    """Only its owner removes a view. Raises FigureView.DoesNotExist."""
    view = FigureView.objects.select_for_update(of=("self",)).select_related("owner").get(pk=view_id)
    if view.owner_id != actor.pk:
        raise NotAccountable(f"{view.owner.display_name} keeps this view.", who_may=[view.owner.email])
    view.delete()
