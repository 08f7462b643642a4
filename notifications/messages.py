"""What is said: from an event and an audience to subject, text and HTML.

Each moment has a folder of templates: `subject.txt` and one body per audience, in the words that
audience uses (`everyone.txt` where all read the same). The bodies are plain paragraphs; text and HTML
are made from the same file, so both always say the same and every value is escaped in the HTML.
"""

import html
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string, select_template
from django.utils.html import linebreaks
from django.utils.safestring import mark_safe

from incidents import markup
from incidents.models import MajorIncident, Organisation, Seat, TimelineEvent
from incidents.process import STEPS, Audience, Role, SeatState, Stage
from notifications.models import Message
from notifications.particulars import Particulars, particulars_of
from notifications.policy import PUBLIC_MOMENTS, cadence_minutes

FOLDER = "notifications/messages"
PERSON = "person"
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


@dataclass(frozen=True)
class Occasion:
    """Everything a template may use about one event. `incident` is None for desk matters."""

    moment: str
    audience: str
    at: datetime
    incident: Facts | None
    actor: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    particulars: Particulars = field(default_factory=Particulars)


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
    """Renders one message. Raises TemplateDoesNotExist when a moment has no words for the audience."""
    organisation = Organisation.current()
    context = _context(occasion, organisation)
    folder = f"{FOLDER}/{occasion.moment}"
    body = select_template([f"{folder}/{occasion.audience or PERSON}.txt", f"{folder}/everyone.txt"])
    subject = _subject(one_line(_plain(f"{folder}/subject.txt", context)), occasion)
    # Escaped by the template engine: safe as HTML, and given back as typed in the text.
    context["body"] = mark_safe(_tidy(body.render(context)))  # noqa: S308
    context["heading"] = subject
    text = _tidy(_plain(f"{FOLDER}/layout.txt", context))
    summary = "\n\n".join(filter(None, (html.unescape(context["body"]), occasion.particulars.quote)))
    context["body"] = linebreaks(context["body"])
    return Wording(subject, text, render_to_string(f"{FOLDER}/layout.html", context), summary, context["link"])


def one_line(text: str, limit: int = 200) -> str:
    """Without line breaks and control characters, so that a title can never become a header."""
    said = " ".join(_CONTROL.sub(" ", text).split())
    return said if len(said) <= limit else said[: limit - 1] + "…"


def _subject(subject: str, occasion: Occasion) -> str:
    if occasion.particulars.values.get("corrects_at"):
        subject = one_line(f"Correction: {subject}")
    if occasion.incident and occasion.incident.is_drill:
        return one_line(f"DRILL: {subject}")
    return subject


def _context(occasion: Occasion, organisation: Organisation) -> dict[str, Any]:
    facts, details = occasion.incident, occasion.particulars
    is_public = occasion.audience == Audience.USERS or occasion.moment in PUBLIC_MOMENTS
    usual = absolute("/status/") if is_public else facts.url if facts else settings.PUBLIC_URL
    link = details.url if details.url.startswith(("http://", "https://")) else usual
    return {
        "audience": occasion.audience,
        "moment": occasion.moment,
        "at": occasion.at,
        "incident": facts,
        "actor": occasion.actor,
        "payload": occasion.payload,
        "it": details.values,
        "quote": details.quote,
        "quote_html": mark_safe(markup.render(details.quote)) if details.quote else "",  # noqa: S308 – sanitised
        "organisation": organisation.name,
        "zone": organisation.time_zone,
        "cadence": cadence_minutes(facts.severity, occasion.audience) if facts and occasion.audience else None,
        "step_count": len(STEPS),
        "is_public": is_public,
        "link": link,
        "choices": details.choices,
        "link_label": details.link_label or ("See the current status" if is_public else "Open"),
        "why": _why(occasion),
    }


def _why(occasion: Occasion) -> str:
    """Why this person gets the message."""
    if not occasion.audience:
        return "You get this message because it is addressed to you."
    said = {
        Audience.TECHNICAL: "You get this message as a member of the technical team.",
        Audience.MANAGEMENT: "You get this message as a member of management.",
        Audience.KEY_STAKEHOLDERS: "You get this message as a key stakeholder.",
        Audience.USERS: "You get this message because you use our services or reported a problem.",
    }
    return said[Audience(occasion.audience)]


def _plain(template: str, context: dict[str, Any]) -> str:
    """A text template. Text is not HTML: what was escaped is given back as typed."""
    return html.unescape(render_to_string(template, context))


def _tidy(text: str) -> str:
    """Without the blank lines that template tags leave: paragraphs are one blank line apart."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
