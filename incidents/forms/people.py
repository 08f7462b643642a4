"""What administrators type about people, and people about themselves."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms

from incidents.forms.fields import DeskForm, Moment, PersonChoice, teams
from incidents.models import User
from incidents.process import AccountRole


def time_zone_field(**kwargs: Any) -> forms.ChoiceField:
    """Names of the time zone database by region; empty means the organisation's."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    empty = kwargs.pop("empty", "As the organisation’s")
    first = [("", empty)] if empty else []
    return forms.ChoiceField(
        choices=[*first, ("UTC", "UTC"), *[(name, name.replace("_", " ")) for name in names]], **kwargs
    )


def active_people():
    return User.objects.filter(is_active=True, is_guest=False)


class InviteForm(DeskForm):
    email = forms.EmailField(label="E-mail address", help_text="The invitation goes there.")
    name = forms.CharField(label="Name", max_length=150)
    roles = forms.MultipleChoiceField(
        label="Account roles", choices=AccountRole.choices, widget=forms.CheckboxSelectMultiple
    )
    job_title = forms.CharField(label="Job title", max_length=120, required=False)
    team = forms.ModelChoiceField(teams(), label="Team", required=False, empty_label="None")
    line_manager = PersonChoice(active_people(), label="Line manager", required=False, empty_label="None")
    phone = forms.CharField(label="Phone", max_length=40, required=False)
    support_tier = forms.IntegerField(label="Support tier", min_value=1, max_value=9, required=False)

    rows: Sequence[Sequence[str]] = (
        ("email", "name"),
        ("roles",),
        ("job_title", "phone"),
        ("team", "support_tier"),
        ("line_manager",),
    )


class PersonForm(InviteForm):
    time_zone = time_zone_field(label="Time zone", required=False)
    access_expires_at = Moment(label="Access ends", required=False, help_text="For guests; empty means never.")

    rows = (*InviteForm.rows, ("time_zone", "access_expires_at"))

    @classmethod
    def initial_of(cls, person: User) -> dict[str, Any]:
        plain = ("email", "name", "job_title", "phone", "support_tier", "time_zone", "access_expires_at")
        return {name: getattr(person, name) for name in plain} | {
            "team": person.team_id,
            "line_manager": person.line_manager_id,
            "roles": sorted(person.account_roles),
        }


class MeForm(DeskForm):
    name = forms.CharField(label="Name", max_length=150)
    phone = forms.CharField(label="Phone", max_length=40, required=False, help_text="For pages when you are on call.")
    time_zone = time_zone_field(label="Time zone", required=False)
    theme = forms.ChoiceField(
        label="Look", required=False, choices=[("", "As this device"), ("light", "Light"), ("dark", "Dark")]
    )

    rows = (("name", "phone"), ("time_zone", "theme"))

    @classmethod
    def initial_of(cls, person: User) -> dict[str, Any]:
        return {name: getattr(person, name) for name in cls.base_fields}
