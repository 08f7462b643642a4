"""What people type about being on call: rotas, layers, shifts, standing in, notes, calendar files."""

from collections.abc import Iterable, Sequence
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from incidents.forms.fields import DeskForm, Moment, PersonChoice, desk_people, long_text, teams
from incidents.forms.people import TimeZoneField
from incidents.models import Rota, RotaLayer, User, people_with_role
from incidents.models.on_call import RANKS
from incidents.permissions import DESK_ROLES
from incidents.queries.rotas import ROLES_ON_CALL

WEEKDAYS = (
    (0, "Monday"), (1, "Tuesday"), (2, "Wednesday"), (3, "Thursday"), (4, "Friday"), (5, "Saturday"), (6, "Sunday"),
)  # fmt: skip


def _role_choices() -> list[tuple[str, str]]:
    first = [(role.value, str(role.label)) for role in ROLES_ON_CALL]
    return first + [(role.value, str(role.label)) for role in DESK_ROLES if role not in ROLES_ON_CALL]


def _duty_fields(form: forms.Form) -> None:
    form.fields["role"] = forms.ChoiceField(
        label="For the role", required=False, choices=[("", "None"), *_role_choices()]
    )
    form.fields["team"] = forms.ModelChoiceField(teams(), label="Or for the team", required=False, empty_label="None")


def candidates_for(role: str) -> Any:
    """Who may be on call for a role; anybody of the desk for a team ("")."""
    return people_with_role(role).filter(is_guest=False) if role else desk_people()


class RotaForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    time_zone = TimeZoneField(label="Time zone", help_text="Handovers stay at their local time when clocks change.")

    rows: Sequence[Sequence[str]] = (("name",), ("role", "team"), ("time_zone",))

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_new:
            _duty_fields(self)

    @classmethod
    def initial_of(cls, rota: Rota) -> dict[str, Any]:
        return {"name": rota.name, "time_zone": rota.time_zone}


class Places(forms.Widget):
    """One select for each place in an order, all of one name; `spare` empty ones, `least` in all."""

    choices: Iterable[tuple[Any, str]] = ()

    def __init__(self, attrs: dict[str, Any] | None = None, *, spare: int = 2, least: int = 4) -> None:
        super().__init__(attrs)
        self.spare, self.least = spare, least

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        chosen = [str(one) for one in value or ()]
        places = max(len(chosen) + self.spare, self.least)
        options = [(str(key), label) for key, label in self.choices]
        return format_html(
            '<ol class="places">{}</ol>',
            format_html_join(
                "",
                '<li><select name="{}" aria-label="Place {}"{}><option value="">Nobody</option>{}</select></li>',
                (
                    (
                        name,
                        place + 1,
                        format_html(' id="{}"', attrs["id"]) if place == 0 and attrs and "id" in attrs else "",
                        _options(options, chosen[place] if place < len(chosen) else ""),
                    )
                    for place in range(places)
                ),
            ),
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [one for one in given if one]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data


def _options(options: Iterable[tuple[str, str]], chosen: str) -> Any:
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((key, mark_safe(" selected") if key == chosen else "", label) for key, label in options),
    )


