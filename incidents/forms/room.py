"""What people type in the war room: one small form per act. `room` is the incident as this person sees it."""

from collections.abc import Sequence
from typing import Any

from django import forms

from incidents.errors import ProcessError
from incidents.forms.fields import Moment, PeopleChoice
from incidents.markup import MAX_CHARACTERS
from incidents.models import (
    Affects,
    Change,
    ChangeLink,
    ChangeType,
    MajorIncident,
    Problem,
    ProblemStatus,
    Risk,
    Service,
    User,
    people_with_role,
)
from incidents.permissions import visible_changes, visible_incidents, visible_problems, visible_tickets
from incidents.priority import Level, Severity
from incidents.process import OPEN_STAGES, AccountRole, Role
from incidents.queries.war_room import Room

GUEST_ACCESS = [(4, "4 hours"), (12, "12 hours"), (24, "1 day"), (72, "3 days"), (14 * 24, "14 days")]


class RoomForm(forms.Form):
    """`rows` names the fields that stand side by side; the others follow one by one."""

    rows: Sequence[Sequence[str]] = ()

    def __init__(self, *args: Any, room: Room, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "form_%s")
        super().__init__(*args, **kwargs)
        self.room = room
        self.prepare()

    def prepare(self) -> None:
        """Choices that depend on the incident."""

    def refused(self, refusal: ProcessError) -> None:
        """What the form shows besides, once the process refused."""

    def in_rows(self) -> list[list[forms.BoundField]]:
        found = [[self[name] for name in row if name in self.fields] for row in self.rows]
        named = {name for row in self.rows for name in row}
        return [row for row in found if row] + [[bound] for bound in self.visible_fields() if bound.name not in named]


def moment(label: str, **kwargs: Any) -> Moment:
    """A date and time as the reader's clock shows it; aware afterwards."""
    return Moment(label=label, **kwargs)


def when(label: str = "When") -> Moment:
    return moment(label, required=False, help_text="Empty means now.")


def long_text(label: str, *, rows: int = 3, **kwargs: Any) -> forms.CharField:
    kwargs.setdefault("max_length", MAX_CHARACTERS)
    return forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class Person(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.display_name} ({obj.job_title or obj.email})"


class NothingForm(RoomForm):
    """Only a yes."""


class WhenForm(RoomForm):
    at = when()


class ReasonForm(RoomForm):
    reason = long_text("Why", help_text="It is kept in the record.")


class TextForm(RoomForm):
    text = long_text("Text")


class ChangingForm(RoomForm):
    """Two people may have it open: only what this one changed is sent on, and what somebody else changed meanwhile is
    shown at its field. Saved again, it replaces that knowingly."""

    watched: Sequence[str] = ()
    """Names of the fields; `initial` holds what is there now."""

    def prepare(self) -> None:
        for name in self.watched:
            self.fields[name].show_hidden_initial = True

    def seen_fields(self) -> list[str]:
        """What each field held when the form was shown, as hidden inputs."""
        return [self[name].as_hidden(only_initial=True) for name in self.watched if name in self.fields]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in self.watched:
            bound = self[name]
            if name not in self.changed_data or bound.html_initial_name not in self.data:
                continue
            seen = self.data.getlist(bound.html_initial_name)  # type: ignore[attr-defined]
            now = _as_sent(bound.field.prepare_value(self.initial.get(name)))
            if sorted(seen) != now:
                shown = self._in_words(bound, now)
                self.add_error(
                    name, f"Somebody changed this meanwhile to {shown}. Saving again puts yours in its place."
                )
                self.data = self.data.copy()  # type: ignore[attr-defined]
                self.data.setlist(bound.html_initial_name, now)  # type: ignore[attr-defined]
        return given

    @staticmethod
    def _in_words(bound: forms.BoundField, values: list[str]) -> str:
        choices = getattr(bound.field, "choices", None)
        labels = {str(getattr(key, "value", key)): str(label) for key, label in choices} if choices else {}
        return ", ".join(f"“{labels.get(value, value)}”" for value in values if value) or "nothing"

    def changes(self) -> dict[str, Any]:
        """Only what differs from what the form showed."""
        names = [name for name in self.watched if name in self.changed_data]
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


