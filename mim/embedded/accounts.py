"""Who the database server runs as. PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A system account with a passwd entry; PostgreSQL cannot start without one."""

    name: str
    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """True when this account can reach and write what it owns below `folder`."""
        probe = subprocess.run(["/bin/sh", "-c", 'cd "$0"', str(folder)], capture_output=True, **self.as_spawn())
        return probe.returncode == 0

    def as_spawn(self) -> dict:
        """Keyword arguments for subprocess that start a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account | None:
    """The account to drop to: None when not root (then everything runs as whoever started it)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    return None
