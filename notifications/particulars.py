"""What one kind of event has to say beyond the incident itself: names, quoted text, where its link leads."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime

from incidents import answer_links
from incidents.models import (
    Approval,
    Candidate,
    Consult,
    Organisation,
    Seat,
    StatusUpdate,
    Task,
    TicketComment,
    TicketStatus,
    TimelineEvent,
)
from incidents.process import STEP_BY_KEY, STEPS, Role
from notifications import page_links, seat_letters
from notifications.status import subscribers
from notifications.templatetags.message_times import zoned


@dataclass(frozen=True)
class Particulars:
    """`values` are read as `it.…` by the templates; `quote` is Markdown somebody wrote. `choices` are answers the
    message asks for, each its words and its address."""

    values: dict[str, Any] = field(default_factory=dict)
    quote: str = ""
    url: str = ""
    link_label: str = ""
    choices: tuple[tuple[str, str], ...] = ()


def _step(event: TimelineEvent, audience: str) -> Particulars:
    key = str(event.payload.get("step", ""))
    step = STEP_BY_KEY.get(key)
    number = next((place for place, one in enumerate(STEPS, 1) if one.key == key), None)
    title = step.title if step else str(event.payload.get("title", key))
    return Particulars({"title": title, "number": number, "reason": event.payload.get("reason") or event.text})


def _update(event: TimelineEvent, audience: str) -> Particulars:
    update = StatusUpdate.objects.select_related("corrects").filter(pk=event.payload.get("update_id")).first()
    if update is None:
        return Particulars()
    words = str(update.texts.get(audience, ""))
    if update.corrects is None:
        return Particulars({"next_update_at": update.next_update_at}, quote=words)
    corrected = update.corrects.published_at
    return Particulars(
        {"next_update_at": update.next_update_at, "corrects_at": corrected}, quote=correction(words, corrected)
    )


def correction(words: str, corrected_at: datetime) -> str:
    """The words of an update that puts an earlier one right, which it names by its time."""
    said = zoned(corrected_at, Organisation.current().time_zone)
    return f"Correction to the update of {said}: {words}"


def _seat(event: TimelineEvent, audience: str) -> Particulars:
    """The link answers as whoever is invited: `seat_letters.py` puts each person's own into their message."""
    seat = Seat.objects.select_related("user").filter(pk=event.payload.get("seat_id")).first()
    role = Role(seat.role).label if seat else str(event.payload.get("role", ""))
    held = getattr(seat, "guest_pass", None)
    link = _page(seat_letters.PATH_OF_NOBODY)
    values = {
        "role": role.lower(),
        "name": seat.user.display_name if seat else "",
        "access_ends_at": held.expires_at if held else None,
        "instead_of": event.payload.get("instead_of", ""),
    }
    return Particulars(
        values,
        quote=seat.message if seat else str(event.payload.get("message", "")),
        url=link,
        link_label="Answer in one tap",
        choices=(("Accept", f"{link}?answer=accept"), ("Decline", f"{link}?answer=decline")),
    )


def _seat_released(event: TimelineEvent, audience: str) -> Particulars:
    role = str(event.payload.get("role", ""))
    return Particulars({"role": Role(role).label.lower() if role in Role.values else role}, link_label="Open")


def _command(event: TimelineEvent, audience: str) -> Particulars:
    return Particulars(
        {"giver": str(event.payload.get("giver", ""))},
        quote=event.text,
        url=_page(f"/major-incidents/MI-{event.incident_id}/#command-offer"),
        link_label="Read it and confirm",
    )


def _guest_link(event: TimelineEvent, audience: str) -> Particulars:
    ends_at = parse_datetime(str(event.payload.get("expires_at", "")))
    return Particulars(
        {"access_ends_at": ends_at, "is_new": bool(event.payload.get("new_link"))},
        url=_page(f"/major-incidents/MI-{event.incident_id}/"),
        link_label="Come in",
    )


def _bridge(event: TimelineEvent, audience: str) -> Particulars:
    bridge = getattr(event.incident, "bridge", None)
    if bridge is None:
        return Particulars()
    values = {"join_url": bridge.join_url, "dial_in": bridge.dial_in, "provider": bridge.get_provider_display()}
    return Particulars(values, url=bridge.join_url, link_label="Join the bridge")


def _consult(event: TimelineEvent, audience: str) -> Particulars:
    consult = Consult.objects.select_related("step").filter(pk=event.payload.get("consult_id")).first()
    step = STEP_BY_KEY.get(str(event.payload.get("step", "")))
    values = {"title": step.title if step else "", "due_at": consult.due_at if consult else None}
    return Particulars(values, url=_page("/my-work/"), link_label="Answer in one click")


