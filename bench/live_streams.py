"""P6: many open streams on one incident, ten events a second: from the commit of an event to the last stream that heard
of it, memory a stream, and what it costs those who write. Then real pages, which fetch at most once a second.

    python3 -m bench.live_streams [--streams 1000] [--seconds 60] [--rate 10] [--pages 20]
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import threading
import time
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.processes import command, pss_mib, tree
from bench.running import address, supervisor
from incidents.actions import major_incidents, response
from incidents.models import MajorIncident, User
from mim import live_ticket
from mim.env import running_services

STREAM = "uvicorn"
SETTLING = 1.0
"""Seconds after the last event in which the streams still listen."""


class Heard:
    """When each stream first heard of each event, by the number of the event."""

    def __init__(self) -> None:
        self.at: dict[int, list[float]] = {}
        self.highest: dict[int, int] = {}
        self.open = 0
        self.lost = 0

    def note(self, stream: int, seq: int) -> None:
        """A nudge with a number says that everything up to it happened: events in between count as heard, too."""
        now = time.perf_counter()
        for number in range(self.highest.get(stream, seq - 1) + 1, seq + 1):
            self.at.setdefault(number, []).append(now)
        self.highest[stream] = max(seq, self.highest.get(stream, 0))


async def listen(number: int, origin: str, topic: str, user: int, heard: Heard, begin_from: int, stop: asyncio.Event):
    parts = urlsplit(origin)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=2**20)
    ticket = live_ticket.issue(user, [topic])
    writer.write(f"GET /live/?ticket={ticket} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    status = await reader.readline()
    if b" 200 " not in status:
        heard.lost += 1
        return
    heard.open += 1
    heard.highest[number] = begin_from
    while not stop.is_set():
        try:
            line = await asyncio.wait_for(reader.readline(), 0.5)
        except TimeoutError:
            continue
        if not line:
            heard.lost += 1
            break
        if line.startswith(b"data: ") and (seq := json.loads(line[6:]).get("seq")):
            heard.note(number, int(seq))
    writer.close()


def write(incident: MajorIncident, person: User, count: int, rate: float, done: dict[int, float], took: list[float]):
    """Notes at an even pace; `done` is when each was committed, `took` how long each took."""
    begin = time.perf_counter()
    for number in range(count):
        time.sleep(max(begin + number / rate - time.perf_counter(), 0))
        before = time.perf_counter()
        event = response.post_note(incident.pk, text=f"Bench note {number}", actor=person, at=timezone.now())
        done[event.seq or 0] = time.perf_counter()
        took.append(done[event.seq or 0] - before)
    connection.close()


def written(incident: MajorIncident, person: User, seconds: float, rate: float) -> tuple[dict[int, float], list[float]]:
    done: dict[int, float] = {}
    took: list[float] = []
    thread = threading.Thread(target=write, args=(incident, person, int(seconds * rate), rate, done, took))
    thread.start()
    thread.join()
    return done, took


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def stream_memory() -> float:
    """MiB of the stream's process; 0 when it is not below `manage.py up`."""
    if "MIM_BENCH_STREAM" in os.environ:
        return 0.0
    return sum(pss_mib(pid) for pid in tree(supervisor()) if STREAM in command(pid))


