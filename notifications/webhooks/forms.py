"""What administrators type about webhooks."""

from typing import Any

from django import forms
from django.utils.html import format_html

from incidents.forms.fields import DeskForm, Moment, PersonChoice, offered_services
from incidents.models import User, people_with_role
from incidents.priority import Severity
from incidents.process import AccountRole
from notifications.models import Webhook
from notifications.webhooks import actions
from notifications.webhooks.catalogue import GROUPS, Group


class WebhookForm(DeskForm):
    """Events are chosen in their groups; choosing all of them is the same as choosing none: everything."""

    name = forms.CharField(label="Name", max_length=120, help_text="Who listens there, for example Chat bridge.")
    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.com/mim", "autocomplete": "off"}),
        help_text="Takes a POST and answers 2xx within ten seconds. Must be reachable from this server.",
    )
    severities = forms.MultipleChoiceField(
        label="Only major incidents of severity", choices=Severity.choices, required=False,
        widget=forms.CheckboxSelectMultiple, help_text="None chosen: everything, also what is no major incident.",
    )  # fmt: skip
    services = forms.ModelMultipleChoiceField(
        offered_services(), label="Only about these services", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: everything.",
    )  # fmt: skip
    include_drills = forms.BooleanField(label="Drills, too", required=False)
    owner = PersonChoice(
        User.objects.none(), label="Owner", empty_label=None,
        help_text="It tells what this person may read, and stops when their account does.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people_with_role(AccountRole.ADMINISTRATOR)  # type: ignore[attr-defined]
        for group in GROUPS:
            self.fields[_field_of(group)] = forms.MultipleChoiceField(
                label=group.title,
                choices=[(told.name, format_html("<code>{}</code><small>{}</small>", told.name, told.meaning))
                         for told in group.events],
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )  # fmt: skip

    def groups(self) -> list[tuple[Group, forms.BoundField, int]]:
        """Each group with its field and how many of its events are chosen."""
        return [(group, bound, len(bound.value() or ())) for group in GROUPS for bound in (self[_field_of(group)],)]

    def fields_of(self, given: dict[str, Any]) -> dict[str, Any]:
        """As the action takes them."""
        plain = {name: value for name, value in given.items() if not name.startswith("events_")}
        chosen = [name for group in GROUPS for name in given.get(_field_of(group), [])]
        everything = sum(len(group.events) for group in GROUPS)
        return {**plain, "events": [] if len(chosen) == everything else chosen}

    @classmethod
    def initial_of(cls, row: Webhook) -> dict[str, Any]:
        plain = ("name", "url", "severities", "include_drills")
        chosen = set(row.events)
        return {name: getattr(row, name) for name in plain} | {
            "services": [service.pk for service in row.services.all()],
            "owner": row.owner_id,
            **{_field_of(group): [told.name for told in group.events if told.name in chosen] for group in GROUPS},
        }


def _field_of(group: Group) -> str:
    return f"events_{group.key}"


class ReplayForm(DeskForm):
    since = Moment(label="What happened since", help_text="90 days back at most.")
    which = forms.ChoiceField(
        label="Send again", choices=actions.WHICH.items(), widget=forms.RadioSelect, initial=actions.MISSING
    )
