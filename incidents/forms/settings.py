"""What administrators type about the organisation: settings, matrix, keys, audiences, on-call."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, Moment, PeopleChoice, PersonChoice, long_text
from incidents.forms.people import active_people, time_zone_field
from incidents.models import Holiday, Organisation, RaciMatrix, Scope, User
from incidents.priority import Priority
from incidents.process import STEPS, AccountRole, Role

_CELLS = ("", "R", "A", "C", "I", "R/A", "R/C", "R/I", "A/C", "A/I", "C/I")


class RaciForm(DeskForm):
    """The matrix as 70 small choices, named step-role. A refusal stands at the first cell of its row."""

    note = forms.CharField(label="What changed, and why", max_length=2000, required=False)
    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, matrix: RaciMatrix, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["based_on"].initial = matrix.version
        for step in STEPS:
            for role in Role:
                shown = matrix.cells.get(step.key, {}).get(role.value, "")
                self.fields[f"{step.key}-{role.value}"] = forms.ChoiceField(
                    choices=[(cell, cell or "–") for cell in _CELLS],
                    required=False,
                    initial=shown,
                    label=f"{step.title}: {role.label}",
                )
        self.row_errors: dict[str, list[str]] = {}

    @property
    def cells(self) -> dict[str, dict[str, str]]:
        return {
            step.key: {role.value: self.cleaned_data.get(f"{step.key}-{role.value}", "") for role in Role}
            for step in STEPS
        }

    def table(self) -> Iterator[dict[str, Any]]:
        for step in STEPS:
            cells = [self[f"{step.key}-{role.value}"] for role in Role]
            yield {"step": step, "cells": cells, "errors": self.row_errors.get(step.key, [])}


class KeyForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120, help_text="Where it is used, for example: monitoring.")
    user = PersonChoice(User.objects.none(), label="Acts as", empty_label=None)
    scopes = forms.MultipleChoiceField(label="May", choices=Scope.choices, widget=forms.CheckboxSelectMultiple)
    expires_at = Moment(label="Expires", required=False, help_text="Empty means never.")

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = people  # type: ignore[attr-defined]


class OrganisationForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    time_zone = time_zone_field(label="Time zone", empty="", help_text="Months of the figures begin in it.")
    currency = forms.CharField(label="Currency", min_length=3, max_length=3, help_text="Three letters, such as EUR.")
    bridge_pattern = forms.CharField(
        label="Bridge link", max_length=300, required=False, help_text="{ref} becomes the incident’s reference."
    )
    consult_limit_minutes = forms.IntegerField(label="Consult limit (minutes)", min_value=1)
    observation_hours = forms.IntegerField(label="Observation window (hours)", min_value=0)
    still_broken_to_reopen = forms.IntegerField(label="“Still broken” answers that reopen", min_value=1)
    holidays = long_text(label="Holidays", required=False, rows=4, help_text="One a line: 2026-12-25 Christmas Day.")

    rows = (("name",), ("time_zone", "currency"), ("bridge_pattern",),
            ("consult_limit_minutes", "observation_hours", "still_broken_to_reopen"), ("holidays",))  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        table = (self.initial or {}).get("priority_table") or {}
        for cell, priority in table.items():
            self.fields[f"cell-{cell}"] = forms.ChoiceField(
                choices=Priority.choices, initial=priority, label="Impact {} and urgency {}".format(*cell.split("/"))
            )

    @classmethod
    def initial_of(cls, row: Organisation) -> dict[str, Any]:
        days = "\n".join(f"{one.day:%Y-%m-%d} {one.name}" for one in Holiday.objects.all())
        fields = [name for name in cls.base_fields if name != "holidays"]
        return {name: getattr(row, name) for name in (*fields, "priority_table")} | {"holidays": days}

    def clean_holidays(self) -> list[tuple[date, str]]:
        found = []
        for line in self.cleaned_data["holidays"].splitlines():
            day, _, name = line.strip().partition(" ")
            if not day:
                continue
            try:
                found.append((date.fromisoformat(day), name.strip()[:120] or "Holiday"))
            except ValueError:
                raise forms.ValidationError(f"“{line[:60]}” does not begin with a day such as 2026-12-25.") from None
        return found

    def settings(self) -> dict[str, Any]:
        """As the action takes them."""
        given = self.cleaned_data
        plain = {name: given[name] for name in given if name != "holidays" and not name.startswith("cell-")}
        table = {name.removeprefix("cell-"): given[name] for name in given if name.startswith("cell-")}
        return plain | {"priority_table": table}

    def plain_rows(self) -> list[list[forms.BoundField]]:
        return [[self[name] for name in row] for row in self.rows]

    def priority_rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        return [(impact, [self[f"cell-{impact}/{urgency}"] for urgency in range(1, 5)]) for impact in range(1, 5)]


class AudienceForm(DeskForm):
    roles = forms.MultipleChoiceField(
        label="Everybody with these roles", choices=AccountRole.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    people = PeopleChoice(active_people(), label="And these people", required=False)
    empty_reason = forms.CharField(
        label="Empty on purpose because", max_length=2000, required=False,
        help_text="Only when nobody is to be told; it shows on every incident.",
    )  # fmt: skip


class ShiftForm(DeskForm):
    role = forms.ChoiceField(
        label="On call as",
        choices=[choice for choice in AccountRole.choices if choice[0] not in ("requester", "external_consultant")],
        initial=AccountRole.MAJOR_INCIDENT_MANAGER,
    )
    person = PersonChoice(active_people(), label="Person", empty_label="Choose one")
    starts_at = Moment(label="From")
    ends_at = Moment(label="To")
    rank = forms.IntegerField(label="Order", min_value=1, max_value=99, initial=1, help_text="1 is paged first.")

    rows = (("role", "person"), ("starts_at", "ends_at"), ("rank",))
