"""Drives one address over kept connections and measures every answer."""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Figures:
    """`rate` answers a second; times in milliseconds; `wrong` counts unexpected answers by status."""

    rate: float
    p50: float
    p95: float
    p99: float
    answers: int
    wrong: dict[str, int]

    def __str__(self) -> str:
        wrong = f"  WRONG {self.wrong}" if self.wrong else ""
        return (
            f"{self.rate:8.0f}/s  p50 {self.p50:6.1f} ms  p95 {self.p95:6.1f} ms  p99 {self.p99:6.1f} ms"
            f"  ({self.answers} answers){wrong}"
        )


def _connection(
    url: str, method: str, headers: dict[str, str], bodies: Sequence[bytes | None], expect: int, seconds: float
):
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    times: list[float] = []
    wrong: dict[str, int] = {}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        link.request(method, path, bodies[len(times) % len(bodies)], headers)
        answer = link.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        if answer.status != expect:
            wrong[str(answer.status)] = wrong.get(str(answer.status), 0) + 1
    link.close()
    return times, wrong


def drive(
    url: str,
    *,
    method: str = "GET",
    key: str = "",
    body: dict[str, object] | None = None,
    bodies: Sequence[bytes] = (),
    expect: int = 200,
    connections: int = 8,
    seconds: float = 8,
) -> Figures:
    """Asks as fast as `connections` kept connections can, one process each. `bodies` are sent in turn."""
    headers = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    payloads: list[bytes | None] = list(bodies) or [None if body is None else json.dumps(body).encode()]
    if payloads[0] is not None:
        headers["Content-Type"] = "application/json"
    began = time.perf_counter()
    with ProcessPoolExecutor(connections) as pool:
        runs = [pool.submit(_connection, url, method, headers, payloads, expect, seconds) for _ in range(connections)]
        results = [run.result() for run in runs]
    lasted = time.perf_counter() - began
    times = sorted(moment for found, _ in results for moment in found)
    wrong: dict[str, int] = {}
    for _, found in results:
        for status, count in found.items():
            wrong[status] = wrong.get(status, 0) + count

    def at(share: float) -> float:
        return times[min(len(times) - 1, int(len(times) * share))] * 1000

    return Figures(len(times) / lasted, at(0.5), at(0.95), at(0.99), len(times), wrong)


def rounds(named: dict[str, Callable[[], Figures]], count: int = 3) -> None:
    """Interleaved rounds, so that a change of the machine's speed meets every candidate alike."""
    for number in range(1, count + 1):
        for name, act in named.items():
            print(f"round {number}  {name:42} {act()}", flush=True)
