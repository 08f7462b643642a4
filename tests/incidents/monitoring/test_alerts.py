"""What becomes of signals: one alert an episode, whatever comes twice, late or in a bundle."""

import pytest

from incidents.actions import alerts
from incidents.alert_signals import Grade, Says
from incidents.models import Alert, ArrivalCount, MaintenanceWindow, Ticket
from tests import factories
from tests.factories import minute
from tests.incidents.monitoring.conftest import only, sender, signal

pytestmark = pytest.mark.django_db
FIRING, ACKNOWLEDGED, RESOLVED, INFO = Says.FIRING, Says.ACKNOWLEDGED, Says.RESOLVED, Says.INFO


def test_a_firing_signal_is_an_alert_with_what_the_sender_said(say, checkout, tool):
    say(
        1,
        signal(at=minute(0), service="checkout", body="97 %", labels={"host": "db1"}, link="https://grafana.example/d"),
    )
    alert = only()
    assert (alert.status, alert.severity, alert.title, alert.body) == ("firing", "critical", "Disk is full", "97 %")
    assert (alert.service, alert.labels, alert.link) == (checkout, {"host": "db1"}, "https://grafana.example/d")
    assert (alert.started_at, alert.first_received_at, alert.ended_at) == (minute(0), minute(1), None)
    assert (alert.integration, alert.reports, alert.changes) == (tool, 1, 1)


def test_five_deliveries_are_one_alert_reported_five_times(say):
    for n in range(5):
        say(1 + n / 100, signal(at=minute(0)))
    assert (only().reports, only().changes, Ticket.objects.count()) == (5, 1, 1)


def test_a_resolve_ends_it_at_the_senders_time_and_a_second_one_changes_nothing(say):
    say(1, signal(at=minute(0)))
    say(5, signal(says=RESOLVED, at=minute(4)))
    say(6, signal(says=RESOLVED, at=minute(4)))
    alert = only()
    assert (alert.status, alert.ended_at, alert.reports, alert.changes) == ("resolved", minute(4), 3, 2)


def test_a_resolve_or_acknowledgement_of_nothing_is_dropped(say):
    assert say(1, signal(says=RESOLVED)) == []
    assert say(1, signal(says=ACKNOWLEDGED)) == []
    assert not Alert.objects.exists()


def test_a_late_firing_signal_does_not_wake_what_has_resolved(say):
    say(1, signal(at=minute(0), episode="one"))
    say(5, signal(says=RESOLVED, at=minute(4), episode="one"))
    say(6, signal(at=minute(0), episode="one"))
    assert (only().status, only().reports) == ("resolved", 3)


def test_a_late_resolve_of_the_former_episode_does_not_end_the_next(say):
    say(1, signal(at=minute(1)))
    say(3, signal(says=RESOLVED, at=minute(2)))
    say(5, signal(at=minute(4)))
    say(6, signal(says=RESOLVED, at=minute(2)))
    assert sorted(Alert.objects.values_list("status", flat=True)) == ["firing", "resolved"]


def test_a_key_that_fires_after_its_resolve_is_a_new_episode(say):
    say(1, signal())
    say(2, signal(says=RESOLVED))
    say(3, signal())
    assert list(Alert.objects.order_by("id").values_list("status", flat=True)) == ["resolved", "firing"]


def test_the_same_episode_that_fires_again_is_reopened(say):
    say(1, signal(at=minute(1), episode="problem 7"))
    say(2, signal(says=RESOLVED, at=minute(2), episode="problem 7"))
    say(3, signal(at=minute(3), episode="problem 7"))
    alert = only()
    assert (alert.status, alert.ended_at, alert.started_at, alert.changes) == ("firing", None, minute(1), 3)


def test_a_new_episode_ends_the_former_which_nobody_resolved(say):
    say(1, signal(at=minute(1), episode="a"))
    say(9, signal(at=minute(8), episode="b"))
    former, latter = Alert.objects.order_by("id")
    assert (former.status, former.ended_at, latter.status) == ("resolved", minute(8), "firing")


def test_a_resolve_that_names_another_episode_ends_the_open_one_when_it_is_later(say):
    say(1, signal(at=minute(1), episode="a"))
    say(3, signal(says=RESOLVED, at=minute(2), episode="merged"))
    assert only().status == "resolved"


def test_an_acknowledgement_stays_when_it_fires_on_and_ends_with_the_resolve(say):
    say(1, signal())
    say(2, signal(says=ACKNOWLEDGED))
    say(3, signal())
    assert only().status == "acknowledged"
    say(4, signal(says=RESOLVED))
    assert only().status == "resolved"


def test_info_makes_no_alert(say):
    say(1, signal(says=INFO))
    assert not Alert.objects.exists()


def test_the_newest_words_and_the_worst_news_count(say):
    say(1, signal(severity=Grade.WARNING, title="Disk 80 %", at=minute(1)))
    say(2, signal(severity=Grade.CRITICAL, title="Disk 99 %", at=minute(2)))
    say(3, signal(severity=Grade.WARNING, title="Disk 70 %", at=minute(0)))
    alert = only()
    assert (alert.severity, alert.title, alert.outcome) == ("critical", "Disk 99 %", "ticket")


def test_a_time_in_the_future_or_before_time_counts_as_now(say):
    say(1, signal("ahead", at=minute(500)))
    say(1, signal("ancient", at=minute(0).replace(year=1)))
    assert set(Alert.objects.values_list("started_at", flat=True)) == {minute(1)}


