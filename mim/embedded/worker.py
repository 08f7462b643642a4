"""`python -m mim.embedded.worker`: a Celery worker on threads with beat inside, one small process.

Celery's own `-B` forks a second process that outlives a killed worker; here beat is a thread, and
its end is the process's end, which the supervisor notices. So is the urgent lane: what people wait
for must not stand behind a pool whose threads all deliver messages.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery.beat import Scheduler, Service
from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections
from kombu import Connection, Queue
from kombu.mixins import ConsumerMixin

from mim.celery import URGENT, app

_log = logging.getLogger("mim.worker")
_stopping = threading.Event()
CONCURRENCY = 4
TAKEN_UP_AT_ONCE = 15.0
"""Sweeps at least as frequent as this (seconds) also run at the start: beat alone would first let their time pass."""


def run_beat(service: Service) -> None:
    """Runs until the service is stopped; anything else ends the process."""
    try:
        take_up()
        service.start(embedded_process=False)
    except Exception:
        _log.exception("beat died")
    if not _stopping.is_set():
        os._exit(70)


def take_up() -> None:
    """Asks for what a worker before this one left."""
    sweeps = [entry["task"] for entry in app.conf.beat_schedule.values() if entry["schedule"] <= TAKEN_UP_AT_ONCE]
    try:
        for task in sweeps:
            app.send_task(task, ignore_result=True, retry=False, expires=60)
    except Exception as error:  # whatever a broker or its client comes up with; the sweeps come all the same
        _log.warning("what was left waits for the sweeps", extra={"reason": str(error)})


class Urgent:
    """One urgent task, in a thread of its own. Asked for while it runs or rests, it runs once more: hundreds of
    wake-ups a second cost ten runs."""

    REST = 0.1
    """Seconds from one beginning to the next, at least."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = threading.Event()
        threading.Thread(target=self._work, daemon=True, name=name).start()

    def _work(self) -> None:
        while True:
            self.asked.wait()
            self.asked.clear()
            began = time.monotonic()
            self._run()
            time.sleep(max(0.0, began + self.REST - time.monotonic()))

    def _run(self) -> None:
        """They are sweeps: a failure is written down and left to the next. The connection is kept between runs."""
        close_old_connections()
        try:
            app.tasks[self.name].apply(throw=True)
        except Exception:
            _log.exception("urgent task failed", extra={"task": self.name})
        finally:
            close_old_connections()


class UrgentLane(ConsumerMixin):
    """Hears what is asked for in the urgent queue. A message may be lost, so it is acknowledged before the work."""

    def __init__(self, connection: Connection, tasks: Mapping[str, Urgent]) -> None:
        self.connection, self.tasks = connection, tasks

    def get_consumers(self, Consumer: Any, channel: Any) -> list[Any]:  # noqa: N803 (kombu passes a class)
        return [Consumer([Queue(URGENT)], callbacks=[self.hear], accept=["json"])]

    def hear(self, body: Any, message: Any) -> None:
        message.ack()
        name = message.headers.get("task", "")
        if name in self.tasks:
            self.tasks[name].asked.set()
        else:
            _log.error("urgent task unknown", extra={"task": name})


def run_urgent(tasks: Mapping[str, Urgent]) -> None:
    """Runs until the worker stops; kombu connects again when the broker was away."""
    try:
        with app.connection_for_read() as connection:
            UrgentLane(connection, tasks).run()
    except Exception:
        _log.exception("the urgent lane died")
    if not _stopping.is_set():
        os._exit(70)


def main() -> None:
    """Runs until SIGTERM; says it is ready by touching the file in `MIM_READY_FILE`."""
    app.loader.import_default_modules()
    urgent = {name: Urgent(name) for name in app.conf.task_routes}
    for task in urgent.values():
        task.asked.set()  # what a worker before this one left, while Celery is still on its way to the broker
    service = Service(app, max_interval=1, scheduler_cls=Scheduler)

    @worker_ready.connect(weak=False)
    def begin(**_: Any) -> None:
        gc.freeze()  # what is loaded by now stays: looking through it again and again took a third of a storm's time
        threading.Thread(target=run_beat, args=(service,), daemon=True, name="beat").start()
        threading.Thread(target=run_urgent, args=(urgent,), daemon=True, name="urgent lane").start()
        if ready := os.environ.get("MIM_READY_FILE"):
            Path(ready).touch()

    @worker_shutting_down.connect(weak=False)
    def end(**_: Any) -> None:
        _stopping.set()
        service.stop()

    app.worker_main(
        ["--quiet", "worker", "--pool", "threads", "--concurrency", str(CONCURRENCY), "--loglevel", "warning"]
        + ["--queues", "celery"]
        + ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    )


if __name__ == "__main__":
    main()
