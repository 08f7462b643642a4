"""Real servers of the tests' own, so that they can be stopped, broken and thrown away."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mim.embedded import throwaway
from mim.embedded.postgres import Cluster, start_and_wait
from mim.embedded.processes import Child
from mim.embedded.services import ROOT
from mim.embedded.valkey import Broker


def until(is_true, seconds: float, what: str) -> float:
    """Waits for something another process does; returns how long it took."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > seconds:
            pytest.fail(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - began


@dataclass
class Installation:
    """A prepared, empty product whose database server the test may stop and start."""

    home: Path
    cluster: Cluster
    server: Child
    broker: Broker
    environment: dict[str, str]

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Runs a command of the product as an operator would."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
        )

    def start_database(self) -> None:
        self.server.start()
        start_and_wait(self.cluster, self.server)

    def stop_database(self) -> None:
        self.server.stop()


def environment_for(home: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """A clean environment: nothing of the running test leaks into the product."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIM_", "DJANGO_", "PG"))}
    return kept | {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MIM_VAR_DIR": str(home / "var")}


@pytest.fixture(scope="session")
def installation():
    with throwaway.folder() as home, throwaway.valkey(home) as broker, throwaway.postgres(home) as (cluster, server):
        found = Installation(home, cluster, server, broker, environment_for(home, cluster.url, broker.url))
        prepared = found.manage("prepare")
        assert prepared.returncode == 0, prepared.stderr
        yield found
