"""Filters of a list kept under a name."""

from datetime import datetime

from django.db import IntegrityError, transaction

from incidents import permissions
from incidents.actions.input import clean_choice, clean_text
from incidents.errors import Duplicate, Invalid, NotAccountable
from incidents.models import SavedView, User, ViewedList

MOST_VIEWS = 50


@transaction.atomic
def save_view(
    *,
    name: str,
    query: str,
    screen: str = ViewedList.TICKETS,
    with_team: bool = False,
    actor: User,
    at: datetime,
) -> SavedView:
    """Keeps the filters of an address for oneself, and for the people of one's team when asked to."""
    permissions.require(actor, "view_desk")
    said = " ".join(clean_text("name", name, 60, required=True).split())
    if with_team and actor.team_id is None:
        raise Invalid(with_team="You belong to no team. Ask an administrator, or keep it for yourself.")
    if actor.saved_views.count() >= MOST_VIEWS:
        raise Invalid(name=f"You have {MOST_VIEWS} views already. Remove one first.")
    view = SavedView(
        owner=actor,
        name=said,
        screen=clean_choice("screen", screen, ViewedList.values),
        query=clean_text("query", query, 1000),
        created_at=at,
        team=actor.team if with_team else None,
    )
    try:
        with transaction.atomic():
            view.save(force_insert=True)
    except IntegrityError:
        raise Duplicate(f"You have a view called “{said}” already. Choose another name, or remove it first.") from None
    return view


@transaction.atomic
def remove_view(view_id: int, *, actor: User, at: datetime) -> None:
    """Only its owner removes a view. Raises SavedView.DoesNotExist."""
    view = SavedView.objects.select_for_update(of=("self",)).select_related("owner").get(pk=view_id)
    if view.owner_id != actor.pk:
        raise NotAccountable(f"{view.owner.display_name} keeps this view.", who_may=[view.owner.email])
    view.delete()
