"""What a requester types."""

from typing import Any

from django import forms

from incidents.forms.fields import DeskForm, Files, long_text, offered_services, title_field


def _plain_levels(label: str, words: tuple[str, str, str, str], chosen: int) -> forms.TypedChoiceField:
    """Impact or urgency as a requester would say it, the mildest first; its value is the level."""
    choices = [(str(4 - place), said) for place, said in enumerate(words)]
    return forms.TypedChoiceField(
        label=label, choices=choices, coerce=int, initial=str(chosen), widget=forms.RadioSelect
    )


class ReportForm(DeskForm):
    title = title_field(
        "What does not work?",
        help_text="One line, as you would tell a colleague.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = long_text(
        label="What happened?", required=False, help_text="What you did, what you saw, the words of the error.", rows=4
    )
    service = forms.ModelChoiceField(
        offered_services(), label="Where?", required=False, empty_label="I do not know, or something else"
    )
    impact = _plain_levels(
        "Who is affected?", ("Only me", "A few of us", "My whole department", "Everybody I know"), chosen=4
    )
    urgency = _plain_levels(
        "Can you work?", ("Yes, it can wait", "Yes, I found a way around", "Hardly", "Not at all"), chosen=3
    )
    attachments = Files(label="Pictures or files", help_text="At most 10, each at most 10 MiB. Programs are refused.")

    rows = (("title",), ("description",), ("service",), ("impact", "urgency"), ("attachments",))

    def report(self) -> dict[str, Any]:
        """What the ticket is opened with: everything but the files."""
        return {name: value for name, value in self.cleaned_data.items() if name != "attachments"}


class StillBrokenForm(DeskForm):
    text = long_text(label="What still happens?", required=False, help_text="One sentence helps. It may stay empty.")
