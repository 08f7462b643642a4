"""What people write after an incident: the review with its actions, and the document."""

from datetime import time
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from incidents.document_text import MAX_CHARACTERS
from incidents.forms.room import Person, long_text
from incidents.models import Document, Review, User

SPARE_ROWS = 2
MOST_ROWS = 60


class ReviewForm(forms.Form):
    cause = long_text("Cause", required=False)
    unknown_because = long_text("Or: unknown, because", required=False, rows=2)
    findings = long_text(
        "Findings", required=False, rows=4, help_text="What helped it happen, what made it last. One a line."
    )
    contributing_factors = long_text("What contributed", required=False, help_text="Conditions, not people.")
    went_well = long_text("What helped", required=False)
    hindered = long_text("What hindered", required=False)
    attendees = forms.ModelMultipleChoiceField(User.objects.none(), label="Who took part", required=False)
    no_actions_because = long_text("No actions, because", required=False, rows=2, help_text="Only when there are none.")
    observation_hours = forms.IntegerField(
        label="Observation window, hours",
        min_value=0,
        max_value=24 * 90,
        help_text="From the resolution; 0 is allowed.",
    )

    def __init__(self, *args: Any, review: Review, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "review_%s")
        super().__init__(*args, **kwargs)
        people = User.objects.filter(Q(is_active=True, is_guest=False) | Q(seats__incident=review.incident_id))
        self.fields["attendees"].queryset = people.distinct().order_by("name")  # type: ignore[attr-defined]
        for name in self.fields:
            if name != "attendees":
                self.initial.setdefault(name, getattr(review, name))
        self.initial.setdefault("attendees", [one.pk for one in review.attendees.all()])


class ActionForm(forms.Form):
    """One row; an empty one counts as none."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(label="Action", max_length=250, required=False)
    owner = Person(User.objects.none(), label="Owner", required=False, empty_label="Choose")
    due_on = forms.DateField(
        label="Due", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True, is_guest=False).order_by("name")
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]

    def row(self) -> dict[str, Any] | None:
        """The action as the review takes it: due at the end of that day where the reader is. None when empty."""
        given = self.cleaned_data
        if not given.get("title"):
            return None
        due = given.get("due_on")
        at = due and timezone.make_aware(timezone.datetime.combine(due, time(23, 59)))  # type: ignore[attr-defined]
        return {"id": given.get("pk"), "title": given["title"], "owner": given.get("owner"), "due_at": at}


class _Actions(forms.BaseFormSet):
    def rows(self) -> list[dict[str, Any]]:
        return [row for form in self.forms if (row := form.row())]


ActionFormSet = forms.formset_factory(ActionForm, formset=_Actions, extra=SPARE_ROWS, max_num=MOST_ROWS)


def rows_of(review: Review) -> list[dict[str, Any]]:
    """The actions as the form shows them."""
    found = review.actions.select_related("owner")
    return [
        {"pk": row.pk, "title": row.title, "owner": row.owner_id, "due_on": timezone.localtime(row.due_at).date()}
        for row in found
    ]


class DocumentForm(forms.Form):
    title = forms.CharField(label="Title", max_length=250)
    markdown = long_text("Text", max_length=MAX_CHARACTERS, rows=28, help_text="Markdown. Every version is kept.")
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, document: Document, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "document_%s")
        super().__init__(*args, **kwargs)
        self.initial.update(title=document.title, markdown=document.markdown, version=document.version)


class PostMortemForm(forms.Form):
    markdown = long_text("Text for the public", max_length=MAX_CHARACTERS, rows=16, help_text="Markdown. No names.")