def _as_sent(value: Any) -> list[str]:
    """As a browser sends it back."""
    values = value if isinstance(value, list | tuple | set) else [value]
    return sorted("" if one is None else str(one) for one in values)


class SituationForm(RoomForm):
    conditions = long_text("Conditions", required=False, help_text="What is broken, for whom, since when.")
    actions_summary = long_text("Actions", required=False, help_text="What is being done, and by whom.")
    needs = long_text("Needs", required=False, help_text="What is missing: people, access, decisions.")
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)

    def refused(self, refusal: ProcessError) -> None:
        """Shows what somebody else wrote at the same place; saving again replaces it knowingly."""
        for name, text in refusal.details.get("theirs", {}).items():
            self.add_error(name, f"{refusal.details['who']} wrote here meanwhile: “{text}”")
        if seen_at := refusal.details.get("seen_at"):
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["seen_at"] = seen_at  # type: ignore[index]


class InviteForm(RoomForm):
    role = forms.ChoiceField(label="As", choices=Role.choices, initial=Role.TECHNICAL_STAFF)
    user = Person(User.objects.none(), label="Person", required=False, empty_label="Choose somebody with an account")
    guest_email = forms.EmailField(
        label="Or a guest by e-mail",
        required=False,
        help_text="An external consultant: comes in by a link, sees only this incident.",
    )
    access_hours = forms.TypedChoiceField(
        label="A guest’s access ends after", choices=GUEST_ACCESS, coerce=int, initial=24, required=False
    )
    message = long_text("Message", required=False, rows=2)
    rows = (("role", "user"), ("guest_email", "access_hours"))

    def prepare(self) -> None:
        self.fields["user"].queryset = User.objects.filter(is_active=True).order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("user") and not given.get("guest_email") and not self.errors:
            self.add_error("user", "Choose a person, or give a guest’s e-mail address.")
        return given


class WarRoomForm(RoomForm):
    location = forms.CharField(label="Place", max_length=200, required=False, help_text="For those on site.")
    url = forms.URLField(
        label="Link",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="For those who are not, if not the bridge.",
    )
    enter = forms.BooleanField(label="I am entering it now", required=False, initial=True)

    def prepare(self) -> None:
        if opened := self.room.war_room:
            self.initial.update({"location": opened.location, "url": opened.url})


class ProblemForm(RoomForm):
    existing = forms.ModelChoiceField(
        Problem.objects.none(), label="A problem that is known", required=False, empty_label="None: open a new one"
    )
    title = forms.CharField(label="Or a new one", max_length=250, required=False)
    description = long_text("What is known of the cause", required=False)
    owner = Person(User.objects.none(), label="Owner", required=False, empty_label="The seated problem manager")

    def prepare(self) -> None:
        linked = [problem.pk for problem in self.room.problems]
        open_now = visible_problems(self.room.user).exclude(status__in=[ProblemStatus.RESOLVED, ProblemStatus.CLOSED])
        self.fields["existing"].queryset = open_now.exclude(pk__in=linked).order_by("-pk")  # type: ignore[attr-defined]
        self.fields["owner"].queryset = people_with_role(AccountRole.PROBLEM_MANAGER)  # type: ignore[attr-defined]
        self.initial.setdefault("title", f"Cause of {self.room.incident.title}"[:250])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("existing") and not given.get("title", "").strip():
            self.add_error("title", "Choose a problem, or write what the new one is about.")
        return given


