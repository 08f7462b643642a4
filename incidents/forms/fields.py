"""How the forms of the desk are made: rows of fields, moments in the reader's zone, people and records to choose."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from incidents.models import MajorIncident, Service, Team, User, people_with_role
from incidents.permissions import DESK_ROLES
from incidents.process import OPEN_STAGES


class DeskForm(forms.Form):
    """`rows` names the fields that stand side by side; fields it does not name follow one by one."""

    rows: Sequence[Sequence[str]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "form_%s")
        super().__init__(*args, **kwargs)

    def in_rows(self) -> list[list[forms.BoundField]]:
        found = [[self[name] for name in row if name in self.fields] for row in self.rows]
        named = {name for row in self.rows for name in row}
        rest = [[bound] for bound in self.visible_fields() if bound.name not in named]
        return [row for row in found if row] + rest

    def changes(self) -> dict[str, Any]:
        """What differs from what the form showed."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}


class Moment(forms.DateTimeField):
    """A date and time as the reader's clock shows it; aware afterwards."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(
            widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs
        )


class PersonChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return obj.display_name


class PeopleChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.display_name} ({obj.email})"


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        return list(files.getlist(name)) if hasattr(files, "getlist") else list(files.get(name, []))


class Files(forms.FileField):
    """Any number of files; each is judged by itself where it is kept, so that the refusal names it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=FilesInput(), required=False, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return list(data or [])


def title_field(label: str, **kwargs: Any) -> forms.CharField:
    """One line of at most 250 characters."""
    return forms.CharField(label=label, max_length=250, **kwargs)


def long_text(**kwargs: Any) -> forms.CharField:
    rows = kwargs.pop("rows", 3)
    return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


def levels(label: str, words: Iterable[str]) -> forms.TypedChoiceField:
    """Impact or urgency: 1 (highest) to 4 with the words a technician thinks in."""
    choices = [(str(level), f"{level} – {word}") for level, word in enumerate(words, start=1)]
    return forms.TypedChoiceField(label=label, choices=choices, coerce=int, initial="3")


IMPACT_WORDS = ("everybody or a whole site", "a department", "a few people", "one person")
URGENCY_WORDS = ("work has stopped", "work is badly slowed", "there is a way around", "can wait")


def impact_field() -> forms.TypedChoiceField:
    return levels("Impact: who is affected", IMPACT_WORDS)


def urgency_field() -> forms.TypedChoiceField:
    return levels("Urgency: how it hurts", URGENCY_WORDS)


def offered_services() -> QuerySet[Service]:
    return Service.objects.filter(is_active=True).order_by("name")


def desk_people() -> QuerySet[User]:
    """Who may be given a ticket."""
    return people_with_role(*DESK_ROLES).filter(is_guest=False)


def open_incidents() -> QuerySet[MajorIncident]:
    return MajorIncident.objects.filter(stage__in=OPEN_STAGES)


def teams() -> QuerySet[Team]:
    return Team.objects.all()


def service_field(label: str, **kwargs: Any) -> forms.ModelChoiceField:
    kwargs = {"required": False, "empty_label": "Not known", **kwargs}
    return forms.ModelChoiceField(offered_services(), label=label, **kwargs)
