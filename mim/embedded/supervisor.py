"""`manage.py up`: starts the whole product, keeps it running, stops it in order."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from mim.embedded import preparation, programs, services, welcome
from mim.embedded.accounts import server_account
from mim.embedded.failures import CannotStart, current_user, from_os_error, require_own_folder, require_space
from mim.embedded.installation import hold
from mim.embedded.ports import accepts, free_port, own_address, require_free
from mim.embedded.postgres import Cluster, open_cluster, start_and_wait
from mim.embedded.processes import Child
from mim.embedded.valkey import Broker

EXAMPLES = {
    "DATABASE_URL": "postgresql://mim:PASSWORD@127.0.0.1:5432/mim",
    "REDIS_URL": "redis://:PASSWORD@127.0.0.1:6379/0",
}
MAIL_IN_PORT = 2526
ANSWER_WITHIN = 60.0  # seconds until every program must answer


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `up`; also shown by `manage.py help up`."""
    parser.add_argument("--port", type=_port, default=8000, help="port of the web pages and the API (default 8000)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for every network (default 127.0.0.1)"
    )
    parser.add_argument(
        "--mail-port",
        type=_port,
        help=f"port on which mail for the desk is taken (default {MAIL_IN_PORT}, or another free one)",
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="start empty: no demo organisation, a link for the first administrator"
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"“{text}” is not a port: use a number from 1 to 65535, for example 8000")
    return int(text)


def _asked_port(text: object) -> int:
    try:
        return _port(str(text))
    except argparse.ArgumentTypeError as error:
        raise CannotStart(f"MIM_MAIL_IN_PORT: {error}") from None


