"""Wakes a worker. Only a hint: what it misses, the sweep finds within five seconds.

Publishing to a broker that refuses or is frozen takes seconds (measured: 6 s and 4 s), so no request waits for
it: a thread of its own does, and rings that come meanwhile become one.
"""

import logging
import os
import threading

_log = logging.getLogger(__name__)


class Bell:
    """`lost` counts the calls that did not reach the broker."""

    def __init__(self) -> None:
        self.lost = 0
        self._rung = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0

    def ring(self) -> None:
        """Returns at once."""
        self._rung.set()
        with self._lock:
            alive = self._thread is not None and self._thread.is_alive() and self._process == os.getpid()
            if not alive:
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._listen, daemon=True, name="bell")
                self._thread.start()

    def _listen(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            self.call()

    def call(self) -> bool:
        """Publishes one wake-up; False when the broker did not take it."""
        from notifications.tasks import sweep_deliveries  # the task imports what rings

        try:
            sweep_deliveries.apply_async(ignore_result=True, retry=False, expires=60)
        except Exception as error:  # whatever a broker or its client comes up with, nobody depends on it
            self.lost += 1
            _log.warning("wake-up lost: %s", error)
            return False
        return True


bell = Bell()
