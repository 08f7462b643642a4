"""Child processes that die with their parent and are restarted when they die alone."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mim.embedded.accounts import Account

PR_SET_PDEATHSIG = 1
LONGEST_WAIT = 15.0  # seconds between two restarts of a child that keeps dying
STEADY_AFTER = 8.0  # seconds alive after which a death counts as the first one again
LARGEST_LOG = 5 * 1024 * 1024

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signum: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `signum` when the parent is gone, even by SIGKILL.

    Must run after any change of user (which clears it): subprocess does it in that order.
    """
    parent = os.getpid()

    def arrange() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if os.getppid() != parent:  # the parent died between fork and here
            os._exit(1)

    return arrange


@dataclass
class Child:
    """One program of the running product.

    `stop_signals` are sent one after the other, each given its seconds to work; SIGKILL ends the row.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    account: Account | None = None
    death_signal: int = signal.SIGTERM
    stop_signals: tuple[tuple[int, float], ...] = ((signal.SIGTERM, 8.0),)
    standard_input: bytes | None = None
    folder: Path | None = None
    process: subprocess.Popen | None = field(default=None, init=False)
    deaths: int = field(default=0, init=False)
    _started: float = field(default=0.0, init=False)
    _due: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Starts the program; its output goes to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        spawn: dict[str, Any] = self.account.as_spawn() if self.account else {}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL if self.standard_input is None else subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops in order
                preexec_fn=die_with_parent(self.death_signal),  # noqa: PLW1509 - the supervisor has one thread
                **spawn,
            )
        if self.standard_input is not None and self.process.stdin is not None:
            self.process.stdin.write(self.standard_input)
            self.process.stdin.close()
        self._started = time.monotonic()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def restart_if_dead(self, now: float) -> bool:
        """Starts it again when it died and its waiting time is over; True when it was just found dead."""
        if self.process is None:
            if now >= self._due:
                self.start()
            return False
        if self.process.poll() is None:
            return False
        self.deaths = 1 if now - self._started > STEADY_AFTER else self.deaths + 1
        self._due = now + min(LONGEST_WAIT, 0.25 * 2**self.deaths)
        self.process = None
        return True

    def ask_to_stop(self) -> None:
        """Sends the first of its stop signals and does not wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signals[0][0])

    def stop(self) -> None:
        """Ends it, gently first; returns when it is gone."""
        if self.process is None:
            return
        for signum, patience in self.stop_signals:
            if self.process.poll() is not None:
                break
            self.process.send_signal(signum)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for the person who has to find out why."""
        try:
            with self.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 4000))
                return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""
