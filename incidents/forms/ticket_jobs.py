"""What people type about many tickets at once, and about two that are one."""

from typing import Any

from django import forms

from incidents.forms.fields import (
    DeskForm,
    impact_field,
    long_text,
    open_incidents,
    service_field,
    title_field,
    urgency_field,
)
from incidents.models import Attachment, SavedView, Ticket
from incidents.queries.words import reference_number


class NothingForm(DeskForm):
    """Only the question whether to go on."""


class ReplyForm(DeskForm):
    text = long_text(label="Message", rows=5, help_text="Each requester reads it once, in their own conversation.")


class ServiceForm(DeskForm):
    service = service_field("Service", required=True, empty_label="Choose one")


class UnlinkForm(DeskForm):
    reason = long_text(label="Why do they not belong to it?", help_text="It is kept in the record of each ticket.")


class LinkManyForm(DeskForm):
    incident = forms.ModelChoiceField(open_incidents(), label="Open major incident", empty_label="Choose one")


class KeepOpenForm(DeskForm):
    reason = long_text(
        label="Why does it stay open?",
        required=False,
        rows=2,
        help_text="Read after “kept open because”. Empty: it is resolved with the others again.",
    )


class TicketReference(forms.CharField):
    """INC-7 or 7; the number afterwards."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=32, **kwargs)

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        number = reference_number(text, "INC")
        if number is None or not Ticket.objects.filter(pk=number).exists():
            raise forms.ValidationError(f"“{text[:40]}” is not a ticket. Write INC-7 or 7.")
        return number


class MergeForm(DeskForm):
    """Into one that looks alike, or into any other by its reference."""

    into = forms.ChoiceField(label="Which one goes on?", widget=forms.RadioSelect, required=False)
    other = TicketReference(label="Or another ticket", required=False, help_text="Its reference, such as INC-7.")
    reason = long_text(label="Why are they one?", required=False, rows=2)

    def __init__(self, *args: Any, alike: list[Ticket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = [(str(one.pk), f"{one.ref} {one.title}") for one in alike]  # type: ignore[attr-defined]
        if not alike:
            del self.fields["into"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["into_id"] = data.get("other") or int(data.get("into") or 0)
        if not data["into_id"] and not self.errors:
            self.add_error("into" if "into" in self.fields else "other", "Name the ticket that goes on.")
        return data


class MergeManyForm(DeskForm):
    into = forms.ChoiceField(label="Which one goes on?", widget=forms.RadioSelect)
    reason = long_text(label="Why are they one?", required=False, rows=2)

    def __init__(self, *args: Any, chosen: list[Ticket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = [(str(one.pk), f"{one.ref} {one.title}") for one in chosen]  # type: ignore[attr-defined]
        self.fields["into"].initial = str(chosen[0].pk) if chosen else None


class SplitForm(DeskForm):
    title = title_field("What is the other matter?")
    service = service_field("Service")
    impact = impact_field()
    urgency = urgency_field()
    description = long_text(label="Description", required=False, rows=4, help_text="The requester reads this.")
    moved = forms.ModelMultipleChoiceField(
        Attachment.objects.none(), label="Files that move along", required=False, widget=forms.CheckboxSelectMultiple
    )

    rows = (("title",), ("service",), ("impact", "urgency"), ("description",))

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["moved"].queryset = ticket.attachments.all()  # type: ignore[attr-defined]
        if not ticket.attachments.exists():
            del self.fields["moved"]


class SaveViewForm(DeskForm):
    name = forms.CharField(label="Name of the view", max_length=SavedView._meta.get_field("name").max_length)
    with_team = forms.BooleanField(label="Also for my team", required=False)
