"""What people type about people: an invitation, an account, their own settings."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms

from incidents.forms.fields import DeskForm, Moment, PersonChoice, teams
from incidents.models import User
from incidents.process import AccountRole


def zone_choices(empty: str) -> list[Any]:
    """Time zones by continent, with what no choice means first."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, _, place = name.partition("/")
        if place and region not in ("Etc", "SystemV", "US", "posix", "right"):
            regions.setdefault(region, []).append((name, name.replace("_", " ")))
    return [*([("", empty)] if empty else []), ("UTC", "UTC"), *regions.items()]


class TimeZoneField(forms.ChoiceField):
    """A zone that stands in the record stays choosable even when the list does not offer it."""

    def __init__(self, *, empty: str = "", **kwargs: Any) -> None:
        super().__init__(choices=lambda: zone_choices(empty), **kwargs)

    def valid_value(self, value: str) -> bool:
        return value in available_timezones() or super().valid_value(value)


class RolesField(forms.MultipleChoiceField):
    """Account roles, in the order of the process."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"choices": AccountRole.choices, "widget": forms.CheckboxSelectMultiple, "label": "Roles", **kwargs}
        super().__init__(**kwargs)


class InviteForm(DeskForm):
    email = forms.EmailField(
        label="E-mail address", help_text="The invitation goes there; it is also the sign-in name."
    )
    name = forms.CharField(label="Name", max_length=150)
    roles = RolesField(help_text="At least one. An external consultant sees only the incidents of their seats.")
    team = forms.ModelChoiceField(teams(), label="Team", required=False, empty_label="None")
    line_manager = PersonChoice(
        User.objects.filter(is_active=True, is_guest=False), label="Line manager", required=False, empty_label="Nobody"
    )
    job_title = forms.CharField(label="Job title", max_length=120, required=False)
    phone = forms.CharField(label="Phone", max_length=40, required=False)

    rows: Sequence[Sequence[str]] = (("email", "name"), ("roles",), ("team", "line_manager"), ("job_title", "phone"))


class PersonForm(InviteForm):
    support_tier = forms.IntegerField(label="Support tier", min_value=1, max_value=9, required=False)
    time_zone = TimeZoneField(label="Time zone", required=False, empty="The organisation’s")
    access_expires_at = Moment(label="Access ends", required=False)
    skills = forms.CharField(
        label="Skills",
        required=False,
        max_length=1_000,
        help_text="Words with commas between, for example postgresql, checkout, networks. Who knows what is spoken of "
        "in an incident is proposed for its team.",
    )

    rows = (
        ("name", "email"),
        ("roles",),
        ("team", "line_manager"),
        ("job_title", "phone"),
        ("support_tier", "time_zone", "access_expires_at"),
        ("skills",),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].required = False
        self.fields["email"].help_text = ""
        self.fields["roles"].help_text = "Without a role, a person sees nothing."

    @classmethod
    def initial_of(cls, person: User) -> dict[str, Any]:
        plain = ("name", "email", "job_title", "phone", "support_tier", "time_zone", "access_expires_at")
        return {name: getattr(person, name) for name in plain} | {
            "team": person.team_id,
            "line_manager": person.line_manager_id,
            "roles": sorted(person.account_roles),
            "skills": ", ".join(person.skills),
        }


class MySettingsForm(DeskForm):
    """What people change about themselves."""

    name = forms.CharField(label="Name", max_length=150, help_text="As colleagues read it on an incident.")
    phone = forms.CharField(
        label="Phone", max_length=40, required=False, help_text="Where you are reached when you are on call."
    )
    time_zone = TimeZoneField(
        label="Time zone",
        required=False,
        empty="The organisation’s",
        help_text="Times are shown in it, with UTC beside.",
    )
    theme = forms.TypedChoiceField(
        label="Appearance",
        coerce=lambda value: "" if value == "device" else value,
        choices=[("device", "As the device"), ("light", "Light"), ("dark", "Dark")],
        widget=forms.RadioSelect,
    )

    rows = (("name",), ("phone", "time_zone"), ("theme",))

    @classmethod
    def initial_of(cls, person: User) -> dict[str, Any]:
        return {name: getattr(person, name) for name in cls.base_fields} | {"theme": person.theme or "device"}
