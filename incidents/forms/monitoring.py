"""What people type about integrations, alerts and the rules about alerts."""

from collections.abc import Sequence
from typing import Any

from django import forms

from incidents.forms.fields import (
    DeskForm,
    impact_field,
    long_text,
    offered_services,
    open_incidents,
    service_field,
    teams,
    title_field,
    urgency_field,
)
from incidents.forms.people import TimeZoneField
from incidents.integration_kinds import KINDS, Ask
from incidents.models import Alert, AlertRule, AlertSeverity, Integration, IntegrationKind


class IntegrationForm(DeskForm):
    """The rhythm stands in minutes; it is asked of heartbeats only."""

    name = forms.CharField(
        label="Name", max_length=120, help_text="How you call this sender, for example Prometheus Berlin."
    )
    service = service_field("Service, when an alert names none", empty_label="None")
    team = forms.ModelChoiceField(teams(), label="Team, when nobody else is named", required=False, empty_label="None")
    every_minutes = forms.FloatField(
        label="Expected every, minutes", min_value=0.2, max_value=366 * 24 * 60, initial=5,
        help_text="Silence for longer than this and the grace is an alert.",
    )  # fmt: skip
    grace_minutes = forms.FloatField(label="Grace, minutes", min_value=0, max_value=7 * 24 * 60, initial=1)

    rows: Sequence[Sequence[str]] = (("name",), ("every_minutes", "grace_minutes"), ("service", "team"))

    def __init__(self, *args: Any, kind: str, known: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """`known` are the settings there are already: those nobody is asked for stay as they are."""
        super().__init__(*args, **kwargs)
        self.known, self.asks = known or {}, KINDS[kind].asks
        if kind != IntegrationKind.HEARTBEAT:
            del self.fields["every_minutes"], self.fields["grace_minutes"]
        for ask in self.asks:
            self.fields[ask.name] = _asking(ask, self.known.get(ask.name))
        names = [ask.name for ask in self.asks]
        self.rows = (*self.rows, *(tuple(names[at : at + 2]) for at in range(len(names) % 2, len(names), 2)))

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """The whole settings with what was given; what was emptied is left out."""
        asked = {ask.name: given[ask.name] for ask in self.asks if ask.name in given}
        return {name: value for name, value in {**self.known, **asked}.items() if value not in ("", None)}

    def fields_of(self, given: dict[str, Any]) -> dict[str, Any]:
        """As the action takes them, times in seconds."""
        plain: dict[str, Any] = {name: given[name] for name in ("name", "service", "team") if name in given}
        if "every_minutes" in given:
            plain["expected_every_seconds"] = round(given["every_minutes"] * 60)
        if "grace_minutes" in given:
            plain["grace_seconds"] = round(given["grace_minutes"] * 60)
        if any(ask.name in given for ask in self.asks):
            plain["settings"] = self.settings(given)
        return plain

    def changed_fields(self) -> dict[str, Any]:
        return self.fields_of(self.changes())

    @classmethod
    def initial_of(cls, row: Integration) -> dict[str, Any]:
        return {
            "name": row.name,
            "service": row.service_id,
            "team": row.team_id,
            "every_minutes": _minutes(row.expected_every_seconds or 0),
            "grace_minutes": _minutes(row.grace_seconds),
        }


def _asking(ask: Ask, value: Any) -> forms.Field:
    if ask.what == "number":
        return forms.IntegerField(
            label=ask.label, help_text=ask.help, min_value=ask.least, max_value=ask.most, required=False, initial=value
        )
    if ask.what == "zone":
        return TimeZoneField(empty="Not said", label=ask.label, help_text=ask.help, required=False, initial=value or "")
    return forms.CharField(label=ask.label, help_text=ask.help, max_length=300, required=False, initial=value or "")


def _minutes(seconds: int) -> float | int:
    return seconds // 60 if seconds % 60 == 0 else round(seconds / 60, 3)


class SecretForm(DeskForm):
    secret = forms.CharField(
        label="Signing secret",
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The same text as in the sender. It is kept encrypted and never shown again.",
    )


class TicketFromAlertForm(DeskForm):
    title = title_field("Title")
    service = service_field("Service")
    impact = impact_field()
    urgency = urgency_field()
    description = long_text(label="Description", required=False, rows=5)

    rows = (("title",), ("service",), ("impact", "urgency"), ("description",))


class ProposeAlertForm(DeskForm):
    reason = long_text(label="Why may this be major?")
    business_impact = long_text(label="What does it mean for the business?", required=False, rows=2)


class AttachAlertForm(DeskForm):
    incident_id = forms.ModelChoiceField(open_incidents(), label="Open major incident", empty_label="Choose one")

    def clean_incident_id(self) -> int:
        return self.cleaned_data["incident_id"].pk


class LabelsField(forms.CharField):
    """One `name=value` a line; a dictionary afterwards."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "env=prod"})

    def clean(self, value: Any) -> dict[str, str]:
        found = {}
        for line in super().clean(value).splitlines():
            name, equals, text = line.partition("=")
            if line.strip() and not (equals and name.strip()):
                raise forms.ValidationError(f"“{line.strip()[:60]}” has no “=”. Write each label as name=value.")
            if name.strip():
                found[name.strip()] = text.strip().strip('"')
        return found

    @staticmethod
    def written(labels: dict[str, str]) -> str:
        return "\n".join(f"{name}={value}" for name, value in labels.items())


class RuleForm(DeskForm):
    """Conditions first, then what is done. A condition that is empty fits everything."""

    name = forms.CharField(label="Name of the rule", max_length=120)
    integration = forms.ModelChoiceField(
        Integration.objects.order_by("name"), label="It comes from", required=False, empty_label="any integration"
    )
    severities = forms.MultipleChoiceField(
        label="Its severity is", choices=AlertSeverity.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: any.",
    )  # fmt: skip
    services = forms.ModelMultipleChoiceField(
        offered_services(), label="It is about", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: any service.",
    )  # fmt: skip
    text_contains = forms.CharField(label="Its text contains", max_length=200, required=False)
    label_equals = LabelsField(label="Its labels are", required=False, help_text="One name=value a line; all must fit.")
    outcome = forms.ChoiceField(
        label="Do this", choices=AlertRule.Outcome.choices, widget=forms.RadioSelect, initial=AlertRule.Outcome.TICKET
    )
    after_minutes = forms.FloatField(
        label="When it still fires after, minutes", min_value=0, max_value=7 * 24 * 60, initial=0, required=False,
        help_text="What resolves earlier makes no noise.",
    )  # fmt: skip
    impact = impact_field()
    urgency = urgency_field()
    service = service_field("Service, when the alert names none", empty_label="None")
    team = forms.ModelChoiceField(teams(), label="Goes to team", required=False, empty_label="None")

    when_fields = ("integration", "severities", "services", "text_contains", "label_equals")
    then_fields = ("outcome", "after_minutes", "impact", "urgency", "service", "team")

    def clean_after_minutes(self) -> float:
        return self.cleaned_data["after_minutes"] or 0

    def fields_of(self, given: dict[str, Any]) -> dict[str, Any]:
        """As the action takes them."""
        plain = {name: value for name, value in given.items() if name != "after_minutes"}
        if "after_minutes" in given:
            plain["after_seconds"] = round(given["after_minutes"] * 60)
        return plain

    @classmethod
    def initial_of(cls, rule: AlertRule) -> dict[str, Any]:
        plain = ("name", "severities", "text_contains", "outcome", "impact", "urgency")
        return {name: getattr(rule, name) for name in plain} | {
            "integration": rule.integration_id,
            "services": [service.pk for service in rule.services.all()],
            "label_equals": LabelsField.written(rule.label_equals),
            "after_minutes": _minutes(rule.after_seconds),
            "service": rule.service_id,
            "team": rule.team_id,
        }

    @classmethod
    def initial_from(cls, alert: Alert) -> dict[str, Any]:
        """A rule that would fit this alert, to begin with."""
        return {
            "name": alert.title[:100],
            "integration": alert.integration_id,
            "severities": [alert.severity],
            "services": [alert.service_id] if alert.service_id else [],
        }
