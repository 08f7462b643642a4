"""An empty installation with its database at this version, made once a run: the migrations take longer than a story."""

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mim.embedded import throwaway
from mim.embedded.accounts import server_account
from mim.embedded.postgres import open_cluster
from mim.embedded.services import ROOT

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


def environment_for(home: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """A clean environment: nothing of the running test leaks into the product."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIM_", "DJANGO_", "PG"))}
    return kept | {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MIM_VAR_DIR": str(home / "var")}


def copy_servers(home: Path) -> None:
    """Puts a prepared cluster where `throwaway.postgres(home)` starts it, and the collected static files."""
    with _made() as template:
        for name in ("postgres", "postgres.password", "var"):
            _copy(template / name, home / name)


def copy_installation(home: Path) -> None:
    """Puts it where `up` with `home/var` finds an installation that was started before."""
    with _made() as template:
        _copy(template / "var", home / "var")
        cluster = open_cluster(home / "var", server_account(), 0)
        _copy(template / "postgres", cluster.data)
        _copy(template / "postgres.password", cluster.password_file)


@contextmanager
def _made() -> Iterator[Path]:
    """The template, made by the first process that asks; the lock keeps it while it is copied."""
    template = Path(tempfile.gettempdir()) / f"mim-prepared-{_RUN}"
    with (Path(tempfile.gettempdir()) / f"mim-prepared-{_RUN}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            atexit.register(shutil.rmtree, template, ignore_errors=True)
            atexit.register(Path(lock.name).unlink, missing_ok=True)
            _make(template)
        yield template


def _make(template: Path) -> None:
    with throwaway.folder() as home:
        with throwaway.postgres(home) as (cluster, _):
            done = subprocess.run(
                [sys.executable, "manage.py", "prepare"],
                cwd=ROOT,
                env=environment_for(home, cluster.url, "redis://127.0.0.1:1/0"),
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
        _copy(home, template)


def _copy(source: Path, target: Path) -> None:
    """With its owners: the data folder belongs to the server's account."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
