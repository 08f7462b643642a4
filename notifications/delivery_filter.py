"""The filters of the delivery log, as they stand in its address; the page and its export read the same."""

from typing import Any

from django import forms
from django.db.models import Q

from incidents.forms.fields import Moment
from incidents.process import Audience
from notifications.models import ChannelKey, DeliveryState
from notifications.policy import PROMISE_DUE_SOON, RULES

MOMENTS = sorted({rule.moment for rule in RULES.values()} | {PROMISE_DUE_SOON.moment})


def _in_words(moment: str) -> str:
    return moment.replace("_", " ").capitalize()


class DeliveryFilterForm(forms.Form):
    """What cannot be read is left out and said."""

    incident = forms.RegexField(
        r"^(?i:MI-)\d{1,12}$",
        required=False,
        label="Major incident",
        error_messages={"invalid": "A reference looks like MI-12."},
        widget=forms.TextInput(attrs={"placeholder": "MI-12"}),
    )
    audience = forms.ChoiceField(choices=[("", "Any audience"), *Audience.choices], required=False)
    channel = forms.ChoiceField(choices=[("", "Any channel"), *ChannelKey.choices], required=False)
    state = forms.ChoiceField(choices=[("", "Any state"), *DeliveryState.choices], required=False)
    recipient = forms.CharField(
        label="Person", max_length=254, required=False, widget=forms.TextInput(attrs={"placeholder": "name@…"})
    )
    moment = forms.ChoiceField(
        choices=[("", "Any moment"), *((one, _in_words(one)) for one in MOMENTS)], required=False
    )
    acknowledged = forms.ChoiceField(
        choices=[("", "Acknowledged or not"), ("yes", "Acknowledged"), ("no", "Not acknowledged")], required=False
    )
    since = Moment(label="Queued from", required=False)
    until = Moment(label="Queued before", required=False)

    def narrow(self) -> Q:
        """The rows these filters leave; a field with an error filters nothing."""
        given: dict[str, Any] = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        found = Q()
        for name in ("state", "channel", "moment"):
            found &= Q(**{name: given[name]}) if given.get(name) else Q()
        found &= Q(audiences__contains=[given["audience"]]) if given.get("audience") else Q()
        found &= Q(incident=int(given["incident"][3:])) if given.get("incident") else Q()
        found &= Q(queued_at__gte=given["since"]) if given.get("since") else Q()
        found &= Q(queued_at__lt=given["until"]) if given.get("until") else Q()
        if given.get("acknowledged"):
            found &= Q(acknowledged_at__isnull=given["acknowledged"] == "no")
        words = (given.get("recipient") or "").replace("\x00", "")
        named = Q(address__icontains=words) | Q(recipient__email__icontains=words) | Q(recipient__name__icontains=words)
        return found & named if words else found
