"""P4: from the deciding ticket's commit to the candidate, at 100 tickets a second; what detection costs; 32 at once.

python -m bench.influx [10000 1000000]: the sizes at which one turn of the detector is timed. MIM_BENCH_RATE: tickets a
second meanwhile, where the machine is shared.
"""

import json
import os
import secrets
import statistics
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.running import address, fill_tickets, key
from incidents.actions import arrivals, influx
from incidents.actions.tickets import open_ticket
from incidents.broker import broker
from incidents.live import CHANNEL_PREFIX
from incidents.models import Candidate, Service

RATE, TRIALS = int(os.environ.get("MIM_BENCH_RATE", "100")), 25

WORKER = "mim.embedded.worker"
P95, SHARE, GROWTH = 300, 0.2, 1.2
"""Milliseconds, the share of a create, and the ratio of a turn at the largest and the smallest size: the goals."""


def judged(is_met: bool) -> str:
    return "goal met" if is_met else "goal MISSED"


def service(name: str) -> Service:
    tag = secrets.token_hex(4)
    return Service.objects.create(name=f"Bench {name} {tag}", slug=f"bench-{name}-{tag}")


def post(base: str, secret: str, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{base}/api/v1/tickets",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def ticket(number: int, about: Service | None) -> dict[str, object]:
    tag = secrets.token_hex(3)
    body: dict[str, object] = {
        "title": f"Item {tag} of order {number} cannot be found", "channel": "api",
        "requester_email": f"bench-{tag}@customer.example",
    }  # fmt: skip
    return body | ({"service": about.slug} if about else {})


class Load:
    """So many tickets a second over kept threads, whoever they are about, until it is stopped."""

    def __init__(self, base: str, secret: str) -> None:
        self.base, self.secret, self.sent, self.late = base, secret, 0, 0
        self.stopped = threading.Event()
        self.others = [service("other") for _ in range(40)]

    def run(self) -> None:
        began = time.perf_counter()
        with ThreadPoolExecutor(12) as pool:
            while not self.stopped.is_set():
                due = began + self.sent / RATE
                if (wait := due - time.perf_counter()) > 0:
                    time.sleep(wait)
                elif wait < -1:
                    self.late += 1
                about = self.others[self.sent % 40] if self.sent % 8 == 0 else None
                pool.submit(post, self.base, self.secret, ticket(self.sent, about))
                self.sent += 1


def decide(base: str, secret: str) -> tuple[float, float]:
    """Seconds from the answer to the deciding ticket to the candidate's row, and to the nudge of open pages."""
    about = service("decided")
    for number in range(4):
        post(base, secret, ticket(number, about))
    time.sleep(1.0)  # the first four are looked at, and have not decided
    if Candidate.objects.filter(service=about).exists():
        sys.exit("Four tickets raised a candidate: this bench measures nothing.")
    heard = broker().pubsub()
    heard.subscribe(f"{CHANNEL_PREFIX}command")
    post(base, secret, ticket(4, about))
    committed = time.perf_counter()
    until = committed + 10
    while time.perf_counter() < until and not Candidate.objects.filter(service=about).exists():
        time.sleep(0.002)
    row = time.perf_counter() - committed
    nudge = row
    while time.perf_counter() < until:
        if (message := heard.get_message(timeout=0.5)) and message["type"] == "message":
            nudge = max(time.perf_counter() - committed, row)
            break
    heard.close()
    return row, nudge


def cpu_of(word: str) -> float:
    """Seconds of CPU taken so far by the processes of this installation whose command has the word."""
    total = 0.0
    for process in Path("/proc").iterdir():
        try:
            if not process.name.isdecimal() or word not in (process / "cmdline").read_text().replace("\0", " "):
                continue
            if f"MIM_VAR_DIR={settings.VAR_DIR}\0" in (process / "environ").read_text():
                fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return total


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def create_cost() -> None:
    """One ticket in this process, with and without what the detector adds to its transaction; interleaved."""
    with_it: list[float] = []
    without: list[float] = []
    for number in range(400):
        times = with_it if number % 2 else without
        patched = mock.patch.object(arrivals, "filed", lambda ticket: None) if times is without else mock.MagicMock()
        began = time.perf_counter()
        with patched:
            open_ticket(title=f"Cost {number}", channel="api", actor=None, at=timezone.now())
        times.append(time.perf_counter() - began)
    one, other = statistics.median(with_it) * 1000, statistics.median(without) * 1000
    share = 1 - other / one
    print(
        f"create a ticket: {one:.2f} ms with detection, {other:.2f} ms without: {100 * share:.0f} % of it   "
        f"{judged(share <= SHARE)}"
    )


def turn_cost(size: int) -> float:
    """Milliseconds of the detector's own work per ticket, in turns of 50."""
    have = fill_tickets(size)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incidents_ticket")
    about = [service("turn") for _ in range(5)]
    costs = []
    for _ in range(8):
        for number in range(50):
            open_ticket(
                title=" ".join(secrets.token_hex(3) for _ in range(5)), channel="api", actor=None, at=timezone.now(),
                service=about[number % 5], requester_email=f"t{number % 2}@customer.example",
            )  # fmt: skip
        began = time.perf_counter()
        influx.look(at=timezone.now())
        costs.append((time.perf_counter() - began) / 50)
    cost = statistics.median(costs) * 1000
    print(f"{have:>9} tickets: {cost:.2f} ms of detector a ticket, in turns of 50")
    return cost


def race() -> None:
    about = service("race")
    now = timezone.now()

    def file(number: int) -> None:
        open_ticket(
            title="Race is lost", channel="api", actor=None, at=now + timedelta(seconds=number % 5), service=about,
            requester_email=f"r{number}@customer.example",
        )  # fmt: skip
        influx.look(at=now + timedelta(seconds=10))
        connection.close()

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(file, range(320)))
    time.sleep(6)
    found = Candidate.objects.filter(service=about)
    print(
        f"32 connections, 320 tickets: {found.count()} candidate with {found.first().tickets.count()} tickets   "  # type: ignore[union-attr]
        f"{judged(found.count() == 1)}"
    )


def main(sizes: list[int]) -> None:
    base, secret = address(), key()
    load = Load(base, secret)
    thread = threading.Thread(target=load.run)
    thread.start()
    time.sleep(2)
    began, before, cpu_before = time.perf_counter(), load.sent, cpu_of(WORKER)
    found = [decide(base, secret) for _ in range(TRIALS)]
    rate = (load.sent - before) / (time.perf_counter() - began)
    load.stopped.set()
    thread.join()
    rows, nudges = [one for one, _ in found], [other for _, other in found]
    print(
        f"{rate:.0f} tickets a second meanwhile ({load.late} late), {TRIALS} decided; the worker took "
        f"{(cpu_of(WORKER) - cpu_before) * 1000 / (load.sent - before):.1f} ms of CPU a ticket"
    )
    for name, times in (("candidate row", rows), ("nudge of open pages", nudges)):
        p50, p95 = quantile(times, 0.5), quantile(times, 0.95)
        print(f"deciding ticket answered → {name:20} p50 {p50:.0f} ms  p95 {p95:.0f} ms   {judged(p95 <= P95)}")
    create_cost()
    race()
    costs = [turn_cost(size) for size in sizes]
    if len(costs) > 1:
        ratio = costs[-1] / costs[0]
        print(f"a turn at {sizes[-1]} / at {sizes[0]} tickets: {ratio:.2f}   {judged(ratio <= GROWTH)}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000])
