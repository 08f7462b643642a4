"""The people an event addresses by name: each word of the policy's `to`, resolved."""

from collections.abc import Callable, Iterable

from django.utils import timezone

from incidents.models import (
    Approval,
    ChangeApproval,
    MajorIncident,
    Seat,
    Task,
    Ticket,
    TimelineEvent,
    UpdatePromise,
    User,
    people_with_role,
)
from incidents.on_call import on_call
from incidents.permissions import step_holders
from incidents.process import AccountRole, Role, SeatState
from notifications.escalation_policy import wanted
from notifications.models import Delivery, DeliveryState, StatusSubscriber

Addressee = User | str
"""A person, or an e-mail address without an account."""


def _person_in_payload(event: TimelineEvent) -> Iterable[Addressee]:
    return _besides_the_actor(event, User.objects.filter(pk=event.payload.get("user_id")).first())


def _new_accountable(event: TimelineEvent) -> Iterable[Addressee]:
    return _besides_the_actor(event, User.objects.filter(email__iexact=event.payload.get("to_email", "")).first())


def _incident_managers(event: TimelineEvent) -> Iterable[Addressee]:
    """On call first, then everybody with the role."""
    first = on_call(AccountRole.MAJOR_INCIDENT_MANAGER, timezone.now())
    return dict.fromkeys([*first, *people_with_role(AccountRole.MAJOR_INCIDENT_MANAGER)])


def _accepted_seats(event: TimelineEvent) -> Iterable[Addressee]:
    seats = Seat.objects.filter(incident=event.incident_id, state=SeatState.ACCEPTED).values("user")
    return User.objects.filter(pk__in=seats)


def _actor_when_bridge_is_set(event: TimelineEvent) -> Iterable[Addressee]:
    """Whoever accepts a seat later gets the invitation too."""
    incident = event.incident
    if incident is None or not hasattr(incident, "bridge"):
        return []
    seat = Seat.objects.select_related("user").filter(pk=event.payload.get("seat_id")).first()
    return [person for person in (seat.user if seat else event.actor,) if person]


def _approver(event: TimelineEvent) -> Iterable[Addressee]:
    return User.objects.filter(pk=event.payload.get("approver_id"))


def _asker_of_approval(event: TimelineEvent) -> Iterable[Addressee]:
    approval = Approval.objects.select_related("asked_by").filter(pk=event.payload.get("approval_id")).first()
    return _besides_the_actor(event, approval.asked_by if approval else None)


def _task_assignee(event: TimelineEvent) -> Iterable[Addressee]:
    task = Task.objects.select_related("assignee").filter(pk=event.payload.get("task_id")).first()
    return _besides_the_actor(event, task.assignee if task else None)


def _task_owner(event: TimelineEvent) -> Iterable[Addressee]:
    """Whose it is; whoever commands, while nobody has taken it."""
    owner = User.objects.filter(pk=event.payload.get("assignee_id")).first()
    return [owner] if owner else _commander(event)


def _commander(event: TimelineEvent) -> Iterable[Addressee]:
    seats = Seat.objects.filter(
        incident=event.incident_id, role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED
    ).values("user")
    return User.objects.filter(pk__in=seats)


def _people_mentioned(event: TimelineEvent) -> Iterable[Addressee]:
    named = [one["id"] for one in event.payload.get("mentions", [])]
    return User.objects.filter(pk__in=named).exclude(pk=event.actor_id or 0) if named else []


def _asked_about_decision(event: TimelineEvent) -> Iterable[Addressee]:
    """The team, when strong objections are asked for; and whoever is mentioned."""
    asked = _accepted_seats(event) if event.payload.get("closes_at") else []
    return [person for person in dict.fromkeys([*asked, *_people_mentioned(event)]) if person != event.actor]


def _requester(event: TimelineEvent) -> Iterable[Addressee]:
    ticket = event.ticket
    if ticket is None or ticket.channel == "monitoring":
        return []
    if event.kind == "ticket_opened" and event.payload.get("no_answer"):
        return []  # a program sent it, or too many came
    address = (ticket.requester.email if ticket.requester else ticket.requester_email).lower()
    if event.payload.get("sender") == address:
        return []  # their own words, by mail
    if ticket.requester_id is None:
        return [address] if address else []
    if event.kind == "ticket_opened":
        return [ticket.requester] if ticket.requester else []
    return _besides_the_actor(event, ticket.requester)


