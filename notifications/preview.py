"""Who would be told what, which tickets would attach, which clocks would start. Writes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q

from incidents.actions import clocks
from incidents.errors import Invalid, WrongStage
from incidents.models import Affects, Candidate, MajorIncident, Organisation, Service, StatusUpdate, Ticket, User
from incidents.priority import priority_for, severity_for
from incidents.process import Audience, Stage
from notifications import audiences, plans
from notifications.messages import Facts, Occasion, Wording, word
from notifications.models import ChannelKey
from notifications.particulars import Particulars, correction
from notifications.plans import Plan

NAMED_AT_MOST = 200
LEFT_OUT_NAMED = 20
CHANNELS = (ChannelKey.EMAIL.value, ChannelKey.IN_APP.value)
"""What a person without settings of their own prefers."""


@dataclass(frozen=True)
class AudiencePreview:
    """`recipients` are the first 200 of `recipient_count`; some of them read the words of a more detailed audience.

    `channel_counts` says how many each channel reaches; `left_out` names who belongs to it and is not told, with why.
    """

    audience: str
    recipients: list[str]
    recipient_count: int
    channels: list[str]
    subject: str
    text: str
    empty_reason: str
    channel_counts: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    detailed_count: int = 0

    @property
    def label(self) -> str:
        return str(Audience(self.audience).label)

    @property
    def counts_in_words(self) -> str:
        """`12 by e-mail, 10 in the product`."""
        words = {ChannelKey.EMAIL.value: "by e-mail", ChannelKey.IN_APP.value: "in the product"}
        return ", ".join(f"{count} {words.get(key, key)}" for key, count in self.channel_counts.items())


@dataclass(frozen=True)
class DeclarationPreview:
    severity: str
    priority: str
    audiences: list[AudiencePreview]
    recipient_count: int
    tickets: list[Ticket]
    clocks: dict[str, datetime | None]
    warnings: list[str]


@dataclass(frozen=True)
class UpdatePreview:
    audiences: list[AudiencePreview]
    recipient_count: int
    next_update_at: datetime | None


def of_declaration(
    *,
    actor: User,
    at: datetime,
    title: str,
    impact: int,
    urgency: int,
    services: Iterable[Service] = (),
    severity: str | None = None,
    tickets: Iterable[Ticket] = (),
    candidate: Candidate | None = None,
    is_drill: bool = False,
    clocks_given: Mapping[str, datetime | None] | None = None,
    affects: str = "both",
    **texts: Any,
) -> DeclarationPreview:
    """What declaring would do. Refuses what declaring would refuse: Invalid, ClockOrder or WrongStage."""
    given = dict(clocks_given or {})
    children, services = _children(tickets, candidate), list(services)
    incident = MajorIncident(
        title=title,
        impact=impact,
        urgency=urgency,
        severity=severity or severity_for(impact, urgency),
        priority=priority_for(impact, urgency, Organisation.current().priority_table),
        is_drill=is_drill,
        declared_by=actor,
        declared_at=given.get("declared_at") or at,
        corrected_clocks=sorted(given),
        affects=affects,
        **{name: value for name, value in given.items() if name != "declared_at"},
    )
    started = _clocks(incident, children, candidate)
    facts = _facts(incident, [service.name for service in services], actor, started, texts)
    joining = {
        Audience.TECHNICAL.value: [actor.pk],
        Audience.USERS.value: [one.requester_id for one in children if one.requester_id],
    }
    plan = plans.plan_of_new(incident.severity, services)
    shown, total = _audiences(tuple(Audience.values), incident, joining, facts, "declared", {}, plan)
    return DeclarationPreview(
        severity=incident.severity,
        priority=incident.priority,
        audiences=shown,
        recipient_count=total,
        tickets=children,
        clocks=started,
        warnings=_warnings(shown, incident),
    )


def of_update(
    incident: MajorIncident,
    *,
    texts: Mapping[str, str],
    next_update_at: datetime | None,
    corrects: StatusUpdate | None = None,
    actor: User,
    at: datetime,
) -> UpdatePreview:
    """Who would get a status update and what it would say. Raises Invalid when there is nothing to say."""
    if not texts:
        raise Invalid(texts="Write what at least one audience should read.")
    if unknown := [name for name in texts if name not in Audience.values]:
        raise Invalid(texts=f"Not an audience: {', '.join(unknown)}. Known: {', '.join(Audience.values)}.")
    if empty := [Audience(name).label for name, text in texts.items() if not str(text).strip()]:
        raise Invalid(texts=f"Write what {', '.join(empty)} should read.")
    if next_update_at is not None and next_update_at <= at:
        raise Invalid(next_update_at="The next update must be promised for later than this one.")
    told = tuple(name for name in Audience.values if name in texts)
    quotes = {name: _words(str(texts[name]), next_update_at, corrects) for name in told}
    plan = plans.plan_for(incident)
    shown, total = _audiences(told, incident, {}, Facts.of(incident), "update", quotes, plan, actor.display_name)
    absent = _left_out(told, incident)
    return UpdatePreview([replace(one, left_out=absent[one.audience]) for one in shown], total, next_update_at)


def _words(text: str, next_update_at: datetime | None, corrects: StatusUpdate | None) -> Particulars:
    if corrects is None:
        return Particulars({"next_update_at": next_update_at}, quote=text)
    values = {"next_update_at": next_update_at, "corrects_at": corrects.published_at}
    return Particulars(values, quote=correction(text, corrects.published_at))


def _left_out(told: tuple[str, ...], incident: MajorIncident) -> dict[str, list[str]]:
    """Per audience who is not told and why, at most twenty by name."""
    found: dict[str, list[str]] = {name: [] for name in told}
    rows = list(audiences.left_out(told, incident)[: LEFT_OUT_NAMED + 1])
    for person in rows[:LEFT_OUT_NAMED]:
        why = "the account is disabled"
        if person.is_active:
            why = "has no seat in this drill" if incident.is_drill else "the guest’s access has ended"
        for name in audiences.flags_of(person):
            if name in found:
                found[name].append(f"{person.display_name}: {why}")
    if len(rows) > LEFT_OUT_NAMED:
        for lines in found.values():
            lines.append("and more")
    return found


def _children(tickets: Iterable[Ticket], candidate: Candidate | None) -> list[Ticket]:
    """The tickets that would attach: those named and those of the candidate."""
    if candidate is not None and not candidate.is_open:
        raise WrongStage(
            f"{candidate.ref} was {candidate.get_status_display().lower()} already.", status=candidate.status
        )
    wanted = {ticket.pk for ticket in tickets}
    of_candidate = Q(candidate=candidate, major_incident__isnull=True) if candidate else Q(pk__in=[])
    found = list(Ticket.objects.filter(Q(pk__in=wanted) | of_candidate).order_by("pk"))
    if taken := [f"{one.ref} belongs to MI-{one.major_incident_id}" for one in found if one.major_incident_id]:
        raise Invalid(tickets=f"{'; '.join(taken)}. Unlink it first, or leave it out.")
    return found


def _clocks(incident: MajorIncident, children: list[Ticket], candidate: Candidate | None) -> dict[str, datetime | None]:
    """The five clocks as declaring would set them; None is unknown."""
    if incident.acknowledged_at and incident.reported_at:
        incident.acknowledged_at = max(incident.acknowledged_at, incident.reported_at)
    clocks.check_order(incident.clocks)
    known = Ticket.objects.filter(pk__in=[one.pk for one in children]).aggregate(
        reported=Min("reported_at"), acknowledged=Min("acknowledged_at")
    )
    reported = [known["reported"], candidate and candidate.raised_at]
    acknowledged = [known["acknowledged"], candidate and candidate.acknowledged_at, incident.declared_at]
    first = min(filter(None, reported), default=None)
    found = {
        "detected_at": first,
        "reported_at": first,
        "acknowledged_at": min(filter(None, acknowledged), default=None),
    }
    values = {"started_at": incident.started_at, "declared_at": incident.declared_at, **clocks.derive(incident, found)}
    clocks.check_order(values)
    order = ("started_at", "detected_at", "reported_at", "acknowledged_at", "declared_at")
    return {name: values[name] for name in order}


def _facts(
    incident: MajorIncident,
    services: list[str],
    actor: User,
    started: dict[str, datetime | None],
    texts: dict[str, Any],
) -> Facts:
    same = ("description", "users_affected", "revenue_impact", "reputation_impact")
    return Facts(
        **{name: texts[name] for name in same if texts.get(name) is not None},
        ref="MI-…",
        title=incident.title,
        severity=incident.severity,
        stage=Stage.IDENTIFICATION.label,
        services=tuple(dict.fromkeys(services)),
        affects=Affects(incident.affects).label.lower(),
        is_drill=incident.is_drill,
        started_at=started["started_at"],
        declared_at=started["declared_at"],
        manager=actor.display_name,
    )


def _audiences(
    told: tuple[str, ...],
    incident: MajorIncident,
    joining: Mapping[str, list[int]],
    facts: Facts,
    moment: str,
    particulars: Mapping[str, Particulars],
    plan: Plan,
    actor: str = "",
) -> tuple[list[AudiencePreview], int]:
    """Each audience with its people and its words, and how many people there are in all.

    An audience that does not hear of the moment by the plan has nobody, and says why.
    """
    hearing = tuple(name for name in told if plan.tells(name, moment) or moment == "update")
    people = audiences.everybody_in(hearing, incident, joining=joining)
    figures: dict[str, Any] = {}
    for place, name in enumerate(told):
        within, above = Q(**{f"in_{name}": True}), Q(pk__in=[])
        for other in told[:place]:
            above |= Q(**{f"in_{other}": True})
        figures |= {
            name: Count("pk", filter=within),
            f"{name}_mail": Count("pk", filter=within & ~Q(email="")),
            f"{name}_detailed": Count("pk", filter=within & above),
        }
    counts = people.order_by().aggregate(everybody=Count("pk"), **figures)
    outside = list(audiences.addresses_without_account(incident)) if Audience.USERS in hearing else []
    settings = audiences.memberships()
    shown = []
    for name in told:
        hears = name in hearing
        mine = people.filter(**{f"in_{name}": True}) if hears else people.none()
        named = list(mine.values_list("email", flat=True)[:NAMED_AT_MOST])
        also = outside if name == Audience.USERS else []
        said = _word(moment, name, facts, particulars.get(name), plan, actor or facts.manager)
        shown.append(
            AudiencePreview(
                audience=name,
                recipients=[*named, *also][:NAMED_AT_MOST],
                recipient_count=(counts[name] if hears else 0) + len(also),
                channels=list(plan.channels(name, moment) or CHANNELS),
                subject=said.subject,
                text=said.text,
                empty_reason=settings[name].empty_reason if hears else plan.silent_because(name),
                channel_counts={
                    ChannelKey.EMAIL.value: counts[f"{name}_mail"] + len(also),
                    ChannelKey.IN_APP.value: counts[name],
                },
                detailed_count=counts[f"{name}_detailed"],
            )
        )
    return shown, counts["everybody"] + len(outside)


def _word(moment: str, audience: str, facts: Facts, particulars: Particulars | None, plan: Plan, actor: str) -> Wording:
    at = facts.declared_at
    assert at is not None or moment != "declared"
    return word(
        Occasion(
            moment=moment,
            audience=audience,
            at=at,  # type: ignore[arg-type]
            incident=facts,
            actor=actor,
            particulars=particulars or Particulars(),
            plan=plan,
        )
    )


def _warnings(shown: list[AudiencePreview], incident: MajorIncident) -> list[str]:
    """What would keep the step "inform" from being done."""
    if incident.is_drill:
        return ["A drill: only people with a seat are told, and every message is marked DRILL."]
    return [
        f"{one.label}: nobody belongs to it, so it cannot be informed."
        for one in shown
        if not one.recipient_count and not one.empty_reason
    ]
