"""What is typed about communication plans: the table of moments, how each audience is told, and what to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from incidents.communication import (
    ACKNOWLEDGE_WITHIN_MINUTES,
    DEFAULT_ESCALATION,
    Moment,
    moments_of,
)
from incidents.forms.fields import DeskForm, offered_services
from incidents.markup import MAX_CHARACTERS
from incidents.models import BridgeProvider, MajorIncident, PlanVersion, Service, User
from incidents.permissions import visible_incidents
from incidents.priority import Severity
from incidents.process import Audience
from notifications.models import ChannelKey
from notifications.page_queries import target_words

TELLINGS = [("", "–"), ("told", "Told"), ("urgent", "Urgent"), ("acknowledge", "Acknowledge")]
INCIDENTS_OFFERED = 20
_HOW = ("cadence_minutes", "acknowledge_within_minutes", "escalate_to", "channels", "urgent_channels", "silent_because")
HOW_LABELS = {
    "cadence_minutes": "Updates every, minutes",
    "acknowledge_within_minutes": "Acknowledged within, minutes",
    "escalate_to": "If not, escalates to",
    "channels": "Channels",
    "urgent_channels": "Channels when urgent",
    "silent_because": "Not told of a declaration, because",
}


@dataclass(frozen=True)
class FormRow:
    """One row of the table; a cell is None where an audience has no words for the moment."""

    label: str
    cells: list[tuple[forms.BoundField | None, bool]]


class PlanForm(DeskForm):
    """Cells are named `declared.technical`, `cadence_minutes.users`. `based_on` is the version on the screen."""

    note = forms.CharField(
        label="Why", required=False, max_length=2_000, help_text="Kept with the version, for whoever asks later."
    )
    bridge = forms.ModelChoiceField(
        BridgeProvider.objects.none(),
        label="Conference bridge when declared",
        required=False,
        empty_label="Somebody sets it",
        help_text="The link is made at once, and whoever accepts a seat is invited to it.",
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, version: PlanVersion, **kwargs: Any) -> None:
        kwargs["initial"] = {"based_on": version.number, "bridge": version.bridge_id} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        offered = Q(is_enabled=True) | Q(pk=version.bridge_id)
        self.fields["bridge"].queryset = BridgeProvider.objects.filter(offered)  # type: ignore[attr-defined]
        self.version = version
        self.audience_errors: dict[str, list[str]] = {}
        targets = target_words()
        for audience in Audience:
            column = version.content[audience.value]
            for moment in moments_of(audience):
                self._add(
                    f"{moment}.{audience}",
                    forms.ChoiceField(choices=TELLINGS, required=False),
                    f"{audience.label}: {moment.label}",
                    column["moments"].get(moment.value, ""),
                )
            for name in _HOW:
                self._add(
                    f"{name}.{audience}",
                    _how_field(name, targets, str(column.get(name))),
                    f"{audience.label}: {HOW_LABELS[name]}",
                    column.get(name),
                )

    def _add(self, name: str, field: forms.Field, label: str, initial: Any) -> None:
        field.label, field.initial = label, initial
        field.widget.attrs["aria-label"] = label
        self.fields[name] = field

    def content(self) -> dict[str, dict[str, Any]]:
        """What was typed, as a plan's content; what cannot be read is left as it was before."""
        return {audience.value: self._column(audience) for audience in Audience}

    def _column(self, audience: Audience) -> dict[str, Any]:
        given = self.cleaned_data if self.is_bound else {}
        before = self.version.content[audience.value]
        moments = {
            moment.value: given.get(f"{moment}.{audience}", before["moments"].get(moment.value, ""))
            for moment in moments_of(audience)
        }
        how = {name: given.get(f"{name}.{audience}", before.get(name)) for name in _HOW}
        return {"moments": {name: telling for name, telling in moments.items() if telling}, **how}

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """Puts a refusal at the audience it is about, the rest above the table."""
        for name, sentences in errors.items():
            if name in Audience.values:
                self.audience_errors[name] = sentences
            self.add_error("note" if name == "note" else None, " ".join(sentences))

    def moment_rows(self) -> list[FormRow]:
        return [
            FormRow(str(moment.label), [self._cell(f"{moment}.{audience}") for audience in Audience])
            for moment in Moment
        ]

    def how_rows(self) -> list[FormRow]:
        return [FormRow(HOW_LABELS[name], [self._cell(f"{name}.{audience}") for audience in Audience]) for name in _HOW]

    def columns(self) -> list[tuple[Audience, list[str]]]:
        return [(audience, self.audience_errors.get(audience.value, [])) for audience in Audience]

    def _cell(self, name: str) -> tuple[forms.BoundField | None, bool]:
        """The field, and whether it differs from the version on the screen."""
        if name not in self.fields:
            return None, False
        bound = self[name]
        return bound, self.is_bound and name in self.changed_data