async def measure(
    incident: MajorIncident, person: User, streams: int, seconds: float, rate: float, origin: str
) -> None:
    alone = (await asyncio.to_thread(written, incident, person, min(seconds, 10), rate))[1]
    begin_from = (await MajorIncident.objects.aget(pk=incident.pk)).last_seq
    before, heard, stop = stream_memory(), Heard(), asyncio.Event()
    listening = []
    for number in range(streams):
        task = listen(number, origin, f"MI-{incident.pk}", person.pk, heard, begin_from, stop)
        listening.append(asyncio.create_task(task))
        if number % 50 == 49:
            await asyncio.sleep(0.2)
    while heard.open + heard.lost < streams:
        for task in listening:
            if task.done() and not task.cancelled() and task.exception():
                raise SystemExit(f"A stream could not be opened: {task.exception()!r}")
        await asyncio.sleep(0.1)
    each = (stream_memory() - before) * 1024 / streams
    done, took = await asyncio.to_thread(written, incident, person, seconds, rate)
    await asyncio.sleep(SETTLING)
    stop.set()
    await asyncio.gather(*listening)
    last = [(max(heard.at[seq]) - at) * 1000 for seq, at in done.items() if len(heard.at.get(seq, [])) >= streams]
    missing = len(done) - len(last)
    slower = statistics.median(took) / statistics.median(alone) - 1
    print(f"{streams} streams, {len(done)} events at {rate:g}/s, {heard.lost} streams lost, {missing} events missing")
    print(f"commit to the last stream: p50 {percentile(last, 0.5):.0f} ms, p95 {percentile(last, 0.95):.0f} ms, "
          f"max {max(last, default=float('nan')):.0f} ms   (goal p95 ≤ 60 ms at 1,000, ≤ 200 ms at 3,000)")  # fmt: skip
    print(f"memory: {each:.1f} kB a stream (goal ≤ 30 kB); a note takes {statistics.median(took) * 1000:.1f} ms, "
          f"alone {statistics.median(alone) * 1000:.1f} ms ({slower:+.0%}, goal ≤ +20 %)")  # fmt: skip
    if heard.lost or missing:
        raise SystemExit("Something was lost.")


def refetches(base: str, incident: MajorIncident, person: User, pages: int, seconds: float, rate: float) -> None:
    """How often real pages fetch their timeline during a burst, and whether all show the last entry at its end."""
    from playwright.sync_api import sync_playwright

    from bench.pages import FLAGS, signed_in

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        state = signed_in(browser, base, person)
        fetched: dict[int, list[float]] = {}
        opened = []
        for number in range(pages):
            page = browser.new_context(storage_state=state).new_page()
            page.on("request", lambda asked, number=number: fetched.setdefault(number, []).append(time.perf_counter())
                    if asked.url.split("?")[0].endswith("/timeline/") else None)  # fmt: skip
            page.goto(f"{base}/major-incidents/{incident.ref}/")
            opened.append(page)
        thread = threading.Thread(target=write, args=(incident, person, int(seconds * rate), rate, {}, []))
        begin = time.perf_counter()
        thread.start()
        while thread.is_alive():
            opened[0].wait_for_timeout(200)
        took = time.perf_counter() - begin
        response.post_note(incident.pk, text="The very last bench note", actor=person, at=timezone.now())
        at = time.perf_counter()
        for page in opened:
            page.get_by_text("The very last bench note").first.wait_for(timeout=30_000)
        shown = (time.perf_counter() - at) * 1000
        gaps = [after - one for times in fetched.values() for one, after in zip(times, times[1:], strict=False)]
        most = max((len(times) for times in fetched.values()), default=0)
        print(
            f"{pages} pages: at most {most / took:.2f} fetches a second each (goal ≤ 1), "
            f"shortest gap {min(gaps, default=0) * 1000:.0f} ms; the last entry stood on all after {shown:.0f} ms"
        )
        browser.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--streams", type=int, default=1000)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--rate", type=float, default=10)
    asked.add_argument("--pages", type=int, default=20)
    given = asked.parse_args()
    running = running_services(settings.VAR_DIR).get("environment", {})
    origin = os.environ.get("MIM_BENCH_STREAM") or running.get("MIM_STREAM_ORIGIN")
    if not origin:
        raise SystemExit("Start `python3 manage.py up` in another shell first, or set MIM_BENCH_STREAM.")
    person = User.objects.create_user(f"bench-{secrets.token_hex(4)}@demo.example", "", name="Bench")
    person.role_rows.create(role="major_incident_manager")
    incident = major_incidents.declare(
        title="Bench of the live room", impact=1, urgency=1, is_drill=True, actor=person, at=timezone.now()
    )
    assert settings.REDIS_URL
    asyncio.run(measure(incident, person, given.streams, given.seconds, given.rate, origin))
    if given.pages:
        refetches(address(), incident, person, given.pages, given.seconds, given.rate)


if __name__ == "__main__":
    main()
