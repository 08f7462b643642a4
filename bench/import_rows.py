"""Import of past incidents: 100,000 rows of 20 services over ten years, as `manage.py import_incidents` does it.

Prints how long it took (goal: under a minute) and what a second run of the same file takes, which changes nothing.
Everything that was imported is left in the database: use one that may be thrown away.

    python3 -m bench.import_rows [rows]
"""

import csv
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from bench.running import load, work_seconds

from django.core.management import call_command  # isort: skip
from django.utils import timezone  # isort: skip

YEARS, SERVICES, GOAL = 10, 20, 60
_COLUMNS = ("external_id", "title", "services", "impact", "urgency", "started_at", "detected_at", "reported_at",
            "acknowledged_at", "declared_at", "contained_at", "restored_at", "resolved_at", "closed_at")  # fmt: skip


def write(path: Path, rows: int, stamp: str) -> None:
    """A CSV of past incidents, evenly over the years; a third of them of two services."""
    now = timezone.now()
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(_COLUMNS)
        for n in range(rows):
            start = now - timedelta(minutes=3_000 + n * YEARS * 525_600 // rows)
            after = (0, n % 11, n % 13 + 11, n % 17 + 24, n % 19 + 24, n % 41 + 30, n % 211 + 40, n % 503 + 260, 2_000)
            moments = [f"{start + timedelta(minutes=one):%Y-%m-%dT%H:%M:%SZ}" for one in after]
            names = [f"import-{n % SERVICES}"] + ([f"import-{(n + 7) % SERVICES}"] if n % 3 == 0 else [])
            out.writerow([f"{stamp}-{n}", f"Outage {n}", ";".join(names), 1 + n % 4, 1 + n % 3, *moments])


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "past.csv"
        write(path, rows, f"import-{time.time_ns()}")
        print(f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB; {load()}", flush=True)
        for label in ("import", "again"):
            began, worked = time.perf_counter(), work_seconds()
            call_command("import_incidents", str(path))
            took, worked = time.perf_counter() - began, work_seconds() - worked
            print(
                f"{label:>7}: {took:6.1f} s ({worked:.1f} s of a processor), {rows / took:,.0f} rows/s"
                f" (goal ≤ {GOAL * rows / 100_000:.1f} s); {load()}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
