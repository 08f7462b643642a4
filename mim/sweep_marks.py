"""Each periodic task leaves a mark when it ended well, so that one that fails or never runs is noticed."""

import time
from typing import Any

from celery import states
from celery.signals import task_postrun, worker_ready

from mim.celery import app

WRITE_EVERY_SECONDS = 20
_written: dict[str, float] = {}


def allowed_seconds(every: float) -> int:
    """How old the mark of a task may be: three turns, and a minute for a busy worker."""
    return int(3 * every + 60)


@worker_ready.connect(weak=False)
def begin(**_: Any) -> None:
    """A worker that starts begins to count: what stood still while the product was stopped is not late."""
    for name, every in _periodic().values():
        _write(name, every)


@task_postrun.connect(weak=False)
def mark(sender: Any = None, state: str = "", **_: Any) -> None:
    """Writes the mark, at most every twenty seconds for each task and process."""
    entry = _periodic().get(getattr(sender, "name", ""))
    if entry is None or state != states.SUCCESS:
        return
    if time.monotonic() - _written.get(entry[0], -WRITE_EVERY_SECONDS) >= WRITE_EVERY_SECONDS:
        _write(*entry)


def _write(name: str, every: float) -> None:
    from notifications import vitals  # models are loaded by the time a worker runs

    _written[name] = time.monotonic()
    vitals.beat(f"{vitals.SWEEP}{name}", allowed_seconds=allowed_seconds(every))


def _periodic() -> dict[str, tuple[str, float]]:
    """By the name of the task: its name in the schedule, and every how many seconds it runs."""
    return {entry["task"]: (name, float(entry["schedule"])) for name, entry in app.conf.beat_schedule.items()}
