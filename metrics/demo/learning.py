"""What followed the past incidents: problems, changes, reviews and documents. And a few that are still open."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model
from django.utils.dateformat import format as date_words

from incidents import markup
from incidents.models import (
    Change,
    ChangeApproval,
    ChangeLink,
    Document,
    MaintenanceWindow,
    Problem,
    Review,
    ReviewAction,
    TimelineEvent,
)
from incidents.process import EventKind, group_of
from metrics.demo.organisation import SERVICES
from metrics.demo.past_incidents import Past, create_all
from metrics.demo.people import Cast

TEAM_OF = {entry.key: entry.team for entry in SERVICES}


def load(cast: Cast, pasts: list[Past], dice: random.Random) -> None:
    """Most incidents have a problem, all have a fix, the closed ones a review and a document."""
    with_problem = [past for number, past in enumerate(pasts) if number % 6 != 4]
    problems = Problem.objects.bulk_create([_problem(cast, past, dice) for past in with_problem])
    Problem.major_incidents.through.objects.bulk_create(
        Problem.major_incidents.through(problem=problem, majorincident=past.incident)
        for problem, past in zip(problems, with_problem, strict=True)
    )
    for problem, past in zip(problems, with_problem, strict=True):
        past.tell(problem.created_at, EventKind.PROBLEM_LINKED, past.manager, problem=problem.ref, title=problem.title)
    fixes = Change.objects.bulk_create([_fix(cast, past) for past in pasts])
    Change.services.through.objects.bulk_create(
        Change.services.through(change=change, service=past.services[0])
        for change, past in zip(fixes, pasts, strict=True)
    )
    rows: list[Model] = []
    for change, past in zip(fixes, pasts, strict=True):
        rows += _approved(cast, change, past)
        past.tell(past.moment("restored_at"), EventKind.CHANGE_STATUS_CHANGED, change.implementer, change=change.ref,
                  **{"from": "implementing", "to": "implemented"})  # fmt: skip
    create_all(rows)
    _reviews(cast, pasts)
    _documents(cast, pasts)
    _record(problems, fixes)


def _problem(cast: Cast, past: Past, dice: random.Random) -> Problem:
    opened = past.moment("declared_at") + timedelta(minutes=5)
    resolved = past.moment("resolved_at") + timedelta(days=dice.randrange(4, 25))
    outage = past.outage
    is_over = resolved < cast.at
    return Problem(
        title=f"Cause of “{outage.title}”",
        description=outage.conditions,
        status=("closed" if resolved + timedelta(days=90) < cast.at else "resolved") if is_over else "known_error",
        owner=cast.people["problem"],
        cause_category=outage.category,
        root_cause=outage.cause,
        contributing_factors="It was noticed by customers before the monitoring noticed it.",
        five_whys=[
            f"{outage.conditions[:-1]}. Why? {outage.cause}",
            "Why was that possible? Nothing checked it beforehand.",
            f"What prevents it from now on? {outage.lesson}",
        ],
        workaround=f"{outage.fix}.",
        created_by=past.manager,
        created_at=opened,
        resolved_at=resolved if is_over else None,
        closed_at=resolved + timedelta(days=90) if is_over and resolved + timedelta(days=90) < cast.at else None,
        recurrence_check_at=resolved + timedelta(days=90) if is_over else None,
    )


def _fix(cast: Cast, past: Past) -> Change:
    done = past.moment("restored_at")
    closes = done + timedelta(days=1)
    return Change(
        title=past.outage.fix,
        description=past.outage.cause,
        type="emergency",
        status="closed" if closes < cast.at else "implemented",
        approval_state="approved",
        plan=f"{past.outage.fix}. Watch {past.services[0].name} for half an hour.",
        backout_plan="Put the former state back; the steps are in the runbook of the service.",
        test_plan="One complete run through the service by the service desk.",
        risk="medium",
        owner=cast.people["change"],
        requester=past.manager,
        implementer=past.engineers[0],
        started_at=done - timedelta(minutes=6),
        implemented_at=done,
        closed_at=closes if closes < cast.at else None,
        created_at=done - timedelta(minutes=9),
    )


def _approved(cast: Cast, change: Change, past: Past) -> list[Model]:
    done = change.implemented_at
    assert done is not None
    return [
        ChangeLink(change=change, incident=past.incident, relation="fix", linked_by=past.manager,
                   linked_at=change.created_at),
        ChangeApproval(change=change, approver=cast.people["change"], vote="approve",
                       comment="The right thing to do.", asked_at=change.created_at,
                       voted_at=done + timedelta(minutes=40)),
    ]  # fmt: skip


def _reviews(cast: Cast, pasts: list[Past]) -> None:
    rows = []
    for past in pasts:
        resolved, closed = past.moment("resolved_at"), past.clocks["closed_at"]
        completed = closed - timedelta(hours=5) if closed else None
        rows.append(
            Review(
                incident=past.incident, state="completed" if completed else "draft", opened_at=resolved,
                cause=past.outage.cause if completed else "",
                findings=f"{past.outage.lesson}\n\nThe first minutes went into finding out who knows the service."
                if completed else "",
                went_well="The bridge was open within three minutes, updates kept their promise." if completed else "",
                completed_at=completed, completed_by=past.engineers[0] if completed else None,
            )
        )  # fmt: skip
        if completed:
            past.tell(completed, EventKind.REVIEW_COMPLETED, past.engineers[0])
    reviews = Review.objects.bulk_create(rows)
    ReviewAction.objects.bulk_create(
        ReviewAction(
            review=review, title=past.outage.lesson, owner=past.engineers[0],
            due_at=review.opened_at + timedelta(days=30),
            done_at=review.opened_at + timedelta(days=21) if review.opened_at + timedelta(days=30) < cast.at else None,
        )
        for review, past in zip(reviews, pasts, strict=True)
        if review.state == "completed"
    )  # fmt: skip


def _documents(cast: Cast, pasts: list[Past]) -> None:
    rows = []
    for past in pasts:
        closed = past.clocks["closed_at"]
        text = _document_text(cast, past)
        published = closed - timedelta(hours=2) if closed else None
        rows.append(
            Document(
                incident=past.incident, title=f"{past.incident.ref}: {past.outage.title}", markdown=text,
                html=markup.render(text), generated_at=past.moment("resolved_at"), published_at=published,
                published_by=past.manager if published else None,
            )
        )  # fmt: skip
        if published:
            past.tell(published, EventKind.DOCUMENT_PUBLISHED, past.manager, title=past.outage.title)
    Document.objects.bulk_create(rows)


def _document_text(cast: Cast, past: Past) -> str:
    def clock(name: str) -> str:
        return date_words(past.moment(name).astimezone(cast.zone), "j M Y H:i")

    outage = past.outage
    affected = ", ".join(service.name for service in past.services)
    return f"""## What happened
{outage.conditions} Affected: {affected}; about {past.users_affected:,} people.

