"""What people type about promises and service hours."""

import re
from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, offered_services
from incidents.forms.people import TimeZoneField
from incidents.models import Service, ServiceHours
from incidents.priority import Priority
from incidents.service_hours import read_day, tidy, written_day
from incidents.sla import Target

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PART = re.compile(r"\s*([0-9]{1,6})\s*(min|h|m)?\s*")


def minutes_of(text: str) -> int:
    """90 for "90", "90 min" or "1 h 30 min". Raises ValueError otherwise."""
    total, at = 0, 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise ValueError(text)
        total += int(found[1]) * (60 if found[2] == "h" else 1)
        at = found.end()
    return total


def in_words(minutes: int) -> str:
    """The reverse of `minutes_of`."""
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


class DurationField(forms.CharField):
    """A length of service time; whole minutes afterwards, None when empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20, **kwargs)

    def clean(self, value: Any) -> int | None:
        text = super().clean(value).strip().lower()
        if not text:
            return None
        try:
            minutes = minutes_of(text)
        except ValueError:
            minutes = 0
        if minutes < 1:
            raise forms.ValidationError("Write it like 30 min, 4 h or 1 h 30 min.")
        return minutes


class TargetsForm(DeskForm):
    """One line a priority: answered within, solved within, at any hour. Of a service an empty line is inherited."""

    def __init__(self, *args: Any, targets: dict[str, tuple[Target, bool]], of_service: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for priority, (target, is_own) in targets.items():
            shown = is_own or not of_service
            for name, minutes, words in (
                ("response", target.response_minutes, "answered within"),
                ("resolution", target.resolution_minutes, "solved within"),
            ):
                attributes = {"aria-label": f"{priority} {words}", "placeholder": in_words(minutes)}
                self.fields[f"{priority}_{name}"] = DurationField(
                    label=f"{priority} {words}",
                    required=not of_service,
                    initial=in_words(minutes) if shown else "",
                    widget=forms.TextInput(attrs=attributes),
                )
            self.fields[f"{priority}_always"] = forms.BooleanField(
                label=f"{priority} at any hour",
                required=False,
                initial=target.around_the_clock and shown,
                widget=forms.CheckboxInput(attrs={"aria-label": f"{priority} at any hour"}),
            )

    def lines(self) -> list[tuple[str, list[forms.BoundField]]]:
        names = ("response", "resolution", "always")
        return [(priority, [self[f"{priority}_{name}"] for name in names]) for priority in Priority.values]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for priority in Priority.values:
            pair = [data.get(f"{priority}_{name}") for name in ("response", "resolution")]
            if any(pair) and not all(pair) and not self.errors:
                self.add_error(f"{priority}_resolution", "Give both times, or neither.")
        return data

    def given(self) -> dict[str, Target | None]:
        """By priority; None for a line left empty."""
        data, found = self.cleaned_data, {}
        for priority in Priority.values:
            times = (data[f"{priority}_response"], data[f"{priority}_resolution"])
            found[priority] = Target(*times, data[f"{priority}_always"]) if all(times) else None
        return found


class HoursForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    time_zone = TimeZoneField(label="Time zone", required=False, help_text="Empty: the organisation’s.")
    observes_holidays = forms.BooleanField(label="Holidays do not count", required=False, initial=True)
    is_default = forms.BooleanField(label="For every service without hours of its own", required=False)
    services = forms.ModelMultipleChoiceField(
        offered_services(), label="Services with these hours", required=False, widget=forms.CheckboxSelectMultiple
    )

    rows = (("name", "time_zone"),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, day in enumerate(DAYS):
            widget = forms.TextInput(attrs={"placeholder": "closed"})
            self.fields[f"day_{number}"] = forms.CharField(label=day, required=False, max_length=100, widget=widget)
        self.fields["day_0"].help_text = "Like 08:00-18:00, or 08:00-12:00, 13:00-17:00. Empty: closed."
        order = ["name", "time_zone", *(f"day_{n}" for n in range(7)), "observes_holidays", "is_default", "services"]
        self.order_fields(order)

    @classmethod
    def initial_of(cls, row: ServiceHours) -> dict[str, Any]:
        plain = ("name", "time_zone", "observes_holidays", "is_default")
        days = {f"day_{n}": written_day([(a, b) for a, b in day]) for n, day in enumerate(row.week)}
        chosen = {"services": list(row.services.values_list("pk", flat=True))}
        return {name: getattr(row, name) for name in plain} | days | chosen

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        week = []
        for number in range(7):
            try:
                week.append(tidy(read_day(data.pop(f"day_{number}", "") or "")))
            except ValueError as refusal:
                self.add_error(f"day_{number}", f"{refusal}.")
        data["week"] = week
        return data


class ServiceChoiceForm(DeskForm):
    service = forms.ModelChoiceField(Service.objects.filter(is_active=True), label="Service", empty_label="Choose one")
