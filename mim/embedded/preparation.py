"""What has to be done before the product can serve, and whether it was done already.

The work itself (migrations, static files, demo organisation) is the `prepare` command; it costs a
Django start, so `up` skips it when nothing it depends on has changed since the last time.
"""

import hashlib
import json
from pathlib import Path

from mim.embedded.services import ROOT

APPS = ("incidents", "notifications", "metrics", "mim")


def fingerprint(root: Path = ROOT) -> str:
    """Changes whenever a migration, a static file or a pinned package does."""
    seen = hashlib.sha256()
    seen.update((root / "requirements.txt").read_bytes())
    folders = [root / "static", *(root / app / "static" for app in APPS), *(root / app / "migrations" for app in APPS)]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                stat = path.stat()
                seen.update(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def database_mark(data: Path) -> str:
    """Tells one data folder from another that was put in its place."""
    try:
        stat = (data / "PG_VERSION").stat()
    except OSError:
        return ""
    return f"{stat.st_ino}-{stat.st_mtime_ns}"


def record_file(var: Path) -> Path:
    return var / "run" / "prepared.json"


def is_prepared(var: Path, wanted: dict[str, str]) -> bool:
    """True when the last preparation was for exactly these marks and its static files are still there."""
    try:
        found = json.loads(record_file(var).read_text())
    except (OSError, ValueError):
        return False
    return found == wanted and (var / "static" / "staticfiles.json").exists()


def remember(var: Path, wanted: dict[str, str]) -> None:
    record_file(var).parent.mkdir(parents=True, exist_ok=True)
    record_file(var).write_text(json.dumps(wanted))


def forget(var: Path) -> None:
    """After something changed the database from outside, for example a restore."""
    record_file(var).unlink(missing_ok=True)
