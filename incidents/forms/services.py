"""What people type about services and planned work on them."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from incidents.forms.fields import DeskForm, Moment, PersonChoice, desk_people, long_text, offered_services, teams
from incidents.models import Service


class ServiceForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120, help_text="As people outside IT call it.")
    tier = forms.TypedChoiceField(label="Tier", coerce=int, choices=Service.Tier.choices, initial=3)
    cost_per_hour = forms.DecimalField(
        label="Cost of an hour of downtime", min_value=0, max_digits=12, decimal_places=2, required=False, initial=0
    )
    off_hours_percent = forms.IntegerField(
        label="Outside service hours, % of it",
        min_value=0,
        max_value=100,
        required=False,
        initial=100,
        help_text="100: an hour at night costs as much as one by day.",
    )
    owner = PersonChoice(desk_people(), label="Owner", required=False, empty_label="Nobody")
    team = forms.ModelChoiceField(teams(), label="Team", required=False, empty_label="None")
    description = long_text(label="What it does", required=False, rows=2)
    needs = forms.ModelMultipleChoiceField(
        offered_services(),
        label="Needs to work",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only what it needs directly; the rest follows from those.",
    )
    is_public = forms.BooleanField(
        label="On the status page",
        required=False,
        initial=True,
        help_text="Otherwise the public never reads its name, not even during an outage.",
    )
    is_active = forms.BooleanField(
        label="Offered", required=False, initial=True, help_text="Otherwise nobody can report about it; its past stays."
    )

    rows = (("name",), ("tier",), ("cost_per_hour", "off_hours_percent"), ("owner", "team"), ("description",))

    def __init__(self, *args: Any, service: Service | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if service is None:
            del self.fields["is_active"]
            return
        needs: QuerySet = self.fields["needs"].queryset  # type: ignore[attr-defined]
        self.fields["needs"].queryset = needs.exclude(pk=service.pk)  # type: ignore[attr-defined]

    @classmethod
    def initial_of(cls, service: Service) -> dict[str, Any]:
        plain = ("name", "tier", "cost_per_hour", "off_hours_percent", "description", "is_public", "is_active")
        return {name: getattr(service, name) for name in plain} | {
            "owner": service.owner_id,
            "team": service.team_id,
            "needs": list(service.needs.values_list("needs", flat=True)),
        }

    def clean_cost_per_hour(self) -> Any:
        return self.cleaned_data["cost_per_hour"] or 0

    def clean_off_hours_percent(self) -> Any:
        given = self.cleaned_data["off_hours_percent"]
        return 100 if given is None else given


class WindowForm(DeskForm):
    title = forms.CharField(label="What is done?", max_length=200)
    starts_at = Moment(label="From")
    ends_at = Moment(label="To")
    services = forms.ModelMultipleChoiceField(
        offered_services(), label="Services", required=False, widget=forms.CheckboxSelectMultiple
    )

    rows = (("title",), ("starts_at", "ends_at"), ("services",))
