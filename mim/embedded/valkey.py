"""One Valkey server of our own. It carries wake-ups only: nothing in it has to survive."""

import os
import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path

from mim.embedded.binaries import locate_valkey
from mim.embedded.processes import Child


@dataclass
class Broker:
    """Listens on loopback behind a password made for this run; keeps nothing on disk."""

    port: int
    password: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def child(self, log: Path) -> Child:
        """The server as a supervised process; its settings go through standard input, not the command line."""
        settings = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            'save ""',
            "appendonly no",
            "daemonize no",
            "maxmemory 64mb",
            "maxmemory-policy noeviction",
            "dir /",
        ]
        return Child(
            name="valkey",
            command=[locate_valkey(), "-"],
            environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
            log=log,
            stop_signals=((signal.SIGTERM, 5.0),),
            standard_input="\n".join(settings).encode() + b"\n",
            folder=Path("/"),
        )