## When
- {clock("started_at")} the impact began
- {clock("detected_at")} first signal
- {clock("declared_at")} declared as {outage.severity}
- {clock("contained_at")} contained
- {clock("restored_at")} service back
- {clock("resolved_at")} fix confirmed

## Why
{outage.cause}

## What we did
{outage.fix}.

## What we learned
{outage.lesson}
"""


def _record(problems: list[Problem], changes: list[Change]) -> None:
    """The timelines of problems and changes: opened, and where they stand."""
    rows = []

    def add(at: datetime | None, kind: EventKind, **fields: Any) -> None:
        if at is not None:
            rows.append(TimelineEvent(kind=kind, group=group_of(kind), at=at, recorded_at=at, **fields))

    for problem in problems:
        add(problem.created_at, EventKind.PROBLEM_OPENED, problem=problem, actor=problem.created_by,
            payload={"title": problem.title})  # fmt: skip
        add(problem.resolved_at, EventKind.PROBLEM_STATUS_CHANGED, problem=problem, actor=problem.owner,
            payload={"from": "known_error", "to": "resolved"})  # fmt: skip
    for change in changes:
        add(change.created_at, EventKind.CHANGE_OPENED, change=change, actor=change.requester,
            payload={"title": change.title, "type": change.type})  # fmt: skip
        add(change.implemented_at, EventKind.CHANGE_STATUS_CHANGED, change=change, actor=change.implementer,
            payload={"from": "implementing", "to": "implemented"})  # fmt: skip
        add(change.closed_at, EventKind.CHANGE_STATUS_CHANGED, change=change, actor=change.owner,
            payload={"from": "implemented", "to": "closed"})  # fmt: skip
    TimelineEvent.objects.bulk_create(rows)


def load_open(cast: Cast) -> None:
    """Work that is under way today: two problems, three changes, a planned maintenance."""
    people, at = cast.people, cast.at
    problems = Problem.objects.bulk_create(
        [
            Problem(
                title="Basket is emptied when a guest signs in", status="investigating", owner=people["problem"],
                description="Reported every few days; the items of the guest basket are lost.",
                cause_category="software", created_by=people["jonas"], created_at=at - timedelta(days=9),
                five_whys=["Guest basket and account basket are merged by two services at once. Why?"],
                workaround="Merge the baskets by hand in the order tool.",
            ),
            Problem(
                title="Scanners in hall B lose the network in the late shift", status="open", owner=people["problem"],
                description="Five tickets in three weeks, always between 20 and 22 o’clock.",
                cause_category="network", created_by=people["technician"], created_at=at - timedelta(days=3),
            ),
        ]
    )  # fmt: skip
    shared = {"owner": people["change"], "backout_plan": "Put the former version back.",
              "test_plan": "Orders with every payment method on the test system."}  # fmt: skip
    changes = Change.objects.bulk_create(
        [
            Change(
                title="Payment provider library 5 to 6", type="normal", status="awaiting_approval",
                approval_state="pending", plan="Deploy to one node, watch for an hour, then all.", risk="high",
                requester=people["priya"], window_start=at + timedelta(days=4),
                window_end=at + timedelta(days=4, hours=2), created_at=at - timedelta(days=1), **shared,
            ),
            Change(
                title="More memory for the search nodes", type="standard", status="approved",
                approval_state="approved", plan="One node after the other.", risk="low", requester=people["aiko"],
                window_start=at + timedelta(days=2), window_end=at + timedelta(days=2, hours=3),
                created_at=at - timedelta(days=2), **shared,
            ),
            Change(
                title="Checkout release 2263: new delivery choice", type="normal", status="implemented",
                approval_state="approved", plan="Rolling deployment.", risk="medium", requester=people["oliver"],
                implementer=people["oliver"], started_at=at - timedelta(hours=3),
                implemented_at=at - timedelta(hours=2, minutes=20), created_at=at - timedelta(days=5), **shared,
            ),
        ]
    )  # fmt: skip
    Change.services.through.objects.bulk_create(
        Change.services.through(change=change, service=cast.services[key])
        for change, key in zip(changes, ("payments", "search", "checkout"), strict=True)
    )
    ChangeApproval.objects.bulk_create(
        ChangeApproval(change=changes[0], approver=people[key], asked_at=at - timedelta(days=1))
        for key in ("change", "management")
    )
    window = MaintenanceWindow.objects.create(
        title="Database minor version", starts_at=at + timedelta(days=6), ends_at=at + timedelta(days=6, hours=1),
        created_by=people["change"],
    )  # fmt: skip
    window.services.add(cast.services["database"])
    _record(problems, changes)
