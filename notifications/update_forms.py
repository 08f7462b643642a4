"""What people type into the composer of status updates."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from incidents.forms.fields import Moment
from incidents.forms.room import long_text
from incidents.process import Audience

NEXT_UPDATE = {15: "In 15 min", 30: "In 30 min", 60: "In 1 h", 120: "In 2 h", 240: "In 4 h"}


def next_update_choices(planned: int) -> list[tuple[str, str]]:
    """When the next update may be promised; the plan's own time is marked and always among them."""
    words = NEXT_UPDATE if planned in NEXT_UPDATE else {**NEXT_UPDATE, planned: f"In {planned} min"}
    offered = [(str(minutes), words[minutes]) for minutes in sorted(words)]
    return [(key, f"{label} (plan)" if key == str(planned) else label) for key, label in offered] + [("", "No promise")]


class UpdateForm(forms.Form):
    """One text for everybody, or a text of its own for an audience. An empty own text means the common one."""

    text = long_text(
        "What everybody may read",
        rows=5,
        required=False,
        help_text="How bad is it now, what was tried, what happens next.",
    )
    text_technical = long_text("What the technical team reads", required=False, rows=4)
    text_management = long_text("What management reads", required=False, rows=4)
    text_key_stakeholders = long_text("What key stakeholders read", required=False, rows=4)
    text_users = long_text("What users read", required=False, rows=4)
    audiences = forms.MultipleChoiceField(
        label="Who is told", choices=Audience.choices, initial=Audience.values, widget=forms.CheckboxSelectMultiple
    )
    next_in = forms.ChoiceField(label="Next update promised", required=False, widget=forms.RadioSelect)
    corrects = forms.IntegerField(required=False, min_value=1, max_value=2**31, widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31, widget=forms.HiddenInput)

    def __init__(self, *args: Any, planned: int, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "form_%s")
        super().__init__(*args, **kwargs)
        self.fields["next_in"].choices = next_update_choices(planned)  # type: ignore[attr-defined]
        self.initial.setdefault("next_in", str(planned))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        common = (given.get("text") or "").strip()
        given["texts"] = {
            name: (given.get(f"text_{name}") or "").strip() or common for name in given.get("audiences") or []
        }
        for name, said in given["texts"].items():
            if not said:
                self.add_error("text", f"Write what {Audience(name).label} should read, here or in words of their own.")
                break
        return given


def typed_texts(typed: QueryDict) -> tuple[str, dict[str, str]]:
    """The common text, and what each chosen audience would read, as it stands now; nothing chosen means all."""
    chosen = [name for name in typed.getlist("audiences") if name in Audience.values] or Audience.values
    common = typed.get("text", "").strip()
    return common, {name: typed.get(f"text_{name}", "").strip() or common for name in chosen}


def promised_at(minutes: str, now: datetime) -> datetime | None:
    """`next_in` of the form as a moment; None for no promise or nonsense."""
    if not (minutes.isascii() and minutes.isdigit() and 0 < len(minutes) < 6 and int(minutes)):
        return None
    return now + timedelta(minutes=int(minutes))


class PromiseForm(forms.Form):
    """Moves the promised next update, or withdraws it when no time is given."""

    due_at = Moment(label="New time", required=False, help_text="Empty withdraws the promise.")
    reason = long_text("Why", required=False, rows=2, help_text="It is kept in the record.", max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "form_%s")
        super().__init__(*args, **kwargs)


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Why", max_length=250, help_text="It is kept with the message.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "form_%s")
        super().__init__(*args, **kwargs)
