"""Everything out again: every record of the desk as JSON lines and CSV in one ZIP, streamed, whatever its size.

One file a table in two forms. Secrets stay: passwords, keys, sealed texts and sessions are in no export. References to
other records are their ids, named as the columns are.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import orjson
from django.apps import apps
from django.db import connection, models, transaction

from metrics.csv_export import safe_cell

APPS = ("incidents", "notifications", "metrics")
SECRET_WORDS = (
    "password",
    "hash",
    "digest",
    "secret",
    "sealed",
    "token",
    "key_prefix",
    "ciphertext",
    "encrypted",
    "credentials",
    "sha256",
    "nonce",
)
SECRET_COLUMNS = frozenset({"notifications.webhook.url"})
"""Addresses that are a key: whoever knows them may post there."""
LEFT_OUT = frozenset(
    {"incidents.apikey", "incidents.idempotentrequest", "notifications.queuedmail", "notifications.heartbeat"}
)
"""Keys, answers kept for repetition, mails with links that open an account, signs of life."""
CHUNK = 2_000


def tables() -> list[tuple[str, type[models.Model]]]:
    """Name of the file and model of everything that is exported; many-to-many rows included."""
    found = [model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    return [
        (f"{model._meta.app_label}_{model._meta.model_name}", model)
        for model in found
        if model._meta.label_lower not in LEFT_OUT and model._meta.managed and not model._meta.proxy
    ]


def columns(model: type[models.Model]) -> list[str]:
    """The columns that leave the house: no binary ones, none that holds a secret."""
    return [
        field.attname
        for field in model._meta.concrete_fields
        if not isinstance(field, models.BinaryField)
        and not any(word in field.name for word in SECRET_WORDS)
        and "sealed" not in type(field).__name__.lower()
        and f"{model._meta.label_lower}.{field.name}" not in SECRET_COLUMNS
    ]


def _plain(value: Any) -> Any:
    """As JSON has it; what JSON does not know becomes text."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def rows(model: type[models.Model], names: list[str]) -> Iterator[tuple[Any, ...]]:
    """Every row by its key, a few thousand at a time."""
    yield from model._base_manager.order_by("pk").values_list(*names).iterator(chunk_size=CHUNK)


class _Drain(io.RawIOBase):
    """A file that only takes; what it took is fetched and forgotten."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, given: Any) -> int:
        self.taken.append(bytes(given))
        return len(given)

    def fetch(self) -> bytes:
        found, self.taken = b"".join(self.taken), []
        return found


def archive() -> Iterator[bytes]:
    """The ZIP, piece by piece. Everything is read in one moment, so that references never hang in the air."""
    drain, is_own = _Drain(), not connection.in_atomic_block
    with transaction.atomic(), zipfile.ZipFile(drain, "w", zipfile.ZIP_DEFLATED) as into:
        if is_own:  # only a transaction that has asked nothing yet can be told so
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for name, model in tables():
            names = columns(model)
            for ending, lines in (("jsonl", _json_lines), ("csv", _csv_lines)):
                with into.open(f"{name}.{ending}", "w") as file:
                    for piece in lines(model, names):
                        file.write(piece)
                        if found := drain.fetch():
                            yield found
    yield drain.fetch()


def _json_lines(model: type[models.Model], names: list[str]) -> Iterator[bytes]:
    for row in rows(model, names):
        values = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        yield orjson.dumps(values, default=str, option=orjson.OPT_NON_STR_KEYS) + b"\n"


def _csv_lines(model: type[models.Model], names: list[str]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for at, row in enumerate(rows(model, names), start=1):
        writer.writerow([_cell(value) for value in row])
        if at % CHUNK == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return orjson.dumps(value, default=str).decode()
    return safe_cell(value if isinstance(value, str | int | float | bool | datetime | None) else str(value))