def _how_field(name: str, targets: list[tuple[str, str]], now: str) -> forms.Field:
    if name.endswith("channels"):
        return forms.MultipleChoiceField(
            choices=ChannelKey.choices, required=False, widget=forms.CheckboxSelectMultiple
        )
    if name == "cadence_minutes":
        return forms.IntegerField(min_value=5, max_value=24 * 60)
    if name == "acknowledge_within_minutes":
        return forms.IntegerField(min_value=1, max_value=24 * 60, initial=ACKNOWLEDGE_WITHIN_MINUTES)
    if name == "escalate_to":
        gone = [] if now in dict(targets) else [(now, "Somebody who is not here any more")]
        return forms.ChoiceField(choices=[*targets, *gone], initial=DEFAULT_ESCALATION)
    return forms.CharField(required=False, max_length=500)


class NewPlanForm(DeskForm):
    severity = forms.ChoiceField(label="Severity", choices=Severity.choices)
    service = forms.ModelChoiceField(
        Service.objects.none(), label="Service", required=False, empty_label="Every service of the tier"
    )
    tier = forms.TypedChoiceField(
        label="Or tier", choices=[("", "–"), *Service.Tier.choices], coerce=int, empty_value=None, required=False
    )
    note = forms.CharField(label="Why", required=False, max_length=2_000)
    rows = (("service", "tier"),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = offered_services()  # type: ignore[attr-defined]


class IncidentChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.ref} {obj.title}"[:80]


def incidents_to_choose(reader: User) -> IncidentChoice:
    """The newest incidents the person may see; none means the sample."""
    newest = visible_incidents(reader).order_by("-id").values("pk")[:INCIDENTS_OFFERED]
    return IncidentChoice(
        MajorIncident.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).order_by("-id"),
        label="On which incident",
        required=False,
        empty_label="The sample incident",
    )


class LookForm(DeskForm):
    """What a preview of a plan is about."""

    moment = forms.ChoiceField(label="Moment", choices=Moment.choices)
    audience = forms.ChoiceField(label="Audience", choices=Audience.choices)
    person = forms.EmailField(
        label="Or one person",
        required=False,
        help_text="Their e-mail address.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, prefix="look", auto_id="%s", **kwargs)
        self.fields["incident"] = incidents_to_choose(reader)

    def clean_person(self) -> User | None:
        given = self.cleaned_data["person"]
        found = User.objects.filter(email__iexact=given, is_active=True).first() if given else None
        if given and found is None:
            raise ValidationError("Nobody with access has this address.")
        return found


class SwitchForm(DeskForm):
    version = forms.ChoiceField(label="Communication plan")
    reason = forms.CharField(
        label="Why",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It is kept in the record.",
    )

    def __init__(self, *args: Any, versions: list[PlanVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_key = {one.plan.key: one for one in versions}
        self.fields["version"].choices = [(key, str(one)) for key, one in self.by_key.items()]  # type: ignore[attr-defined]

    def clean_version(self) -> PlanVersion:
        return self.by_key[self.cleaned_data["version"]]


class TemplateForm(DeskForm):
    subject = forms.CharField(label="Subject", max_length=8_000)
    text = forms.CharField(
        label="Text",
        max_length=8_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "true"}),
        help_text="Paragraphs with an empty line between them; the HTML part is made from them. The facts, the time of "
        "the next update and the link are added below by themselves.",
    )
    short = forms.CharField(
        label="Short text",
        max_length=8_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For SMS and chat. Up to 300 characters are two SMS.",
    )
    note = forms.CharField(label="Why", required=False, max_length=2_000, help_text="Kept with the version.")
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class AboutForm(DeskForm):
    """On what words are tried."""

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        super().__init__(*args, prefix="look", auto_id="%s", **kwargs)
        self.fields["incident"] = incidents_to_choose(reader)
