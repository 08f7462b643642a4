"""Following an incident as its users do: asked for by the person, and taken back."""

from dataclasses import dataclass

from django.db import transaction

from incidents.models import MajorIncident, User
from incidents.process import Audience
from incidents.queries.portal import public_incidents
from notifications import audiences
from notifications.models import Subscription


@dataclass(frozen=True)
class Following:
    """How a person hears of an incident. `is_told_anyway`: by their role, a seat or a report, whatever they ask."""

    is_subscribed: bool
    is_told_anyway: bool


def public_incident(pk: int) -> MajorIncident | None:
    """One that everybody may follow; None for a drill, one that is over, and none."""
    return public_incidents().filter(pk=pk).first()


def following(incident: MajorIncident, person: User) -> Following:
    subscribed = Subscription.objects.filter(incident=incident, user=person).exists()
    told = audiences.everybody_in(tuple(Audience.values), incident).filter(pk=person.pk)
    return Following(subscribed, not subscribed and told.exists())


@transaction.atomic
def subscribe(incident: MajorIncident, person: User) -> None:
    """From now on the person gets what users get. Asking twice is asking once."""
    Subscription.objects.get_or_create(incident=incident, user=person)


@transaction.atomic
def unsubscribe(incident: MajorIncident, person: User) -> None:
    """Takes back what the person asked for; what reaches them by their role goes on."""
    Subscription.objects.filter(incident=incident, user=person).delete()
