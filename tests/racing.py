"""Several people at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection


def race(*acts: Callable[[], Any], times: int = 1) -> list[Any]:
    """Runs the acts, each `times` times, in threads that start together. Answers results and exceptions, in order.

    Needs `django_db(transaction=True)`: every thread has its own connection.
    """
    calls = list(acts) * times
    start = Barrier(len(calls))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return act()
        except Exception as error:  # noqa: BLE001
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
