"""`python -m mim.embedded.worker`: a Celery worker on threads with beat inside, one small process.

Celery's own `-B` forks a second process that outlives a killed worker; here beat is a thread, and
its end is the process's end, which the supervisor notices.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Any

from celery.beat import Scheduler, Service
from celery.signals import worker_ready, worker_shutting_down

from mim.celery import app

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


def main() -> None:
    """Runs until SIGTERM; says it is ready by touching the file in `MIM_READY_FILE`."""
    service = Service(app, max_interval=1, scheduler_cls=Scheduler)

    @worker_ready.connect(weak=False)
    def begin(**_: Any) -> None:
        threading.Thread(target=run_beat, args=(service,), daemon=True, name="beat").start()
        if ready := os.environ.get("MIM_READY_FILE"):
            Path(ready).touch()

    @worker_shutting_down.connect(weak=False)
    def end(**_: Any) -> None:
        _stopping.set()
        service.stop()

    app.worker_main(
        ["--quiet", "worker", "--pool", "threads", "--concurrency", str(CONCURRENCY), "--loglevel", "warning"]
        + ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    )


if __name__ == "__main__":
    main()
