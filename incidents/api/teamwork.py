"""Steps, consults and seats of one major incident."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import permissions
from incidents.actions import seats, steps
from incidents.actions.guests import LONGEST_HOURS
from incidents.api.endpoint import Collection, Detail, Making, ShortList, Verb, or_404
from incidents.api.fields import Moment, Person, Text, email_of
from incidents.api.incident_shapes import SeatOut, StepOut
from incidents.api.major_incidents import OnIncident
from incidents.api.shapes import MomentIn, ReasonIn, Shape
from incidents.errors import Invalid
from incidents.models import Consult, IncidentStep, MajorIncident, Seat
from incidents.process import STEP_BY_KEY, STEP_CHOICES, Role, SeatState


# --- Steps ---------------------------------------------------------------------------------------------
def shown_steps(incident_id: int) -> list[dict[str, Any]]:
    """The ten steps with who holds which letter now, in a constant number of queries."""
    incident = (
        MajorIncident.objects.select_related("matrix")
        .prefetch_related("seats__user", "steps__accountable_seat__user", "steps__done_by", "steps__waived_by")
        .get(pk=incident_id)
    )
    holders = permissions.step_holders(incident)
    return [_shown_step(step, holders[step.key]) for step in incident.steps.all()]


def _shown_step(step: IncidentStep, held: permissions.StepHolders) -> dict[str, Any]:
    def people(letter: list[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        return [{"role": role, "people": [person.email for person in found]} for role, found in letter]

    return {
        "key": step.key,
        "stage": step.stage,
        "title": step.title,
        "state": step.state,
        "evidence": step.evidence,
        "missing": step.missing,
        "responsible": people(held.responsible),
        "accountable": people(held.accountable),
        "consulted": people(held.consulted),
        "informed": people(held.informed),
        "fallback": held.fallback,
        "opened_at": step.opened_at,
        "done_at": step.done_at,
        "done_by": step.done_by.email if step.done_by else None,
        "by_fallback": step.by_fallback,
        "waived_by": step.waived_by.email if step.waived_by else None,
        "waiver_reason": step.waiver_reason,
    }


class StepList(OnIncident, ShortList):
    """The ten steps: what proves each, what is missing, who holds R, A, C and I now."""

    Out = StepOut

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.whole(shown_steps(self.incident().pk))


class OnStep(OnIncident):
    Out: Any = StepOut

    def find(self) -> dict[str, Any]:
        incident = self.incident()
        if self.kwargs["key"] not in STEP_BY_KEY:
            raise Http404
        return next(step for step in shown_steps(incident.pk) if step["key"] == self.kwargs["key"])


class StepDetail(OnStep, Detail):
    """One step."""


class WaiveStep(OnStep, Verb):
    """The A of the step passes it over, with a reason that shows on the incident and in the review."""

    In = ReasonIn

    def act(self, record: Any, **given: Any) -> None:
        steps.waive(self.kwargs["ref"], record["key"], actor=self.actor, **given)


class ReassignIn(MomentIn):
    seat = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    user = Person(required=False, help_text="Instead of `seat`: somebody with an accepted seat.")


class ReassignStep(OnStep, Verb):
    """The A of the step hands its signature to another accepted seat."""

    In = ReassignIn

    def act(self, record: Any, **given: Any) -> None:
        seat, person = given.pop("seat", None), given.pop("user", None)
        if seat is None and person is not None:
            held = Seat.objects.filter(incident=self.kwargs["ref"], user=person, state=SeatState.ACCEPTED)
            seat = held.values_list("pk", flat=True).first()
        if seat is None:
            raise Invalid(seat="Name an accepted seat of this incident, by `seat` or `user`.")
        steps.reassign(self.kwargs["ref"], record["key"], seat_id=seat, actor=self.actor, **given)


# --- Consults -------------------------------------------------------------------------------------------
class ConsultOut(Shape):
    id = serializers.IntegerField()
    step = serializers.ChoiceField(STEP_CHOICES, source="step.key")
    user = email_of("user")
    role = serializers.ChoiceField(Role.choices)
    asked_at = Moment()
    due_at = Moment()
    answered_at = Moment(allow_null=True)
    unanswered_at = Moment(allow_null=True, help_text="When its limit passed without an answer.")
    agrees = serializers.BooleanField(allow_null=True)
    text = serializers.CharField()


class ConsultList(OnIncident, Collection):
    """Who was asked for an opinion when a step opened, and what they said."""

    Out = ConsultOut
    default_ordering = "id"
    orderings = {"id": "id", "due_at": "due_at"}
    queryset = Consult.objects.none()

    def rows(self) -> QuerySet:
        return Consult.objects.filter(step__incident=self.incident()).select_related("step", "user")


class ConsultAnswerIn(MomentIn):
    agrees = serializers.BooleanField(required=False, allow_null=True, default=None)
    text = Text(required=False, allow_blank=True, default="")


class AnswerConsult(OnIncident, Verb):
    """One click or a text; it lands in the timeline. A late answer is still taken."""

    In, Out = ConsultAnswerIn, ConsultOut

    def find(self) -> Consult:
        rows = Consult.objects.filter(step__incident=self.incident()).select_related("step", "user")
        return or_404(rows, pk=self.kwargs["id"])

    def act(self, record: Consult, **given: Any) -> None:
        steps.answer_consult(record.pk, actor=self.actor, **given)


# --- Seats ----------------------------------------------------------------------------------------------
class SeatIn(MomentIn):
    role = serializers.ChoiceField(Role.choices)
    user = Person(required=False)
    guest_email = serializers.EmailField(required=False, max_length=254, help_text="Somebody without an account.")
    message = Text(required=False, allow_blank=True)
    access_hours = serializers.IntegerField(
        min_value=1, max_value=LONGEST_HOURS, required=False, help_text="A guest’s link ends after so many; 14 days."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("user") and not given.get("guest_email"):
            raise serializers.ValidationError({"user": ["Name a person by e-mail, or a guest by `guest_email`."]})
        return given


def seat_rows(incident: MajorIncident) -> QuerySet:
    return incident.seats.select_related("user", "invited_by", "guest_pass")


class SeatList(OnIncident, Collection, Making):
    """Who holds which role on this incident; `POST` invites (inviting oneself is accepting)."""

    In, Out = SeatIn, SeatOut
    default_ordering = "id"
    queryset = Seat.objects.none()

    def rows(self) -> QuerySet:
        return seat_rows(self.incident())

    def make(self, **given: Any) -> Seat:
        at = given.pop("at", None) or self.now
        return seats.invite(self.incident().pk, actor=self.actor, at=at, **given)


class OnSeat(OnIncident):
    Out: Any = SeatOut
    queryset: Any = Seat.objects.none()

    def find(self) -> Seat:
        return or_404(seat_rows(self.incident()), pk=self.kwargs["id"])


class SeatDetail(OnSeat, Detail):
    """One seat."""


class AcceptSeat(OnSeat, Verb):
    """The invited person takes the seat; from now on it counts."""

    In = MomentIn

    def act(self, record: Seat, **given: Any) -> None:
        seats.accept(record.pk, actor=self.actor, **given)


class DeclineIn(MomentIn):
    reason = Text(required=False, allow_blank=True)


class DeclineSeat(OnSeat, Verb):
    """The invited person says no."""

    In = DeclineIn

    def act(self, record: Seat, **given: Any) -> Seat:
        """The seat as it ended: with it, its holder may have lost sight of the incident."""
        return seats.decline(record.pk, actor=self.actor, **given)


class ReleaseSeat(OnSeat, Verb):
    """Ends a seat, or withdraws an invitation."""

    In = MomentIn

    def act(self, record: Seat, **given: Any) -> Seat:
        """The seat as it ended: with it, its holder may have lost sight of the incident."""
        return seats.release(record.pk, actor=self.actor, **given)
