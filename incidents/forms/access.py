"""What people type about API keys."""

from django import forms

from incidents.forms.fields import DeskForm, Moment
from incidents.models import Scope

SCOPE_WORDS = {
    Scope.READ: "Read: tickets, incidents and figures you may see",
    Scope.WRITE: "Write: tickets, notes, problems, changes",
    Scope.DECLARE: "Declare: major incidents and their stages",
    Scope.INGEST: "Ingest: report alerts and tickets, read nothing",
    Scope.ADMIN: "Administer: people, services, settings",
}


class KeyForm(DeskForm):
    name = forms.CharField(label="What is it for?", max_length=120, help_text="For example: backup of the tickets.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=list(SCOPE_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="Never more than you may yourself.",
    )
    expires_at = Moment(label="Stops working", required=False, help_text="Empty means that it works until revoked.")
