"""Fifty pages that nobody answers while the process that escalates is killed again and again."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from incidents.actions import candidates
from incidents.models import TimelineEvent
from incidents.process import AccountRole, EventKind
from notifications.models import Delivery, EscalationPolicy, Page, PageCall
from tests.notifications.conftest import person
from tests.notifications.test_killed_worker import kill, wait_until

PAGES, ACKNOWLEDGED, KILLS = 50, 15, 3
WAIT_SECONDS = 5
LATE_SECONDS = 90
"""Generous: a worker needs long to start on a busy machine. `bench/escalations.py` measures it."""


@pytest.fixture
def worker(smtp, tmp_path):
    """Starts a real worker with its beat; every one is gone when the test ends."""
    started: list[subprocess.Popen] = []
    database = connection.settings_dict
    where = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
    credentials = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://{credentials}@{where}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "MIM_EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}",
        "MIM_VAR_DIR": str(tmp_path / "var"),
    }
    command = [sys.executable, "-m", "celery", "-A", "mim", "worker", "-P", "threads", "-c", "4", "-B"]
    command += ["-s", str(tmp_path / "beat"), "--without-gossip", "--without-mingle"]

    def start() -> subprocess.Popen:
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)


@pytest.mark.long
@pytest.mark.stack
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_none_is_missed_early_doubled_or_after_the_acknowledgement(smtp, worker, tmp_path):
    crew = [person(name, AccountRole.MAJOR_INCIDENT_MANAGER) for name in ("dana", "lee", "kim")]
    steps = [{"who": [f"person:{one.pk}"], "wait_seconds": WAIT_SECONDS} for one in crew]
    EscalationPolicy.objects.create(occasion="candidate", steps=steps, repeat=0, changed_at=timezone.now())
    flagged = [
        candidates.gather(
            title=f"Outage {n}", source="influx", cluster=f"c{n}", reasons=[], actor=None, at=timezone.now()
        )
        for n in range(PAGES)
    ]

    process = worker()
    for number in range(KILLS):
        wanted = PAGES + number * 30 + 5
        wait_until(lambda wanted=wanted: PageCall.objects.count() >= wanted, LATE_SECONDS, tmp_path)
        kill(process)
        if number == 0:
            for candidate in flagged[:ACKNOWLEDGED]:
                candidates.acknowledge(candidate.pk, actor=crew[2], at=timezone.now())
        process = worker()
    open_pages = Page.objects.filter(state="paging")
    wait_until(lambda: not open_pages.exists(), 4 * LATE_SECONDS, tmp_path)
    waiting = Delivery.objects.filter(moment="page", state__in=("queued", "sending"), held_until=None)
    wait_until(lambda: not waiting.exists(), LATE_SECONDS, tmp_path)

    left = Page.objects.filter(candidate__in=flagged[ACKNOWLEDGED:]).prefetch_related("calls")
    assert {page.state for page in left} == {"unanswered"}
    late = []
    for page in left:
        calls = list(page.calls.order_by("id"))
        assert [call.person_id for call in calls] == [one.pk for one in crew]  # 0 missed, none twice
        times = [call.called_at for call in calls]
        gaps = [(later - first).total_seconds() for first, later in zip(times, times[1:], strict=False)]
        assert min(gaps) >= WAIT_SECONDS  # 0 early
        late += [gap - WAIT_SECONDS for gap in gaps]
    assert max(late) < LATE_SECONDS
    for candidate in flagged[:ACKNOWLEDGED]:
        acknowledged = candidate.events.get(kind=EventKind.CANDIDATE_ACKNOWLEDGED)
        assert not candidate.events.filter(kind=EventKind.PAGED, pk__gt=acknowledged.pk).exists()
    paged = TimelineEvent.objects.filter(kind=EventKind.PAGED)
    assert paged.count() == PageCall.objects.count()
    sent = [(address, mail["Message-ID"]) for address, mail in smtp.mails if mail["Subject"].startswith("Page:")]
    assert len(sent) - len(set(sent)) <= KILLS
    accepted = Delivery.objects.filter(moment="page", channel="email", event__candidate__in=flagged[ACKNOWLEDGED:])
    assert {row.state for row in accepted} == {"delivered"}
    assert accepted.count() == (PAGES - ACKNOWLEDGED) * len(crew)
    assert all(row.delivered_at - row.queued_at < timedelta(seconds=2 * LATE_SECONDS) for row in accepted)
