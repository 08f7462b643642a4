"""ETags of records: a hash of what the record says, so that nothing that changed is missed."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from incidents.api.renderers import dump_json
from incidents.errors import Stale

RUNNING_FIELDS = ("downtime_seconds", "health")
"""What moves while nobody changes anything: it is no change of the record."""


def etag_of(shown: Mapping[str, Any]) -> str:
    """A strong ETag of a record as it is answered."""
    lasting = {name: value for name, value in shown.items() if name not in RUNNING_FIELDS}
    return f'"{hashlib.sha256(dump_json(lasting)).hexdigest()[:32]}"'


def refuse_stale(request: Request, etag: str) -> None:
    """Raises Stale (412) when the client's If-Match names another state than the present one."""
    wanted = request.headers.get("If-Match")
    if wanted and not _names(wanted, etag):
        raise Stale("Somebody changed this record since you read it. Read it again, then send your change.", etag=etag)


def is_known(request: Request, etag: str) -> bool:
    """Whether If-None-Match already has this state, so that 304 is enough."""
    wanted = request.headers.get("If-None-Match")
    return bool(wanted) and _names(wanted or "", etag)


def _names(header: str, etag: str) -> bool:
    given = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in given or etag in given
