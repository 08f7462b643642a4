"""The programs of the product as `up` starts them: web, stream, worker with beat, mail catcher, mail listener."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from mim.embedded.processes import Child
from mim.embedded.services import ROOT

WEB_WORKERS = 2
WEB_THREADS = 4
STREAM_STOP_SECONDS = 3
FRUGAL = {"MALLOC_ARENA_MAX": "2"}
"""Threads that take turns at the interpreter need no heap each: glibc would keep eight of them."""


def web(environment: Mapping[str, str], logs: Path, host: str, port: int) -> Child:
    """Pages and API. Loaded once and forked, so that the workers share their memory."""
    command = [sys.executable, "-m", "gunicorn", "mim.wsgi:application", "--bind", _bracketed(host, port)]
    command += ["--worker-class", "gthread", "--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS)]
    command += ["--preload", "--no-control-socket", "--worker-tmp-dir", _memory_folder(), "--log-level", "warning"]
    command += ["--timeout", "60", "--graceful-timeout", "8", "--keep-alive", "15"]
    return _child("web", command, environment, logs, patience=10)


def stream(environment: Mapping[str, str], logs: Path, host: str, port: int) -> Child:
    """The live stream. Open streams would hold its end, so it gives them three seconds."""
    command = [sys.executable, "-m", "uvicorn", "mim.asgi:application", "--host", host, "--port", str(port)]
    command += ["--http", "h11", "--loop", "asyncio", "--ws", "none", "--lifespan", "on", "--no-access-log"]
    command += ["--log-level", "warning", "--timeout-graceful-shutdown", str(STREAM_STOP_SECONDS)]
    return _child("stream", command, environment, logs, patience=STREAM_STOP_SECONDS + 2)


def worker(environment: Mapping[str, str], logs: Path) -> Child:
    """Background work and the clock that starts it. Without Django's checks, which `up` does before: they load every
    view and double the time until a killed worker is back."""
    unchecked = {**environment, "CELERY_SKIP_CHECKS": "1"}
    return _child("worker", [sys.executable, "-m", "mim.embedded.worker"], unchecked, logs, patience=10)


def mail_catcher(environment: Mapping[str, str], logs: Path, folder: Path, port: int) -> Child:
    """Takes every mail by real SMTP and keeps it as a file."""
    command = [sys.executable, "-m", "mim.embedded.mail_catcher", str(folder), str(port)]
    return _child("mail", command, environment, logs, patience=3)


def mail_listener(environment: Mapping[str, str], logs: Path) -> Child:
    """Takes mail for the desk by SMTP or LMTP; where is in its environment."""
    return _child("mail-in", [sys.executable, "manage.py", "receive_mail"], environment, logs, patience=10)


def _child(name: str, command: list[str], environment: Mapping[str, str], logs: Path, *, patience: float) -> Child:
    return Child(
        name=name,
        command=command,
        environment=FRUGAL | dict(environment),
        log=logs / f"{name}.log",
        stop_signals=((signal.SIGTERM, patience),),
        folder=ROOT,
    )


def _bracketed(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _memory_folder() -> str:
    """Where gunicorn's workers touch their heartbeat: never a slow or full disk if it can be avoided."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp"  # noqa: S108
