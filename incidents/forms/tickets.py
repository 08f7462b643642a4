"""What people type about tickets."""

from typing import Any

from django import forms

from incidents.forms.fields import (
    DeskForm,
    Moment,
    PersonChoice,
    desk_people,
    impact_field,
    long_text,
    open_incidents,
    service_field,
    teams,
    title_field,
    urgency_field,
)
from incidents.models import Channel, Ticket, TicketEscalation, TicketKind, User
from incidents.priority import Priority


class NewTicketForm(DeskForm):
    """The fields in the order of a call."""

    requester_email = forms.EmailField(
        label="Who is calling?", required=False, help_text="E-mail address; an account is found by it."
    )
    title = title_field("What is wrong?", help_text="In the caller’s words, one line.")
    service = service_field("Which service?")
    reported_at = Moment(label="Since when?", required=False, help_text="Empty means now.")
    impact = impact_field()
    urgency = urgency_field()
    description = long_text(label="What else did they say?", required=False)
    configuration_item = forms.CharField(label="Device or component", max_length=200, required=False)
    kind = forms.ChoiceField(label="Kind", choices=TicketKind.choices, initial=TicketKind.INCIDENT)
    channel = forms.ChoiceField(label="Came by", choices=Channel.choices, initial=Channel.HOTLINE)

    rows = (
        ("requester_email",),
        ("title",),
        ("service", "reported_at"),
        ("impact", "urgency"),
        ("description",),
        ("configuration_item", "kind", "channel"),
    )


class EditTicketForm(DeskForm):
    title = title_field("Title")
    impact = impact_field()
    urgency = urgency_field()
    priority = forms.ChoiceField(
        label="Priority", required=False, choices=[("", "From impact and urgency"), *Priority.choices]
    )
    service = service_field("Service")
    kind = forms.ChoiceField(label="Kind", choices=TicketKind.choices)
    requester_email = forms.EmailField(label="Requester’s e-mail", required=False)
    configuration_item = forms.CharField(label="Device or component", max_length=200, required=False)
    description = long_text(label="Description", required=False, rows=5)

    rows = (
        ("title",),
        ("impact", "urgency"),
        ("priority", "kind"),
        ("service", "configuration_item"),
        ("requester_email",),
        ("description",),
    )

    @classmethod
    def initial_of(cls, ticket: Ticket) -> dict[str, Any]:
        plain = ("title", "impact", "urgency", "kind", "requester_email", "configuration_item", "description")
        return {name: getattr(ticket, name) for name in plain} | {"service": ticket.service_id}


class CommentForm(DeskForm):
    text = long_text(label="Message")
    public = forms.TypedChoiceField(
        label="Who reads it", coerce=lambda value: value == "yes", choices=[("yes", "Requester"), ("no", "Desk only")]
    )


class HoldForm(DeskForm):
    reason = long_text(label="What does it wait for?", help_text="For example: a call back, a delivery, a supplier.")


class ResolveForm(DeskForm):
    resolution = long_text(label="What solved it?", help_text="The requester reads this.")


class ReasonForm(DeskForm):
    reason = long_text(label="Reason", help_text="It is kept in the record.")


class AssignForm(DeskForm):
    assignee = PersonChoice(desk_people(), label="Person", required=False, empty_label="Nobody yet")
    team = forms.ModelChoiceField(teams(), label="Team", required=False, empty_label="As the person’s")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("assignee") and not data.get("team"):
            self.add_error("assignee", "Name a person or a team.")
        return data


class EscalateForm(DeskForm):
    kind = forms.ChoiceField(
        label="Kind",
        choices=[
            (TicketEscalation.Kind.FUNCTIONAL, "Functional: to another skill, who then has it"),
            (TicketEscalation.Kind.HIERARCHICAL, "Hierarchical: up the line, you keep it"),
        ],
        widget=forms.RadioSelect,
        initial=TicketEscalation.Kind.FUNCTIONAL,
    )
    to_team = forms.ModelChoiceField(teams(), label="To team", required=False, empty_label="–")
    to_user = PersonChoice(desk_people(), label="To person", required=False, empty_label="–")
    to_tier = forms.IntegerField(label="To tier", required=False, min_value=1, max_value=9)
    reason = long_text(label="Reason")

    rows = (("kind",), ("to_team", "to_user", "to_tier"), ("reason",))


class LinkForm(DeskForm):
    incident = forms.ModelChoiceField(open_incidents(), label="Open major incident", empty_label="Choose one")


class WatchForm(DeskForm):
    user = PersonChoice(User.objects.filter(is_active=True, is_guest=False), label="Person", empty_label="Choose one")


class AttachForm(DeskForm):
    file = forms.FileField(label="File", help_text="At most 10 MiB. Programs are refused.")


class ProposeForm(DeskForm):
    """Tickets by reference, or a title and a service when there is no ticket yet."""

    tickets = forms.CharField(
        label="Tickets", required=False, help_text="References such as INC-7, INC-9. Empty when no ticket exists yet."
    )
    title = title_field("What is happening?", required=False)
    service = service_field("Service")
    reason = long_text(label="Why may this be major?")
    business_impact = long_text(label="What does it mean for the business?", required=False, rows=2)

    rows = (("tickets",), ("title", "service"))

    def clean_tickets(self) -> list[int]:
        """Numbers of the references; they stand as typed when one is none."""
        found = []
        for word in self.cleaned_data["tickets"].replace(",", " ").split():
            number = word.upper().removeprefix("INC-")
            if not number.isdigit() or len(number) > 15:
                raise forms.ValidationError(f"“{word[:40]}” is not a ticket. Write INC-7 or 7.")
            found.append(int(number))
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "tickets" in data and not data["tickets"] and not data.get("title"):
            self.add_error("title", "Name a ticket, or say what is happening.")
        return data