def _requester_not_told_yet(event: TimelineEvent) -> Iterable[Addressee]:
    """The current status at once, unless this person has heard of the incident before."""
    if event.incident_id is None or event.ticket is None:
        return []
    ticket: Ticket = event.ticket
    address = ticket.requester.email if ticket.requester else ticket.requester_email
    told = Delivery.objects.filter(
        incident=event.incident_id, address=address.lower(), moment__in=("declared", "ticket_linked")
    )
    return [] if told.exists() else _requester(event)


def _requester_not_told_of_candidate(event: TimelineEvent) -> Iterable[Addressee]:
    """That it is being looked at, once for each person however often they report it."""
    if event.ticket is None:
        return []
    ticket: Ticket = event.ticket
    address = ticket.requester.email if ticket.requester else ticket.requester_email
    told = Delivery.objects.filter(
        event__ticket__candidate=ticket.candidate_id, address=address.lower(), moment="ticket_gathered"
    )
    return [] if told.exists() else _requester(event)


def _ticket_assignee(event: TimelineEvent) -> Iterable[Addressee]:
    return _besides_the_actor(event, event.ticket.assignee if event.ticket else None)


def _requester_of_duplicate(event: TimelineEvent) -> Iterable[Addressee]:
    """Of the two events of a merge the one on the duplicate; nobody when both were reported by the same person."""
    other = event.payload.get("into") or event.payload.get("out_of")
    if event.ticket is None or not other:
        return []
    survivor = Ticket.objects.get(pk=int(str(other).removeprefix("INC-")))
    same = event.ticket.requester_id and event.ticket.requester_id == survivor.requester_id
    return [] if same else _requester(event)


def _person_escalated_to(event: TimelineEvent) -> Iterable[Addressee]:
    """Who is to deal with it now: the person named, else the lead of the team named."""
    person = User.objects.filter(pk=event.payload.get("to_user_id")).first()
    lead = User.objects.filter(teams_led__name=event.payload.get("to_team")).first() if person is None else None
    return _besides_the_actor(event, person or lead)


def _people_on_the_ticket(event: TimelineEvent) -> Iterable[Addressee]:
    """Who has it, else who leads the team that has it, else the service desk managers on duty."""
    ticket = event.ticket
    if ticket is None:
        return []
    holder = ticket.assignee or (ticket.team.lead if ticket.team else None)
    if holder is not None and holder.is_active:
        return [holder]
    on_duty = on_call(AccountRole.SERVICE_DESK_MANAGER, timezone.now())
    return on_duty or list(people_with_role(AccountRole.SERVICE_DESK_MANAGER))


def _change_approvers(event: TimelineEvent) -> Iterable[Addressee]:
    waiting = ChangeApproval.objects.filter(change=event.change_id, vote=ChangeApproval.Vote.PENDING).values("approver")
    return User.objects.filter(pk__in=waiting)


def _above_the_owner(event: TimelineEvent) -> Iterable[Addressee]:
    """The owner of what is late, the line manager, and the service desk managers."""
    owner = User.objects.select_related("line_manager").filter(pk=event.payload.get("user_id")).first()
    line = [person for person in (owner, owner.line_manager if owner else None) if person and person.is_active]
    return dict.fromkeys([*line, *people_with_role(AccountRole.SERVICE_DESK_MANAGER)])


def _signers_of_the_review(event: TimelineEvent) -> Iterable[Addressee]:
    if event.incident is None:
        return []
    held = step_holders(event.incident)["review"]
    people = dict.fromkeys([*held.accountable_people, *held.responsible_people])
    return [person for person in people if person.pk != event.actor_id]


def _change_managers(event: TimelineEvent) -> Iterable[Addressee]:
    owner = [event.change.owner] if event.change and event.change.owner else []
    return dict.fromkeys([*owner, *people_with_role(AccountRole.CHANGE_MANAGER)])


def _told_before(event: TimelineEvent) -> Iterable[Addressee]:
    """Everybody who heard, or is about to hear, of the incident."""
    told = Delivery.objects.filter(incident=event.incident_id).exclude(
        state__in=(DeliveryState.FAILED, DeliveryState.SUPPRESSED)
    )
    people = User.objects.filter(pk__in=told.filter(recipient__isnull=False).values("recipient"))
    strangers = told.filter(recipient__isnull=True).values_list("address", flat=True).distinct()
    return [*people, *strangers]


