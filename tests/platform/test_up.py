"""`manage.py up` as a person at a terminal meets it."""

import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mim.embedded import throwaway
from mim.embedded.ports import free_port
from mim.embedded.services import ROOT
from tests.platform.conftest import environment_for, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


class Up:
    """One running `up` in a folder of its own."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home, self.port = home, free_port()
        self.environment = environment_for(home, "", "")
        self.environment.pop("DATABASE_URL"), self.environment.pop("REDIS_URL")
        self.output = home / "output.txt"
        self.began = time.monotonic()
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-demo", "--port", str(self.port), *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> float:
        """Seconds from the command to the printed address."""
        until(lambda: "MIM is ready" in self.said() or self.process.poll() is not None, 120, "the start")
        assert self.process.poll() is None, self.said()
        return time.monotonic() - self.began

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def services(self) -> dict:
        return json.loads((self.home / "var/run/services.json").read_text())

    def pids(self) -> list[int]:
        """Every process that carries this installation's folder in its environment, the supervisor included."""
        return [pid for pid in (int(path.name) for path in Path("/proc").glob("[0-9]*")) if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
            is_zombie = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return False
        return str(self.home).encode() in words and not is_zombie

    def interrupt(self) -> int:
        """Ctrl-C, as the terminal sends it: to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def home():
    with throwaway.folder() as path:
        yield path


@pytest.fixture(scope="module")
def first(home):
    """The first start, done once; stopped by whichever test needs it stopped."""
    running = Up(home)
    running.wait_until_ready()
    yield running
    if running.process.poll() is None:
        running.interrupt()


def test_it_prints_the_address_and_a_link_that_makes_the_first_administrator(first):
    assert f"http://127.0.0.1:{first.port}/" in first.said()
    assert first.get("/healthz") == (200, '{"status": "ok"}')
    link = re.search(r"http://\S+(/first-administrator/\S+)", first.said())
    assert link
    status, page = first.get(link.group(1))
    assert status == 200 and "administrator" in page
    assert first.get("/first-administrator/invented/")[0] == 404


def test_the_background_parts_report_themselves_ready(first):
    until(lambda: first.get("/readyz")[0] == 200, 30, first.get("/readyz")[1])
    checks = json.loads(first.get("/readyz")[1])["checks"]
    assert set(checks) == {"database", "broker", "worker", "beat", "sweeps", "outbox", "intake", "paging"}


def test_other_commands_find_the_running_services(first):
    path = first.home / "var/run/services.json"
    assert path.stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"], cwd=ROOT, env=first.environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_mail_sent_without_a_mail_server_is_kept(first):
    given = first.services()["environment"]
    host, _, port = given["MIM_EMAIL_URL"].removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port), timeout=5) as server:
        server.sendmail("desk@example.org", ["a@example.org"], "Subject: Declared\r\n\r\nMI-1 ää".encode())
    kept = list(Path(given["MIM_MAIL_CATCHER_DIR"]).glob("*.eml"))
    assert len(kept) == 1 and b"Subject: Declared" in kept[0].read_bytes()


def test_mail_for_the_desk_is_taken_where_it_says_and_becomes_a_ticket(first):
    found = re.search(r"E-mail in +smtp://127\.0\.0\.1:(\d+)", first.said())
    assert found and first.services()["environment"]["MIM_MAIL_IN_PORT"] == found[1]
    with smtplib.SMTP("127.0.0.1", int(found[1]), timeout=10) as server:
        server.sendmail(
            "a@example.org", ["servicedesk@localhost"], b"From: a@example.org\r\nSubject: Broken\r\n\r\nIt is"
        )
    kept = Path(first.services()["environment"]["MIM_MAIL_CATCHER_DIR"])
    until(lambda: any(b"received: Broken" in one.read_bytes() for one in kept.glob("*.eml")), 30, "the answer")


def test_a_second_start_in_the_same_folder_is_refused(first):
    second = Up(first.home)
    assert second.process.wait(30) == 1
    assert "already running" in second.said()


def test_a_program_that_is_killed_comes_back(first):
    worker = next(pid for pid in first.pids() if b"mim.embedded.worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    until(lambda: "worker stopped and is started again" in first.said(), 10, "the notice")

    def is_back() -> bool:
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in first.pids()]
        return any(b"mim.embedded.worker" in line for line in lines)

    until(is_back, 10, "the new worker")
    assert worker not in first.pids()


def test_ctrl_c_leaves_nothing_and_the_second_start_takes_under_three_seconds(first):
    assert len(first.pids()) >= 7
    assert first.interrupt() == 0
    until(lambda: not first.pids(), 2, f"the end of {first.pids()}")
    assert not (first.home / "var/run/services.json").exists()

    taken = []
    while len(taken) < 3 and (not taken or min(taken) > 3):  # what else runs here only ever adds to it
        taken.append(seconds_of_a_start(first))
    assert min(taken) <= 3 * slowness(), (taken, first.said())


def seconds_of_a_start(first: Up) -> float:
    """What `up` says it took in this folder, once more."""
    first.output.write_text("")
    again = Up(first.home)
    try:
        again.wait_until_ready()
        return float(re.search(r"ready after ([\d.]+) s", again.said()).group(1))
    finally:
        again.interrupt()


def slowness() -> float:
    """How busy this machine is: 1 when a processor is free for each of the two that a start uses."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_a_killed_supervisor_leaves_nothing_either():
    with throwaway.folder() as home:
        running = Up(home)
        running.wait_until_ready()
        running.process.kill()
        running.process.wait()
        until(lambda: not running.pids(), 15, "the end of every program")
        assert not running.pids()
