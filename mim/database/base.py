"""Found by Django under `ENGINE`."""

import select
from typing import TYPE_CHECKING

import psycopg2
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A kept connection is known to be alive by its silence, without a round trip at the beginning of each request.

    A server that ends or restarts closes its connections, and that can be read from the socket; so can anything else
    it said meanwhile. Only then is it asked. (What no check finds, a host that vanished without a word, is met by the
    first statement, as before.)
    """

    if TYPE_CHECKING:
        health_check_enabled: bool
        health_check_done: bool

    def close_if_health_check_failed(self) -> None:
        if self.connection is None or self.health_check_done or not self.health_check_enabled:
            return
        if self._is_silent():
            self.health_check_done = True
        else:
            super().close_if_health_check_failed()

    def _is_silent(self) -> bool:
        try:
            poll = select.poll()
            poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
            return not poll.poll(0)
        except (OSError, ValueError, psycopg2.Error):
            return False
