"""P2: alerts accepted, answered after the commit, beside bare SQL that keeps the same bodies, in interleaved rounds.

wrk asks, eight connections at once. The worker makes alerts of the bodies meanwhile, on the same machine; at the end it
is waited for, and every accepted body must be in the record.
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from bench.alert_bodies import group
from bench.running import fill_tickets, sender
from incidents.models import Alert, Payload

SECONDS, ROUNDS, CONNECTIONS = 8, 3, 8
SINGLE_P99 = 50
RATIOS = {"single": 800 / 1_240, "grouped": 30_000 / 88_000}
"""The goals beside their limits, on the machine they were written on."""
LONGEST_WAIT = 600
_SCRIPT = """
local bodies = {{ {bodies} }}
local n = 0
request = function()
  n = n + 1
  return wrk.format("POST", nil, {{["Content-Type"] = "application/json"}}, bodies[n % #bodies + 1])
end
local threads = {{}}
setup = function(thread) table.insert(threads, thread) end
init = function() accepted = 0; others = 0 end
response = function(status) if status == 202 then accepted = accepted + 1 else others = others + 1 end end
done = function(summary, latency)
  local yes, no = 0, 0
  for _, thread in ipairs(threads) do yes = yes + thread:get("accepted"); no = no + thread:get("others") end
  io.write(string.format("FOUND %d %d %d %d %d\\n", yes, no, summary.duration, latency:percentile(50),
    latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Figures:
    """`rate` of 202 a second; times in milliseconds."""

    accepted: int
    others: int
    rate: float
    p50: float
    p99: float


def wrk(url: str, bodies: list[bytes], connections: int) -> Figures:
    """Asks as fast as the kept connections can. Ends the command when wrk is not there."""
    quoted = ", ".join(json.dumps(body.decode()) for body in bodies)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.format(bodies=quoted))
        script.flush()
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{SECONDS}s", "-s", script.name, url]
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except FileNotFoundError:
            sys.exit("wrk is not installed: sudo apt-get install wrk")
    found = re.search(r"FOUND (\d+) (\d+) (\d+) (\d+) (\d+)", said)
    if found is None:
        sys.exit(f"wrk said nothing that can be read:\n{said}")
    yes, no, micro, p50, p99 = map(int, found.groups())
    return Figures(yes, no, yes / micro * 1e6, p50 / 1000, p99 / 1000)


def bare(bodies: list[bytes], connections: int, integration_id: int) -> float:
    """Bodies a second that bare SQL keeps, one commit each, over as many connections."""
    over, counts = threading.Event(), [0] * connections

    def keep(number: int) -> None:
        with connection.cursor() as cursor:
            while not over.is_set():
                body = bodies[counts[number] % len(bodies)]
                cursor.execute(
                    "INSERT INTO bench_bare (integration_id, received_at, path, method, headers, query, body, sha256, "
                    "state, reason, alerts, is_drill, attempts) VALUES (%s, %s, '', 'POST', '{}', '', %s, '', "
                    "'waiting', '', 1, false, 0) RETURNING id",
                    [integration_id, timezone.now(), body],
                )
                counts[number] += 1
        connection.close()

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_bare")
        cursor.execute("CREATE TABLE bench_bare (LIKE incidents_payload INCLUDING ALL)")
    threads = [threading.Thread(target=keep, args=(number,)) for number in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    over.set()
    for thread in threads:
        thread.join()
    rate = sum(counts) / (time.perf_counter() - began)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_bare")
    return rate


def wait_for_the_worker(integration_id: int) -> tuple[int, float]:
    """Bodies that were accepted, and how many seconds the worker took for the rest of them."""
    began = time.monotonic()
    mine = Payload.objects.filter(integration_id=integration_id)
    while mine.filter(state="waiting").exists():
        if time.monotonic() - began > LONGEST_WAIT:
            sys.exit("The worker did not finish.")
        time.sleep(0.5)
    if left := mine.exclude(state="done").count():
        sys.exit(f"{left} accepted bodies were not processed.")
    return mine.count(), time.monotonic() - began


def main() -> None:
    print(f"{fill_tickets(100_000)} tickets in the database")
    integration, url = sender()
    bodies = {
        "single": [group([n], keys="single", severity="warning") for n in range(500)],
        "grouped": [group(range(n * 100, n * 100 + 100), keys="many", severity="warning") for n in range(50)],
    }
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in bodies}
    p99 = {name: float("inf") for name in bodies}
    accepted = others = 0
    for number in range(1, ROUNDS + 1):
        for name, given in bodies.items():
            limit = bare(given, CONNECTIONS, integration.pk)
            found = wrk(url, given, CONNECTIONS)
            accepted, others = accepted + found.accepted, others + found.others
            rates[name].append((found.rate, limit))
            p99[name] = min(p99[name], found.p99)
            print(
                f"round {number}  {name:8} {found.rate:7.0f} bodies/s  p50 {found.p50:5.1f} ms  p99 {found.p99:6.1f} ms"
                f"   limit {limit:7.0f}/s   ratio {found.rate / limit:.2f}   not 202: {found.others}",
                flush=True,
            )
    kept, seconds = wait_for_the_worker(integration.pk)
    for name, goal in RATIOS.items():
        ratio = sum(rate for rate, _ in rates[name]) / sum(limit for _, limit in rates[name])
        print(f"{name:8} ratio {ratio:.2f}   goal {goal:.2f}   {'met' if ratio >= goal else 'MISSED'}")
    print(f"single   p99 {p99['single']:.1f} ms   goal {SINGLE_P99} ms")
    print(
        f"accepted {accepted} bodies, kept {kept}, {Alert.objects.filter(integration=integration).count()} "
        f"alerts; the worker finished {seconds:.1f} s later"
    )
    if others or kept < accepted:  # wrk leaves those unread that were under way when its time was over
        sys.exit(f"{others} answers other than 202, {accepted - kept} accepted bodies missing.")


if __name__ == "__main__":
    main()
