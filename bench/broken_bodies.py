"""Bodies as they should not be: real ones truncated, bent, nested, compressed, and plain noise."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 2**70, "", "\x00", "\ud800", "x" * 5_000, ["x"] * 300, [], {}, [[]], {"": ""},
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "{EVENT.ID}", "<script>alert(1)</script>",
    "'; DROP TABLE incidents_alert; --",
)  # fmt: skip
_PIECES = (b"\x00", b"\\u0000", b"\\ud800", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"{", b"\n", b"NaN", b"-")
DEEP = 1_000
_BOMB = zlib.compressobj(6, zlib.DEFLATED, 31)
_BOMB_BEGINS = _BOMB.compress(b" " * 3_000_000) + _BOMB.flush(zlib.Z_SYNC_FLUSH)
"""A gzip file that begins with 3 MB of blanks; made once, since making one takes longer than trying it."""


def broken(example: bytes, chance: random.Random) -> tuple[bytes, dict[str, str]]:
    """One body and its headers, made of a real one by one to three misfortunes."""
    body, headers = example, {"content-type": chance.choice(("application/json", "text/plain", "text/xml", "nonsense"))}
    for _ in range(chance.choice((1, 1, 2, 3))):
        body = chance.choice(_MISFORTUNES)(body, chance)
    if chance.random() < 0.1:
        headers["content-encoding"], body = chance.choice(
            (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body)))
        )
    elif chance.random() < 0.05:
        headers["content-encoding"] = chance.choice(("gzip", "br", "deflate", "utf-8"))
    return body, headers


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _flip(body: bytes, chance: random.Random) -> bytes:
    bent = bytearray(body)
    for _ in range(min(len(bent), chance.randrange(1, 20))):
        bent[chance.randrange(len(bent))] = chance.randrange(256)
    return bytes(bent)


def _repeat(body: bytes, chance: random.Random) -> bytes:
    return body * chance.randrange(2, 5)


def _noise(body: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(2_000))


def _nest(body: bytes, chance: random.Random) -> bytes:
    begin, end = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return begin * DEEP + body + end * DEEP


def _insert(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(_PIECES) + body[at:]


def _bomb(body: bytes, chance: random.Random) -> bytes:
    inflated = _BOMB.copy()
    return _BOMB_BEGINS + inflated.compress(body) + inflated.flush()


def _large(body: bytes, chance: random.Random) -> bytes:
    return body + b" " * chance.choice((1_100_000, 5_000_000))


def _replace(body: bytes, chance: random.Random) -> bytes:
    """A value somewhere in the JSON becomes something else, or goes."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return _flip(body, chance)
    places: list[tuple[Any, Any]] = []
    _collect(found, places)
    if not places:
        return _noise(body, chance)
    holder, name = chance.choice(places)
    if isinstance(holder, dict) and chance.random() < 0.3:
        del holder[name]
    else:
        holder[name] = chance.choice(_ODD)
    return json.dumps(found).encode("utf-8", "surrogatepass")


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        places.append((value, name))
        _collect(value[name], places)


_MISFORTUNES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _replace, _replace, _replace, _replace, _cut, _flip, _insert, _insert, _repeat, _noise, _nest, _bomb, _large,
)  # fmt: skip