def main(argv: list[str]) -> int:
    """Runs until it is told to stop; 0 after an orderly stop, 1 with a sentence when it could not start."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    arguments(parser)
    options = parser.parse_args(argv)
    var = services.var_folder()
    try:
        return _in_folder(var, options)
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
    except OSError as error:
        print(from_os_error(error, var), file=sys.stderr)
    return 1


def _in_folder(var: Path, options: argparse.Namespace) -> int:
    var.mkdir(parents=True, exist_ok=True)
    require_own_folder(var, owner=current_user())
    require_space(var)
    with hold(var):
        require_free(options.host, options.port)
        product = Product(var, options)
        try:
            product.start()
            product.watch()
        finally:
            product.stop()
    return 0


def require_scheme(environment: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> None:
    """Refuses an address of the wrong kind before anything is started. Raises CannotStart."""
    given = environment.get(name, "")
    if given and given.partition("://")[0] not in schemes:
        raise CannotStart(f"{name} must begin with {schemes[0]}:// and name a server, for example {EXAMPLES[name]}")


class Stopped(Exception):
    """Somebody asked for the end while the product was still starting."""


class Product:
    """Everything `up` runs, in the order it is started; stopped the other way round."""

    def __init__(self, var: Path, options: argparse.Namespace) -> None:
        self.var, self.options = var, options
        self.logs = var / "log"
        self.children: list[Child] = []
        self.stop_asked = threading.Event()
        self.cluster: Cluster | None = None
        self.environment = dict(os.environ)
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling everything again triples a start
        self.worker_ready = var / "run" / "worker.ready"
        self.stream_port = self.mail_in_port = 0
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._on_signal)

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        self.stop_asked.set()

    # --- Starting -----------------------------------------------------------------------
    def start(self) -> None:
        """Brings everything up and says how to use it. Raises CannotStart; returns early when told to stop."""
        began = time.monotonic()
        (self.var / "run").mkdir(exist_ok=True)
        self.worker_ready.unlink(missing_ok=True)
        try:
            self._start_servers()
            self._start_programs()
            self._wait_for_answers()
        except Stopped:
            return
        self._announce()
        data = self.cluster.data if self.cluster else None
        seconds = time.monotonic() - began
        print(welcome.text(self.environment, self.var, self.options, seconds=seconds, data=data), flush=True)

    def _start_servers(self) -> None:
        require_scheme(self.environment, "DATABASE_URL", ("postgresql", "postgres"))
        require_scheme(self.environment, "REDIS_URL", ("redis", "rediss"))
        if not self.environment.get("REDIS_URL"):
            broker = Broker(free_port())
            self.environment["REDIS_URL"] = broker.url
            self._add(broker.child(self.logs / "valkey.log"))
        if not self.environment.get("DATABASE_URL"):
            account = server_account()
            if account is None and current_user() == 0:
                raise CannotStart(
                    "PostgreSQL refuses to run as root, and this machine has neither a “postgres” nor a “nobody” "
                    "account to run it. Start MIM as an ordinary user, or set DATABASE_URL."
                )
            self.cluster = open_cluster(self.var, account, free_port())
            is_new = self.cluster.create()
            self.environment["DATABASE_URL"] = self.cluster.url
            server = self._add(self.cluster.child(self.logs / "postgres.log"))
            start_and_wait(self.cluster, server)
            if is_new:
                self.cluster.create_database()

    def _start_programs(self) -> None:
        self._fill_environment()
        host = self.options.host
        self._add(programs.stream(self.environment, self.logs, host, self.stream_port))
        if "MIM_MAIL_CATCHER_DIR" in self.environment and self._mail_port:
            folder = Path(self.environment["MIM_MAIL_CATCHER_DIR"])
            self._add(programs.mail_catcher(self.environment, self.logs, folder, self._mail_port))
        self._prepare()
        self._choose_mail_in(anywhere=True)
        self._add(programs.web(self.environment, self.logs, host, self.options.port))
        self._add(programs.mail_listener(self.environment, self.logs))
        self._add(programs.worker({**self.environment, "MIM_READY_FILE": str(self.worker_ready)}, self.logs))

    def _fill_environment(self) -> None:
        """Addresses that follow from what was asked; whatever the operator set stays."""
        given, host = self.environment, self.options.host
        seen_as = own_address() if host in ("0.0.0.0", "::") else host  # noqa: S104 - asked for by the operator
        shown = f"[{seen_as}]" if ":" in seen_as else seen_as
        given["MIM_VAR_DIR"] = str(self.var)
        given.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")
        given.setdefault("MIM_PUBLIC_URL", f"http://{shown}:{self.options.port}")
        given.setdefault("MIM_ALLOWED_HOSTS", ",".join(dict.fromkeys([shown, "127.0.0.1", "localhost", "[::1]"])))
        self.stream_port = free_port(host, preferred=self.options.port + 1)
        given.setdefault("MIM_STREAM_ORIGIN", f"http://{shown}:{self.stream_port}")
        self._choose_mail_in(anywhere=False)
        self._mail_port = 0
        if not given.get("MIM_EMAIL_URL"):
            self._mail_port = free_port()
            given["MIM_EMAIL_URL"] = f"smtp://127.0.0.1:{self._mail_port}"
            given["MIM_MAIL_CATCHER_DIR"] = str(self.var / "mail")

    def _choose_mail_in(self, *, anywhere: bool) -> None:
        """Where mail comes in: what was asked for, which must be free. Nothing asked: the usual port or any other, but
        `anywhere` only just before the listener starts, since another start may take it meanwhile."""
        given = self.environment
        host = given.setdefault("MIM_MAIL_IN_HOST", "127.0.0.1")
        asked = self.options.mail_port or given.get("MIM_MAIL_IN_PORT")
        if self.mail_in_port:
            return
        if asked:
            self.mail_in_port = _asked_port(asked)
            require_free(host, self.mail_in_port, option="--mail-port")
        elif anywhere:
            self.mail_in_port = free_port(host, preferred=MAIL_IN_PORT)
        if self.mail_in_port:
            given["MIM_MAIL_IN_PORT"] = str(self.mail_in_port)

    def _prepare(self) -> None:
        """Migrations, static files and the demo organisation, unless the last start did them already."""
        wanted = {
            "code": preparation.fingerprint(),
            "database": preparation.database_mark(self.cluster.data) if self.cluster else "",
            "demo": "no" if self.options.no_demo else "yes",
        }
        if self.cluster and preparation.is_prepared(self.var, wanted):
            return
        command = [sys.executable, "manage.py", "prepare", *([] if self.options.no_demo else ["--demo"])]
        child = subprocess.Popen(
            command, cwd=services.ROOT, env=self.environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        while child.poll() is None:
            if self.stop_asked.wait(0.05):
                child.terminate()
                child.wait()
                raise Stopped
        if child.returncode != 0:
            raise CannotStart("The database or the files could not be prepared; the reason is above.")
        preparation.remember(self.var, wanted)

    def _add(self, child: Child) -> Child:
        child.start()
        self.children.append(child)
        return child

    def _wait_for_answers(self) -> None:
        """Until web, stream, mail and worker answer. Raises CannotStart with a program's last words."""
        deadline = time.monotonic() + ANSWER_WITHIN
        host = self.options.host
        near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        mail_host = self.environment["MIM_MAIL_IN_HOST"]
        near_mail = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(mail_host, mail_host)  # noqa: S104
        waiting = {
            "web": lambda: welcome.answers(near, self.options.port, "/healthz", self.environment),
            "stream": lambda: accepts(near, self.stream_port),
            "mail-in": lambda: accepts(near_mail, self.mail_in_port),
            "worker": self.worker_ready.exists,
        }
        while waiting:
            waiting = {name: is_there for name, is_there in waiting.items() if not is_there()}
            for child in self.children:
                if not child.is_running():
                    raise CannotStart(f"{child.name} stopped while starting ({child.log}):\n{child.last_words()}")
            if time.monotonic() > deadline:
                raise CannotStart(f"No answer from {', '.join(waiting)} within a minute; see {self.logs}.")
            if waiting and self.stop_asked.wait(0.05):
                raise Stopped

    def _announce(self) -> None:
        names = ["DATABASE_URL", "REDIS_URL", "MIM_PUBLIC_URL", "MIM_ALLOWED_HOSTS", "MIM_STREAM_ORIGIN"]
        names += ["MIM_EMAIL_URL", "MIM_MAIL_CATCHER_DIR", "MIM_MAIL_IN_HOST", "MIM_MAIL_IN_PORT"]
        services.announce(self.var, {name: self.environment[name] for name in names if name in self.environment})

    # --- Running and stopping -----------------------------------------------------------
    def watch(self) -> None:
        """Restarts what dies, until told to stop."""
        while not self.stop_asked.wait(0.25):
            for child in self.children:
                if child.restart_if_dead(time.monotonic()):
                    print(f"{child.name} stopped and is started again ({child.log}).", file=sys.stderr, flush=True)

    def stop(self) -> None:
        """Stops everything, last started first, and takes the addresses away."""
        services.withdraw(self.var)
        if self.children and self.stop_asked.is_set():
            print("Stopping …", flush=True)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        front = [child for child in self.children if child.name not in ("postgres", "valkey")]
        for child in front:  # together: each then has its own patience
            child.ask_to_stop()
        for child in [*reversed(front), *(child for child in reversed(self.children) if child not in front)]:
            child.stop()