def _approval(event: TimelineEvent, audience: str) -> Particulars:
    approval = Approval.objects.select_related("decided_by").filter(pk=event.payload.get("approval_id")).first()
    if approval is None:
        return Particulars(quote=str(event.payload.get("question", "")))
    values = {
        "options": approval.options,
        "due_at": approval.due_at,
        "cost_of_waiting": approval.cost_of_waiting,
        "state": approval.get_state_display().lower(),
        "chosen": approval.chosen,
        "comment": approval.comment,
        "decided_by": approval.decided_by.display_name if approval.decided_by else "",
    }
    return Particulars(values, quote=approval.question, url=_page("/my-work/"), link_label="Open the question")


def _task(event: TimelineEvent, audience: str) -> Particulars:
    task = Task.objects.filter(pk=event.payload.get("task_id")).first()
    values = {
        "title": task.title if task else str(event.payload.get("title", "")),
        "due_at": task.due_at if task else None,
        "target": task.target if task else "",
        "assignee": str(event.payload.get("assignee") or ""),
    }
    return Particulars(values)


def _entry(event: TimelineEvent, audience: str) -> Particulars:
    """Words of somebody in the record; the link leads to them."""
    url = _page(f"/major-incidents/MI-{event.incident_id}/?entry={event.seq}#e{event.seq}")
    closes = event.payload.get("closes_at")
    values = {
        "closes_at": parse_datetime(str(closes)) if closes else None,
        "rationale": str(event.payload.get("rationale") or ""),
        "decision": str(event.payload.get("decision") or ""),
    }
    return Particulars(values, quote=event.text, url=url, link_label="Open it in the war room")


def _ticket(event: TimelineEvent, audience: str) -> Particulars:
    ticket = event.ticket
    if ticket is None:
        return Particulars()
    values = {"ref": ticket.ref, "title": ticket.title, "priority": ticket.priority, "resolution": ticket.resolution}
    return Particulars(values, url=_page(f"/tickets/{ticket.ref}/"), link_label=f"Open {ticket.ref}")


def _gathered(event: TimelineEvent, audience: str) -> Particulars:
    about = _ticket(event, audience)
    return replace(about, values={**about.values, "service": event.payload.get("service", "")})


def _resolved(event: TimelineEvent, audience: str) -> Particulars:
    """Asks the requester whether it works, while that is the question."""
    about, ticket = _ticket(event, audience), event.ticket
    if ticket is None or ticket.status != TicketStatus.RESOLVED:
        return about
    choices = (
        ("It works", _page(answer_links.address(ticket, works=True))),
        ("Still broken", _page(answer_links.address(ticket, works=False))),
    )
    return replace(about, choices=choices)


def _comment(event: TimelineEvent, audience: str) -> Particulars:
    about = _ticket(event, audience)
    comment = TicketComment.objects.select_related("author").filter(pk=event.payload.get("comment_id")).first()
    return Particulars(
        about.values, quote=comment.text if comment else event.text, url=about.url, link_label=about.link_label
    )


def _promise_of_ticket(event: TimelineEvent, audience: str) -> Particulars:
    about = _ticket(event, audience)
    payload = event.payload
    due = parse_datetime(str(payload["due_at"])) if payload.get("due_at") else None
    values = {"due_at": due, "promise": payload.get("sla", ""), "reason": event.text, "kind": payload.get("kind", "")}
    return Particulars({**about.values, **values}, url=about.url, link_label=about.link_label)


def _candidate(event: TimelineEvent, audience: str) -> Particulars:
    candidate: Candidate | None = event.candidate
    if candidate is None:
        return Particulars()
    values = {
        "ref": candidate.ref,
        "title": candidate.title,
        "service": candidate.service.name if candidate.service else "",
        "source": candidate.get_source_display(),
        "reasons": event.payload.get("reasons") or candidate.reasons,
        "business_impact": candidate.business_impact,
    }
    return Particulars(values, url=_page(f"/candidates/{candidate.ref}/"), link_label="Open the candidate and decide")


def _page_call(event: TimelineEvent, audience: str) -> Particulars:
    """The link answers as whoever is called: `page_links.py` puts each person's own into their message."""
    about = _candidate(event, audience) if event.candidate_id else _incident_page(event)
    return Particulars(
        about.values | {"why": event.payload.get("why", ""), "page": about.url},
        url=_page(page_links.PATH_OF_NOBODY),
        link_label="Acknowledge in one tap",
    )


def _about_page(event: TimelineEvent, audience: str) -> Particulars:
    about = _candidate(event, audience) if event.candidate_id else _incident_page(event)
    return Particulars(about.values | event.payload, url=about.url, link_label="Open it")


