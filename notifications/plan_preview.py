"""What a plan would do: for one moment, audience or person and incident, who gets what, on which channel, in which
words. Writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils import timezone

from incidents.communication import Moment
from incidents.models import MajorIncident, User
from incidents.process import Audience
from notifications import audiences, samples
from notifications.messages import Facts, Wording, word
from notifications.plan_settings import channels_in_words
from notifications.plans import Plan
from notifications.preview import CHANNELS
from notifications.routing import Router


@dataclass(frozen=True)
class Look:
    """`silent` says why nothing is sent; `wording` is None then. `acknowledge_minutes` None: not wanted."""

    who: str
    moment: str
    audience: str
    counts_for: list[str]
    silent: str
    channels: str
    is_urgent: bool
    cadence_minutes: int
    acknowledge_minutes: int | None
    escalates_to: str
    wording: Wording | None


def look(
    plan: Plan,
    *,
    moment: str,
    audience: str,
    person: User | None,
    incident: MajorIncident | None,
    targets: Mapping[str, str],
) -> Look:
    """One message as it would be. A person reads the words of the most detailed of their audiences that hears of the
    moment; `audience` counts without one. `incident` None is the sample."""
    belongs = _audiences_of(person, incident) if person else [audience]
    told = [one for one in belongs if plan.tells(one, moment)]
    reads = (told or belongs or [audience])[0]
    minutes = [found for one in told if (found := plan.wants_acknowledgement(one, moment))]
    return Look(
        who=person.display_name if person else f"Everybody in “{Audience(audience).label}”",
        moment=str(Moment(moment).label),
        audience=str(Audience(reads).label),
        counts_for=[str(Audience(one).label) for one in told],
        silent="" if told else _silent(plan, moment, belongs, person, incident),
        channels=_ways(plan, reads, moment, person) if person else _channels(plan, reads, moment),
        is_urgent=plan.is_urgent(reads, moment),
        cadence_minutes=plan.cadence(reads),
        acknowledge_minutes=min(minutes, default=None),
        escalates_to=targets.get(plan.escalates_to(reads), "somebody who is not here any more"),
        wording=_wording(plan, moment, reads, incident) if told else None,
    )


def _audiences_of(person: User, incident: MajorIncident | None) -> list[str]:
    """The audiences the person belongs to, for this incident where there is one, the most detailed first."""
    found = audiences.everybody_in(tuple(Audience.values), incident).filter(pk=person.pk).first()
    return audiences.flags_of(found) if found else []


def _silent(plan: Plan, moment: str, belongs: list[str], person: User | None, incident: MajorIncident | None) -> str:
    if person and not belongs:
        return (
            f"{person.display_name} belongs to none of the audiences of {incident.ref if incident else 'an incident'}."
        )
    named = " and ".join(str(Audience(one).label) for one in belongs)
    because = next(filter(None, (plan.silent_because(one) for one in belongs)), "") if moment == "declared" else ""
    return f"{named}: this moment is not told.{f' Because: {because}' if because else ''}"


def _ways(plan: Plan, audience: str, moment: str, person: User) -> str:
    """Where it would reach this person now: the plan, their own order and quiet hours, and what works."""
    now = timezone.now()
    places = Router.of([person], now).places(
        person, person.email, moment=moment, severity=plan.severity, now=now, channels=plan.channels(audience, moment)
    )
    return channels_in_words(list(dict.fromkeys(place.channel for place in places)))


def _channels(plan: Plan, audience: str, moment: str) -> str:
    wanted = plan.channels(audience, moment)
    return channels_in_words(wanted) if wanted else f"as the person prefers ({channels_in_words(CHANNELS).lower()})"


def _wording(plan: Plan, moment: str, audience: str, incident: MajorIncident | None) -> Wording:
    """On the sample, which then has the severity of the plan, or on the incident."""
    said = replace(samples.occasion(moment, audience, facts=Facts.of(incident) if incident else None), plan=plan)
    if incident is None and said.incident is not None:
        said = replace(said, incident=replace(said.incident, severity=plan.severity))
    return word(said)