def promise_owners(incident: MajorIncident) -> list[User]:
    """Who made the open or last promise, and the seated manager."""
    promise = UpdatePromise.objects.select_related("made_by").filter(incident=incident).order_by("-id").first()
    seats = Seat.objects.select_related("user").filter(
        incident=incident, role=Role.MAJOR_INCIDENT_MANAGER, state=SeatState.ACCEPTED
    )
    maker = [promise.made_by] if promise and promise.made_by else []
    return list(dict.fromkeys([*maker, *(seat.user for seat in seats)]))


def _promise_owner(event: TimelineEvent) -> Iterable[Addressee]:
    return promise_owners(event.incident) if event.incident else []


def _service_desk_managers(event: TimelineEvent) -> Iterable[Addressee]:
    """Those on duty; all of them when nobody is."""
    return on_call(AccountRole.SERVICE_DESK_MANAGER, timezone.now()) or list(
        people_with_role(AccountRole.SERVICE_DESK_MANAGER)
    )


def _told_of_silence(event: TimelineEvent) -> Iterable[Addressee]:
    """Whom the plan names when somebody did not acknowledge; the service desk managers when that means nobody."""
    named = wanted(event.payload.get("escalate_to", []), at=timezone.now(), but=frozenset())
    return [one.person for one in named] or _service_desk_managers(event)


def _promise_owner_and_service_desk_managers(event: TimelineEvent) -> Iterable[Addressee]:
    return dict.fromkeys([*_promise_owner(event), *_service_desk_managers(event)])


def _people_paged(event: TimelineEvent) -> Iterable[Addressee]:
    return User.objects.filter(pk__in=event.payload.get("user_ids", []))


def _administrators(event: TimelineEvent) -> Iterable[Addressee]:
    return people_with_role(AccountRole.ADMINISTRATOR)


def _managers_and_administrators(event: TimelineEvent) -> Iterable[Addressee]:
    return people_with_role(
        AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER, AccountRole.ADMINISTRATOR
    )


def _people_on_call_changed(event: TimelineEvent) -> Iterable[Addressee]:
    return User.objects.filter(pk__in=event.payload.get("told", []))


def _besides_the_actor(event: TimelineEvent, person: User | None) -> list[Addressee]:
    return [person] if person is not None and person.pk != event.actor_id else []


def _status_subscriber(event: TimelineEvent) -> Iterable[Addressee]:
    return StatusSubscriber.objects.filter(pk=event.payload.get("subscriber_id")).values_list("email", flat=True)


ADDRESSEES: dict[str, Callable[[TimelineEvent], Iterable[Addressee]]] = {
    "person_in_payload": _person_in_payload,
    "new_accountable": _new_accountable,
    "incident_managers": _incident_managers,
    "accepted_seats": _accepted_seats,
    "actor_when_bridge_is_set": _actor_when_bridge_is_set,
    "approver": _approver,
    "asker_of_approval": _asker_of_approval,
    "task_assignee": _task_assignee,
    "task_owner": _task_owner,
    "commander": _commander,
    "people_mentioned": _people_mentioned,
    "asked_about_decision": _asked_about_decision,
    "requester": _requester,
    "requester_not_told_yet": _requester_not_told_yet,
    "requester_not_told_of_candidate": _requester_not_told_of_candidate,
    "ticket_assignee": _ticket_assignee,
    "requester_of_duplicate": _requester_of_duplicate,
    "person_escalated_to": _person_escalated_to,
    "people_on_the_ticket": _people_on_the_ticket,
    "change_approvers": _change_approvers,
    "change_managers": _change_managers,
    "above_the_owner": _above_the_owner,
    "signers_of_the_review": _signers_of_the_review,
    "status_subscriber": _status_subscriber,
    "told_before": _told_before,
    "people_paged": _people_paged,
    "administrators": _administrators,
    "managers_and_administrators": _managers_and_administrators,
    "people_on_call_changed": _people_on_call_changed,
    "promise_owner": _promise_owner,
    "service_desk_managers": _service_desk_managers,
    "told_of_silence": _told_of_silence,
    "promise_owner_and_service_desk_managers": _promise_owner_and_service_desk_managers,
}


def addressees(word: str, event: TimelineEvent) -> list[Addressee]:
    """People and addresses the word means for this event, each once; empty for no word."""
    return list(dict.fromkeys(ADDRESSEES[word](event))) if word else []
