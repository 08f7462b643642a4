"""Serves the written status page before Django is asked at all: no database, no session, thousands a second.

What is not written yet (a first start, a machine without the files) falls through to the page's view.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "/status/"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".ics": "text/calendar; charset=utf-8",
    ".json": "application/json",
}
HEADERS = [
    ("Cache-Control", "public, max-age=10"),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Access-Control-Allow-Origin", "*"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'",
    ),
]
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class _Kept:
    stamp: tuple[int, int]
    body: bytes
    packed: bytes
    headers: list[tuple[str, str]]
    etag: str


class StatusFiles:
    """A WSGI application in front of another one. `is_https_only` leaves plain http to the other, which redirects."""

    def __init__(self, application: _App, folder: Path, *, is_https_only: bool = False) -> None:
        self._application, self._folder, self._is_https_only = application, folder, is_https_only
        self._kept: dict[str, _Kept] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(PREFIX) and environ.get("REQUEST_METHOD") in ("GET", "HEAD") and self._is_ours(environ):
            found = self._find(path)
            if found is not None:
                return _answer(found, environ, start_response)
        return self._application(environ, start_response)

    def _is_ours(self, environ: dict[str, Any]) -> bool:
        return not self._is_https_only or "https" in (
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
            environ.get("wsgi.url_scheme", ""),
        )

    def _find(self, path: str) -> _Kept | None:
        """The file as it is now; read again when it was replaced. Names with dots at their beginning are not ours."""
        name = path.removeprefix(PREFIX)
        if name == "" or name.endswith("/"):
            name += "index.html"
        parts = name.split("/")
        if len(parts) > 3 or any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        file = self._folder.joinpath(*parts)
        kind = TYPES.get(file.suffix)
        if kind is None:
            return None
        try:
            found = file.stat()
        except OSError:
            self._kept.pop(name, None)
            return None
        stamp = (found.st_mtime_ns, found.st_size)
        kept = self._kept.get(name)
        if kept is None or kept.stamp != stamp:
            try:
                kept = self._kept[name] = _keep(file.read_bytes(), stamp, kind)
            except OSError:
                return None
        return kept


def _keep(body: bytes, stamp: tuple[int, int], kind: str) -> _Kept:
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return _Kept(stamp, body, gzip.compress(body, 6), [("Content-Type", kind), *HEADERS, ("ETag", etag)], etag)


def _answer(found: _Kept, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if found.etag in environ.get("HTTP_IF_NONE_MATCH", "").replace("W/", ""):
        start_response("304 Not Modified", found.headers)
        return []
    body, headers = found.body, found.headers
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        body, headers = found.packed, [*headers, ("Content-Encoding", "gzip")]
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
