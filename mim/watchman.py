"""Watches the machinery from inside the web server, where neither worker nor broker is needed.

Every twenty seconds one thread of each web process reads the signs of life. What it saw last stands on every page of
the staff; when messages, worker, beat or a sweep are late, one of the processes alarms the administrators by mail,
handed to the mail server by itself, and sends what is due.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from notifications import vitals, watchdog

EVERY_SECONDS = 20
_ELECTION = 0x4D494D02  # names the advisory lock under which one process alarms
_log = logging.getLogger(__name__)


class Watchman:
    """`troubles` are the sentences of the last look, empty when all is well."""

    def __init__(self) -> None:
        self.troubles: tuple[str, ...] = ()
        self._process = 0
        self._starting = threading.Lock()

    def start(self) -> None:
        """Begins to watch in this process; does nothing when it does already, forked processes apart."""
        if self._process == os.getpid():
            return
        with self._starting:
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._watch, daemon=True, name="watchman").start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_SECONDS):
            try:
                self.look()
            except Exception:
                _log.exception("the watchman stumbled")
            finally:
                connection.close()

    def look(self) -> None:
        """One look, and the alarm if one is due."""
        try:
            late = [sign for sign in vitals.signs(now=timezone.now()) if not sign.ok]
        except DatabaseError:
            self.troubles = ()  # the pages say it themselves
            return
        self.troubles = tuple(f"{sign.words[:1].upper()}{sign.words[1:]}." for sign in late)
        if late and _elected():
            watchdog.raise_alarm(late, now=timezone.now())


def _elected() -> bool:
    """Whether this process may alarm now; held until the thread closes its connection after the look."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ELECTION])
        return bool(cursor.fetchone()[0])


watchman = Watchman()


class Watched:
    """The WSGI application, with a watchman in every process that answers requests."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        watchman.start()
        return self._application(environ, start_response)
