"""What a technician types while somebody is on the phone: the fields in the order of a call."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from incidents.forms.fields import IMPACT_WORDS, URGENCY_WORDS, DeskForm, levels, long_text, service_field, title_field
from incidents.models import User

_UNITS = {"m": "minutes", "min": "minutes", "minutes": "minutes", "minute": "minutes", "h": "hours", "hour": "hours",
          "hours": "hours", "d": "days", "day": "days", "days": "days"}  # fmt: skip
_BEFORE = re.compile(r"(\d{1,3})\s*([a-z]+)(?:\s+ago)?")
_CLOCK = re.compile(r"(yesterday\s+)?([01]?\d|2[0-3])[:.h]([0-5]\d)")


def moment_in_words(text: str, now: datetime) -> datetime:
    """“now”, “20 min”, “2 h”, “3 days”, “9:15”, “yesterday 17:00” or a date and time, in the zone of `now` (aware).

    A time of the day that lies ahead was yesterday's. Raises ValidationError with what is understood.
    """
    said = " ".join(text.lower().split()).removeprefix("since ")
    if said in ("now", "just now"):
        return now
    if (found := _BEFORE.fullmatch(said)) and (unit := _UNITS.get(found[2])):
        return now - timedelta(**{unit: int(found[1])})
    if found := _CLOCK.fullmatch(said):
        at = now.replace(hour=int(found[2]), minute=int(found[3]), second=0, microsecond=0)
        return at - timedelta(days=1) if found[1] or at > now else at
    try:
        written = parse_datetime(text.strip())
    except ValueError:
        written = None
    if written is None:
        raise forms.ValidationError(
            "Write it like 20 min, 2 h, 9:15, yesterday 17:00 or 2026-03-02 09:15, or leave it empty."
        )
    return written if timezone.is_aware(written) else written.replace(tzinfo=now.tzinfo)


class HotlineForm(DeskForm):
    caller = forms.CharField(
        label="Who is calling?",
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "Name, number or e-mail address"}),
    )
    requester = forms.ModelChoiceField(
        User.objects.filter(is_active=True, is_guest=False), required=False, widget=forms.HiddenInput
    )
    callback_number = forms.CharField(
        label="Call back at", max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    title = title_field(
        "What is wrong?", widget=forms.TextInput(attrs={"placeholder": "In the caller’s words, one line"})
    )
    service = service_field("Which service?")
    since = forms.CharField(
        label="Since when?",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "20 min · 2 h · 9:15 · yesterday 17:00"}),
    )
    impact = levels("How many are affected?", IMPACT_WORDS)
    urgency = levels("Can they work?", URGENCY_WORDS)
    tried = long_text(label="What have they tried?", required=False, rows=2)
    notes = long_text(label="What else did they say?", required=False, rows=2)
    is_suspected_major = forms.BooleanField(
        label="Suspected major",
        required=False,
        help_text="Pages the major incident manager on call the moment you save.",
    )
    call_started_at = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, knows_outage: bool = False, **kwargs: Any) -> None:
        """`knows_outage`: the caller is attached to an outage, which says what is wrong."""
        super().__init__(*args, **kwargs)
        if knows_outage:
            self.fields["title"].required = False
        self.fields["caller"].widget.attrs |= {
            "role": "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "callers",
            "autocomplete": "off", "autofocus": True, "spellcheck": "false",
        }  # fmt: skip

    def clean_since(self) -> datetime | None:
        text = self.cleaned_data["since"]
        if not text:
            return None
        now = timezone.localtime()
        at = moment_in_words(text, now)
        if at > now:
            raise forms.ValidationError("This lies ahead of us. Since when did it not work?")
        return at

    def clean_call_started_at(self) -> datetime | None:
        """None for what is no time: the clock is a help, never a reason to refuse a call."""
        try:
            at = parse_datetime(self.cleaned_data["call_started_at"])
        except ValueError:
            return None
        return at if at and timezone.is_aware(at) else None

    def call(self) -> dict[str, Any]:
        """What the action takes."""
        given = dict(self.cleaned_data)
        given["began_at"] = given.pop("since")
        given["caller_words"] = given.pop("caller")
        return given
