"""A storm while the worker dies: all accounted for, one record a key, one candidate. In full: bench/storm.py."""

import os
import random
import signal as signals
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.test import Client

from bench.alert_bodies import group
from incidents.models import Alert, AlertRule, Candidate, Payload
from tests import factories
from tests.incidents.monitoring.conftest import KEY, sender

ALERTS, KEYS, KILLS = 4_000, 40, 2


@pytest.fixture
def worker(tmp_path):
    """Starts a real worker with its beat; all are gone when the test ends."""
    started: list[subprocess.Popen] = []
    database = connection.settings_dict
    where = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
    credentials = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{credentials}@{where}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
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


def kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signals.SIGKILL)
        process.wait()


def bodies(seed: int) -> list[bytes]:
    """All the alerts in bodies of 1 to 500, as Alertmanager groups them."""
    chance, left, found = random.Random(seed), ALERTS, []
    while left:
        size = min(left, chance.choice((1, 1, 2, 5, 20, 100, 500)))
        found.append(group([chance.randrange(KEYS) for _ in range(size)], service="checkout"))
        left -= size
    return found


def wait_until(condition, tmp_path: Path) -> None:
    until = time.monotonic() + 90
    while not condition():
        if time.monotonic() > until:
            logs = "\n".join(path.read_text()[-3000:] for path in sorted(tmp_path.glob("worker-*.log")))
            pytest.fail(f"not in time\n{logs}")
        time.sleep(0.05)


@pytest.mark.stack
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_and_nothing_made_twice_while_the_worker_dies(worker, tmp_path):
    factories.organisation()
    factories.service("Checkout")
    AlertRule.objects.create(name="Hosts", position=1, outcome="candidate", severities=["critical"])
    tool, web = sender(), Client()
    sent, process = bodies(1), worker()
    kill_after = [len(sent) * (n + 1) // (KILLS + 1) for n in range(KILLS)]
    for number, body in enumerate(sent):
        assert web.post(f"/in/alertmanager/{KEY}", body, content_type="application/json").status_code == 202
        if number in kill_after:
            wait_until(lambda: Payload.objects.filter(state="done").exists(), tmp_path)
            kill(process)
            process = worker()
    wait_until(lambda: not Payload.objects.filter(state="waiting").exists(), tmp_path)

    assert set(Payload.objects.values_list("state", flat=True)) == {"done"}
    assert Payload.objects.count() == len(sent)
    alerts = Alert.objects.filter(integration=tool)
    assert alerts.count() == KEYS
    assert alerts.aggregate(Sum("reports"))["reports__sum"] == ALERTS
    candidate = Candidate.objects.get()
    assert candidate.alerts.count() == KEYS
