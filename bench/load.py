"""Drives one address over kept connections and measures every answer.

With `wrk` (Debian package `wrk`) where it is installed: it costs a few per cent of a core. Without it, with a Python
process for each connection, which take half of a small machine from what they measure: the figures are then lower, and
say so.
"""

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

WRK = shutil.which("wrk")
_SCRIPT = """
local folder, asked, count, all = {folder}, {{}}, 0, nil
wrong = {{}}

function setup(thread) all = thread end

function init(args)
  for name, value in pairs({headers}) do wrk.headers[name] = value end
  local path = wrk.path
  for number = 1, {bodies} do
    local file = assert(io.open(folder .. "/" .. number, "rb"))
    asked[number] = wrk.format({method}, path, nil, file:read("*a"))
    file:close()
  end
  if #asked == 0 then asked[1] = wrk.format({method}, path) end
end

function request()
  count = count + 1
  return asked[(count - 1) % #asked + 1]
end

function response(status)
  if status ~= {expect} then
    local name = tostring(status)
    wrong[name] = (wrong[name] or 0) + 1
  end
end

function done(summary, latency)
  local errors, told = summary.errors, {{}}
  for status, number in pairs(all:get("wrong")) do told[#told + 1] = string.format('"%s": %d', status, number) end
  for _, name in ipairs({{"connect", "read", "write", "timeout"}}) do
    if errors[name] > 0 then told[#told + 1] = string.format('"%s": %d', name, errors[name]) end
  end
  io.write(string.format(
    '\\nFOUND {{"answers": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f, "wrong": {{%s}}}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, table.concat(told, ", ")))
end
"""


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
    """Asks as fast as `connections` kept connections can. `bodies` are sent in turn."""
    headers = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    payloads = list(bodies) or ([] if body is None else [json.dumps(body).encode()])
    if payloads:
        headers["Content-Type"] = "application/json"
    by = _by_wrk if WRK else _by_processes
    return by(url, method, headers, payloads, expect, connections, seconds)


def rounds(named: dict[str, Callable[[], Figures]], count: int = 3) -> dict[str, list[Figures]]:
    """Interleaved rounds, so that a change of the machine's speed meets every candidate alike. Figures by name."""
    found: dict[str, list[Figures]] = {name: [] for name in named}
    for number in range(1, count + 1):
        for name, act in named.items():
            figures = act()
            found[name].append(figures)
            print(f"round {number}  {name:42} {figures}", flush=True)
    return found


# --- With wrk ---------------------------------------------------------------------------------
def _by_wrk(
    url: str,
    method: str,
    headers: dict[str, str],
    bodies: Sequence[bytes],
    expect: int,
    connections: int,
    seconds: float,
) -> Figures:
    """One thread of wrk. The key stands in a file only we can read, not in the list of processes."""
    with tempfile.TemporaryDirectory(prefix="mim-wrk-") as folder:
        for number, body in enumerate(bodies, 1):
            (Path(folder) / str(number)).write_bytes(body)
        script = Path(folder) / "ask.lua"
        lines = ", ".join(f"[{_quoted(name)}] = {_quoted(value)}" for name, value in headers.items())
        told = {"folder": _quoted(folder), "headers": f"{{{lines}}}", "method": _quoted(method)}
        script.write_text(_SCRIPT.format(**told, bodies=len(bodies), expect=expect))
        command = [str(WRK), "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(script), url]
        done = subprocess.run(command, capture_output=True, text=True)
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND")), None)
    if line is None:
        sys.exit(f"wrk said: {done.stdout}{done.stderr}")
    told = json.loads(line.removeprefix("FOUND"))
    rate = told["answers"] / told["seconds"]
    return Figures(rate, told["p50"], told["p95"], told["p99"], told["answers"], told["wrong"])


def _quoted(text: str) -> str:
    """As a string of Lua, whatever stands in it."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


# --- Without it -------------------------------------------------------------------------------
def _connection(url: str, method: str, headers: dict[str, str], bodies: Sequence[bytes], expect: int, seconds: float):
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    times: list[float] = []
    wrong: dict[str, int] = {}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        link.request(method, path, bodies[len(times) % len(bodies)] if bodies else None, headers)
        answer = link.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        if answer.status != expect:
            wrong[str(answer.status)] = wrong.get(str(answer.status), 0) + 1
    link.close()
    return times, wrong


def _by_processes(
    url: str,
    method: str,
    headers: dict[str, str],
    bodies: Sequence[bytes],
    expect: int,
    connections: int,
    seconds: float,
) -> Figures:
    print("wrk is not installed: the clients take a good part of this machine", file=sys.stderr)
    began = time.perf_counter()
    with ProcessPoolExecutor(connections) as pool:
        runs = [pool.submit(_connection, url, method, headers, bodies, expect, seconds) for _ in range(connections)]
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
