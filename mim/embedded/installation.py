"""One `up` per folder: a lock that ends with the process that holds it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mim.embedded.failures import CannotStart


@contextmanager
def hold(var: Path) -> Iterator[None]:
    """Keeps other starts out of this folder. Raises CannotStart when another `up` runs in it."""
    lock = var / "run" / "up.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"MIM is already running in {var}. Stop it first (Ctrl-C where it runs), or start this one in another "
                f"folder: MIM_VAR_DIR=/some/folder python3 manage.py up --port 8001"
            ) from None
        yield
