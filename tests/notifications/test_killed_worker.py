"""A worker that is killed in the middle of informing two hundred people."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.db import connection

from incidents.models import RoleHeld, Service, User
from incidents.process import AccountRole
from notifications.models import Delivery
from tests.notifications.conftest import Sink, declare, free_port, person

PEOPLE, KILLS = 200, 2
SECONDS_PER_MAIL = 0.04
RECOVERY_SECONDS = 30


class SlowSink(Sink):
    """Takes the message, thinks, and only then says 250: whoever dies meanwhile cannot know."""

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(SECONDS_PER_MAIL)
        return answer


@pytest.fixture
def slow_smtp():
    sink = SlowSink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    sink.port = controller.port
    yield sink
    controller.stop()


@pytest.fixture
def worker(slow_smtp, tmp_path):
    """Starts a real Celery worker with its beat; every worker is gone when the test ends."""
    started: list[subprocess.Popen] = []
    database = connection.settings_dict
    where = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
    credentials = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://{credentials}@{where}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "MIM_EMAIL_URL": f"smtp://127.0.0.1:{slow_smtp.port}",
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
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(condition, seconds: float, tmp_path: Path) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            logs = "\n".join(path.read_text()[-3000:] for path in sorted(tmp_path.glob("worker-*.log")))
            raise AssertionError(f"not within {seconds} s\n{logs}")
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.stack
@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
def test_nobody_is_without_a_message_and_a_repetition_bears_the_same_message_id(slow_smtp, worker, tmp_path):
    manager = person("manager", AccountRole.MAJOR_INCIDENT_MANAGER)
    crowd = User.objects.bulk_create(User(email=f"user{n}@shop.example", name=f"User {n}") for n in range(PEOPLE))
    RoleHeld.objects.bulk_create(RoleHeld(user=one, role=AccountRole.REQUESTER) for one in crowd)
    incident = declare(manager, Service.objects.create(name="Checkout", slug="checkout"))

    process = worker()
    wait_until(lambda: len(slow_smtp.mails) >= 20, 60, tmp_path)
    for _ in range(KILLS):
        kill(process)
        sent = len(slow_smtp.mails)
        assert sent < PEOPLE  # it died in the middle
        process = worker()
        wait_until(lambda sent=sent: len(slow_smtp.mails) >= sent + 20, RECOVERY_SECONDS, tmp_path)

    waiting = Delivery.objects.filter(incident=incident, channel="email", state__in=("queued", "sending"))
    wait_until(lambda: not waiting.exists(), 60, tmp_path)

    assert set(slow_smtp.addresses()) >= {one.email for one in crowd} | {manager.email}
    sent = Counter((address, mail["Message-ID"]) for address, mail in slow_smtp.mails)
    repeated = sum(count - 1 for count in sent.values())
    assert repeated <= KILLS
    keys = Delivery.objects.filter(incident=incident, channel="email").values_list("address", "message_id")
    assert set(sent) == set(keys)  # one identity per person and event, however often it went out
