"""What people type about problems."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, PersonChoice, long_text, open_incidents, title_field
from incidents.models import CauseCategory, Factor, Problem, Ticket, TimelineEvent, people_with_role
from incidents.process import AccountRole
from incidents.queries.problems import evidence_for

WHYS = 5
"""Rows of the five-whys editor that are always there; a sixth is offered when all are filled."""


def problem_managers():
    return people_with_role(AccountRole.PROBLEM_MANAGER)


class NewProblemForm(DeskForm):
    title = title_field("What is the underlying issue?", help_text="The suspected cause, not the symptom.")
    description = long_text(label="What is known so far?", required=False)
    major_incident = forms.ModelChoiceField(
        open_incidents(), label="Major incident", required=False, empty_label="None"
    )
    tickets = forms.ModelMultipleChoiceField(Ticket.objects.all(), required=False, widget=forms.MultipleHiddenInput)
    owner = PersonChoice(
        problem_managers(), label="Owner", required=False, empty_label="The problem manager of the incident or on call"
    )


class ProblemForm(DeskForm):
    title = title_field("Title")
    description = long_text(label="Description", required=False)
    owner = PersonChoice(problem_managers(), label="Owner", required=False, empty_label="Nobody")
    cause_category = forms.ChoiceField(label="Cause", choices=CauseCategory.choices)
    root_cause = long_text(label="Root cause", required=False)
    contributing_factors = long_text(label="Contributing factors", required=False)
    workaround = long_text(label="Workaround", required=False, help_text="What helps until the fix is there.")

    rows = (("title",), ("owner", "cause_category"))

    @classmethod
    def initial_of(cls, problem: Problem) -> dict[str, Any]:
        return {name: getattr(problem, name) for name in cls.base_fields if name != "owner"} | {
            "owner": problem.owner_id
        }


class WhysForm(DeskForm):
    """Why, and why again; each answer is a field of its own and empty ones fall away."""

    def __init__(self, *args: Any, whys: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = whys or []
        for at in range(max(WHYS, len(known) + 1)):
            self.fields[f"why_{at + 1}"] = long_text(
                label="Why did it happen?" if at == 0 else "And why was that?",
                required=False,
                rows=1,
                initial=known[at] if at < len(known) else "",
            )

    @property
    def answers(self) -> list[str]:
        return [text for name in self.fields if (text := self.cleaned_data.get(name, "").strip())]


class EvidenceChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        said = " ".join((obj.text or obj.get_kind_display()).split())
        return f"{obj.incident.ref} #{obj.seq} {obj.at:%d %b %H:%M} UTC: {said[:90]}"


class FactorForm(DeskForm):
    """What contributed, to what, and what in the timeline shows it."""

    text = long_text(label="What contributed?", rows=2, help_text="A condition, not a person.")
    parent = forms.ModelChoiceField(
        Factor.objects.none(), label="It contributed to", required=False, empty_label="The problem itself"
    )
    is_root = forms.BooleanField(label="Without it, it would not have happened", required=False)
    evidence = EvidenceChoice(TimelineEvent.objects.none(), label="Evidence in the timeline", required=False)

    def __init__(self, *args: Any, problem: Problem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = problem.factors.all()  # type: ignore[attr-defined]
        self.fields["evidence"].queryset = evidence_for(problem)  # type: ignore[attr-defined]


class LinkIncidentForm(DeskForm):
    incident = forms.ModelChoiceField(open_incidents(), label="Open major incident", empty_label="Choose one")
