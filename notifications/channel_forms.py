"""What administrators type about channels and places; the fields come from `KINDS`."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, offered_services
from incidents.priority import Severity
from incidents.process import Audience
from notifications.channels.entered import LONGEST
from notifications.channels.kinds import KINDS, Setting
from notifications.models import Destination

_KEPT = "Empty keeps the one that is stored."


def field_of(setting: Setting, *, is_stored: bool = False, value: str = "") -> forms.Field:
    """One field. A secret one starts empty, whatever is stored; checks beyond its length are the action's."""
    help_text = " ".join(filter(None, (setting.help, _KEPT if setting.is_secret and is_stored else "")))
    is_required = setting.is_required and not setting.default and not (setting.is_secret and is_stored)
    widget: forms.Widget = forms.TextInput()
    if setting.is_secret:
        widget = forms.PasswordInput(attrs={"autocomplete": "off"})
    elif setting.kind == "lines":
        widget = forms.Textarea(attrs={"rows": 3})
    elif setting.kind in ("url", "phone"):
        widget = forms.TextInput(attrs={"inputmode": "url" if setting.kind == "url" else "tel"})
    return forms.CharField(
        label=setting.label,
        help_text=help_text,
        required=is_required,
        max_length=LONGEST,
        initial="" if setting.is_secret else value or setting.default,
        widget=widget,
    )


class SettingsForm(DeskForm):
    """The fields of some settings and nothing else."""

    def __init__(
        self, *args: Any, asked: tuple[Setting, ...], known: dict[str, str], stored: tuple[str, ...] = (), **kwargs: Any
    ) -> None:
        """`known` are values that may be shown, `stored` the names of secrets that are there."""
        super().__init__(*args, **kwargs)
        for one in asked:
            self.fields[one.name] = field_of(one, is_stored=one.name in stored, value=known.get(one.name, ""))


class PlaceForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120, help_text="How people here call it, for example #outages.")
    audiences = forms.MultipleChoiceField(
        label="Who reads there",
        choices=Audience.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="It hears what these audiences hear, in the words of the first one.",
    )
    severities = forms.MultipleChoiceField(
        label="Only of these severities",
        choices=Severity.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None chosen means all.",
    )
    services = forms.ModelMultipleChoiceField(
        offered_services(), label="Only about these services", required=False, help_text="None chosen means all."
    )

    def __init__(self, *args: Any, channel: str, stored: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked = KINDS[channel].place
        rest = [self.fields.pop(name) for name in ("audiences", "severities", "services")]
        initial = kwargs.get("initial") or {}
        for one in self._asked:
            self.fields[one.name] = field_of(one, is_stored=one.name in stored, value=initial.get(one.name, ""))
        self.fields |= dict(zip(("audiences", "severities", "services"), rest, strict=True))

    def changes_of(self, given: dict[str, Any]) -> dict[str, Any]:
        """As the action takes them."""
        plain = {name: given[name] for name in ("name", "audiences", "severities", "services")}
        return plain | {"settings": {one.name: given[one.name] for one in self._asked}}

    @classmethod
    def initial_of(cls, row: Destination) -> dict[str, Any]:
        shown = {one.name: row.address for one in KINDS[row.channel].place if not one.is_secret}
        services = [one.pk for one in row.services.all()]
        plain = {"name": row.name, "audiences": row.audiences, "severities": row.severities, "services": services}
        return plain | shown
