"""Requests to addresses that people or senders named. Nothing here can reach the private network by accident.

The name is resolved once, every address it has is checked, and the connection goes to that very address while TLS and
the Host header keep the name: a name that answers differently the second time gains nothing. Redirects are not
followed. An administrator opens private ranges by `MIM_OUTGOING_NETWORKS`, plain http by `MIM_OUTGOING_HTTP`.
"""

import ipaddress
import math
import os
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpcore
import httpx
from django.conf import settings
from django.utils import timezone

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024
LONGEST_PAUSE_SECONDS = 10.0**8
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutgoingRefused(Exception):
    """The address may not be asked; says why in words for an administrator."""


class OutgoingFailed(Exception):
    """Nobody answered, or too slowly, or too much."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `body` is cut at 64 KiB, or at what the caller asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def check_url(url: str) -> httpx.URL:
    """The parsed address when its form is allowed: https (http by switch), a host, no credentials. Resolves nothing."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise OutgoingRefused("This is not an address. Use one like https://hooks.example.com/path.") from None
    schemes = ("https", "http") if settings.OUTGOING_HTTP else ("https",)
    if parsed.scheme not in schemes:
        raise OutgoingRefused(f"The address must begin with {' or '.join(f'{one}://' for one in schemes)}.")
    if not parsed.host:
        raise OutgoingRefused("The address names no host.")
    if parsed.userinfo:
        raise OutgoingRefused("Leave user name and password out of the address; use a header or a secret field.")
    return parsed


def check_destination(url: str) -> None:
    """As `check_url`, and every address the name has now must be allowed. For forms: the real check is at the send."""
    parsed = check_url(url)
    allowed_addresses(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))


def allowed_addresses(host: str, port: int) -> list[str]:
    """The addresses behind a name. Raises OutgoingRefused if any of them is private, OutgoingFailed if it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutgoingFailed(f"The name {host} cannot be resolved.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        if not is_allowed(text):
            raise OutgoingRefused(
                f"{host} leads to {text}, which is not a public address. "
                "An administrator can allow it with MIM_OUTGOING_NETWORKS."
            )
    return addresses


def is_allowed(text: str) -> bool:
    """Whether requests may go to this IP address: public, or in a network an administrator named."""
    address = ipaddress.ip_address(text.partition("%")[0])
    for inner in _inside(address):
        if any(
            inner in network for network in _networks(settings.OUTGOING_NETWORKS) if network.version == inner.version
        ):
            continue
        if not inner.is_global or inner.is_multicast or inner.is_reserved:
            return False
    return True


def _inside(address: Address) -> list[Address]:
    """The address and any IPv4 address carried within it (mapped, 6to4, Teredo, NAT64)."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        found += [inner for inner in (address.ipv4_mapped, address.sixtofour) if inner]
        found += list(address.teredo or ())
        if address in _NAT64:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped or address in _NAT64:
            found.remove(address)  # the carrier itself is never global; what it carries decides
    return found


def _networks(given: Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text, strict=False) for text in given]


class _Hurried(httpcore.NetworkStream):
    """A connection whose every wait ends with the whole request's time, however the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, ends_at: float) -> None:
        self._stream, self._ends_at = stream, ends_at

    def _left(self, timeout: float | None) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("it took too long")
        return left if timeout is None else min(timeout, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Hurried(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _CheckedConnections(httpcore.SyncBackend):
    """Opens sockets only to addresses that were checked a moment before; the name stays for TLS."""

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at

    def connect_tcp(  # type: ignore[override]
        self, host: str, port: int, **options: Any
    ) -> httpcore.NetworkStream:
        refusal: Exception | None = None
        for address in allowed_addresses(host, port):
            try:
                return _Hurried(super().connect_tcp(address, port, **options), self._ends_at)
            except httpcore.ConnectError as error:
                refusal = error
        raise refusal or httpcore.ConnectError(f"{host} has no address")


@lru_cache(maxsize=2)
def _authorities(file: str, folder: str) -> ssl.SSLContext:
    """Whom to trust, read once: two hundred certificates take longer than most requests."""
    return httpx.create_ssl_context(trust_env=True)  # SSL_CERT_FILE: an organisation's own authority


def _transport(ends_at: float) -> httpx.HTTPTransport:
    tls = _authorities(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    transport = httpx.HTTPTransport(verify=tls, trust_env=False)
    transport._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=_CheckedConnections(ends_at))
    return transport


def request(
    method: str,
    url: str,
    *,
    content: bytes | str | None = None,
    json: Any = None,
    data: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    most_bytes: int = MAX_ANSWER_BYTES,
    seconds: float | None = None,
) -> Reply:
    """Sends one request and reads at most 64 KiB (`most_bytes` for a file) within ten seconds in all, or `seconds`.

    Raises OutgoingRefused before anything is sent to a forbidden address, OutgoingFailed when nobody answers in time.
    Any HTTP status is a Reply, redirects too. Never call it inside a transaction.
    """
    check_url(url)
    seconds = seconds or TOTAL_SECONDS
    ends_at = time.monotonic() + seconds
    patience = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    try:
        with (
            httpx.Client(
                transport=_transport(ends_at), timeout=patience, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(
                method, url, content=content, json=json, data=data, headers=dict(headers or {}), auth=auth
            ) as answer,
        ):
            return Reply(answer.status_code, dict(answer.headers), _read(answer, most_bytes))
    except (httpx.HTTPError, httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
        raise OutgoingFailed(f"No answer from {httpx.URL(url).host}: {str(error) or type(error).__name__}") from error


def pause_asked(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """How long the other side asks to be left alone: `Retry-After` in seconds or as a date.

    None when it does not say, or not in a way one can read.
    """
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds):
        return timedelta(seconds=min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS))
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(until - (now or timezone.now()), timedelta())


def _read(answer: httpx.Response, most_bytes: int) -> bytes:
    """The start of the answer: an endless one is cut, and one that drips has said what it said when time is up."""
    body = bytearray()
    try:
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) >= most_bytes:
                break
    except httpx.ReadTimeout:
        pass  # the status is known; that is what callers act upon
    return bytes(body[:most_bytes])
