"""One PostgreSQL server of our own: made once, started, stopped."""

import os
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from mim.embedded.accounts import Account
from mim.embedded.binaries import Postgres, locate_postgres
from mim.embedded.failures import CannotStart, current_user
from mim.embedded.processes import Child

DATABASE = USER = "mim"
SMALL = {
    "max_connections": "60",
    "shared_buffers": "48MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


@dataclass
class Cluster:
    """A data folder, the programs that match it, and the account that owns it."""

    programs: Postgres
    data: Path
    password_file: Path
    account: Account | None
    port: int
    throw_away: bool = False

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self.password_file.read_text().strip()}@127.0.0.1:{self.port}/{DATABASE}"

    def create(self) -> bool:
        """Makes the data folder unless it is there; True when it was made. Raises CannotStart."""
        if (self.data / "PG_VERSION").exists():
            self._require_ours()
            return False
        if self.data.exists() and any(self.data.iterdir()):
            raise CannotStart(
                f"{self.data} holds files of another program, not a PostgreSQL {self.programs.major} database. "
                f"Move them away, or choose another folder: MIM_VAR_DIR=/some/folder."
            )
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write_password()
        if self.account:
            os.chown(self.data, self.account.uid, self.account.gid)
        self._initdb()
        return True

    def _require_ours(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(self.programs.major):
            raise CannotStart(
                f"{self.data} was made by PostgreSQL {found}, and this is PostgreSQL {self.programs.major}. Point "
                f"MIM_POSTGRES_BIN at the programs of PostgreSQL {found}, take a backup with `manage.py backup`, "
                f"then restore it into a new folder."
            )
        owner = self.account.uid if self.account else current_user()
        if self.data.stat().st_uid != owner:
            raise CannotStart(
                f"{self.data} belongs to another account (user id {self.data.stat().st_uid}). Start MIM as the account "
                f"that made it, or choose another folder: MIM_VAR_DIR=/some/folder."
            )
        if not self.password_file.exists():
            raise CannotStart(
                f"{self.data} holds a database whose password file {self.password_file} is gone. Put that file back "
                f"from your backup, or choose another folder: MIM_VAR_DIR=/some/folder."
            )

    def _write_password(self) -> None:
        self.password_file.unlink(missing_ok=True)
        descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(16) + "\n")

    def _initdb(self) -> None:
        """Runs initdb as the server's account; it reads the password from a file only that account can read."""
        handed_over = self.data.with_name(self.data.name + ".pw")
        handed_over.unlink(missing_ok=True)
        with os.fdopen(os.open(handed_over, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.password_file.read_text())
        if self.account:
            os.chown(handed_over, self.account.uid, self.account.gid)
        if self.programs.major >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            locale = ["--locale=C.UTF-8"]
        command = [self.programs.program("initdb"), "-D", str(self.data), "-U", USER, "-A", "scram-sha-256"]
        command += [f"--pwfile={handed_over}", "--encoding=UTF8", *locale]
        command += ["--no-sync"] if self.throw_away else []
        spawn = self.account.as_spawn() if self.account else {}
        try:
            made = subprocess.run(command, capture_output=True, text=True, cwd="/", **spawn)
        finally:
            handed_over.unlink(missing_ok=True)
        if made.returncode != 0:
            words = (made.stderr or made.stdout).strip()
            if "No space left" in words:
                raise CannotStart(f"The disk that holds {self.data} is full. Free some space, then start again.")
            raise CannotStart(f"PostgreSQL could not make its database in {self.data}:\n{words}")

    def child(self, log: Path) -> Child:
        """The server as a supervised process; SIGINT ends sessions and writes a clean checkpoint."""
        settings = SMALL | (THROW_AWAY if self.throw_away else {})
        if self.programs.major >= 18:
            settings["io_method"] = "sync"
        command = [self.programs.program("postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return Child(
            name="postgres",
            command=command,
            environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "PGTZ": "UTC"},
            log=log,
            account=self.account,
            death_signal=signal.SIGINT,
            stop_signals=((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)),
            folder=Path("/"),
        )

    def is_ready(self) -> bool:
        """True when the server says in its lock file that it accepts connections on our port."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[3].strip() == str(self.port) and lines[7].strip() == "ready"

    def create_database(self) -> None:
        """Makes our database in a server that just came up for the first time. Raises CannotStart."""
        made = subprocess.run(
            [self.programs.program("createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, DATABASE],
            env={"PGPASSWORD": self.password_file.read_text().strip(), "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
        )
        if made.returncode != 0 and "already exists" not in made.stderr:
            raise CannotStart(f"PostgreSQL could not make the database: {made.stderr.strip()}")


def start_and_wait(cluster: Cluster, child: Child, *, seconds: float = 60.0) -> None:
    """Waits until the started server is ready; makes its database on the first start. Raises CannotStart."""
    deadline = time.monotonic() + seconds
    while not cluster.is_ready():
        if not child.is_running():
            words = child.last_words()
            if "No space left" in words:
                raise CannotStart(f"The disk that holds {cluster.data} is full. Free some space, then start again.")
            raise CannotStart(f"PostgreSQL stopped while starting. Its last words ({child.log}):\n{words}")
        if time.monotonic() > deadline:
            raise CannotStart(f"PostgreSQL did not become ready within {seconds:.0f} s; see {child.log}.")
        time.sleep(0.02)


def data_home(var: Path, account: Account | None) -> Path:
    """The folder that holds data folders: `var`, or a reachable one when root keeps `var` where others cannot go."""
    if account is None or account.may_enter(var):
        return var
    import hashlib

    home = Path("/var/lib/mim") / ("var-" + hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:12])
    home.mkdir(parents=True, exist_ok=True, mode=0o755)
    return home


def open_cluster(var: Path, account: Account | None, port: int) -> Cluster:
    """The cluster of this installation, with the programs that fit the data already there. Raises CannotStart."""
    home = data_home(var, account)
    programs = locate_postgres(account)
    if not (home / f"postgres-{programs.major}").exists():
        for older in sorted(home.glob("postgres-[0-9]*"), reverse=True):
            if (older / "PG_VERSION").exists():
                programs = _programs_for(older, account)
                break
    return Cluster(
        programs=programs,
        data=home / f"postgres-{programs.major}",
        password_file=var / f"postgres-{programs.major}.password",
        account=account,
        port=port,
    )


def _programs_for(data: Path, account: Account | None) -> Postgres:
    """The programs of the version that made a data folder."""
    major = (data / "PG_VERSION").read_text().strip()
    try:
        return locate_postgres(account, major=int(major))
    except (CannotStart, ValueError):
        raise CannotStart(
            f"{data} was made by PostgreSQL {major}, which is not on this machine any more. Install it (sudo apt-get "
            f"install postgresql-{major}) and point MIM_POSTGRES_BIN at its programs, or choose another folder: "
            f"MIM_VAR_DIR=/some/folder."
        ) from None
