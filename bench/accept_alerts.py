"""P2: alerts accepted, answered after the commit, beside the health page of the same run.

The worker makes alerts of them meanwhile, on the same machine; at the end it is waited for, and every accepted body
must be in the record.
"""

import sys
import time

from bench.alert_bodies import group
from bench.load import Figures, drive, rounds
from bench.running import address, fill_tickets, sender
from incidents.models import Alert, Payload

SINGLE_GOAL, SINGLE_P99, GROUPED_GOAL = 800, 50, 30_000
LONGEST_WAIT = 600


class Accepted:
    """What the rounds measured, and how many bodies were answered 202."""

    def __init__(self) -> None:
        self.best: dict[str, Figures] = {}
        self.bodies = 0

    def measure(self, name: str, url: str, bodies: list[bytes], connections: int) -> Figures:
        found = drive(url, method="POST", bodies=bodies, expect=202, connections=connections)
        self.bodies += found.answers - sum(found.wrong.values())
        if name not in self.best or found.rate > self.best[name].rate:
            self.best[name] = found
        return found


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
    single = [group([n], keys="single", severity="warning") for n in range(500)]
    grouped = [group(range(n * 100, n * 100 + 100), keys="many", severity="warning") for n in range(50)]
    accepted = Accepted()
    rounds(
        {
            "limit: /healthz, 8 connections": lambda: drive(f"{address()}/healthz"),
            "one alert a body, 8 connections": lambda: accepted.measure("single", url, single, 8),
            "one alert a body, alone": lambda: accepted.measure("alone", url, single, 1),
            "100 alerts a body, 8 connections": lambda: accepted.measure("grouped", url, grouped, 8),
        }
    )
    kept, seconds = wait_for_the_worker(integration.pk)
    one, many = accepted.best["single"], accepted.best["grouped"]
    print(f"single   {one.rate:8.0f}/s, p99 {one.p99:.1f} ms      goal {SINGLE_GOAL}/s, {SINGLE_P99} ms")
    print(f"grouped  {many.rate * 100:8.0f} alerts/s          goal {GROUPED_GOAL}/s")
    print(
        f"accepted {accepted.bodies} bodies, kept {kept}, {Alert.objects.filter(integration=integration).count()} "
        f"alerts; the worker finished {seconds:.1f} s later"
    )
    if kept != accepted.bodies:
        sys.exit("Accepted and kept differ.")


if __name__ == "__main__":
    main()
