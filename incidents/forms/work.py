"""What is typed about work, decisions and checklists in the room."""

import re
from typing import Any

from django import forms

from incidents.errors import Duplicate, ProcessError
from incidents.forms.fields import DeskForm, Files, offered_services
from incidents.forms.room import Person, ReasonForm, RoomForm, long_text, moment
from incidents.models import Checklist, ChecklistKind, TaskStatus, User
from incidents.queries.work import fitting_checklists

__all__ = ["ReasonForm"]

BOXES = (5, 10, 15, 30, 60)
USUAL_BOX = 15
"""Minutes a task gets when somebody takes it that has none."""


class Minutes(forms.TypedChoiceField):
    """A time box to choose; None for none."""

    def __init__(self, *, empty: str, **kwargs: Any) -> None:
        choices = [("", empty), *((str(n), f"{n} min") for n in BOXES)]
        super().__init__(choices=choices, coerce=int, empty_value=None, required=False, **kwargs)

    def valid_value(self, value: Any) -> bool:
        """Other whole numbers are for programs; the action says which are possible."""
        return str(value).isascii() and str(value).isdigit() and len(str(value)) < 6


class NoteForm(RoomForm):
    text = long_text("Text", required=False)
    attachments = Files(label="Files", help_text="Screenshots can be pasted into the text.")
    key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("text", "").strip() and not given.get("attachments") and not self.errors:
            self.add_error("text", "Write something, or add a file.")
        return given


class DecisionForm(RoomForm):
    text = long_text("Decision")
    rationale = long_text("Why", required=False, rows=2)
    objections = long_text("Objections", required=False, rows=2)
    objections_within = Minutes(
        label="Any strong objections?",
        empty="Do not ask: it is decided",
        help_text="Whoever is on the team is asked. Silence is consent.",
    )


class TaskForm(RoomForm):
    title = forms.CharField(label="Task", max_length=250)
    target = forms.CharField(
        label="On what",
        max_length=120,
        required=False,
        help_text="A node, a table, a provider: one person at a time.",
    )
    assignee = Person(User.objects.none(), label="For", required=False, empty_label="Whoever takes it")
    minutes = Minutes(label="Back in", empty="No time box")
    due_at = moment("Or due", required=False)
    different = forms.BooleanField(required=False, label="It is something else: add it all the same")
    rows = (("title",), ("target", "assignee"), ("minutes", "due_at"))

    def prepare(self) -> None:
        seated = [seat.user_id for seat in self.room.accepted_seats]
        self.fields["assignee"].queryset = User.objects.filter(pk__in=[*seated, self.room.user.pk])  # type: ignore[attr-defined]
        self.fields["different"].widget = forms.HiddenInput()

    def refused(self, refusal: ProcessError) -> None:
        """Offers the way round, once the same work was found."""
        if isinstance(refusal, Duplicate):
            self.fields["different"].widget = forms.CheckboxInput()


class ReportForm(RoomForm):
    """The answer to a call-back, or a word before it."""

    outcome = forms.ChoiceField(
        label="How does it stand?",
        choices=[
            ("done", "Done"),
            ("more", "More time"),
            ("back", "Give it back"),
            ("cancelled", "Not needed any more"),
        ],
        initial="done",
        widget=forms.RadioSelect,
    )
    result = long_text("What came of it", required=False, rows=2)
    minutes = Minutes(label="More time", empty="As much as before")
    assignee = Person(User.objects.none(), label="Hand it to", required=False, empty_label="Nobody else")
    rows = (("minutes", "assignee"),)

    def prepare(self) -> None:
        seated = [seat.user_id for seat in self.room.accepted_seats]
        self.fields["assignee"].queryset = User.objects.filter(pk__in=seated)  # type: ignore[attr-defined]

    @staticmethod
    def changes_of(given: dict[str, Any], minutes: int | None) -> dict[str, Any]:
        """What the answer changes of a task with a time box of `minutes`."""
        said = {"result": given["result"]} if given["result"] else {}
        outcome = given["outcome"]
        if outcome in ("done", "cancelled"):
            return {"status": outcome, **said}
        box = {"minutes": given["minutes"] or minutes or USUAL_BOX}
        if outcome == "back" and not given["assignee"]:
            return {"assignee": None, **said}
        hand = {"assignee": given["assignee"]} if given["assignee"] else {}
        return {"status": TaskStatus.IN_PROGRESS, **box, **hand, **said}


class StartChecklistForm(RoomForm):
    checklist = forms.ModelChoiceField(Checklist.objects.none(), label="Checklist", empty_label=None)

    def prepare(self) -> None:
        rows = fitting_checklists(self.room.incident)
        self.fields["checklist"].queryset = rows  # type: ignore[attr-defined]
        grouped: dict[str, list[tuple[int, str]]] = {}
        for row in rows:
            group = row.service.name if row.service else "For every service"
            kind = "" if row.kind == ChecklistKind.ANY else f"{row.get_kind_display()}: "
            grouped.setdefault(group, []).append((row.pk, f"{kind}{row.name} ({len(row.items)})"))
        self.fields["checklist"].choices = list(grouped.items())  # type: ignore[attr-defined]


class ObjectionForm(RoomForm):
    text = long_text("Why it must not be done", help_text="A better way, if you know one. It is kept in the record.")


class StandForm(RoomForm):
    reason = long_text("Why it stands", required=False, rows=2, help_text="Needed when somebody objected.")


_MINUTES = re.compile(r"\s*\((\d{1,4})\s*min\)\s*$")
_TARGET = re.compile(r"\s+→\s*(.+)$|\s+->\s*(.+)$")


def read_item(line: str) -> dict[str, Any]:
    """One line of a checklist: "Restart it -> web-3 (10 min)"."""
    minutes = _MINUTES.search(line)
    rest = line[: minutes.start()] if minutes else line
    target = _TARGET.search(rest)
    title = rest[: target.start()] if target else rest
    thing = next(filter(None, target.groups()), "") if target else ""
    return {"title": title.strip(), "target": thing.strip(), "minutes": int(minutes[1]) if minutes else None}


def written_item(item: dict[str, Any]) -> str:
    """The line `read_item` reads."""
    target = f" → {item['target']}" if item.get("target") else ""
    return f"{item['title']}{target}" + (f" ({item['minutes']} min)" if item.get("minutes") else "")


class ChecklistForm(DeskForm):
    name = forms.CharField(label="Name", max_length=120)
    kind = forms.ChoiceField(label="Kind of outage", choices=ChecklistKind.choices)
    service = forms.ModelChoiceField(offered_services(), label="Service", required=False, empty_label="Every service")
    items = forms.CharField(
        label="Tasks",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One a line. What it is done to after →, the time in brackets: Restart it → web-3 (10 min)",
    )
    rows = (("kind", "service"),)

    def clean_items(self) -> list[dict[str, Any]]:
        return [read_item(line) for line in self.cleaned_data["items"].splitlines() if line.strip()]
