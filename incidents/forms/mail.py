"""What administrators type about e-mail in: addresses, mailboxes, rules."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, service_field, teams
from incidents.models import Mailbox, MailRules, ReceivingAddress


def _team() -> forms.ModelChoiceField:
    return forms.ModelChoiceField(teams(), label="Team", required=False, empty_label="None")


class AddressForm(DeskForm):
    address = forms.EmailField(
        label="Address", max_length=254, help_text="Mail to it opens tickets. Have your mail server send it here."
    )
    service = service_field("Service")
    team = _team()
    is_active = forms.BooleanField(
        label="Receives", required=False, initial=True, help_text="Otherwise mail to it is refused."
    )

    rows = (("address",), ("service", "team"), ("is_active",))

    @classmethod
    def initial_of(cls, row: ReceivingAddress) -> dict[str, Any]:
        given = {"address": row.address, "is_active": row.is_active}
        return given | {"service": row.service_id, "team": row.team_id}


class MailboxForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    host = forms.CharField(
        label="IMAP server", max_length=253, widget=forms.TextInput(attrs={"placeholder": "imap.example.org"})
    )
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=993)
    security = forms.ChoiceField(label="Encryption", choices=Mailbox.Security.choices)
    username = forms.CharField(label="User name", max_length=254)
    password = forms.CharField(
        label="Password",
        max_length=1000,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    folder = forms.CharField(label="Folder", max_length=200, initial="INBOX", required=False)
    afterwards = forms.ChoiceField(label="Once it is stored here", choices=Mailbox.Afterwards.choices)
    move_to = forms.CharField(label="That other folder", max_length=200, required=False)
    service = service_field("Service, when the address names none")
    team = _team()
    is_active = forms.BooleanField(label="Poll it every minute", required=False, initial=True)

    rows = (
        ("name",),
        ("host", "port", "security"),
        ("username", "password"),
        ("folder", "afterwards", "move_to"),
        ("service", "team"),
    )

    def __init__(self, *args: Any, is_new: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].required = is_new

    @classmethod
    def initial_of(cls, row: Mailbox) -> dict[str, Any]:
        plain = ("name", "host", "port", "security", "username", "folder", "afterwards", "move_to", "is_active")
        return {name: getattr(row, name) for name in plain} | {"service": row.service_id, "team": row.team_id}


class MailRulesForm(DeskForm):
    tickets_per_hour = forms.IntegerField(
        label="New tickets of one sender within an hour",
        min_value=1,
        max_value=10_000,
        help_text="What comes beyond is parked and can be released.",
    )
    answers_per_day = forms.IntegerField(
        label="Acknowledgements to one sender within a day",
        min_value=0,
        max_value=1000,
        help_text="0 sends none. Nothing automatic is ever acknowledged.",
    )
    automatic_opens_ticket = forms.BooleanField(
        label="Mail that programs send opens tickets",
        required=False,
        help_text="Monitoring, scripts, mailing lists. Bounces and automatic replies never do.",
    )

    @classmethod
    def initial_of(cls, row: MailRules) -> dict[str, Any]:
        return {name: getattr(row, name) for name in cls.base_fields}
