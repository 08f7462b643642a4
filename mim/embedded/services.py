"""`var/run/services.json`: how commands in another shell find what `up` is running."""

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def var_folder() -> Path:
    """Where everything the installation keeps lives: `MIM_VAR_DIR`, else `var/` in the checkout."""
    return Path(os.environ.get("MIM_VAR_DIR") or ROOT / "var").absolute()


def services_file(var: Path) -> Path:
    return var / "run" / "services.json"


def announce(var: Path, environment: dict[str, str]) -> None:
    """Writes the file (0600, replaced in one step): it holds passwords."""
    path = services_file(var)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    content = {
        "pid": os.getpid(),
        "database_url": environment["DATABASE_URL"],
        "redis_url": environment["REDIS_URL"],
        "environment": environment,
    }
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    unfinished.replace(path)


def withdraw(var: Path) -> None:
    services_file(var).unlink(missing_ok=True)


def adopt_running_services() -> None:
    """Gives this command the addresses of a running `up`; whatever the caller's environment says wins."""
    try:
        found = json.loads(services_file(var_folder()).read_text())["environment"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for name, value in found.items():
        os.environ.setdefault(name, str(value))
