"""What people type about where they are reached."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm
from notifications.channels.kinds import KINDS, Setting
from notifications.contacts import LONGEST_WAIT_MINUTES


def field_of(setting: Setting) -> forms.CharField:
    """The form field of one value a channel needs."""
    attributes = {"phone": {"type": "tel", "autocomplete": "tel", "inputmode": "tel"}, "url": {"inputmode": "url"}}
    return forms.CharField(
        label=setting.label,
        help_text=setting.help,
        required=setting.is_required,
        max_length=2000,
        widget=forms.TextInput(attrs={"spellcheck": "false", **attributes.get(setting.kind, {})}),
    )


class AddressForm(DeskForm):
    """The one value by which a person is reached on a channel."""

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for setting in KINDS[channel].personal:
            self.fields[setting.name] = field_of(setting)


class CodeForm(DeskForm):
    code = forms.CharField(
        label="Code",
        max_length=12,
        help_text="Six digits. They work for ten minutes.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class WishesForm(DeskForm):
    """What comes to one address, and when."""

    takes_messages = forms.BooleanField(
        label="Use it for updates and questions too",
        required=False,
        help_text="Otherwise only pages come here. Of those that take updates, the first one that works is used.",
    )
    page_after_minutes = forms.IntegerField(
        label="Ring for pages after, minutes",
        min_value=0,
        max_value=LONGEST_WAIT_MINUTES,
        help_text="0 rings at once. Nothing rings any more once somebody has answered.",
    )


def _clock() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class QuietHoursForm(DeskForm):
    quiet_from = forms.TimeField(label="From", required=False, widget=_clock())
    quiet_until = forms.TimeField(label="Until", required=False, widget=_clock())

    rows = (("quiet_from", "quiet_until"),)
