"""Several requests to a slow provider at once: fifty pages must not wait for each other for a minute.

Threads do the requests only; whatever asks the database (what is wanted still, how it is worded, what became of it)
stays with the caller. So a worker that dies repeats at most the `AT_ONCE` messages that were on their way, and to one
address at most one of them.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from notifications.channels import Outcome, Outgoing

AT_ONCE = 10
SECONDS = 5.0
"""For one request in all. Two to the same address go one after the other, and both end within the lease."""

_Group = list[tuple[Outgoing, Outcome]]
_log = logging.getLogger(__name__)


def in_parallel(wanted: Iterable[Outgoing], act: Callable[[Outgoing], Outcome]) -> Iterator[_Group]:
    """Does `act` (which may not use the database) for each, and yields what is done as soon as it is.

    To one address the order is kept: the next leaves when the one before it is done.
    """
    running: dict[Future[Outcome], Outgoing] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send") as pool:
        for one in wanted:
            while len(running) >= AT_ONCE or _is_busy(one, running):
                yield _done(running)
            running[pool.submit(_tried, act, one)] = one
            if any(future.done() for future in running):
                yield _done(running)
        while running:
            yield _done(running)


def _is_busy(one: Outgoing, running: dict[Future[Outcome], Outgoing]) -> bool:
    return any(other.delivery.address == one.delivery.address for other in running.values())


def _done(running: dict[Future[Outcome], Outgoing]) -> _Group:
    finished, _ = wait(running, return_when=FIRST_COMPLETED)
    return [(running.pop(future), future.result()) for future in finished]


def _tried(act: Callable[[Outgoing], Outcome], one: Outgoing) -> Outcome:
    try:
        return act(one)
    except Exception as error:  # one message that cannot be sent must not hold up the others
        _log.exception("message could not be sent", extra={"delivery": one.delivery.pk})
        return Outcome(False, f"It could not be sent: {type(error).__name__}")
