"""R10: 10,000 broken bodies at every door of a running installation: `python -m bench.fuzz_doors [how many] [seed]`.

Never a 5xx, every 4xx says why, the web server does not grow, and afterwards no accepted body is stuck.
"""

import http.client
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from bench.broken_bodies import broken
from bench.running import address, sender
from incidents.intake.monitoring import registry
from incidents.models import Integration, Payload

CONNECTIONS = 4
UNASKED = ("sns",)
"""Signed by others: verifying would ask a host that a bench does not have."""


def ask(url: str, work: list[tuple[bytes, dict[str, str]]]) -> tuple[Counter[int], list[str]]:
    """Sends one after the other; answers by status, and what was wrong."""
    parts = urlsplit(url)
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    for body, headers in work:
        try:
            link.request("POST", parts.path, body, headers)
            answer = link.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            wrong.append(f"{type(error).__name__}: {error}")
            link.close()
            continue
        answers[answer.status] += 1
        if answer.status >= 500 or (answer.status >= 400 and not said):
            wrong.append(f"{answer.status} {said[:200]!r}")
    link.close()
    return answers, wrong


def fuzz(kind: str, count: int, seed: int) -> tuple[Integration, list[str]]:
    """All the bodies at one door."""
    adapter = registry.adapters()[kind]
    integration, url = sender(kind, **({"expected_every_seconds": 3600} if kind == "heartbeat" else {}))
    example, headers = adapter.example()
    chance = random.Random(f"{kind} {seed}")
    answers: Counter[int] = Counter()
    wrong: list[str] = []
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for start in range(0, count, 200 * CONNECTIONS):
            batches = []
            for first in range(start, min(count, start + 200 * CONNECTIONS), 200):
                work = [broken(example, chance) for _ in range(first, min(count, first + 200))]
                batches.append([(body, {**headers, **said}) for body, said in work])
            for found, faults in pool.map(lambda batch: ask(url, batch), batches):
                answers += found
                wrong += faults
    told = ", ".join(f"{status}: {number}" for status, number in sorted(answers.items()))
    print(
        f"{kind:13} {count} bodies in {time.perf_counter() - began:5.0f} s   {told}   wrong: {len(wrong)}", flush=True
    )
    return integration, wrong


def stuck(integrations: list[Integration]) -> list[str]:
    """Accepted bodies that did not become alerts, after the worker had its time."""
    mine = Payload.objects.filter(integration__in=integrations)
    until = time.monotonic() + 300
    while mine.filter(state="waiting").exists() and time.monotonic() < until:
        time.sleep(1)
    rows = mine.filter(state__in=("waiting", "failed")).values_list("integration__kind", "state", "reason")
    return [" ".join(row) for row in rows[:20]]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"seed {seed}, {address()}")
    results = [fuzz(kind, count, seed) for kind in sorted(registry.adapters()) if kind not in UNASKED]
    wrong = [fault for _, faults in results for fault in faults]
    left = stuck([integration for integration, _ in results])
    for line in (*wrong[:20], *left):
        print(f"  {line}")
    print(f"{len(wrong)} wrong answers, {len(left)} accepted bodies stuck")
    if wrong or left:
        sys.exit(1)


if __name__ == "__main__":
    main()