class ChangeForm(RoomForm):
    relation = forms.ChoiceField(
        label="It is the", choices=ChangeLink.Relation.choices, initial=ChangeLink.Relation.FIX
    )
    existing = forms.ModelChoiceField(
        Change.objects.none(), label="A change that exists", required=False, empty_label="None: open a new one"
    )
    title = forms.CharField(label="Or a new one", max_length=250, required=False, help_text="What will be done.")
    type = forms.ChoiceField(label="Type", choices=ChangeType.choices, initial=ChangeType.EMERGENCY)
    risk = forms.ChoiceField(label="Risk", choices=Risk.choices, initial=Risk.MEDIUM)
    plan = long_text("Plan", required=False)
    backout_plan = long_text("Back-out plan", required=False, rows=2)
    approvers = PeopleChoice(
        User.objects.none(), label="Approvers", required=False, help_text="Never the requester or the implementer."
    )
    rows = (("relation", "existing"), ("type", "risk"))

    def prepare(self) -> None:
        linked = [link.change_id for link in self.room.change_links]
        rows = (
            visible_changes(self.room.user)
            .exclude(pk__in=linked)
            .exclude(status__in=["closed", "cancelled", "rejected"])
        )
        self.fields["existing"].queryset = rows.order_by("-pk")  # type: ignore[attr-defined]
        approvers = people_with_role(
            AccountRole.CHANGE_MANAGER, AccountRole.MANAGEMENT, AccountRole.SERVICE_DESK_MANAGER
        )
        self.fields["approvers"].queryset = approvers.exclude(pk=self.room.user.pk)  # type: ignore[attr-defined]
        self.fields["approvers"].widget = forms.CheckboxSelectMultiple(choices=self.fields["approvers"].choices)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("existing") and not given.get("title", "").strip():
            self.add_error("title", "Choose a change, or write what the new one does.")
        return given


class HandOverForm(RoomForm):
    seat = forms.TypedChoiceField(label="To", coerce=int)

    def prepare(self) -> None:
        seats = [
            (seat.pk, f"{seat.user.display_name} ({seat.get_role_display()})") for seat in self.room.accepted_seats
        ]
        self.fields["seat"].choices = seats  # type: ignore[attr-defined]


