"""Back-tests: thresholds tried on past tickets by a worker, and saved only after somebody has seen what they do."""

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from incidents import permissions
from incidents.actions import usual
from incidents.actions.input import clean_number, clean_time
from incidents.detection import Calendar, UsualOfAll
from incidents.errands import after_commit
from incidents.errors import Invalid, WrongStage
from incidents.models import Backtest, BacktestState, InfluxThresholds, Service, User
from incidents.queries import backtests as queries
from incidents.queries.influx import calendar, in_force
from incidents.replay import Raised, Replay

SLICE = timedelta(weeks=1)
PRIMED = timedelta(hours=3)
"""Each slice begins a little earlier, so that its first windows are full; what that raises again is passed over."""
LEASE = timedelta(seconds=60)
TURN_SECONDS = 20.0
LONGEST_PERIOD = timedelta(days=730)
RUN = "incidents.tasks.run_backtests"
_log = logging.getLogger(__name__)


# --- Asking and saving ------------------------------------------------------------------------
def clean_thresholds(values: dict[str, Any]) -> dict[str, Any]:
    """Every threshold within its bounds. Raises Invalid naming the field."""
    tail, similarity = values.get("tail"), values.get("similarity")
    if not isinstance(tail, float) or not 1e-15 <= tail <= 0.5:
        raise Invalid(tail="Use a probability above 0 and at most 0.5, for example 0.000001.")
    if not isinstance(similarity, float) or not 0.05 <= similarity <= 0.95:
        raise Invalid(similarity="Use a number from 0.05 (hardly alike) to 0.95 (nearly the same words).")
    return {
        "window_minutes": clean_number("window_minutes", values.get("window_minutes"), least=2, most=120),
        "least_arrivals": clean_number("least_arrivals", values.get("least_arrivals"), least=2, most=10_000),
        "least_requesters": clean_number("least_requesters", values.get("least_requesters"), least=1, most=50),
        "tail": tail,
        "similarity": similarity,
        "attaches": bool(values.get("attaches")),
    }


@transaction.atomic
def ask(
    *, since: datetime, until: datetime, service: Service | None, thresholds: dict[str, Any], actor: User, at: datetime
) -> Backtest:
    """Queues a back-test of the thresholds on the tickets of a past period."""
    permissions.require(actor, "configure_influx")
    clean_time("until", until, not_after=at + timedelta(days=1))
    if clean_time("since", since) >= until:
        raise Invalid(until="The period ends after it begins.")
    if until - since > LONGEST_PERIOD:
        raise Invalid(since="At most two years at once. Choose a later beginning.")
    job = Backtest.objects.create(
        asked_by=actor,
        asked_at=at,
        since=since,
        until=min(until, at),
        service=service,
        tried=clean_thresholds(thresholds),
        saved=queries.stored(in_force()),
        cursor=since,
    )
    _ring()
    return job


@transaction.atomic
def save(backtest_id: int, *, actor: User, at: datetime) -> InfluxThresholds:
    """Puts the tried thresholds into force. Raises WrongStage while the back-test has not shown what they do."""
    permissions.require(actor, "configure_influx")
    job = Backtest.objects.select_for_update(of=("self",)).get(pk=backtest_id)
    if job.state != BacktestState.DONE:
        raise WrongStage("The back-test is not finished. Wait for what it shows, then save.", state=job.state)
    return InfluxThresholds.objects.create(service=job.service, values=job.tried, backtest=job, set_by=actor, set_at=at)


@transaction.atomic
def follow_organisation(service_id: int, *, actor: User, at: datetime) -> InfluxThresholds:
    """The service has no thresholds of its own any more. Raises WrongStage when it had none."""
    permissions.require(actor, "configure_influx")
    if service_id not in in_force().services:
        raise WrongStage("This service follows the organisation already.")
    return InfluxThresholds.objects.create(service_id=service_id, values={}, set_by=actor, set_at=at)


def _ring() -> None:
    after_commit("run back-tests", _call)


def _call() -> None:
    current_app.send_task(RUN, ignore_result=True, retry=False, expires=60)


# --- Running ----------------------------------------------------------------------------------
def run_waiting(*, at: datetime, seconds: float = TURN_SECONDS) -> int:
    """Works on one back-test for so many seconds; what is left is taken up again. Returns the weeks done."""
    job = _claim(at)
    if job is None:
        return 0
    ends_at, done = time.monotonic() + seconds, 0
    try:
        hours = calendar()
        while job.state == BacktestState.RUNNING and time.monotonic() < ends_at:
            _slice(job, hours)
            done += 1
    except Exception as error:
        _log.exception("back-test failed", extra={"backtest": job.pk})
        reason = f"It stopped with an error of ours: {error}"[:2000]
        Backtest.objects.filter(pk=job.pk).update(state=BacktestState.FAILED, reason=reason, claimed_until=None)
        return done
    Backtest.objects.filter(pk=job.pk).update(claimed_until=None)
    if Backtest.objects.filter(state__in=[BacktestState.WAITING, BacktestState.RUNNING]).exists():
        with transaction.atomic():
            _ring()
    return done