class PeopleInOrder(forms.Field):
    """Accounts in the order chosen; a person may stand in it several times."""

    widget = Places

    def __init__(self, people: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.people = people
        self.widget.choices = [(person.pk, person.display_name) for person in people]

    def clean(self, value: Any) -> list[User]:
        known = {str(person.pk): person for person in self.people}
        if unknown := [one for one in value or () if one not in known]:
            raise ValidationError(f"{len(unknown)} of these people cannot be on call here. Choose others.")
        return [known[one] for one in super().clean(list(value or ()))]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [str(one) for one in initial or ()] != [str(one) for one in data or ()]


class LayerForm(DeskForm):
    """One layer. Windows are asked for as `days_1`, `begins_1`, `ends_1` and so on, one more than there are."""

    name = forms.CharField(label="Name of the layer", max_length=80, help_text="For example Primary, Backup, Nights.")
    rank = forms.TypedChoiceField(label="Paged", coerce=int, choices=RANKS)
    length = forms.IntegerField(label="A turn lasts", min_value=1, max_value=336)
    unit = forms.ChoiceField(label="Unit", choices=RotaLayer.Unit.choices)
    handover_at = forms.TimeField(
        label="Handover at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), help_text="Local time."
    )
    handover_weekday = forms.TypedChoiceField(
        label="On", coerce=int, required=False, empty_value=None, choices=[("", "the first day’s weekday"), *WEEKDAYS],
        help_text="For turns of weeks.",
    )  # fmt: skip
    starts_on = forms.DateField(
        label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="From the handover on; before, the layer is not kept.",
    )  # fmt: skip
    ends_on = forms.DateField(
        label="Last handover", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    rows = (
        ("name", "rank"),
        ("people",),
        ("length", "unit"),
        ("handover_at", "handover_weekday"),
        ("starts_on", "ends_on"),
    )

    def __init__(self, *args: Any, rota: Rota, windows: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = candidates_for(rota.role)
        self.fields["people"] = PeopleInOrder(people, label="People in turn", help_text="The first begins.")
        self.window_numbers = list(range(1, max(windows + 1, 2) + 1))
        for number in self.window_numbers:
            self.fields[f"days_{number}"] = forms.TypedMultipleChoiceField(
                label="Weekdays", coerce=int, required=False, choices=[(key, name[:3]) for key, name in WEEKDAYS],
                widget=forms.CheckboxSelectMultiple,
            )  # fmt: skip
            for name, label in (("begins", "From"), ("ends", "To")):
                widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
                self.fields[f"{name}_{number}"] = forms.TimeField(label=label, required=False, widget=widget)

    def windows(self) -> list[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        return [(self[f"days_{n}"], self[f"begins_{n}"], self[f"ends_{n}"]) for n in self.window_numbers]

    def in_rows(self) -> list[list[forms.BoundField]]:
        """Windows stand apart."""
        return [row for row in super().in_rows() if not row[0].name.startswith(("days_", "begins_", "ends_"))]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        windows = []
        for number in self.window_numbers:
            days, begins, ends = (given.pop(f"{name}_{number}", None) for name in ("days", "begins", "ends"))
            if not days and begins is None and ends is None:
                continue
            if not days or begins is None or ends is None:
                self.add_error(f"days_{number}", "Give weekdays, from and to; or leave all three empty.")
                continue
            windows.append({"weekdays": days, "begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"})
        return {**given, "windows": windows}

    @classmethod
    def initial_of(cls, layer: RotaLayer) -> dict[str, Any]:
        plain = ("name", "rank", "length", "unit", "handover_at", "handover_weekday", "starts_on", "ends_on")
        found = {name: getattr(layer, name) for name in plain}
        found["people"] = [member.person_id for member in layer.members.all()]
        for number, window in enumerate(layer.windows, 1):
            found |= {
                f"days_{number}": window["weekdays"],
                f"begins_{number}": time.fromisoformat(window["begins"]),
                f"ends_{number}": time.fromisoformat(window["ends"]),
            }
        return found


class ShiftForm(DeskForm):
    person = PersonChoice(desk_people(), label="Person", empty_label="Choose one", help_text="Must hold the role.")
    starts_at = Moment(label="From")
    ends_at = Moment(label="To")
    rank = forms.TypedChoiceField(label="Paged", coerce=int, choices=RANKS)

    rows = (("role", "team"), ("person", "rank"), ("starts_at", "ends_at"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _duty_fields(self)


class StandInForm(DeskForm):
    """Who takes over, from when to when."""

    starts_at = Moment(label="From")
    ends_at = Moment(label="Up to", help_text="At midnight means: the next day is the ordinary turn again.")
    reason = forms.CharField(label="Reason", max_length=200, required=False)

    rows = (("person",), ("starts_at", "ends_at"), ("reason",))

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"] = PersonChoice(candidates_for(role), label="Who takes over", empty_label="Choose one")


class SwapForm(DeskForm):
    """One's own shift for one of somebody else; `theirs` are the others' shifts as "layer start end person"."""

    theirs = forms.ChoiceField(label="For this shift", widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", max_length=200, required=False)

    def __init__(self, *args: Any, offered: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["theirs"].choices = offered  # type: ignore[attr-defined]


class NoteForm(DeskForm):
    text = long_text(
        label="What should the next person know?", rows=5, max_length=5_000,
        help_text="What is unstable, what is planned, what not to touch. Shown to whoever is on call next.",
    )  # fmt: skip


class CalendarFileForm(DeskForm):
    """A calendar file and what its entries become."""

    file = forms.FileField(label="Calendar file", help_text="iCalendar (.ics), at most 1 MiB.")
    target = forms.ChoiceField(label="Its entries become")
    rank = forms.TypedChoiceField(
        label="Paged", coerce=int, choices=RANKS, help_text="Of single shifts; a layer has its own."
    )

    rows = (("file",), ("target", "rank"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layers = RotaLayer.objects.select_related("rota").order_by("rota__name", "rank", "position")
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            ("Overrides of a layer", [(f"layer-{one.pk}", f"{one.rota.name}: {one.name}") for one in layers]),
            ("Single shifts for a role", [(f"role-{key}", label) for key, label in _role_choices()]),
            ("Single shifts for a team", [(f"team-{one.pk}", one.name) for one in teams()]),
        ]
