"""What administrators type about the organisation and its audiences."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, PersonChoice, desk_people, long_text
from incidents.forms.people import RolesField, TimeZoneField
from incidents.models import BridgeKind, BridgeProvider, Organisation, Team, User
from incidents.priority import DEFAULT_TABLE, Level, Priority
from incidents.queries.organisation import AudienceRow


class OrganisationForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    time_zone = TimeZoneField(label="Time zone", help_text="Months of the figures begin and end in it.")
    currency = forms.CharField(label="Currency", max_length=3, help_text="Three letters, for example EUR.")
    consult_limit_minutes = forms.IntegerField(
        label="Consult limit, minutes", min_value=1, help_text="Then it is marked unanswered."
    )
    observation_hours = forms.IntegerField(
        label="Observation, hours", min_value=0, help_text="From resolving to the review."
    )
    still_broken_to_reopen = forms.IntegerField(
        label="“Still broken” to reopen", min_value=1, help_text="Answers by different people."
    )
    alert_days = forms.IntegerField(
        label="Keep alerts, days",
        min_value=1,
        help_text="Resolved ones without a ticket, candidate or incident; the others stay.",
    )
    payload_days = forms.IntegerField(
        label="Keep what tools sent, days", min_value=1, help_text="As it came, to look at and to replay."
    )
    update_hold_seconds = forms.IntegerField(
        label="Status updates wait, seconds",
        min_value=0,
        max_value=600,
        help_text="Until then an update can be taken back. 0 sends it at once.",
    )
    technical_hold_seconds = forms.IntegerField(
        label="For the technical team, seconds", min_value=0, max_value=600, help_text="Usually 0: they act on it."
    )

    response_cost_per_hour = forms.DecimalField(
        label="An hour of one person on an incident costs",
        min_value=0,
        max_digits=9,
        decimal_places=2,
        help_text="Values the response effort among the figures; 0 leaves it in hours.",
    )

    rows = (
        ("name",),
        ("time_zone", "currency"),
        ("consult_limit_minutes", "observation_hours", "still_broken_to_reopen"),
        ("alert_days", "payload_days"),
        ("update_hold_seconds", "technical_hold_seconds"),
        ("response_cost_per_hour",),
    )

    @classmethod
    def initial_of(cls, organisation: Organisation) -> dict[str, Any]:
        return {name: getattr(organisation, name) for name in cls.base_fields}


class PriorityTableForm(DeskForm):
    """Sixteen choices: impact down, urgency across."""

    def __init__(self, *args: Any, table: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for cell, shipped in DEFAULT_TABLE.items():
            impact, urgency = cell.split("/")
            self.fields[cell] = forms.ChoiceField(
                label=f"Impact {impact}, urgency {urgency}",
                choices=Priority.choices,
                initial=table.get(cell, shipped),
                widget=forms.Select(attrs={"aria-label": f"Impact {impact}, urgency {urgency}"}),
            )

    def table(self) -> list[tuple[str, list[tuple[forms.BoundField, str]]]]:
        """Rows by impact: its words, and each field with its value, which colours it."""
        return [
            (
                impact.label,
                [(self[f"{impact}/{urgency}"], str(self[f"{impact}/{urgency}"].value())) for urgency in Level],
            )
            for impact in Level
        ]


class HolidayForm(DeskForm):
    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    name = forms.CharField(label="Name", max_length=120)

    rows = (("day", "name"),)


class TeamForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    support_tier = forms.IntegerField(label="Support tier", min_value=1, max_value=9, initial=1)
    lead = PersonChoice(desk_people(), label="Lead", required=False, empty_label="Nobody")
    email = forms.EmailField(label="E-mail of the team", required=False)

    rows = (("name", "support_tier"), ("lead", "email"))

    @classmethod
    def initial_of(cls, team: Team) -> dict[str, Any]:
        return {"name": team.name, "support_tier": team.support_tier, "lead": team.lead_id, "email": team.email}


class AddressesField(forms.CharField):
    """E-mail addresses of accounts, one a line; accounts afterwards."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def clean(self, value: Any) -> list[User]:
        typed = super().clean(value).replace(",", " ").replace(";", " ").split()
        wanted = list(dict.fromkeys(word.lower() for word in typed))[:500]
        found = {person.email.lower(): person for person in User.objects.filter(email__in=wanted, is_active=True)}
        if unknown := [word for word in wanted if word not in found]:
            raise forms.ValidationError(f"No active account has the address {', '.join(unknown[:5])}.")
        return [found[word] for word in wanted]


class AudienceForm(DeskForm):
    roles = RolesField(label="Everybody who is", required=False)
    people = AddressesField(
        label="And these people", required=False, help_text="E-mail addresses of their accounts, one a line."
    )
    empty_reason = long_text(
        label="Empty on purpose, because",
        required=False,
        rows=2,
        help_text="Only when nobody is to be told. The step “inform” then counts this audience as done.",
    )

    @classmethod
    def initial_of(cls, row: AudienceRow) -> dict[str, Any]:
        addresses = "\n".join(person.email for person in row.people)
        return {"roles": row.roles, "people": addresses, "empty_reason": row.empty_reason}


class BridgeProviderForm(DeskForm):
    """A pattern of conference bridges."""

    name = forms.CharField(label="Name", max_length=80, help_text="As people choose it.")
    kind = forms.ChoiceField(label="Kind", choices=BridgeKind.choices, initial=BridgeKind.JITSI)
    join_pattern = forms.CharField(
        label="Link",
        max_length=400,
        required=False,
        help_text="{ref} becomes MI-12, {number} 12, {title} the title in small letters, {secret} another code each "
        "time, so that nobody guesses the next room. Without any of them every incident gets the same link.",
    )
    dial_in = forms.CharField(
        label="Dial-in",
        max_length=200,
        required=False,
        help_text="Number first, then the code, for example +49 30 1234567, code 42.",
    )
    position = forms.IntegerField(
        label="Order", min_value=0, max_value=1000, initial=0, help_text="The first is offered first."
    )
    is_enabled = forms.BooleanField(label="Offered for new bridges", required=False, initial=True)

    rows = (("name", "kind"), ("join_pattern",), ("dial_in", "position"), ("is_enabled",))

    @classmethod
    def initial_of(cls, provider: BridgeProvider) -> dict[str, Any]:
        return {name: getattr(provider, name) for name in cls.base_fields}
