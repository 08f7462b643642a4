"""Alert rules: read in words, put in order, made from an alert."""

import html

import pytest
from django.urls import reverse

from incidents.actions import rule_settings
from incidents.models import AlertRule
from tests.factories import minute
from tests.incidents.screens.monitoring import alert, sender

pytestmark = pytest.mark.django_db
FORM = {"name": "Checkout burns", "outcome": "ticket", "impact": "2", "urgency": "2", "after_minutes": "2"}


@pytest.fixture(autouse=True)
def _no_rule_but_ours(db):
    AlertRule.objects.all().delete()


@pytest.fixture
def at_work(signed_in, service_desk_manager):
    return signed_in(service_desk_manager)


@pytest.fixture
def make(service_desk_manager):
    def rule(name, **changes):
        given = {"name": name, "outcome": "ticket", **changes}
        return rule_settings.save_rule(changes=given, actor=service_desk_manager, at=minute(0))

    return rule


def names(browser):
    return [rule.name for rule, _, _ in browser.get(reverse("alert_rules")).context["rows"]]


def text_of(response) -> str:
    return html.unescape(response.content.decode())


def test_a_rule_reads_as_a_sentence(at_work, checkout):
    answer = at_work.post(
        reverse("rule_new"),
        {**FORM, "severities": ["critical"], "services": [checkout.pk], "label_equals": 'env="prod"\nteam=a=b'},
    )
    rule = AlertRule.objects.get()
    assert answer["Location"] == reverse("alert_rules") + f"#rule-{rule.pk}"
    assert (rule.after_seconds, rule.label_equals) == (120, {"env": "prod", "team": "a=b"})
    page = text_of(at_work.get(reverse("alert_rules")))
    assert "severity is critical and service is Checkout and env is “prod”" in page
    assert "open a ticket, when it still fires after 2 min" in page


def test_a_label_without_a_value_is_named_and_nothing_is_lost(at_work):
    refused = at_work.post(reverse("rule_new"), {**FORM, "label_equals": "env prod"})
    assert refused.status_code == 422
    assert "“env prod” has no “=”" in text_of(refused) and "Checkout burns" in text_of(refused)


def test_only_what_was_changed_is_changed(at_work, make, checkout):
    rule = make("One", services=[checkout], text_contains="disk")
    form = {**FORM, "name": "Two", "services": [checkout.pk], "text_contains": "disk", "after_minutes": "0"}
    at_work.post(reverse("rule_edit", args=[rule.pk]), form)
    rule.refresh_from_db()
    assert (rule.name, list(rule.services.all()), rule.text_contains) == ("Two", [checkout], "disk")


def test_rules_move_up_and_down_and_stop_at_the_ends(at_work, make):
    third, _, first = make("Third"), make("Second"), make("First")
    assert names(at_work) == ["First", "Second", "Third"]
    for rule, act in ((third, "up"), (third, "up"), (third, "up"), (first, "down"), (first, "down")):
        at_work.post(reverse("rule_do", args=[rule.pk, act]))
    assert names(at_work) == ["Third", "Second", "First"]


def test_a_new_rule_is_asked_first_and_the_others_make_room(at_work, make):
    for number in range(15):
        make(f"Rule {number}")
    assert names(at_work) == [f"Rule {number}" for number in range(14, -1, -1)]


def test_a_rule_is_switched_off_and_removed(at_work, make):
    rule = make("One")
    at_work.post(reverse("rule_do", args=[rule.pk, "switch-off"]))
    rule.refresh_from_db()
    assert rule.is_active is False
    at_work.post(reverse("rule_do", args=[rule.pk, "remove"]))
    assert names(at_work) == []
    assert at_work.post(reverse("rule_do", args=[rule.pk, "up"])).status_code == 404


def test_a_rule_begins_with_what_an_alert_looks_like(at_work, service_desk_manager, checkout):
    row = sender(actor=service_desk_manager)
    found = alert(row, "Disk is full", service=checkout, severity="critical")
    initial = at_work.get(reverse("rule_new"), {"alert": found.pk}).context["form"].initial
    assert initial == {
        "name": "Disk is full", "integration": row.pk, "severities": ["critical"], "services": [checkout.pk],
    }  # fmt: skip


def test_technicians_read_the_rules_and_find_no_button(at_desk, make):
    make("One")
    page = text_of(at_desk.get(reverse("alert_rules")))
    assert "One" in page and "New rule" not in page and "/do/" not in page


@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_list_keeps_its_budget(at_work, make, checkout, service_desk_manager, count, django_assert_max_num_queries):
    row = sender(actor=service_desk_manager)
    for number in range(count):
        make(f"Rule {number}", services=[checkout], integration=row)
    with django_assert_max_num_queries(7):
        at_work.get(reverse("alert_rules"))
