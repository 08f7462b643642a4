"""What is said: from an event and an audience to subject, text and HTML.

Each moment has words for each audience (`words.py`): a subject, a short text for SMS and chat, and a text of plain
paragraphs. Text and HTML are made from the same words, so both always say the same and every value is escaped in the
HTML. When words of the organisation's own cannot be said, the shipped ones are, and the failure is kept.
"""

import html
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import linebreaks
from django.utils.safestring import mark_safe

from incidents import markup
from incidents.models import MajorIncident, Organisation, Seat, TimelineEvent
from incidents.process import STEPS, Audience, Role, SeatState, Stage
from notifications import words
from notifications.models import Message, TemplateVersion
from notifications.particulars import Particulars, particulars_of
from notifications.plans import Plan, plan_for, plan_of_new
from notifications.template_variables import is_public, variables_of
from notifications.words import FOLDER

LONGEST_SHORT = 640
MOST_LISTED = 50
_log = logging.getLogger(__name__)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


@dataclass(frozen=True)
class Facts:
    """What messages say of an incident. Also made from a form that is not saved yet, for the preview."""

    ref: str
    title: str
    severity: str
    stage: str
    services: tuple[str, ...] = ()
    description: str = ""
    affects: str = ""
    users_affected: int | None = None
    revenue_impact: str = ""
    reputation_impact: str = ""
    is_drill: bool = False
    started_at: datetime | None = None
    declared_at: datetime | None = None
    contained_at: datetime | None = None
    restored_at: datetime | None = None
    resolved_at: datetime | None = None
    next_update_at: datetime | None = None
    manager: str = ""
    conditions: str = ""
    tried: str = ""
    needs: str = ""
    bridge_url: str = ""
    dial_in: str = ""
    url: str = ""
    is_open: bool = True

    @property
    def services_in_words(self) -> str:
        """`Checkout and Payments`; `an unknown service` when nobody knows which."""
        if not self.services:
            return "an unknown service"
        *first, last = self.services
        return f"{', '.join(first)} and {last}" if first else last

    @classmethod
    def of(cls, incident: MajorIncident) -> "Facts":
        seat = Seat.objects.select_related("user").filter(
            incident=incident, role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED
        )
        manager = seat.first()
        bridge = getattr(incident, "bridge", None)
        same = ("ref", "title", "severity", "description", "users_affected", "revenue_impact", "reputation_impact")
        clocks = ("started_at", "declared_at", "contained_at", "restored_at", "resolved_at", "next_update_at")
        return cls(
            **{
                name: getattr(incident, name) for name in (*same, *clocks, "conditions", "needs", "is_drill", "is_open")
            },
            stage=Stage(incident.stage).label,
            services=tuple(incident.services.order_by("affected_by__id").values_list("name", flat=True).distinct()),
            affects=incident.get_affects_display().lower(),
            manager=manager.user.display_name if manager else "",
            tried=incident.actions_summary,
            bridge_url=bridge.join_url if bridge else "",
            dial_in=bridge.dial_in if bridge else "",
            url=absolute(f"/major-incidents/{incident.ref}/"),
        )


@dataclass(frozen=True)
class Wording:
    subject: str
    text: str
    html: str
    summary: str
    url: str = ""
    short: str = ""


@dataclass(frozen=True)
class Occasion:
    """Everything words may be made from about one event. `incident` is None for desk matters; `plan` None means the
    one that a new incident of its severity would run under."""

    moment: str
    audience: str
    at: datetime
    incident: Facts | None
    actor: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    particulars: Particulars = field(default_factory=Particulars)
    plan: Plan | None = None


def absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def wording_of(event: TimelineEvent, moment: str, audience: str) -> Message:
    """The kept wording of this event for this audience; made once, the same for everybody who gets it."""
    found = Message.objects.filter(event=event, moment=moment, audience=audience).first()
    if found:
        return found
    incident = event.incident
    occasion = Occasion(
        moment=moment,
        audience=audience,
        at=event.at,
        incident=Facts.of(incident) if incident else None,
        actor=event.actor.display_name if event.actor else "",
        payload=event.payload,
        particulars=particulars_of(event, moment, audience),
        plan=plan_for(incident) if incident else None,
    )
    said = word(occasion)
    message, _ = Message.objects.get_or_create(
        event=event,
        moment=moment,
        audience=audience,
        defaults=asdict(said),
    )
    return message


def word(occasion: Occasion) -> Wording:
    """Says one occasion, in the organisation's own words where it has some that work.

    Raises LookupError when a moment has no words for the audience.
    """
    own = words.own_words(occasion.moment, occasion.audience)
    if own is not None:
        try:
            sources = words.sources_of(own, occasion.moment, occasion.audience)
            return say(occasion, words.compile_all(sources, occasion.moment, occasion.audience))
        except Exception as error:  # whatever is wrong with them, the message goes out
            _report(own, error)
    return say(occasion, words.shipped(occasion.moment, occasion.audience))