def _incident_page(event: TimelineEvent) -> Particulars:
    incident = event.incident
    values = {"ref": incident.ref, "title": incident.title, "is_incident": True} if incident else {}
    return Particulars(values, url=_page(f"/major-incidents/MI-{event.incident_id}/"))


def _on_call_changed(event: TimelineEvent, audience: str) -> Particulars:
    times = {name: parse_datetime(str(event.payload.get(name, ""))) for name in ("starts_at", "ends_at")}
    return Particulars(event.payload | times, url=_page("/on-call/mine/"), link_label="Open my shifts")


def _change(event: TimelineEvent, audience: str) -> Particulars:
    change = event.change
    if change is None:
        return Particulars()
    values = {
        "ref": change.ref,
        "title": change.title,
        "type": change.get_type_display().lower(),
        "risk": change.get_risk_display().lower(),
        "due_at": change.approval_due_at,
        "requester": change.requester.display_name if change.requester else "",
    }
    return Particulars(values, quote=change.plan, url=_page(f"/changes/{change.ref}/"), link_label=f"Open {change.ref}")


def _review_action(event: TimelineEvent, audience: str) -> Particulars:
    due = event.payload.get("due_at")
    values = {
        "title": event.payload.get("title", ""),
        "owner": event.payload.get("owner", ""),
        "due_at": datetime.fromisoformat(str(due)) if due else None,
    }
    ref = event.incident.ref if event.incident else ""
    return Particulars(values, url=_page(f"/major-incidents/{ref}/review/"), link_label="Open the review")


def _review(event: TimelineEvent, audience: str) -> Particulars:
    ref = event.incident.ref if event.incident else ""
    return Particulars(url=_page(f"/major-incidents/{ref}/review/"), link_label="Open the review")


def _problem_came_back(event: TimelineEvent, audience: str) -> Particulars:
    values = {"ref": event.payload.get("problem", ""), "title": event.payload.get("title", ""),
              "count": event.payload.get("count", 0)}  # fmt: skip
    return Particulars(values, url=_page(f"/problems/{values['ref']}/"), link_label=f"Open {values['ref']}")


def _promise(event: TimelineEvent, audience: str) -> Particulars:
    return Particulars(link_label="Publish an update")


def _status_subscription(event: TimelineEvent, audience: str) -> Particulars:
    return Particulars(url=subscribers.confirmation_url(event), link_label="Yes, subscribe")


def _reason(event: TimelineEvent, audience: str) -> Particulars:
    values = {
        "reason": str(event.payload.get("reason") or event.text),
        "from": event.payload.get("from"),
        "to": event.payload.get("to"),
    }
    return Particulars(values)


def _people(event: TimelineEvent, audience: str) -> Particulars:
    return Particulars({"people": event.payload.get("people", [])})


def _webhook(event: TimelineEvent, audience: str) -> Particulars:
    values = {name: event.payload.get(name, "") for name in ("name", "reason")}
    return Particulars(
        values, url=_page(f"/webhooks/{event.payload.get('webhook_id')}/"), link_label="Open the webhook"
    )


BY_MOMENT: dict[str, Callable[[TimelineEvent, str], Particulars]] = {
    "step_done": _step,
    "step_waived": _step,
    "step_reassigned": _step,
    "update": _update,
    "seat_invited": _seat,
    "seat_released": _seat_released,
    "guest_link": _guest_link,
    "command_offered": _command,
    "bridge": _bridge,
    "consult_asked": _consult,
    "approval_asked": _approval,
    "approval_decided": _approval,
    "task_added": _task,
    "task_called_back": _task,
    "mentioned": _entry,
    "decision_round": _entry,
    "decision_objected": _entry,
    "ticket_opened": _ticket,
    "ticket_resolved": _resolved,
    "ticket_linked": _ticket,
    "ticket_gathered": _gathered,
    "ticket_assigned": _ticket,
    "ticket_commented": _comment,
    "ticket_merged": _ticket,
    "ticket_unmerged": _ticket,
    "ticket_escalated": _promise_of_ticket,
    "sla_warned": _promise_of_ticket,
    "candidate": _candidate,
    "page": _page_call,
    "page_late": _about_page,
    "page_unanswered": _about_page,
    "on_call_changed": _on_call_changed,
    "change_approval_asked": _change,
    "change_flagged": _change,
    "review_action_due": _review_action,
    "review_action_overdue": _review_action,
    "review_submitted": _review,
    "problem_came_back": _problem_came_back,
    "promise_overdue": _promise,
    "promise_due_soon": _promise,
    "status_subscription": _status_subscription,
    "webhook_off": _webhook,
    "acknowledgement_missing": _people,
}


def particulars_of(event: TimelineEvent, moment: str, audience: str) -> Particulars:
    return BY_MOMENT.get(moment, _reason)(event, audience)


def _page(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
