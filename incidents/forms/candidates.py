"""What a manager types to judge a candidate."""

from typing import Any

from django import forms

from incidents.models import MajorIncident, User
from incidents.permissions import visible_incidents
from incidents.process import OPEN_STAGES


class CandidateForm(forms.Form):
    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "form_%s")
        super().__init__(*args, **kwargs)
        self.user = user
        self.prepare()

    def prepare(self) -> None:
        """Choices that depend on the person."""

    def in_rows(self) -> list[list[forms.BoundField]]:
        return [[bound] for bound in self.visible_fields()]


class LinkForm(CandidateForm):
    incident = forms.ModelChoiceField(
        MajorIncident.objects.none(), label="Open major incident", empty_label="Choose the one it belongs to"
    )

    def prepare(self) -> None:
        rows = visible_incidents(self.user).filter(stage__in=OPEN_STAGES)
        self.fields["incident"].queryset = rows  # type: ignore[attr-defined]


class DismissForm(CandidateForm):
    reason = forms.CharField(
        label="Why", widget=forms.Textarea(attrs={"rows": 3}), max_length=4000, help_text="Who proposed it reads this."
    )
