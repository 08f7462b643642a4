"""`python -m mim.embedded.worker`: a Celery worker on threads with beat inside, one small process.

Celery's own `-B` forks a second process that outlives a killed worker; here beat is a thread, and
its end is the process's end, which the supervisor notices. So are the lanes: what people wait for
must not stand behind a pool whose threads all deliver messages, and no message behind endpoints of
webhooks that are slow to answer.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Any

from celery.beat import Scheduler, Service
from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections
from kombu import Connection, Queue
from kombu.mixins import ConsumerMixin

from mim.celery import URGENT, WEBHOOKS, app

_log = logging.getLogger("mim.worker")
_stopping = threading.Event()
CONCURRENCY = 4


def run_beat(service: Service) -> None:
    """Runs until the service is stopped; anything else ends the process."""
    try:
        service.start(embedded_process=False)
    except Exception:
        _log.exception("beat died")
    if not _stopping.is_set():
        os._exit(70)


class Lane(ConsumerMixin):
    """Does the tasks of one queue one after the other. They are sweeps: a message may be lost, so it is
    acknowledged before the work, and a failure is written down and left to the next."""

    def __init__(self, connection: Connection, queue: str) -> None:
        self.connection, self.queue = connection, queue

    def get_consumers(self, Consumer: Any, channel: Any) -> list[Any]:  # noqa: N803 (kombu passes a class)
        return [Consumer([Queue(self.queue)], callbacks=[self.run_task], accept=["json"], prefetch_count=1)]

    def run_task(self, body: Any, message: Any) -> None:
        message.ack()
        name = message.headers.get("task", "")
        close_old_connections()
        try:
            app.tasks[name].apply(throw=True)
        except Exception:
            _log.exception("task of a lane failed", extra={"task": name, "lane": self.queue})
        finally:
            close_old_connections()


def run_lane(queue: str) -> None:
    """Runs until the worker stops; kombu connects again when the broker was away."""
    try:
        with app.connection_for_read() as connection:
            Lane(connection, queue).run()
    except Exception:
        _log.exception("a lane died", extra={"lane": queue})
    if not _stopping.is_set():
        os._exit(70)


def main() -> None:
    """Runs until SIGTERM; says it is ready by touching the file in `MIM_READY_FILE`."""
    service = Service(app, max_interval=1, scheduler_cls=Scheduler)

    @worker_ready.connect(weak=False)
    def begin(**_: Any) -> None:
        threading.Thread(target=run_beat, args=(service,), daemon=True, name="beat").start()
        for queue in (URGENT, WEBHOOKS):
            threading.Thread(target=run_lane, args=(queue,), daemon=True, name=f"{queue} lane").start()
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
