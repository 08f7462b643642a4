"""What people type about changes."""

from collections.abc import Sequence
from typing import Any

from django import forms

from incidents.forms.fields import (
    DeskForm,
    Moment,
    PeopleChoice,
    PersonChoice,
    desk_people,
    long_text,
    offered_services,
    open_incidents,
    title_field,
)
from incidents.models import (
    Change,
    ChangeLink,
    ChangeStep,
    ChangeTemplate,
    ChangeType,
    CheckResult,
    FreezeWindow,
    Problem,
    Risk,
    people_with_role,
)
from incidents.permissions import STAFF_ROLES
from incidents.process import AccountRole
from incidents.risk import QUESTIONS


def possible_approvers():
    return people_with_role(AccountRole.CHANGE_MANAGER, AccountRole.MANAGEMENT, AccountRole.SERVICE_DESK_MANAGER,
                            AccountRole.TECHNICAL_STAFF)  # fmt: skip


class ChangeForm(DeskForm):
    title = title_field("What changes?")
    type = forms.ChoiceField(
        label="Type",
        choices=ChangeType.choices,
        help_text="Standard is approved by submitting. Emergency may start now; approval follows within 24 h.",
    )
    risk = forms.ChoiceField(label="Risk", choices=Risk.choices, initial=Risk.MEDIUM)
    services = forms.ModelMultipleChoiceField(offered_services(), label="Services", required=False)
    window_start = Moment(label="Window from", required=False)
    window_end = Moment(label="Window to", required=False)
    description = long_text(label="Why", required=False)
    plan = long_text(label="Plan", required=False, help_text="The steps, in order.")
    test_plan = long_text(label="Test plan", required=False, help_text="How you know that it worked.")
    backout_plan = long_text(label="Back-out plan", required=False, help_text="The way back when it does not.")
    owner = PersonChoice(
        people_with_role(AccountRole.CHANGE_MANAGER), label="Owner", required=False, empty_label="The change manager"
    )
    implementer = PersonChoice(desk_people(), label="Implementer", required=False, empty_label="Whoever starts it")
    approvers = PeopleChoice(
        possible_approvers(), label="Approvers", required=False, help_text="Never the requester or the implementer."
    )
    quorum = forms.IntegerField(
        label="Quorum",
        min_value=1,
        max_value=50,
        required=False,
        help_text="How many must approve. Empty: all.",
    )
    problems = forms.ModelMultipleChoiceField(Problem.objects.exclude(status="closed"), label="Fixes problems",
                                              required=False)  # fmt: skip

    rows: Sequence[Sequence[str]] = (
        ("title",),
        ("type", "risk"),
        ("window_start", "window_end"),
        ("description",),
        ("plan",),
        ("test_plan", "backout_plan"),
        ("owner", "implementer"),
        ("services", "approvers"),
        ("problems", "quorum"),
    )

    @classmethod
    def initial_of(cls, change: Change) -> dict[str, Any]:
        plain = ["title", "type", "risk", "window_start", "window_end", "description"]
        plain += ["plan", "test_plan", "backout_plan", "quorum"]
        return {name: getattr(change, name) for name in plain} | {
            "owner": change.owner_id,
            "implementer": change.implementer_id,
            "services": [one.pk for one in change.services.all()],
            "problems": [one.pk for one in change.problems.all()],
            "approvers": [row.approver_id for row in change.approvals.all()],
        }