def say(occasion: Occasion, by: words.Compiled) -> Wording:
    """The message in these words. Raises ValueError when they say nothing, or more than a message may be."""
    organisation = Organisation.current()
    context = context_of(occasion, organisation)
    values = values_of(occasion, context)
    subject = one_line(html.unescape(by.subject.say(values)))
    # Escaped by the template engine: safe as HTML, and given back as typed in the text.
    body = mark_safe(_tidy(by.text.say(values)))  # noqa: S308
    short = one_line(html.unescape(by.short.say({**values, "subject": subject})), LONGEST_SHORT)
    if not (subject and body and short):
        raise ValueError("The words leave subject, text or short text empty.")
    subject, short = _marked(subject, occasion), _marked(short, occasion)
    text = _tidy(_plain(f"{FOLDER}/layout.txt", {**context, "heading": subject, "body": body}))
    paragraphs = mark_safe(linebreaks(body))  # noqa: S308 – escaped above, and only wrapped here
    page = render_to_string(f"{FOLDER}/layout.html", {**context, "heading": subject, "body": paragraphs})
    summary = "\n\n".join(filter(None, (html.unescape(body), occasion.particulars.quote)))
    return Wording(subject, text, page, summary, context["link"], short)


def _report(version: TemplateVersion, error: Exception) -> None:
    """Keeps why the version could not be said; the list of templates shows it."""
    _log.error("own words could not be said", extra={"template": str(version), "why": str(error)[:500]})
    failed = {"failed_at": timezone.now(), "failure": str(error)[:2_000] or type(error).__name__}
    TemplateVersion.objects.filter(pk=version.pk, failed_at=None).update(**failed)


def values_of(occasion: Occasion, context: Mapping[str, Any]) -> dict[str, Any]:
    """The documented variables of the occasion and nothing else: plain values, so that words reach no object.

    What is not known stands there empty.
    """
    facts = occasion.incident
    source: dict[str, Any] = {
        **{name: context[name] for name in ("organisation", "zone", "at", "link", "actor", "cadence", "step_count")},
        "it": occasion.particulars.values,
        "quote": occasion.particulars.quote,
        "choices": bool(occasion.particulars.choices),
        "next_update_at": _next_update(occasion),
    }
    values: dict[str, Any] = {"it": {}, "incident": {}}
    for one in variables_of(occasion.moment, occasion.audience):
        group, _, name = one.path.rpartition(".")
        found = getattr(facts, name, None) if group == "incident" else (source[group] if group else source).get(name)
        value = one.nothing if found is None else list(found)[:MOST_LISTED] if one.is_list else found
        (values[group] if group else values)[name] = value
    return values


def _next_update(occasion: Occasion) -> datetime | None:
    """When they hear again: as the update promises, else as the open incident does."""
    facts = occasion.incident
    if facts is None or not facts.is_open:
        return None
    return occasion.particulars.values.get("next_update_at") or facts.next_update_at


def one_line(text: str, limit: int = 200) -> str:
    """Without line breaks and control characters, so that a title can never become a header."""
    said = " ".join(_CONTROL.sub(" ", text).split())
    return said if len(said) <= limit else said[: limit - 1] + "…"


def _marked(text: str, occasion: Occasion) -> str:
    """With what must be read first: that it is only a drill, that it puts an earlier update right."""
    if occasion.particulars.values.get("corrects_at"):
        text = f"Correction: {text}"
    if occasion.incident is not None and occasion.incident.is_drill:
        text = f"DRILL: {text}"
    return one_line(text, LONGEST_SHORT)


def context_of(occasion: Occasion, organisation: Organisation) -> dict[str, Any]:
    """What the layout around the words is made from."""
    facts, details = occasion.incident, occasion.particulars
    public = is_public(occasion.moment, occasion.audience)
    usual = absolute("/status/") if public else facts.url if facts else settings.PUBLIC_URL
    link = details.url if details.url.startswith(("http://", "https://")) else usual
    plan = occasion.plan or (plan_of_new(facts.severity) if facts and occasion.audience else None)
    return {
        "audience": occasion.audience,
        "at": occasion.at,
        "incident": facts,
        "actor": occasion.actor,
        "it": details.values,
        "quote": details.quote,
        "quote_html": mark_safe(markup.render(details.quote)) if details.quote else "",  # noqa: S308 – sanitised
        "organisation": organisation.name,
        "zone": organisation.time_zone,
        "cadence": plan.cadence(occasion.audience) if plan and occasion.audience else None,
        "step_count": len(STEPS),
        "is_public": public,
        "link": link,
        "choices": details.choices,
        "link_label": details.link_label or ("See the current status" if public else "Open"),
        "why": _why(occasion, None if public else plan),
    }


def _why(occasion: Occasion, plan: Plan | None) -> str:
    """Why this person gets the message, and by which plan where they may know of it."""
    if not occasion.audience:
        return "You get this message because it is addressed to you."
    said = {
        Audience.TECHNICAL: "You get this message as a member of the technical team.",
        Audience.MANAGEMENT: "You get this message as a member of management.",
        Audience.KEY_STAKEHOLDERS: "You get this message as a key stakeholder.",
        Audience.USERS: "You get this message because you use our services or reported a problem.",
    }
    by_plan = f" Communication plan: {plan}." if plan else ""
    return f"{said[Audience(occasion.audience)]}{by_plan}"


def _plain(template: str, context: dict[str, Any]) -> str:
    """A text template. Text is not HTML: what was escaped is given back as typed."""
    return html.unescape(render_to_string(template, context))


def _tidy(text: str) -> str:
    """Without the blank lines that template tags leave: paragraphs are one blank line apart."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
