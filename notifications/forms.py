"""What administrators type about paging: the steps of an escalation policy."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.forms.fields import DeskForm
from incidents.forms.on_call import Places
from notifications.escalation_policy import MOST_REPEATS, MOST_STEPS
from notifications.page_queries import target_words

_LEAST_STEPS, _SPARE_STEPS = 4, 1


class Targets(forms.Field):
    """Words of `escalation_policy`, several in one step."""

    def __init__(self, choices: list[tuple[str, str]], chosen: list[str], **kwargs: Any) -> None:
        super().__init__(widget=Places(spare=1, least=2), **kwargs)
        known = {word for word, _ in choices}
        gone = [(word, "Somebody who is not here any more") for word in chosen if word not in known]
        self.words = known | set(chosen)
        self.widget.choices = [*choices, *gone]

    def clean(self, value: Any) -> list[str]:
        given = list(value or ())
        if unknown := [word for word in given if word not in self.words]:
            raise ValidationError(f"“{unknown[0][:60]}” is nobody who can be paged.")
        return given


class PolicyForm(DeskForm):
    """Steps as `who_1`, `wait_1` and so on; an empty one at the end is left out."""

    repeat = forms.IntegerField(
        label="Begin again, times",
        min_value=0,
        max_value=MOST_REPEATS,
        help_text="From the first step, when nobody answered.",
    )

    def __init__(self, *args: Any, steps: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = target_words()
        count = min(max(len(steps) + _SPARE_STEPS, _LEAST_STEPS), MOST_STEPS)
        self.numbers = list(range(1, count + 1))
        for number in self.numbers:
            chosen = steps[number - 1]["who"] if number <= len(steps) else []
            self.fields[f"who_{number}"] = Targets(choices, chosen, label="Page", required=False)
            self.fields[f"wait_{number}"] = forms.IntegerField(
                label="Then wait, minutes", min_value=1, max_value=24 * 60, required=False
            )

    def step_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"who_{number}"], self[f"wait_{number}"]) for number in self.numbers]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        steps = []
        for number in self.numbers:
            who, wait = given.get(f"who_{number}"), given.get(f"wait_{number}")
            if who and wait is None and f"wait_{number}" not in self.errors:
                self.add_error(f"wait_{number}", "Say how many minutes to wait for an answer.")
            elif who and wait is not None:
                steps.append({"who": who, "wait_seconds": wait * 60})
        return {"steps": steps, "repeat": given.get("repeat")}

    @classmethod
    def initial_of(cls, steps: list[dict[str, Any]], repeat: int) -> dict[str, Any]:
        found: dict[str, Any] = {"repeat": repeat}
        for number, step in enumerate(steps, 1):
            found |= {f"who_{number}": step["who"], f"wait_{number}": max(step["wait_seconds"] // 60, 1)}
        return found
