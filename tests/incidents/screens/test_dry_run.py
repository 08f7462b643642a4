"""A rule is tried on the past before it is saved."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import rule_settings
from incidents.models import AlertRule
from tests.incidents.screens.monitoring import alert, sender

pytestmark = pytest.mark.django_db
FORM = {"outcome": "ticket", "impact": "2", "urgency": "2"}


@pytest.fixture(autouse=True)
def _no_rule_but_ours(db):
    AlertRule.objects.all().delete()


@pytest.fixture
def at_work(signed_in, service_desk_manager):
    return signed_in(service_desk_manager, htmx=True)


@pytest.fixture
def past(service_desk_manager, checkout):
    """Twelve critical alerts of Checkout lately, one of them long ago, one a warning."""
    row, now = sender(actor=service_desk_manager), timezone.now()
    for number in range(12):
        began = now - (timedelta(days=20) if number == 0 else timedelta(hours=number))
        alert(
            row, f"Alert {number}", service=checkout, severity="warning" if number == 1 else "critical",
            started_at=began, state_at=began, first_received_at=began, last_received_at=began,
        )  # fmt: skip
    return row


def make(actor, name, **changes):
    return rule_settings.save_rule(
        changes={"name": name, "outcome": "ticket", **changes}, actor=actor, at=timezone.now()
    )


def test_it_says_how_many_it_would_have_met_and_shows_the_newest_ten(at_work, past, checkout):
    given = {**FORM, "severities": ["critical"], "services": [checkout.pk], "days": "7"}
    answer = at_work.post(reverse("rule_dry_run"), given)
    assert answer.context["matches"].count == 10
    assert len(answer.context["rows"]) == 10
    assert all(is_this for _, _, is_this in answer.context["rows"])
    assert at_work.post(reverse("rule_dry_run"), {**given, "days": "30"}).context["matches"].count == 11
    assert not AlertRule.objects.exists()


def test_it_says_which_rule_is_asked_earlier(at_work, past, service_desk_manager):
    second = make(service_desk_manager, "Mine", severities=["critical"])
    first = make(service_desk_manager, "Everything")
    given = {**FORM, "severities": ["critical"]}
    rows = at_work.post(reverse("rule_dry_run") + f"?rule={second.pk}", given).context["rows"]
    assert {rule for _, rule, _ in rows} == {first}
    for address in (reverse("rule_dry_run"), reverse("rule_dry_run") + f"?rule={first.pk}"):
        rows = at_work.post(address, given).context["rows"]
        assert all(is_this for _, _, is_this in rows)


def test_a_form_that_is_not_right_is_said_where_the_result_would_stand(at_work):
    assert at_work.post(reverse("rule_dry_run"), {**FORM, "label_equals": "no sign"}).status_code == 422


def test_the_api_answers_the_same(past, service_desk_manager, checkout):
    from tests.api.conftest import Caller

    rule = make(service_desk_manager, "Mine", severities=["critical"])
    caller = Caller(service_desk_manager)
    met = caller.post(f"rules/{rule.pk}/dry-run")
    assert (met["count"], len(met["alerts"]), met["is_cut"]) == (10, 10, False)
    assert met["alerts"][0]["decided_by"] == rule.pk
    since = (timezone.now() - timedelta(days=30)).isoformat()
    assert caller.post(f"rules/{rule.pk}/dry-run", {"since": since})["count"] == 11


@pytest.mark.parametrize("count", [1, 10, 100])
def test_a_dry_run_keeps_its_budget(at_work, service_desk_manager, checkout, count, django_assert_max_num_queries):
    row, now = sender(actor=service_desk_manager), timezone.now()
    for number in range(count):
        make(service_desk_manager, f"Rule {number}", services=[checkout])
        alert(row, service=checkout, first_received_at=now)
    with django_assert_max_num_queries(14):
        at_work.post(reverse("rule_dry_run"), FORM)
