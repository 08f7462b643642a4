"""The words and marks every screen is built with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone

from mim.badges import look_of
from mim.templatetags import frame as tags


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (42, "42 s"),
        (190, "3 min 10 s"),
        (27 * 60, "27 min"),
        (67 * 60, "1 h 07 min"),
        (76 * 3600, "3 d 4 h"),
        (0, "0 s"),
        (-60, "−1 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert tags.duration(seconds) == words


def test_an_unknown_duration_is_a_dash_and_never_zero():
    assert "–" in tags.duration(None)


def test_the_elapsed_clock_shows_hours_minutes_and_seconds():
    assert tags.elapsed_text(41 * 60 + 12) == "00:41:12"
    assert tags.elapsed_text(2 * 86400 + 5) == "2 d 00:00:05"


def test_a_countdown_says_overdue_in_words():
    assert tags.countdown_text(724) == "in 12:04"
    assert tags.countdown_text(-190) == "overdue 3:10"


def test_a_countdown_turns_amber_in_the_last_five_minutes():
    now = timezone.now()
    assert "is-soon" in tags.countdown(now + timedelta(minutes=4))
    assert "is-overdue" in tags.countdown(now - timedelta(seconds=2))
    calm = tags.countdown(now + timedelta(minutes=6))
    assert "is-soon" not in calm and "is-overdue" not in calm


def test_a_moment_stands_in_the_readers_zone_with_utc_beside_it():
    with timezone.override("Europe/Berlin"):
        text = tags.moment(datetime(2019, 7, 2, 13, 45, tzinfo=UTC))
    assert "2 Jul 2019 15:45" in text
    assert "13:45 UTC" in text
    assert 'datetime="2019-07-02T13:45:00+00:00"' in text


def test_a_moment_that_has_not_come_says_so():
    assert "not yet" in tags.moment(None, empty="not yet")


def test_severity_is_read_from_a_number_or_its_word():
    assert look_of("severity", 1) == look_of("severity", "SEV1") == look_of("severity", "1")
    assert look_of("severity", None) is None


def test_an_unknown_state_is_legible():
    assert "Brand new" in tags.badge("status", "brand_new")


def test_a_badge_escapes_what_people_typed():
    assert "<script>" not in tags.badge("status", "<script>")


@pytest.mark.parametrize(("amount", "words"), [(Decimal(12400), "€12,400"), (Decimal("3.5"), "€3.50"), (0, "€0")])
def test_money_has_cents_only_when_small(amount, words):
    assert tags.money(Context({"frame": None}), amount, "EUR") == words


def test_a_person_is_shown_by_initials():
    assert tags.initials("Maya Ann Okafor") == "MO"
    assert tags.initials("") == "?"


class Report(forms.Form):
    title = forms.CharField(help_text="What is broken.")
    note = forms.CharField(required=False, widget=forms.Textarea)


def test_a_field_carries_its_error_where_screen_readers_find_it():
    form = Report({"title": "", "note": "typed"})
    html = Template("{% load frame %}{% form_errors form %}{% field form.title %}{% field form.note %}").render(
        Context({"form": form})
    )
    assert 'aria-describedby="id_title_error id_title_helptext"' in html
    assert 'aria-invalid="true"' in html
    assert 'href="#id_title"' in html
    assert "typed" in html
    assert html.count("optional") >= 1


def test_bars_are_readable_without_scripts():
    svg = tags.spark([1, 2, 8], label="Tickets a minute", normal=1.1)
    assert svg.count("<rect") == 3
    assert "Tickets a minute: latest 8, highest 8" in svg


def test_the_bracket_of_a_guest_is_no_initial():
    assert tags.initials("second-vendor (guest)") == "S"
