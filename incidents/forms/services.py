"""What people type about services and planned work."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, PersonChoice, desk_people, long_text, offered_services, teams
from incidents.models import Service


class ServiceForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    description = long_text(label="What it does", required=False)
    tier = forms.TypedChoiceField(label="Tier", choices=Service.Tier.choices, coerce=int, initial=Service.Tier.STANDARD)
    cost_per_hour = forms.DecimalField(
        label="Cost of an hour of downtime", min_value=0, max_digits=12, decimal_places=2, initial=0
    )
    owner = PersonChoice(desk_people(), label="Owner", required=False, empty_label="Nobody yet")
    team = forms.ModelChoiceField(teams(), label="Team", required=False, empty_label="None")

    rows = (("name",), ("description",), ("tier", "cost_per_hour"), ("owner", "team"))


class EditServiceForm(ServiceForm):
    needs = forms.ModelMultipleChoiceField(
        offered_services(), label="Needs these services to work", required=False, widget=forms.CheckboxSelectMultiple
    )
    is_active = forms.BooleanField(
        label="Offered", required=False, help_text="No longer offered services keep their history."
    )

    @classmethod
    def initial_of(cls, service: Service) -> dict[str, Any]:
        plain = ("name", "description", "tier", "cost_per_hour", "is_active")
        return {name: getattr(service, name) for name in plain} | {
            "owner": service.owner_id,
            "team": service.team_id,
            "needs": [row.needs_id for row in service.needs.all()],
        }
