"""Reads the environment, and what a running `manage.py up` left in `var/` for other commands."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

import environ

env = environ.Env()

UNCONFIGURED_DATABASE = "postgresql://mim@127.0.0.1:1/mim"
UNCONFIGURED_REDIS = "redis://127.0.0.1:1/0"


def running_services(var_dir: Path) -> dict[str, Any]:
    """What the supervisor of `up` wrote to `var/run/services.json`; empty when it is not running."""
    try:
        found = json.loads((var_dir / "run" / "services.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def runtime_database_url(var_dir: Path) -> str:
    """`DATABASE_URL`, else the embedded server that `up` started, else an address that refuses."""
    return env.str("DATABASE_URL", default="") or running_services(var_dir).get("database_url", UNCONFIGURED_DATABASE)


def runtime_redis_url(var_dir: Path) -> str:
    """`REDIS_URL`, else the embedded server that `up` started, else an address that refuses."""
    return env.str("REDIS_URL", default="") or running_services(var_dir).get("redis_url", UNCONFIGURED_REDIS)


def secret_key(var_dir: Path) -> str:
    """`MIM_SECRET_KEY`, else a key made once and kept in `var/secret_key` (0600)."""
    if given := env.str("MIM_SECRET_KEY", default=""):
        return given
    path = var_dir / "secret_key"
    try:
        return path.read_text().strip()
    except OSError:
        var_dir.mkdir(parents=True, exist_ok=True)
        key = secrets.token_urlsafe(50)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(key)
        return key
