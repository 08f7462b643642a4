"""The influx detector on real tickets: raised once, said why, joined by what comes later, quiet after a verdict."""

from datetime import timedelta

import pytest

from incidents.actions import arrivals, candidates, downtime, influx, major_incidents, services, tickets
from incidents.models import Arrival, ArrivalCount, Candidate, InfluxThresholds, Integration, Ticket
from incidents.models.monitoring import Alert
from incidents.process import EventKind
from notifications.models import Delivery
from tests import factories
from tests.factories import minute
from tests.racing import race

TITLES = (
    "Checkout shows an error page",
    "Cannot pay at the checkout",
    "Checkout error after choosing the delivery",
    "Order button of the checkout does nothing",
    "Checkout ends in an error",
)


def report(number, service=None, *, at=None, title="", **fields):
    """One caller more, every one somebody else."""
    fields.setdefault("requester_email", f"caller{number}@customer.example")
    at = minute(number) if at is None else at
    return factories.ticket(title or TITLES[number % len(TITLES)], at=at, service=service, **fields)


def reports(count, service=None, **fields):
    return [report(number, service, **fields) for number in range(count)]


def look(at):
    influx.look(at=minute(at))


@pytest.fixture
def raised(checkout):
    reports(6, checkout)
    look(6)
    return Candidate.objects.get()


def test_the_fifth_report_raises_one_candidate_that_says_why(checkout):
    reports(4, checkout)
    look(4)
    assert not Candidate.objects.exists()
    report(4, checkout)
    look(5)
    raised = Candidate.objects.get()
    assert (raised.source, raised.service, raised.status) == ("influx", checkout, "open")
    assert raised.title == "Many reports about Checkout"
    assert raised.reasons[0] == "5 tickets in 5 minutes, normally 0.1; 5 mention checkout, 3 mention error"
    assert "From 5 different requesters or sources" in raised.reasons
    assert raised.tickets.count() == 5
    assert raised.events.get().kind == EventKind.CANDIDATE_FLAGGED


def test_one_person_who_reports_five_times_is_no_influx(checkout):
    for number in range(7):
        report(number, checkout, requester_email="impatient@customer.example")
    look(7)
    assert not Candidate.objects.exists()


def test_what_is_usual_for_this_hour_raises_nothing(checkout):
    from incidents.models import UsualArrivals

    for hour in range(168):
        UsualArrivals.objects.create(service=checkout, hour=hour, per_hour=20, observed=12, computed_at=minute(0))
        UsualArrivals.objects.create(service=None, hour=hour, per_hour=2000, observed=12, computed_at=minute(0))
    reports(8, checkout)
    look(8)
    assert not Candidate.objects.exists()


def test_service_requests_drills_and_planned_work_do_not_count(checkout, technician, service_desk_manager, manager):
    reports(6, checkout, kind="service_request")
    services.save_window(
        title="Release", services=[checkout], starts_at=minute(0), ends_at=minute(30),
        actor=service_desk_manager, at=minute(0),
    )  # fmt: skip
    reports(6, checkout)
    drill = major_incidents.declare(
        title="Drill", services=[factories.service("Search")], impact=1, urgency=1, is_drill=True, actor=manager,
        at=minute(0),
    )  # fmt: skip
    for number in range(6):
        report(number, Ticket.objects.first().service, major_incident=drill, at=minute(40 + number))
    look(46)
    assert not Candidate.objects.exists()
    assert not ArrivalCount.objects.filter(tickets__gt=0).exists()


def test_reports_in_the_same_words_across_services_are_one_outage(organisation):
    several = [factories.service(name) for name in ("Storefront", "Payments", "Warehouse")]
    for number in range(6):
        report(
            number,
            [*several, None][number % 4],
            title=("VPN does not connect", "Cannot connect to the VPN")[number % 2],
        )
    look(6)
    raised = Candidate.objects.get()
    assert raised.service is None
    assert "vpn" in raised.cluster and "connect" in raised.cluster
    assert raised.tickets.count() == 6
    assert "mention connect" in raised.reasons[0]


def test_a_group_that_names_one_service_proposes_that_service_once(checkout):
    for number in range(8):
        report(number, checkout if number % 4 else None, title="Checkout says error 502")
    look(8)
    assert Candidate.objects.get().service == checkout
    assert Candidate.objects.get().tickets.count() == 8


