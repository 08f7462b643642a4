"""Back-tests: what the thresholds would have done in the past, in resumable slices, and saved only after seeing it."""

from dataclasses import asdict
from datetime import timedelta

import pytest

from incidents.actions import backtests, major_incidents, tickets, usual
from incidents.detection import Thresholds
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import Backtest, InfluxThresholds, Ticket, UsualArrivals
from incidents.queries.backtest_charts import shown
from incidents.queries.influx import in_force
from tests import factories
from tests.factories import minute

DAY = 24 * 60


@pytest.fixture
def past(checkout, manager):
    """Three quiet weeks, one outage of eight reports that was declared late, one burst that was nothing."""
    Ticket.objects.bulk_create(
        Ticket(title=f"Question number {n}", channel="portal", service=checkout, requester_email=f"{n}@a.example",
               reported_at=minute(-21 * DAY + n * 400))
        for n in range(60)
    )  # fmt: skip
    outage = [
        factories.ticket("Checkout ends in an error", at=minute(n), service=checkout, requester_email=f"{n}@b.example")
        for n in range(8)
    ]
    incident = major_incidents.declare(
        title="Checkout down", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(30),
        clocks_given={"started_at": minute(0)},
    )  # fmt: skip
    tickets.link([one.pk for one in outage], incident_id=incident.pk, actor=manager, at=minute(31))
    for n in range(7):
        factories.ticket(
            "Newsletter link broken", at=minute(-5 * DAY + n), service=checkout, requester_email=f"{n}@c.example"
        )
    return incident


def ask(actor, *, service=None, since=-14 * DAY, until=DAY, **changes):
    values = asdict(Thresholds()) | changes
    return backtests.ask(
        since=minute(since), until=minute(until), service=service, thresholds=values, actor=actor, at=minute(2 * DAY)
    )


def run(job, **given):
    while Backtest.objects.get(pk=job.pk).state in ("waiting", "running"):
        backtests.run_waiting(at=minute(2 * DAY), **given)
    return Backtest.objects.get(pk=job.pk)


def test_it_shows_what_was_caught_how_early_and_what_was_nothing(past, administrator):
    job = run(ask(administrator))
    tried = shown(job).tried
    assert job.state == "done" and job.progress == 100
    assert [(one["pk"], one["earlier_minutes"]) for one in tried.caught] == [(past.pk, 26)]
    assert tried.missed == []
    assert len(tried.false) == 1 and tried.false[0]["about"] == "Checkout"
    assert sum(week["false"] for week in tried.weeks) == 1 and len(tried.weeks) == 3


def test_stricter_thresholds_beside_those_in_force(past, administrator):
    found = shown(run(ask(administrator, least_arrivals=30)))
    assert (len(found.tried.caught), len(found.tried.missed), len(found.tried.false)) == (0, 1, 0)
    assert (len(found.saved.caught), len(found.saved.false)) == (1, 1)
    assert found.differs
    assert ("Tickets and alerts, at least", "30", "5", True) in found.compared


def test_thresholds_of_one_service_leave_the_others_alone(past, administrator):
    other = factories.service("Search")
    found = shown(run(ask(administrator, service=other, least_arrivals=30)))
    assert (len(found.tried.caught), len(found.tried.false)) == (1, 1)


def test_it_goes_on_where_a_worker_that_died_left_off(past, administrator):
    whole = run(ask(administrator))
    halted = ask(administrator)
    backtests.run_waiting(at=minute(2 * DAY), seconds=0.0001)
    Backtest.objects.filter(pk=halted.pk).update(claimed_until=minute(2 * DAY) + timedelta(seconds=30))
    assert backtests.run_waiting(at=minute(2 * DAY)) == 0  # somebody has it
    assert backtests.run_waiting(at=minute(2 * DAY) + timedelta(seconds=31)) > 0  # and has died
    again = Backtest.objects.get(pk=halted.pk)
    assert (again.state, again.tickets, again.result) == ("done", whole.tickets, whole.result)


def test_nothing_is_saved_before_it_was_seen(past, administrator, technician):
    job = ask(administrator, least_arrivals=9)
    with pytest.raises(WrongStage):
        backtests.save(job.pk, actor=administrator, at=minute(2 * DAY))
    run(job)
    with pytest.raises(NotAccountable):
        backtests.save(job.pk, actor=technician, at=minute(2 * DAY))
    saved = backtests.save(job.pk, actor=administrator, at=minute(2 * DAY))
    assert in_force().default.least_arrivals == 9
    assert (saved.set_by, saved.set_at, saved.backtest) == (administrator, minute(2 * DAY), job)


def test_a_service_has_its_own_until_it_follows_again(past, administrator, checkout):
    backtests.save(
        run(ask(administrator, service=checkout, least_arrivals=9)).pk, actor=administrator, at=minute(2 * DAY)
    )
    assert in_force().of(checkout.pk).least_arrivals == 9 and in_force().default.least_arrivals == 5
    backtests.follow_organisation(checkout.pk, actor=administrator, at=minute(3 * DAY))
    assert in_force().of(checkout.pk).least_arrivals == 5
    assert InfluxThresholds.objects.count() == 2
    with pytest.raises(WrongStage):
        backtests.follow_organisation(checkout.pk, actor=administrator, at=minute(3 * DAY))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"window_minutes": 1}, "window_minutes"), ({"tail": 0.0}, "tail"), ({"tail": "x"}, "tail"),
     ({"least_requesters": 0}, "least_requesters"), ({"similarity": 1.5}, "similarity"),
     ({"until": -15 * DAY}, "until"), ({"since": -2000 * DAY}, "since"), ({"until": 90 * DAY}, "until")],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused_at_its_field(administrator, changes, field):
    with pytest.raises(Invalid) as refusal:
        ask(administrator, **changes)
    assert list(refusal.value.errors) == [field]


def test_a_failure_is_said_and_leaves_everything_as_it_was(past, administrator, monkeypatch):
    job = ask(administrator)

    def broken(*args):
        raise RuntimeError("no disk")

    monkeypatch.setattr(usual, "measured", broken)
    backtests.run_waiting(at=minute(2 * DAY))
    failed = Backtest.objects.get(pk=job.pk)
    assert failed.state == "failed" and "no disk" in failed.reason


# --- What is usual -----------------------------------------------------------------------------------
def test_what_is_usual_is_made_anew_any_number_of_times(past, checkout):
    assert usual.renew(at=minute(DAY)) == 2 * 168
    before = dict(UsualArrivals.objects.filter(service=checkout).values_list("hour", "per_hour"))
    usual.renew(at=minute(DAY))
    assert dict(UsualArrivals.objects.filter(service=checkout).values_list("hour", "per_hour")) == before
    assert UsualArrivals.objects.count() == 2 * 168
    assert before[9] < 1  # the outage on Monday morning was linked to its incident


def test_the_sweep_renews_it_every_six_hours(past):
    assert usual.renew_when_due(at=minute(0))
    assert not usual.renew_when_due(at=minute(300))
    assert usual.renew_when_due(at=minute(361))


def test_hours_follow_the_zone_of_the_organisation(organisation, checkout):
    organisation.time_zone = "Asia/Tokyo"
    organisation.save()
    Ticket.objects.bulk_create(
        Ticket(title="x", channel="portal", service=checkout, reported_at=minute(-week * 7 * DAY))
        for week in range(1, 12)
    )  # Mondays 09:00 UTC are 18:00 in Tokyo
    usual.renew(at=minute(0))
    busiest = UsualArrivals.objects.filter(service=checkout).order_by("-per_hour").first()
    assert busiest.hour == 18
