"""Servers for one test run: real, empty, fast, gone afterwards."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mim.embedded.accounts import server_account
from mim.embedded.binaries import locate_postgres
from mim.embedded.failures import CannotStart
from mim.embedded.ports import accepts, free_port
from mim.embedded.postgres import Cluster, start_and_wait
from mim.embedded.processes import Child
from mim.embedded.valkey import Broker


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder that an unprivileged server account can enter; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="mim-test-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def postgres(home: Path) -> Iterator[tuple[Cluster, Child]]:
    """A running PostgreSQL and its process: it does not survive a power cut and does not need to."""
    account = server_account()
    cluster = Cluster(
        locate_postgres(account), home / "postgres", home / "postgres.password", account, free_port(), throw_away=True
    )
    cluster.create()
    child = cluster.child(home / "postgres.log")
    child.start()
    try:
        start_and_wait(cluster, child)
        cluster.create_database()
        yield cluster, child
    finally:
        child.stop()


@contextmanager
def valkey(home: Path) -> Iterator[Broker]:
    """A running Valkey."""
    broker = Broker(free_port())
    child = broker.child(home / "valkey.log")
    child.start()
    try:
        deadline = time.monotonic() + 10
        while not accepts("127.0.0.1", broker.port):
            if time.monotonic() > deadline or not child.is_running():
                raise CannotStart(f"Valkey did not start:\n{child.last_words()}")
            time.sleep(0.02)
        yield broker
    finally:
        child.stop()


@contextmanager
def servers_where_unset() -> Iterator[None]:
    """Starts what `DATABASE_URL` and `REDIS_URL` do not name, and puts the addresses there.

    `MIM_VAR_DIR` becomes a folder of the run too, so that a test never touches an installation.
    """
    with ExitStack() as stack:
        home = stack.enter_context(folder())
        os.environ.setdefault("MIM_VAR_DIR", str(home / "var"))
        try:
            if not os.environ.get("DATABASE_URL"):
                os.environ["DATABASE_URL"] = stack.enter_context(postgres(home))[0].url
            if not os.environ.get("REDIS_URL"):
                os.environ["REDIS_URL"] = stack.enter_context(valkey(home)).url
        except CannotStart as refusal:
            raise SystemExit(str(refusal)) from None
        yield