def test_unlike_reports_without_a_service_raise_nothing(organisation):
    for number, title in enumerate(("Mouse is broken", "Payslip missing", "Printer without toner", "Need a licence",
                                    "Phone rings twice", "Door badge expired", "Screen flickers")):  # fmt: skip
        report(number, title=title)
    look(8)
    assert not Candidate.objects.exists()


# --- While it is open ---------------------------------------------------------------------------
def test_later_reports_join_the_candidate_and_their_requesters_hear_of_it(raised, checkout):
    later = report(7, checkout)
    look(8)
    assert Candidate.objects.get() == raised
    assert Ticket.objects.get(pk=later.pk).candidate == raised
    assert later.events.filter(kind=EventKind.TICKET_GATHERED).count() == 1
    told = Delivery.objects.filter(moment="ticket_gathered")
    assert [row.address for row in told] == ["caller7@customer.example"]
    grown = factories.again(raised)
    assert grown.reasons[0].startswith("7 tickets in 8 minutes")
    assert len(grown.reasons) == 4
    assert grown.events.last().kind == EventKind.CANDIDATE_EVIDENCE_ADDED


def test_a_report_in_the_same_words_without_the_service_joins_too(raised):
    later = report(7, None, title=TITLES[0])
    look(8)
    assert Ticket.objects.get(pk=later.pk).candidate == raised


def test_somebody_who_reports_again_is_told_once(raised, checkout):
    for number in (7, 8):
        report(number, checkout, requester_email="again@customer.example")
        look(number + 1)
    assert Delivery.objects.filter(moment="ticket_gathered").count() == 1


def test_later_reports_become_children_of_the_declared_incident(raised, checkout, manager):
    incident = major_incidents.declare(
        title="Checkout down", services=[checkout], impact=1, urgency=1, candidate=raised, actor=manager, at=minute(9)
    )
    later, alike = report(10, checkout), report(11, None, title=TITLES[0])
    look(12)
    assert {Ticket.objects.get(pk=one.pk).major_incident for one in (later, alike)} == {incident}
    assert Delivery.objects.filter(moment="ticket_linked", address="caller10@customer.example").exists()
    assert Candidate.objects.count() == 1


def test_after_the_service_came_back_a_new_influx_is_a_new_candidate(raised, checkout, manager):
    incident = major_incidents.declare(
        title="Checkout down", services=[checkout], impact=1, urgency=1, candidate=raised, actor=manager, at=minute(9)
    )
    downtime.restore(incident.pk, actor=manager, at=minute(12))
    for number in range(13, 19):
        report(number, checkout)
    look(19)
    fresh = Candidate.objects.exclude(pk=raised.pk).get()
    assert fresh.service == checkout and fresh.tickets.count() == 6


def test_attaching_can_be_switched_off(raised, checkout):
    InfluxThresholds.objects.create(service=checkout, values={"attaches": False}, set_at=minute(6))
    later = report(7, checkout)
    look(8)
    assert Ticket.objects.get(pk=later.pk).candidate is None


def test_a_resolved_report_is_not_attached_any_more(raised, checkout, technician):
    later = report(7, checkout)
    tickets.resolve(later.pk, resolution="Only me", actor=technician, at=minute(7))
    look(8)
    assert Ticket.objects.get(pk=later.pk).candidate is None


# --- Verdicts and late news -----------------------------------------------------------------------
def test_a_dismissed_influx_needs_new_evidence(raised, checkout, manager):
    candidates.dismiss(raised.pk, reason="A newsletter", actor=manager, at=minute(7))
    for number in range(8, 12):
        report(number, checkout)
        look(number)
    assert Candidate.objects.count() == 1
    report(12, checkout)
    look(13)
    assert Candidate.objects.count() == 2
    assert Candidate.objects.first().tickets.count() == 5  # what was dismissed stays with its verdict


def test_a_group_of_alike_reports_stays_dismissed_too(organisation, manager):
    for number in range(6):
        report(number, title="VPN does not connect")
    look(6)
    candidates.dismiss(Candidate.objects.get().pk, reason="Planned", actor=manager, at=minute(7))
    report(8, title="VPN does not connect")
    look(9)
    assert Candidate.objects.count() == 1


