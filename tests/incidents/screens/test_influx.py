"""The Influx page, its back-tests, and the candidate's chart."""

import pytest
from django.urls import reverse

from incidents.actions import backtests, influx
from incidents.models import Backtest, Candidate, InfluxThresholds
from tests import factories
from tests.factories import minute

TYPED = {
    "since": "2024-02-20", "until": "2024-03-04", "service": "", "window_minutes": "20", "least_arrivals": "6",
    "least_requesters": "3", "one_in": "100000", "similarity": "0.4", "attaches": "on",
}  # fmt: skip


@pytest.fixture
def as_manager(signed_in, service_desk_manager):
    return signed_in(service_desk_manager)


@pytest.fixture
def tried(as_manager, checkout):
    answer = as_manager.post(reverse("influx_try"), TYPED)
    job = Backtest.objects.get()
    assert answer.status_code == 302 and answer["Location"] == reverse("influx_backtest", args=[job.pk])
    return job


def test_staff_read_what_is_in_force_and_only_some_may_try_others(signed_in, technician, as_manager, requester):
    page = signed_in(technician).get(reverse("influx")).content.decode()
    assert "5 in 15 minutes" in page and "as shipped" in page and "Run the back-test" not in page
    assert "Run the back-test" in as_manager.get(reverse("influx")).content.decode()
    assert signed_in(requester).get(reverse("influx")).status_code == 403


def test_a_back_test_is_watched_and_saved_after_it_was_seen(as_manager, tried):
    shown = as_manager.get(reverse("influx_backtest", args=[tried.pk])).content.decode()
    assert 'hx-trigger="every 1s"' in shown and "Save the tried thresholds" not in shown
    refused = as_manager.post(reverse("influx_save", args=[tried.pk]))
    assert refused.status_code == 422 and "not finished" in refused.content.decode()
    backtests.run_waiting(at=minute(60))
    done = as_manager.get(reverse("influx_backtest_now", args=[tried.pk])).content.decode()
    assert "every 1s" not in done and "Save the tried thresholds" in done and "As a table" in done
    assert as_manager.post(reverse("influx_save", args=[tried.pk])).status_code == 302
    page = as_manager.get(reverse("influx")).content.decode()
    assert "6 in 20 minutes" in page and "Service Desk Manager" in page


def test_a_service_of_its_own_can_follow_again(as_manager, checkout):
    as_manager.post(reverse("influx_try"), TYPED | {"service": checkout.pk})
    backtests.run_waiting(at=minute(60))
    as_manager.post(reverse("influx_save", args=[Backtest.objects.get().pk]))
    page = as_manager.get(reverse("influx"), {"service": checkout.slug}).content.decode()
    assert 'value="6"' in page and "Checkout follows the organisation" in page
    assert as_manager.post(reverse("influx_follow", args=[checkout.slug])).status_code == 302
    assert InfluxThresholds.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("window_minutes", "0"), ("one_in", "1"), ("similarity", "2"), ("until", "2024-01-01"), ("since", "soon"),
     ("least_arrivals", ""), ("service", "999999"), ("one_in", "99999999999999999999")],
)  # fmt: skip
def test_what_cannot_be_tried_stands_at_its_field_and_nothing_typed_is_lost(as_manager, field, value):
    answer = as_manager.post(reverse("influx_try"), TYPED | {field: value})
    page = answer.content.decode()
    assert answer.status_code == 422 and f'id="form_{field}_error"' in page
    assert 'value="0.4"' in page or field == "similarity"
    assert not Backtest.objects.exists()


def test_the_candidate_shows_how_reports_came_in(as_manager, checkout):
    for number in range(6):
        factories.ticket(at=minute(number), service=checkout, requester_email=f"{number}@a.example")
    influx.look(at=minute(6))
    page = as_manager.get(reverse("candidate", args=[Candidate.objects.get().ref])).content.decode()
    assert 'data-chart="arrival-chart"' in page and "Normally" in page and "As a table" in page
    assert "6 arrived; in as many minutes normally" in page and "checkout <span" in page
