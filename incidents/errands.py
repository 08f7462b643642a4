"""What may happen after a commit and may also be lost: wake-ups that a sweep makes up for.

A broker that refuses or is frozen holds its caller for seconds (measured: 6 s and 4 s per call), so no request
waits for it: a thread of its own runs the errands, and the same errand waiting twice is run once.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Hashable

from django.db import transaction

LONGEST_QUEUE = 1000
BREATH = 0.02
"""Seconds between two rounds: under load, what hundreds of acts want done is done once."""
LONGEST_GOODBYE = 2.0
_log = logging.getLogger(__name__)


class Errands:
    """`lost` counts those that failed or found the queue full."""

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: dict[Hashable, Callable[[], object]] = {}
        self._running = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process = 0

    def add(self, key: Hashable, errand: Callable[[], object]) -> None:
        """Returns at once. An errand with the same key that waits still is replaced."""
        with self._changed:
            if key not in self._waiting and len(self._waiting) >= LONGEST_QUEUE:
                self.lost += 1
                return
            self._waiting[key] = errand
            if self._thread is None or not self._thread.is_alive() or self._process != os.getpid():
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._work, daemon=True, name="errands")
                self._thread.start()
            self._changed.notify_all()

    def run(self, key: Hashable, errand: Callable[[], object]) -> bool:
        """Now, in this thread; False when it failed. Nothing is raised: nobody depends on it."""
        try:
            errand()
        except Exception as error:  # whatever a broker or its client comes up with
            self.lost += 1
            _log.warning("errand lost", extra={"errand": str(key), "reason": str(error)})
            return False
        return True

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                round_, self._waiting = self._waiting, {}
                self._running = True
            for key, errand in round_.items():
                self.run(key, errand)
            with self._changed:
                self._running = False
                self._changed.notify_all()
            time.sleep(BREATH)

    def finish(self, seconds: float = LONGEST_GOODBYE) -> bool:
        """Waits for what is on its way, at most so many seconds; False when something was left behind.

        A command that ends right after its act would otherwise take its wake-ups with it.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._running, timeout=seconds)


errands = Errands()
atexit.register(errands.finish)


def after_commit(key: Hashable, errand: Callable[[], object]) -> None:
    """Runs the errand once this transaction is committed, without making anybody wait for it.

    `functools.partial` given to `on_commit(robust=True)` itself makes Django fail while it logs a failure, because a
    partial has no name; here it may be used.
    """
    transaction.on_commit(lambda: errands.add(key, errand), robust=True)
