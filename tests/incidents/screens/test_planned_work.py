"""Planned work of all services: now, to come, past."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import services
from incidents.models import MaintenanceWindow
from tests import factories
from tests.incidents.screens.monitoring import alert, sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(service_desk_manager):
    def window(title, begins, ends, *affected):
        now = timezone.now()
        return services.save_window(
            title=title, services=affected, starts_at=now + timedelta(hours=begins),
            ends_at=now + timedelta(hours=ends), actor=service_desk_manager, at=now,
        )  # fmt: skip

    return window


def shown(browser, **query):
    found = browser.get(reverse("planned_work"), query).context["shown"]
    flat = [[one.title for _, windows in days for one in windows] for days in (found.upcoming, found.past)]
    return [one.title for one in found.now], *flat


def test_windows_stand_under_now_upcoming_and_past(at_desk, plan, checkout):
    other = factories.service("Mail")
    plan("Now", -1, 1, checkout)
    plan("Later", 50, 51, other)
    plan("Soon", 2, 3, checkout, other)
    plan("Yesterday", -26, -24, checkout)
    plan("Long ago", -24 * 40, -24 * 39, checkout)
    assert shown(at_desk) == (["Now"], ["Soon", "Later"], ["Yesterday"])
    assert shown(at_desk, service="mail") == ([], ["Soon", "Later"], [])


def test_a_window_counts_the_alerts_it_calmed(at_desk, plan, checkout, service_desk_manager):
    plan("Now", -1, 1, checkout)
    row, now = sender(actor=service_desk_manager), timezone.now()
    alert(row, service=checkout, started_at=now, in_maintenance=True)
    alert(row, service=checkout, started_at=now - timedelta(hours=5))
    (window,) = at_desk.get(reverse("planned_work")).context["shown"].now
    assert window.calmed == 1


def test_work_is_planned_from_here(signed_in, service_desk_manager, checkout):
    browser = signed_in(service_desk_manager)
    assert "Nothing is planned" in browser.get(reverse("planned_work")).content.decode()
    given = {"title": "Patch night", "starts_at": "2031-01-01T22:00", "ends_at": "2031-01-02T02:00"}
    assert browser.post(reverse("window_plan"), given).status_code == 422
    answer = browser.post(reverse("window_plan"), {**given, "services": [checkout.pk]})
    assert answer["Location"] == reverse("planned_work")
    assert MaintenanceWindow.objects.get().title == "Patch night"


@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_calendar_keeps_its_budget(at_desk, plan, checkout, count, django_assert_max_num_queries):
    for number in range(count):
        begins = (-1, 5, -48)[number % 3]
        plan(f"Work {number}", begins, begins + 2, checkout)
    with django_assert_max_num_queries(11):
        at_desk.get(reverse("planned_work"))
