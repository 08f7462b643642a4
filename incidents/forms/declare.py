"""Declaring: one screen of input."""

from typing import Any

from django import forms

from incidents.forms.room import long_text, moment
from incidents.models import Affects, Candidate, Service, Ticket
from incidents.permissions import visible_tickets
from incidents.priority import severity_for
from incidents.queries.references import numbers_in

IMPACT = [
    ("1", "1", "Everybody, or a whole site"),
    ("2", "2", "Many people or departments"),
    ("3", "3", "A few people"),
    ("4", "4", "One person"),
]
URGENCY = [
    ("1", "1", "Work has stopped"),
    ("2", "2", "Work is badly slowed"),
    ("3", "3", "There is a way around"),
    ("4", "4", "Can wait"),
]


class DeclareForm(forms.Form):
    title = forms.CharField(
        label="What is broken?",
        max_length=250,
        widget=forms.TextInput(attrs={"placeholder": "In words a customer would use", "autocomplete": "off"}),
    )
    services = forms.ModelMultipleChoiceField(
        Service.objects.none(), label="Affected services", required=False, widget=forms.CheckboxSelectMultiple
    )
    impact = forms.TypedChoiceField(
        label="Impact",
        coerce=int,
        choices=[(key, word) for key, _, word in IMPACT],
        initial="1",
        widget=forms.RadioSelect,
    )
    urgency = forms.TypedChoiceField(
        label="Urgency",
        coerce=int,
        choices=[(key, word) for key, _, word in URGENCY],
        initial="1",
        widget=forms.RadioSelect,
    )
    affects = forms.ChoiceField(label="Affects", choices=Affects.choices, initial=Affects.BOTH)
    users_affected = forms.IntegerField(label="Users affected", required=False, min_value=0, max_value=2**31 - 1)
    started_at = moment("Impact began", required=False)
    description = long_text("What is known", required=False, rows=2)
    is_drill = forms.BooleanField(
        label="This is a drill", required=False, help_text="Reaches seated people only, counts in no figure."
    )
    candidate = forms.CharField(required=False, widget=forms.HiddenInput)
    tickets = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "declare_%s")
        super().__init__(*args, **kwargs)
        self.user = user
        services = Service.objects.filter(is_active=True).order_by("tier", "name")
        self.fields["services"].queryset = services  # type: ignore[attr-defined]

    def clean_candidate(self) -> Candidate | None:
        found = numbers_in(self.cleaned_data["candidate"], "CAN")
        return Candidate.objects.filter(pk__in=found).first() if found else None

    def clean_tickets(self) -> list[Ticket]:
        found = numbers_in(self.cleaned_data["tickets"], "INC")
        return list(visible_tickets(self.user).filter(pk__in=found))

    def levels(self) -> tuple[int, int]:
        """Impact and urgency as they are chosen now, the highest when they are not readable."""

        def level(name: str) -> int:
            value = str(self[name].value())
            return int(value) if value in ("1", "2", "3", "4") else 1

        return level("impact"), level("urgency")

    @property
    def severity(self) -> str:
        return severity_for(*self.levels())