def _claim(at: datetime) -> Backtest | None:
    """The next one nobody works on, under a lease; a worker that died gives it back when that ends."""
    with transaction.atomic():
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=at)
        waiting = Backtest.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            free, state__in=[BacktestState.WAITING, BacktestState.RUNNING]
        )
        job = waiting.order_by("pk").first()
        if job is not None:
            job.state, job.claimed_until = BacktestState.RUNNING, at + LEASE
            job.save(update_fields=["state", "claimed_until"])
        return job


def _slice(job: Backtest, hours: Calendar) -> None:
    """One week more, with both sets of thresholds; then the verdict when it was the last."""
    since, until = job.cursor, min(job.cursor + SLICE, job.until)
    known = UsualOfAll(usual.measured(hours, since))
    words = queries.words_before(since)
    replays = {
        name: Replay(thresholds, hours, known, words)
        for name, thresholds in (("tried", queries.tried(job)), ("saved", queries.read(job.saved)))
    }
    found: dict[str, list[Raised]] = {name: [] for name in replays}
    number = 0
    for report in queries.reports(since - PRIMED, until):
        number += report.at >= since
        for name, replay in replays.items():
            raised = replay.see(report)
            if raised is not None and raised.at >= since:
                found[name].append(raised)
    job.tickets += number
    incidents = queries.declared(job.since, job.until)
    for name, raised_here in found.items():
        kept = job.result.setdefault(name, {"raised": []})
        kept["raised"] += [_kept(one, incidents) for one in raised_here]
    job.cursor = until
    if until >= job.until:
        for name in found:
            job.result[name] |= _verdict(job.result[name]["raised"], incidents, job, hours)
        job.state, job.finished_at = BacktestState.DONE, timezone.now()
    job.claimed_until = timezone.now() + LEASE
    job.save(update_fields=["tickets", "result", "cursor", "state", "finished_at", "claimed_until"])


def _kept(raised: Raised, incidents: list[queries.Declared]) -> dict[str, Any]:
    """One proposal as JSON; `incidents` are those it was about."""
    return {
        "at": raised.at.isoformat(),
        "service": raised.service,
        "words": raised.words,
        "reason": f"{raised.verdict.window.arrived} in {raised.verdict.window.lasted} min, "
        f"normally {raised.verdict.expected:.1f}",
        "requesters": raised.verdict.window.requesters,
        "tickets": [one.pk for one in raised.reports[:20]],
        "incidents": [one.pk for one in incidents if one.fits(raised)],
    }


def _verdict(
    raised: list[dict[str, Any]], incidents: list[queries.Declared], job: Backtest, hours: Calendar
) -> dict[str, Any]:
    """Caught, missed and cried wolf, in all and week by week."""
    first: dict[int, datetime] = {}
    for one in raised:
        for pk in one["incidents"]:
            first.setdefault(pk, datetime.fromisoformat(one["at"]))
    caught = [
        {"pk": one.pk, "title": one.title, "at": first[one.pk].isoformat(), "tickets": one.tickets,
         "earlier_minutes": round((one.moment - first[one.pk]).total_seconds() / 60)}
        for one in incidents if one.pk in first
    ]  # fmt: skip
    missed = [
        {"pk": one.pk, "title": one.title, "at": one.moment.isoformat(), "tickets": one.tickets}
        for one in incidents
        if one.pk not in first
    ]
    false = [one for one in raised if not one["incidents"]]
    by_week = {
        "caught": Counter(queries.week_of(one.moment, hours) for one in incidents if one.pk in first),
        "missed": Counter(queries.week_of(one.moment, hours) for one in incidents if one.pk not in first),
        "false": Counter(queries.week_of(datetime.fromisoformat(one["at"]), hours) for one in false),
    }
    return {"caught": caught, "missed": missed, "false": false, "weeks": _weeks(by_week, job, hours)}


def _weeks(by_week: dict[str, Counter[str]], job: Backtest, hours: Calendar) -> list[dict[str, Any]]:
    at = job.since
    weeks: list[dict[str, Any]] = []
    while at < job.until + timedelta(days=6):
        week = queries.week_of(min(at, job.until - timedelta(seconds=1)), hours)
        if not weeks or weeks[-1]["week"] != week:
            weeks.append({"week": week, **{name: counts[week] for name, counts in by_week.items()}})
        at += timedelta(weeks=1)
    return weeks


def forget(*, at: datetime, kept: timedelta = timedelta(days=365)) -> None:
    """Old back-tests that nothing was saved from."""
    saved = InfluxThresholds.objects.filter(backtest__isnull=False).values("backtest")
    Backtest.objects.filter(finished_at__lt=at - kept).exclude(pk__in=saved).delete()