def test_backdated_reports_count_in_their_own_minute_and_raise_nothing(checkout):
    for number in range(8):
        report(number, checkout, at=minute(600), reported_at=minute(0.1 * number))
    look(600)
    assert ArrivalCount.objects.get().tickets == 8 and ArrivalCount.objects.get().minute == minute(0)
    assert not Candidate.objects.exists()


def test_a_detector_that_was_away_still_finds_the_burst(checkout):
    reports(6, checkout)
    report(7, checkout, at=minute(45))
    look(46)
    assert Candidate.objects.get().tickets.count() >= 6


def test_a_service_named_later_counts_then(checkout, technician):
    for number, title in enumerate(("Nothing works", "Order impossible", "Help", "Basket stuck", "Why")):
        filed = report(number, title=title)
        look(number)
        tickets.edit_ticket(filed.pk, changes={"service": checkout}, actor=technician, at=minute(number + 0.5))
    look(6)
    assert Candidate.objects.get().service == checkout


def test_looking_twice_changes_nothing(raised):
    before = (raised.events.count(), ArrivalCount.objects.count())
    look(7)
    influx.judge_waiting(at=minute(8))
    assert (raised.events.count(), ArrivalCount.objects.count()) == before


# --- Alerts ---------------------------------------------------------------------------------------
def fire(integration, service, number, host):
    at = minute(number)
    Alert.objects.create(
        integration=integration, dedup_key=f"{host}-{number}", episode="1", status="firing", severity="error",
        title="Down", service=service, labels={"instance": host}, started_at=at, state_at=at, first_received_at=at,
        last_received_at=at,
    )  # fmt: skip
    arrivals.note([arrivals.Arrived(service.pk, at, alerts=1)])


def test_alerts_of_several_hosts_count_like_requesters_and_those_of_one_host_do_not(checkout):
    tool = Integration.objects.create(name="Prometheus", kind="alertmanager", key_sha256="x", created_at=minute(0))
    for number in range(8):
        fire(tool, checkout, number, "web-1")
    look(8)
    assert not Candidate.objects.exists()
    for number in range(8, 11):
        fire(tool, checkout, number, f"web-{number}")
    look(11)
    raised = Candidate.objects.get()
    assert raised.reasons[0].startswith("11 alerts in 11 minutes")
    assert raised.alerts.count() == 11


# --- Many at once ---------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_32_connections_raise_one_candidate(checkout):
    def file(number):
        report(number, checkout, at=minute(0.1 * number))
        influx.look(at=minute(4))

    outcomes = race(*[lambda number=number: file(number) for number in range(32)])
    assert not [one for one in outcomes if isinstance(one, Exception)]
    influx.look(at=minute(4))
    raised = Candidate.objects.get()
    assert raised.tickets.count() == 32
    assert sum(ArrivalCount.objects.values_list("tickets", flat=True)) == 32
    assert not Arrival.objects.filter(looked_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_that_was_lost_is_made_up_for_by_the_sweep(checkout, monkeypatch):
    from incidents import tasks

    now = minute(5)
    monkeypatch.setattr(tasks.timezone, "now", lambda: now)
    reports(5, checkout)
    tasks.look_for_influx()
    assert Candidate.objects.count() == 1


def test_what_a_turn_asks_does_not_grow_with_the_tickets(checkout, django_assert_max_num_queries):
    reports(3, checkout)
    look(3)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    report(3, checkout)
    with CaptureQueriesContext(connection) as quiet:
        look(4)
    for number in range(6):
        factories.ticket("Nobody knows this", at=minute(100 + number), service=None, requester_email="a@b.example")
    with CaptureQueriesContext(connection) as few:
        look(106)
    for number in range(60):
        factories.ticket("Quite something else", at=minute(200 + number), service=None, requester_email="a@b.example")
    with CaptureQueriesContext(connection) as many:
        look(260)
    assert len(many) <= len(few) + 3
    assert len(quiet) < len(few)


def test_what_nothing_is_compared_with_any_more_is_forgotten(raised):
    influx.forget(at=minute(0) + timedelta(days=120))
    assert not Arrival.objects.exists() and not ArrivalCount.objects.exists()
    assert raised.tickets.count() == 6