class NewChangeForm(ChangeForm):
    major_incident = forms.ModelChoiceField(
        open_incidents(), label="Major incident", required=False, empty_label="None"
    )
    relation = forms.ChoiceField(label="It is its", choices=[("", "–"), *ChangeLink.Relation.choices], required=False)

    rows = (("major_incident", "relation"), *ChangeForm.rows)

    def cleaned(self) -> dict[str, Any]:
        """As the action takes it: what was left empty is not given."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class LinkChangeForm(DeskForm):
    incident = forms.ModelChoiceField(open_incidents(), label="Open major incident", empty_label="Choose one")
    relation = forms.ChoiceField(label="This change is its", choices=ChangeLink.Relation.choices)


class RejectForm(DeskForm):
    comment = long_text(label="Comment", required=False, help_text="What would have to be different.")


class ApproveForm(DeskForm):
    comment = long_text(label="Comment", required=False, rows=2)
    condition = long_text(
        label="Only if", required=False, rows=2, help_text="A condition: the change begins once it is met."
    )


class DelegateForm(DeskForm):
    to = PersonChoice(
        people_with_role(*STAFF_ROLES).filter(is_guest=False), label="Who votes in your place?", required=False,
        empty_label="Nobody: I vote myself",
    )  # fmt: skip


class MetForm(DeskForm):
    note = long_text(label="How was it met?", required=False, rows=2)


class CheckForm(DeskForm):
    result = forms.ChoiceField(label="Does it do what it should?", choices=CheckResult.choices,
                               widget=forms.RadioSelect)  # fmt: skip
    notes = long_text(label="What was looked at", required=False, help_text="Needed when it does not work.")


class LogForm(DeskForm):
    text = long_text(label="What was done or seen?", rows=2)


class StepsForm(DeskForm):
    part = forms.ChoiceField(label="Part", choices=ChangeStep.Part.choices)
    text = long_text(label="Steps", rows=6, help_text="One a line. “(10 min)” at the end says how long it takes.")


class RiskForm(DeskForm):
    """The questionnaire: one choice a question, its place is its points."""

    def __init__(self, *args: Any, answers: dict[str, int] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in QUESTIONS:
            known = (answers or {}).get(question.key)
            choices = [("", "Choose"), *((str(points), words) for points, words in enumerate(question.answers))]
            self.fields[question.key] = forms.TypedChoiceField(
                label=question.text, choices=choices, coerce=int, initial="" if known is None else str(known)
            )


class TemplateForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120, help_text="As people look for it: “Renew a certificate”.")
    title = title_field("Title of the change", required=False, help_text="Empty: its name.")
    risk = forms.ChoiceField(label="Risk", choices=Risk.choices, initial=Risk.LOW)
    services = forms.ModelMultipleChoiceField(offered_services(), label="Services", required=False)
    description = long_text(label="Why", required=False, rows=2)
    plan = long_text(label="Plan", required=False, help_text="One step a line, “(10 min)” for how long.")
    test_plan = long_text(label="Test plan", required=False, rows=2)
    backout_plan = long_text(label="Back-out plan", required=False, rows=2)
    is_active = forms.BooleanField(label="In use", required=False, initial=True)

    rows = (("name", "title"), ("risk", "services"), ("description",), ("plan",), ("test_plan", "backout_plan"))

    @classmethod
    def initial_of(cls, template: ChangeTemplate) -> dict[str, Any]:
        plain = [name for name in cls.base_fields if name != "services"]
        return {name: getattr(template, name) for name in plain} | {
            "services": [one.pk for one in template.services.all()]
        }


class UseTemplateForm(DeskForm):
    title = title_field("Title")
    window_start = Moment(label="Window from", required=False)
    window_end = Moment(label="Window to", required=False)
    services = forms.ModelMultipleChoiceField(offered_services(), label="Services", required=False)

    rows = (("title",), ("window_start", "window_end"))

    def cleaned(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class FreezeForm(DeskForm):
    name = forms.CharField(label="What for?", max_length=120, help_text="For example “Christmas business”.")
    starts_at = Moment(label="From")
    ends_at = Moment(label="To")
    services = forms.ModelMultipleChoiceField(offered_services(), label="Services", required=False,
                                              help_text="None chosen: all of them.")  # fmt: skip
    reason = long_text(label="Why", required=False, rows=2)

    rows = (("name",), ("starts_at", "ends_at"))

    @classmethod
    def initial_of(cls, freeze: FreezeWindow) -> dict[str, Any]:
        plain = ("name", "starts_at", "ends_at", "reason")
        return {name: getattr(freeze, name) for name in plain} | {"services": [one.pk for one in freeze.services.all()]}


class ReasonForm(DeskForm):
    reason = long_text(label="Reason", help_text="It is kept in the record.")


class OptionalReasonForm(DeskForm):
    reason = long_text(label="Reason", required=False)
