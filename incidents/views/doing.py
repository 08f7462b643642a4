"""How an act of the war room is described, and those acts that take more than one call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.forms import BaseForm
from django.shortcuts import get_object_or_404

from incidents.actions import changes, downtime, major_incidents, problems, response, steps, updates
from incidents.forms import room as forms
from incidents.models import Approval, Consult, DowntimeInterval, TimelineEvent, User
from incidents.process import CLOCKS
from incidents.queries.war_room import Room


@dataclass(frozen=True)
class Doing:
    """One request to act: who, when, on what, with which input."""

    room: Room
    target: str
    given: dict[str, Any]
    actor: User
    at: datetime
    asked: dict[str, Any] = field(default_factory=dict)
    """What the address of the dialog fills in."""

    @property
    def by(self) -> dict[str, Any]:
        return {"actor": self.actor, "at": self.at}

    @property
    def when(self) -> dict[str, Any]:
        """As `by`, at the moment that was typed when there is one."""
        return {"actor": self.actor, "at": self.given.get("at") or self.at}

    @property
    def pk(self) -> int:
        return self.room.incident.pk

    def mine(self, model: Any, **path: Any) -> Any:
        """The target record when it belongs to this incident, 404 otherwise."""
        number = self.target if self.target.isdigit() and len(self.target) < 16 else "0"
        return get_object_or_404(model, pk=number, **(path or {"incident": self.room.incident}))


@dataclass(frozen=True)
class Act:
    """`needs` says who is shown the dialog: command, contribute, the key of a step, "A" (of the target step), or
    nobody in particular. The action itself decides in the end."""

    title: str
    run: Callable[[Doing], Any]
    said: str
    submit: str
    form: type[forms.RoomForm] = forms.NothingForm
    needs: str = ""
    text: str = ""
    danger: bool = False
    fragment: str = "incidents/acts/dialog.html"
    initial: Callable[[Doing], dict[str, Any]] = lambda doing: {}
    shape: Callable[[Doing, BaseForm], None] = lambda doing, form: None


def move(name: str) -> Callable[[Doing], Any]:
    return lambda d: getattr(major_incidents, name)(d.pk, **d.when)


def move_with_reason(name: str) -> Callable[[Doing], Any]:
    return lambda d: getattr(major_incidents, name)(d.pk, reason=d.given["reason"], **d.when)


def set_situation(d: Doing) -> Any:
    seen = d.given["seen_at"]
    texts = {name: d.given[name] for name in ("conditions", "actions_summary", "needs")}
    return response.set_situation(d.pk, **texts, seen_at=datetime.fromisoformat(seen) if seen else None, **d.by)


def situation_now(d: Doing) -> dict[str, Any]:
    incident = d.room.incident
    seen = incident.situation_changed_at
    return {
        "conditions": incident.conditions,
        "actions_summary": incident.actions_summary,
        "needs": incident.needs,
        "seen_at": seen.isoformat() if seen else "",
    }


def open_war_room(d: Doing) -> None:
    response.open_war_room(d.pk, location=d.given["location"], url=d.given["url"], **d.by)
    if d.given["enter"]:
        response.enter_war_room(d.pk, **d.by)


def link_problem(d: Doing) -> Any:
    if known := d.given["existing"]:
        return problems.link_incident(known.pk, incident_id=d.pk, **d.by)
    return problems.open_problem(
        title=d.given["title"], description=d.given["description"], owner=d.given["owner"],
        major_incident=d.room.incident, **d.by,
    )  # fmt: skip


def link_change(d: Doing) -> Any:
    if known := d.given["existing"]:
        return changes.link(known.pk, incident_id=d.pk, relation=d.given["relation"], **d.by)
    names = ("title", "type", "risk", "plan", "backout_plan", "approvers", "relation")
    services = [row["service"] for row in d.room.service_rows if row["service"]]
    fields = {name: d.given[name] for name in names}
    return changes.open_change(**fields, services=services, major_incident=d.room.incident, **d.by)


def restore(d: Doing) -> Any:
    services = d.given.get("services")
    return downtime.restore(d.pk, services=list(services) if services else None, **d.when)


def answer(d: Doing, text: str, agrees: bool | None) -> Any:
    consult = d.mine(Consult, step__incident=d.room.incident)
    return steps.answer_consult(consult.pk, text=text, agrees=agrees, **d.by)


def answer_in_words(d: Doing) -> Any:
    return answer(d, d.given["text"], {"object": False, "agree": True}.get(d.given["verdict"]))


def decide(approve: bool) -> Callable[[Doing], Any]:
    return lambda d: updates.decide_approval(
        d.mine(Approval).pk,
        approve=approve,
        chosen=d.given.get("chosen", ""),
        comment=d.given.get("comment", ""),
        **d.by,
    )


def offer_options(d: Doing, form: BaseForm) -> None:
    form.fields["chosen"].choices = [(option, option) for option in d.mine(Approval).options]  # type: ignore[attr-defined]


def clock_now(d: Doing) -> dict[str, Any]:
    return {"value": getattr(d.room.incident, d.target, None)} if d.target in CLOCKS else {}


def interval_now(d: Doing) -> dict[str, Any]:
    interval = d.mine(DowntimeInterval)
    return {"started_at": interval.started_at, "ended_at": interval.ended_at}


def correct_downtime(d: Doing) -> Any:
    """Only what was changed: the form shows minutes, and must not cut off the seconds of the other end."""
    interval = d.mine(DowntimeInterval)
    return downtime.correct(interval.pk, changes=d.given["changed"], **d.by)


def reword_now(d: Doing) -> dict[str, Any]:
    event = d.mine(TimelineEvent)
    newest = event.edits.last()
    return {"text": newest.text if newest else event.text}
