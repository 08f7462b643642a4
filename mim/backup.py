"""One file that holds everything: the database and the media folder, each with its checksum.

The file is a tar with `manifest.json` first, so that it says what it is before anything is read.
Restoring happens in one database transaction: it is whole or nothing.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from mim.embedded import preparation
from mim.embedded.binaries import major_version, postgres_folders

FORMAT = 1
MANIFEST, DUMP, MEDIA = "manifest.json", "database.dump", "media"
CHUNK = 1024 * 1024


class BackupRefused(Exception):
    """Its text says what is wrong and what to do; nothing was changed."""


@dataclass(frozen=True)
class Summary:
    """What a backup holds."""

    made_at: str
    files: int
    size_bytes: int


# --- Writing ----------------------------------------------------------------------------
def write(target: Path, *, at: datetime) -> Summary:
    """Makes the backup. Raises BackupRefused when the file exists, its folder does not, or pg_dump fails."""
    if target.exists():
        raise BackupRefused(f"{target} exists already. Choose another name or remove it first.")
    if not target.parent.is_dir():
        raise BackupRefused(f"There is no folder {target.parent}. Make it first.")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".mim-backup-") as folder:
            dump = Path(folder) / DUMP
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
            sources = {DUMP: dump, **_media_files()}
            manifest = _manifest(sources, at)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
                _add_bytes(tar, MANIFEST, json.dumps(manifest, indent=1).encode(), at)
                for name, path in sources.items():
                    tar.add(path, arcname=name, recursive=False)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return Summary(manifest["made_at"], len(sources), target.stat().st_size)


def _media_files() -> dict[str, Path]:
    root = Path(settings.MEDIA_ROOT)
    return {f"{MEDIA}/{path.relative_to(root)}": path for path in sorted(root.rglob("*")) if path.is_file()}


def _manifest(sources: dict[str, Path], at: datetime) -> dict[str, Any]:
    applied = MigrationLoader(connection).applied_migrations
    return {
        "product": "mim",
        "format": FORMAT,
        "made_at": at.isoformat(timespec="seconds"),
        "postgres": _server_major(),
        "migrations": sorted(f"{app}.{name}" for app, name in applied),
        "files": {name: {"sha256": _sha256(path), "bytes": path.stat().st_size} for name, path in sources.items()},
    }


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes, at: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(at.timestamp()), 0o600
    tar.addfile(entry, BytesIO(content))


def _sha256(path: Path) -> str:
    seen = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            seen.update(chunk)
    return seen.hexdigest()


# --- Reading ----------------------------------------------------------------------------
def restore(source: Path, *, replace: bool = False) -> Summary:
    """Puts the backup in the place of what is there. Raises BackupRefused before anything is touched."""
    manifest = read_manifest(source)
    _require_known(manifest)
    if not replace and _has_people():
        raise BackupRefused(
            "This database is in use: it has accounts. To throw its content away and put the backup in its place, "
            "say so: manage.py restore FILE --replace"
        )
    media = Path(settings.MEDIA_ROOT)
    media.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=media.parent, prefix=".mim-restore-") as folder:
        unpacked = Path(folder)
        _unpack(source, manifest, unpacked)
        _replace_database(unpacked)
        _replace_media(unpacked, media)
    call_command("migrate", interactive=False, verbosity=0)
    preparation.forget(settings.VAR_DIR)
    return Summary(manifest["made_at"], len(manifest["files"]), source.stat().st_size)


def read_manifest(source: Path) -> dict[str, Any]:
    """What the file says it is. Raises BackupRefused when it is no backup of this product."""
    refusal = BackupRefused(f"{source} is not a backup made by `manage.py backup`, or it is damaged.")
    try:
        with tarfile.open(source) as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or first.size > 64 * CHUNK:
                raise refusal
            content = tar.extractfile(first)
            manifest = json.loads(content.read()) if content else {}
    except FileNotFoundError:
        raise BackupRefused(f"There is no file {source}.") from None
    except (OSError, tarfile.TarError, ValueError):
        raise refusal from None
    if not isinstance(manifest, dict) or manifest.get("product") != "mim" or DUMP not in manifest.get("files", {}):
        raise refusal
    if manifest.get("format") != FORMAT:
        raise BackupRefused(f"{source} has format {manifest.get('format')}; this version reads format {FORMAT}.")
    return manifest


def _require_known(manifest: dict[str, Any]) -> None:
    """Refuses a backup of a newer version, which this one would not understand."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(connection).disk_migrations}
    ours = {"incidents", "notifications", "metrics", "mim"}
    unknown = [name for name in manifest["migrations"] if name.split(".")[0] in ours and name not in known]
    if unknown:
        raise BackupRefused(
            f"The backup was made by a newer version of MIM (it has {unknown[0]}). Install that version, then restore."
        )


def _has_people() -> bool:
    if "incidents_user" not in connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM incidents_user)")
        return bool(cursor.fetchone()[0])


def _unpack(source: Path, manifest: dict[str, Any], folder: Path) -> None:
    """Unpacks and compares every file with its checksum."""
    try:
        with tarfile.open(source) as tar:
            tar.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise BackupRefused(f"{source} is damaged: {error}") from None
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file() or _sha256(path) != expected["sha256"]:
            raise BackupRefused(f"{source} is damaged: {name} is missing or not what was written. Use another backup.")


def _replace_database(unpacked: Path) -> None:
    """Empties and refills the schema in one transaction; running programs wait for its end."""
    script, before = unpacked / "database.sql", unpacked / "before.sql"
    _run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(unpacked / DUMP))
    before.write_text("DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user"
        )
    connection.close()
    arguments = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    _run("psql", *arguments, f"--file={before}", f"--file={script}")


def _replace_media(unpacked: Path, media: Path) -> None:
    fresh, old = unpacked / MEDIA, unpacked / "media-before"
    fresh.mkdir(exist_ok=True)
    if media.exists():
        media.rename(old)
    shutil.move(fresh, media)


# --- PostgreSQL's own programs -------------------------------------------------------------
def _run(program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs on our database. Raises BackupRefused with its last words."""
    done = subprocess.run(
        [_program(program), *arguments], env=_connection_environment(), capture_output=True, text=True, cwd="/"
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise BackupRefused(f"{program} failed: {' '.join(words[-3:]) or 'it gave no reason'}")


def _program(name: str) -> str:
    """A program at least as new as the server: an older pg_dump refuses."""
    wanted = _server_major()
    for folder in _folders():
        if (folder / name).exists() and (major_version(folder) or 0) >= wanted:
            return str(folder / name)
    raise BackupRefused(
        f"{name} of PostgreSQL {wanted} or newer was not found. Install it (sudo apt-get install "
        f"postgresql-client-{wanted}) or point MIM_POSTGRES_BIN at its folder."
    )


def _server_major() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


def _folders() -> Iterator[Path]:
    yield from postgres_folders()
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).resolve().parent


def _connection_environment() -> dict[str, str]:
    database = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    given = {name: str(database[key]) for name, key in names.items() if database.get(key)}
    options = {"PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert"}
    given |= {name: str(database["OPTIONS"][key]) for name, key in options.items() if key in database["OPTIONS"]}
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | given