def test_firing_and_resolved_in_one_body_are_one_alert_that_is_over(say):
    say(5, signal(at=minute(1)), signal(says=RESOLVED, at=minute(2)))
    assert (only().status, only().reports) == ("resolved", 2)


@pytest.mark.parametrize("named", ["checkout-eu", "Checkout EU", "CHECKOUT-EU", "checkout eu"])
def test_a_service_is_found_by_slug_or_name_whatever_the_case(say, organisation, named):
    service = factories.service("Checkout EU")
    say(1, signal(service=named))
    assert only().service == service


def test_an_unknown_service_falls_back_to_the_senders(organisation, say):
    service = factories.service("Network")
    say(1, signal(service="nobody knows"), sender=sender(name="other", key="o" * 32, service=service))
    assert only().service == service


def test_hostile_texts_are_stored_without_what_cannot_be_stored(say):
    bad = "a\x00b\ud800c"
    say(
        1, signal(key=bad, title=bad * 900, body=bad * 20_000, labels={bad: bad, "n": "x" * 9_000}, link="javascript:1")
    )
    alert = only()
    assert len(alert.title) == 1024 and len(alert.body) == 20_000 and alert.link == ""
    assert alert.labels.keys() == {"a\ufffdb\ufffdc", "n"}


def test_long_keys_that_begin_alike_stay_apart(say):
    say(1, signal("k" * 600 + "a"), signal("k" * 600 + "b"))
    assert Alert.objects.count() == 2


def test_flapping_is_marked_calmed_and_over_when_it_is_quiet(say):
    for n in range(6):
        say(1 + n / 10, signal(says=FIRING if n % 2 == 0 else RESOLVED))
    assert Alert.objects.filter(is_flapping=True).count() == 1
    rows = Alert.objects.count()
    for n in range(6, 40):
        say(1 + n / 10, signal(says=FIRING if n % 2 == 0 else RESOLVED))
    assert (Alert.objects.count(), Ticket.objects.count()) == (rows, 1)
    assert alerts.calm_down(at=minute(10)) == []
    assert len(alerts.calm_down(at=minute(30))) == 1
    assert not Alert.objects.filter(is_flapping=True).exists()


def test_a_sender_may_have_its_own_limits_for_flapping(say, organisation):
    steady = sender(name="steady", key="s" * 32, settings={"flapping_changes": 50})
    for n in range(20):
        say(1 + n / 10, signal(says=FIRING if n % 2 == 0 else RESOLVED), sender=steady)
    assert not Alert.objects.filter(is_flapping=True).exists()


def test_in_a_maintenance_window_the_alert_is_kept_and_no_rule_runs(say, checkout):
    window = MaintenanceWindow.objects.create(title="Upgrade", starts_at=minute(0), ends_at=minute(30))
    window.services.add(checkout)
    say(5, signal(service="checkout", at=minute(4)))
    assert (only().in_maintenance, only().outcome, Ticket.objects.count()) == (True, "", 0)
    assert not ArrivalCount.objects.filter(alerts__gt=0).exists()


def test_what_still_fires_when_the_work_is_over_is_decided_then(say, checkout):
    window = MaintenanceWindow.objects.create(title="Upgrade", starts_at=minute(0), ends_at=minute(30))
    window.services.add(checkout)
    say(5, signal("lasting", service="checkout"), signal("passing", service="checkout"))
    say(20, signal("passing", says=RESOLVED, service="checkout"))
    alerts.decide_due(at=minute(31))
    outcomes = dict(Alert.objects.values_list("dedup_key", "outcome"))
    assert (outcomes, Ticket.objects.count()) == ({"lasting": "ticket", "passing": "nothing"}, 1)


def test_newly_firing_alerts_are_counted_once_per_service_and_minute(say, checkout):
    say(1, signal("a", service="checkout"), signal("b", service="checkout"), signal("c"))
    say(1.5, signal("a", service="checkout"))
    counted = ArrivalCount.objects.filter(alerts__gt=0).values_list("service", "alerts")
    assert set(counted) == {(checkout.pk, 2), (None, 1)}


def test_a_drill_reaches_no_rule_and_no_count(say):
    say(1, signal(), is_drill=True)
    assert (only().is_drill, only().outcome, Ticket.objects.count(), ArrivalCount.objects.count()) == (
        True,
        "nothing",
        0,
        0,
    )


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_a_body_costs_at_most_four_statements_besides_its_lock(tool, say, size, django_assert_max_num_queries):
    many = [signal(f"host-{n}", severity=Grade.WARNING, at=minute(0)) for n in range(size)]
    say(1, *many)
    from incidents.models import Payload

    payload = Payload.objects.create(integration=tool, received_at=minute(2), body=b"", sha256="", state="done")
    with django_assert_max_num_queries(3 + 2):  # lock and savepoint's two stand outside the four
        alerts.take_in(tool, many, payload=payload, at=minute(2))
    assert Alert.objects.filter(reports=2).count() == size


def test_old_resolved_alerts_are_forgotten_unless_they_belong_to_a_record(say, organisation):
    say(
        1, signal("kept", at=minute(0)), signal("dropped", severity=Grade.WARNING), signal("fires", severity=Grade.INFO)
    )
    say(2, signal("kept", says=RESOLVED), signal("dropped", says=RESOLVED))
    assert alerts.forget_old(at=minute(401 * 24 * 60)) == 1
    assert set(Alert.objects.values_list("dedup_key", flat=True)) == {"kept", "fires"}
