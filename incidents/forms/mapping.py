"""Which field of a sender's JSON is what. The result is the mapping part of an integration's settings."""

from collections.abc import Mapping
from typing import Any

from django import forms

from incidents.alert_signals import Grade, Says
from incidents.forms.fields import DeskForm
from incidents.forms.people import TimeZoneField

TEXTS = ("title", "body", "key", "service", "time", "link", "episode", "items")
MAPPED = (*TEXTS, "state", "severity", "labels", "time_zone")
"""What of the settings belongs to the mapping."""
_SEVERAL = ("title", "body", "key", "service", "link", "episode")


def _path(label: str, help_text: str = "", example: str = "") -> forms.CharField:
    attributes = {"spellcheck": "false", "autocapitalize": "off", "placeholder": example}
    return forms.CharField(
        label=label, help_text=help_text, max_length=500, required=False, widget=forms.TextInput(attrs=attributes)
    )


def _words(label: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=500, required=False)


class MappingForm(DeskForm):
    """Paths like alert.name or checks[0].id; several, separated by commas, are joined. All may stay empty: then good
    guesses are made."""

    items = _path("List of alerts in the body", "Only when one body holds several.", "alerts")
    title = _path("Title", example="alert.name")
    body = _path("Text", example="alert.description")
    key = _path("Key", "What stays the same from firing to resolved. Several are joined.", "host, check")
    service = _path("Service", "By name or slug.", "tags.service")
    link = _path("Link", example="url")
    time = _path("Time", example="when")
    time_zone = TimeZoneField(
        empty="UTC", label="Zone of times without one", required=False, help_text="When the sender writes none."
    )
    episode = _path("Mark of this occurrence", "When the sender counts them, for example its start.", "started")
    labels = forms.CharField(
        label="Labels", required=False, help_text="One name=path a line, or the path of an object with all of them.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "host=host.name"}),
    )  # fmt: skip
    state_path = _path("State is at", example="status")
    state_firing = _words("Firing when it says")
    state_resolved = _words("Resolved when it says")
    state_acknowledged = _words("Acknowledged when it says")
    state_info = _words("No alert when it says")
    state_otherwise = forms.ChoiceField(
        label="Anything else means", required=False,
        choices=[("", "as the word is usually meant"), *((one.value, one.value) for one in Says)],
    )  # fmt: skip
    severity_path = _path("Severity is at", example="priority")
    severity_critical = _words("Critical when it says")
    severity_error = _words("Error when it says")
    severity_warning = _words("Warning when it says")
    severity_info = _words("Info when it says")
    severity_otherwise = forms.ChoiceField(
        label="Anything else means", required=False,
        choices=[("", "as the word is usually meant"), *((one.value, one.value) for one in Grade)],
    )  # fmt: skip

    field_groups = (
        ("What it says", ("title", "body", "key", "service", "link", "labels")),
        ("State", ("state_path", "state_firing", "state_resolved", "state_acknowledged", "state_info",
                   "state_otherwise")),
        ("Severity", ("severity_path", "severity_critical", "severity_error", "severity_warning", "severity_info",
                      "severity_otherwise")),
        ("Time and lists", ("items", "time", "time_zone", "episode")),
    )  # fmt: skip

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in self.field_groups]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for rule, kinds in (("state", Says), ("severity", Grade)):
            given = [f"{rule}_{kind.value}" for kind in kinds] + [f"{rule}_otherwise"]
            if not data.get(f"{rule}_path") and any(data.get(name) for name in given):
                self.add_error(f"{rule}_path", "Say where the field is, or leave its words empty, too.")
        return data

    def mapping(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is written into the settings; what is empty is left out."""
        found: dict[str, Any] = {name: _paths(name, given[name]) for name in TEXTS if given.get(name)}
        for rule, kinds in (("state", Says), ("severity", Grade)):
            if path := given.get(f"{rule}_path"):
                words = {kind.value: _listed(given.get(f"{rule}_{kind.value}", "")) for kind in kinds}
                otherwise = given.get(f"{rule}_otherwise")
                found[rule] = {
                    "path": path,
                    **{kind: said for kind, said in words.items() if said},
                    **({"otherwise": otherwise} if otherwise else {}),
                }
        if labels := _labels(given.get("labels", "")):
            found["labels"] = labels
        return found | ({"time_zone": given["time_zone"]} if given.get("time_zone") else {})

    @classmethod
    def initial_of(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        initial = {name: _written(settings.get(name)) for name in TEXTS}
        for rule, kinds in (("state", Says), ("severity", Grade)):
            known = settings.get(rule)
            known = {"path": known} if isinstance(known, str) else known if isinstance(known, dict) else {}
            initial |= {f"{rule}_{kind.value}": _written(known.get(kind.value)) for kind in kinds}
            initial |= {f"{rule}_path": known.get("path", ""), f"{rule}_otherwise": known.get("otherwise", "")}
        labels = settings.get("labels")
        as_lines = "\n".join(f"{name}={path}" for name, path in labels.items()) if isinstance(labels, dict) else labels
        return initial | {"labels": as_lines or "", "time_zone": settings.get("time_zone", "")}


def _paths(name: str, text: str) -> str | list[str]:
    """One path, or several where texts may be joined."""
    several = _listed(text) if name in _SEVERAL else [text.strip()]
    return several[0] if len(several) == 1 else several


def _listed(text: str) -> list[str]:
    return [part for word in text.split(",") if (part := word.strip())]


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _labels(text: str) -> str | dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and "=" not in lines[0]:
        return lines[0]
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): path.strip() for name, _, path in pairs if name.strip() and path.strip()}
