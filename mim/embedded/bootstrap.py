"""Makes the interpreter ready: the pinned packages are there, or a `.venv` with them is made.

Only the standard library may be imported here; nothing else is installed yet.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"

APT_LINE = "sudo apt-get install python3-venv"


class Step(Enum):
    """What has to happen before Django can run."""

    READY = "ready"
    INSTALL = "install"
    ENTER_VENV = "enter the virtual environment"


def decide(*, in_own_venv: bool, packages_present: bool, stamp_fits: bool) -> Step:
    """The whole decision, without touching anything.

    An interpreter that already has the packages (a container, a developer's own environment) is
    left alone; our own `.venv` follows the lock file by its stamp; everybody else enters `.venv`.
    """
    if in_own_venv:
        return Step.READY if stamp_fits else Step.INSTALL
    return Step.READY if packages_present else Step.ENTER_VENV


def lock_for(command: str) -> Path:
    """The hashed requirements a command needs: `test` needs the tests' tools too."""
    return ROOT / ("tests/requirements.txt" if command == "test" else "requirements.txt")


def names_asked_for(lock: Path) -> list[str]:
    """Distribution names in the `.in` file beside a lock, `-r` lines followed, optional ones left out."""
    names: list[str] = []
    source = lock.with_suffix(".in")
    for line in source.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("-r "):
            names += names_asked_for((source.parent / line[3:].strip()).with_suffix(".txt").resolve())
        elif line and ";" not in line and (match := re.match(r"[A-Za-z0-9._-]+", line)):
            names.append(match.group())
    return names


def is_installed(names: Iterable[str]) -> bool:
    """True when this interpreter has every named distribution, whatever its version."""
    try:
        for name in names:
            importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def stamp_fits(lock: Path) -> bool:
    """True when `.venv` was last filled from exactly this lock (or, for the product, from the tests' one)."""
    try:
        installed = (VENV / "installed.sha256").read_text().split()
    except OSError:
        return False
    return digest(lock) in installed


def make_ready(argv: list[str]) -> None:
    """Returns when this interpreter can import everything; otherwise installs and replaces the process.

    Ends the program with a sentence that says what to do when a virtual environment or the
    packages cannot be made.
    """
    lock = lock_for(argv[1] if len(argv) > 1 else "")
    in_own_venv = Path(sys.prefix).resolve() == VENV.resolve()
    step = decide(
        in_own_venv=in_own_venv,
        packages_present=not in_own_venv and is_installed(names_asked_for(lock)),
        stamp_fits=stamp_fits(lock),
    )
    if step is Step.READY:
        return
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two commands at once: the second finds the work done
            if step is Step.ENTER_VENV:
                make_venv()
            elif not stamp_fits(lock):
                install(lock)
    except OSError as error:
        sys.exit(
            f"Cannot prepare {VENV}: {error.strerror or error}. Make room there or give this account write access."
        )
    python = str(VENV / "bin" / "python")
    os.execv(python, [python, *argv])  # noqa: S606 - the same command, in the interpreter just made


def make_venv() -> None:
    """Makes `.venv` unless a usable one is there."""
    if (VENV / "bin" / "python").exists():
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(f"This Python has no venv module, which MIM needs to install its packages.\nInstall it: {APT_LINE}")
    print("Making .venv …", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        print((made.stdout + made.stderr).strip(), file=sys.stderr)
        sys.exit(f"The virtual environment could not be made. On Debian and Ubuntu: {APT_LINE}")


def install(lock: Path) -> None:
    """Installs exactly what the lock names, checked by hash, into `.venv`."""
    print(f"Installing the packages of {lock.relative_to(ROOT)} …", flush=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--require-hashes"]
    pip += ["--compile", "-r", str(lock)]  # compiled now, or every start pays for it
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if subprocess.run(pip, stdin=subprocess.DEVNULL, env=environment).returncode != 0:
        sys.exit(
            "The packages could not be installed (pip's message is above). Check the network or PIP_INDEX_URL, "
            "then run the same command again."
        )
    stamps = {digest(lock)}
    if lock != lock_for(""):
        stamps.add(digest(lock_for("")))  # the tests' lock holds the product's own, version for version
    (VENV / "installed.sha256").write_text("\n".join(sorted(stamps)) + "\n")
