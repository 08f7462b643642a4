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
from incidents.models import Change, ChangeLink, ChangeType, Problem, Risk, people_with_role
from incidents.process import AccountRole


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
    )

    @classmethod
    def initial_of(cls, change: Change) -> dict[str, Any]:
        plain = ["title", "type", "risk", "window_start", "window_end", "description"]
        plain += ["plan", "test_plan", "backout_plan"]
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


class VoteForm(DeskForm):
    comment = long_text(label="Comment", required=False)


class ReasonForm(DeskForm):
    reason = long_text(label="Reason", help_text="It is kept in the record.")


class OptionalReasonForm(DeskForm):
    reason = long_text(label="Reason", required=False)