class RestoreForm(RoomForm):
    services = forms.ModelMultipleChoiceField(
        Service.objects.none(), label="Back in service", required=False, widget=forms.CheckboxSelectMultiple
    )
    at = when()

    def prepare(self) -> None:
        down = [row.service_id for row in self.room.open_downtime if row.service_id]
        self.fields["services"].queryset = Service.objects.filter(pk__in=down)  # type: ignore[attr-defined]
        self.initial.setdefault("services", down)
        if not down:
            del self.fields["services"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "services" in self.fields and not given.get("services") and "services" not in self.errors:
            self.add_error("services", "Choose what is back.")
        return given


class ReasonWhenForm(ReasonForm):
    at = when()


class MergeForm(RoomForm):
    target = forms.ModelChoiceField(
        MajorIncident.objects.none(), label="Into", empty_label="Choose the incident that goes on"
    )

    def prepare(self) -> None:
        rows = visible_incidents(self.room.user).filter(stage__in=OPEN_STAGES).exclude(pk=self.room.incident.pk)
        self.fields["target"].queryset = rows  # type: ignore[attr-defined]


class AskForm(RoomForm):
    question = long_text("Question", rows=2)
    approver = Person(User.objects.none(), label="Asked of")
    options = long_text("Options", required=False, rows=2, help_text="One a line. None: yes or no.")
    due_at = moment("Needed by", required=False)
    cost_of_waiting = long_text("Cost of waiting", required=False, rows=2)
    rows = (("approver", "due_at"),)

    def prepare(self) -> None:
        self.fields["approver"].queryset = people_with_role(AccountRole.MANAGEMENT)  # type: ignore[attr-defined]

    def clean_options(self) -> list[str]:
        return [line.strip()[:200] for line in self.cleaned_data["options"].splitlines() if line.strip()]


class DecideForm(RoomForm):
    chosen = forms.ChoiceField(label="Choose", widget=forms.RadioSelect)
    comment = long_text("Comment", required=False, rows=2)


class CommentForm(RoomForm):
    comment = long_text("Comment", required=False, rows=2)


class ObjectForm(RoomForm):
    verdict = forms.ChoiceField(
        label="Your opinion", choices=[("object", "Object"), ("agree", "Agree"), ("", "Neither")], required=False,
        initial="object", widget=forms.RadioSelect,
    )  # fmt: skip
    text = long_text("In words")


class TicketsForm(RoomForm):
    tickets = forms.CharField(label="Tickets", help_text="References, such as INC-7, INC-12.", max_length=2000)

    def clean_tickets(self) -> list[int]:
        words = self.cleaned_data["tickets"].replace(",", " ").replace(";", " ").split()
        numbers = [word.upper().removeprefix("INC-") for word in words]
        if wrong := [
            word for word, number in zip(words, numbers, strict=True) if not number.isdigit() or len(number) > 15
        ]:
            raise forms.ValidationError(f"Not a reference: {', '.join(wrong[:5])}.")
        found = set(visible_tickets(self.room.user).filter(pk__in=map(int, numbers)).values_list("pk", flat=True))
        if missing := [f"INC-{number}" for number in numbers if int(number) not in found]:
            raise forms.ValidationError(f"Not found: {', '.join(missing[:5])}.")
        return sorted(found)


class EditForm(ChangingForm):
    title = forms.CharField(label="Title", max_length=250)
    impact = forms.TypedChoiceField(label="Impact", choices=Level.choices, coerce=int)
    urgency = forms.TypedChoiceField(label="Urgency", choices=Level.choices, coerce=int)
    severity = forms.ChoiceField(label="Severity", choices=Severity.choices)
    affects = forms.ChoiceField(label="Affects", choices=Affects.choices)
    users_affected = forms.IntegerField(label="Users affected", required=False, min_value=0)
    services = forms.ModelMultipleChoiceField(
        Service.objects.none(), label="Affected services", required=False, widget=forms.CheckboxSelectMultiple
    )
    description = long_text("Description", required=False)
    revenue_impact = long_text("Effect on revenue", required=False, rows=2)
    reputation_impact = long_text("Effect on reputation", required=False, rows=2)
    reason = forms.CharField(label="Why is it corrected", max_length=2000)
    watched = (
        *("title", "impact", "urgency", "severity", "affects", "users_affected", "services"),
        *("description", "revenue_impact", "reputation_impact"),
    )
    rows = (("impact", "urgency", "severity"), ("affects", "users_affected"), ("revenue_impact", "reputation_impact"))

    def prepare(self) -> None:
        incident = self.room.incident
        current = list(incident.services.values_list("pk", flat=True))
        rows = Service.objects.filter(is_active=True) | Service.objects.filter(pk__in=current)
        self.fields["services"].queryset = rows.order_by("name")  # type: ignore[attr-defined]
        names = [name for name in self.watched if name != "services"]
        self.initial.update({name: getattr(incident, name) for name in names} | {"services": current})
        super().prepare()


class ClockForm(RoomForm):
    value = moment("It really was", required=False, help_text="Empty means unknown.")
    reason = long_text("Why", rows=2)


class DowntimeForm(RoomForm):
    service = forms.ModelChoiceField(Service.objects.none(), label="Service", required=False, empty_label="Not known")
    started_at = moment("Down from")
    ended_at = moment("Until", required=False, help_text="Empty means still down.")
    rows = (("started_at", "ended_at"),)

    def prepare(self) -> None:
        self.fields["service"].queryset = Service.objects.filter(is_active=True).order_by("name")  # type: ignore[attr-defined]


class DowntimeChangeForm(RoomForm):
    started_at = moment("Down from")
    ended_at = moment("Until", required=False, help_text="Empty means still down.")
    rows = (("started_at", "ended_at"),)
