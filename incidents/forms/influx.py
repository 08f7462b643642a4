"""What is typed to try thresholds of the influx detector."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from incidents.detection import Thresholds
from incidents.forms.fields import DeskForm, offered_services
from incidents.models import Organisation, Service

EIGHT_WEEKS = timedelta(weeks=8)


class BacktestForm(DeskForm):
    """A period, and thresholds. The rarity is typed as “one in N windows”, which people can picture."""

    since = forms.DateField(
        label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), help_text="Two years at most."
    )
    until = forms.DateField(
        label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), help_text="This day included."
    )
    service = forms.ModelChoiceField(
        Service.objects.none(),
        label="Thresholds of",
        required=False,
        empty_label="The organisation",
        help_text="A service may have its own.",
    )
    window_minutes = forms.IntegerField(
        label="Window, minutes", min_value=2, max_value=120, help_text="How far it looks back."
    )
    least_arrivals = forms.IntegerField(
        label="Tickets and alerts, at least", min_value=2, max_value=10_000, help_text="In one window."
    )
    least_requesters = forms.IntegerField(
        label="Requesters, at least", min_value=1, max_value=50, help_text="Hosts count for alerts."
    )
    one_in = forms.IntegerField(
        label="Rarer than one window in",
        min_value=2,
        max_value=10**15,
        help_text="Higher: fewer false candidates, later ones.",
    )
    similarity = forms.FloatField(
        label="Alike from",
        min_value=0.05,
        max_value=0.95,
        help_text="From 0.05, hardly, to 0.95. For all services.",
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    attaches = forms.BooleanField(
        label="Attach later tickets to the open candidate or incident and tell their requesters", required=False
    )

    rows = (
        ("since", "until", "service"),
        ("window_minutes", "least_arrivals", "least_requesters"),
        ("one_in", "similarity"),
        ("attaches",),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = offered_services()  # type: ignore[attr-defined]

    @classmethod
    def initial_of(cls, thresholds: Thresholds, service: Service | None, today: date) -> dict[str, Any]:
        names = ("window_minutes", "least_arrivals", "least_requesters", "similarity", "attaches")
        return {
            "since": today - EIGHT_WEEKS,
            "until": today,
            "service": service,
            "one_in": round(1 / thresholds.tail),
            **{name: getattr(thresholds, name) for name in names},
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and since > until:
            self.add_error("until", "The period ends before it begins.")
        return given

    def period(self) -> tuple[datetime, datetime]:
        """From the beginning of the first day to the end of the last, as the organisation's clocks show them."""
        zone = ZoneInfo(Organisation.current().time_zone)
        since, after = self.cleaned_data["since"], self.cleaned_data["until"] + timedelta(days=1)
        begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (since, after))
        return begin, end

    def thresholds(self) -> dict[str, Any]:
        """In the words of the action."""
        given = self.cleaned_data
        names = ("window_minutes", "least_arrivals", "least_requesters", "similarity", "attaches")
        return {"tail": 1 / given["one_in"], **{name: given[name] for name in names}}
