"""The RACI matrix as a form: one choice per cell, refusals at their row."""

from dataclasses import dataclass
from typing import Any

from django import forms

from incidents.forms.fields import DeskForm
from incidents.models import RaciMatrix
from incidents.process import ROLE_ABBREVIATIONS, STEPS, Role
from incidents.queries.raci import stage_spans

LETTERS = ("", "R", "A", "R/A", "C", "I")


@dataclass(frozen=True)
class FormRow:
    key: str
    title: str
    stage: str
    span: int
    cells: list[tuple[forms.BoundField, bool]]
    errors: list[str]


class MatrixForm(DeskForm):
    """`based_on` is the version that stands on the screen, so that nobody overwrites another's work unseen."""

    note = forms.CharField(
        label="Why", required=False, max_length=2_000, help_text="Kept with the version, for whoever asks later."
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, matrix: RaciMatrix, **kwargs: Any) -> None:
        kwargs["initial"] = {"based_on": matrix.version} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.matrix = matrix
        self.row_errors: dict[str, list[str]] = {}
        for step in STEPS:
            for role in Role:
                name = f"{step.key}.{role}"
                now = matrix.cells.get(step.key, {}).get(role.value, "")
                offered = dict.fromkeys((*LETTERS, now, str(self.data.get(name, ""))[:20]))
                self.fields[name] = forms.CharField(
                    label=f"{ROLE_ABBREVIATIONS[role]}, {step.title}",
                    initial=now,
                    required=False,
                    max_length=20,
                    widget=forms.Select(
                        choices=[(one, one or "–") for one in offered],
                        attrs={"aria-label": f"{role.label}: {step.title}"},
                    ),
                )

    def cells(self) -> dict[str, dict[str, str]]:
        return {step.key: {role.value: self.cleaned_data[f"{step.key}.{role}"] for role in Role} for step in STEPS}

    def refuse(self, errors: dict[str, list[str]]) -> None:
        """Puts what the process refuses at its row; what names no row stands above the table."""
        for key, sentences in errors.items():
            if any(step.key == key for step in STEPS):
                self.row_errors[key] = sentences
            else:
                self.add_error("note" if key == "note" else None, " ".join(sentences))
        if self.row_errors:
            self.add_error(None, f"{len(self.row_errors)} of the rows cannot be saved so. Each says why.")

    def table(self) -> list[FormRow]:
        spans = stage_spans()
        return [
            FormRow(
                step.key,
                step.title,
                *spans.get(step.key, ("", 0)),
                [self._cell(step.key, role) for role in Role],
                self.row_errors.get(step.key, []),
            )
            for step in STEPS
        ]

    def _cell(self, key: str, role: Role) -> tuple[forms.BoundField, bool]:
        """The field, and whether it differs from the matrix in force."""
        bound = self[f"{key}.{role}"]
        return bound, (bound.value() or "") != self.matrix.cells.get(key, {}).get(role.value, "")
