"""R10: 10,000 broken bodies at every door below `/in/`: `python -m bench.fuzz_doors [how many] [seed] [door …]`.

Most go through the application in processes of this command, on the database of the running installation; every tenth
goes over HTTP. Never a 5xx, every 4xx says why, no accepted body is missing or stuck, no process grows.
"""

import base64
import ctypes
import gc
import http.client
import io
import json
import os
import random
import resource
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from unittest import mock
from urllib.parse import urlencode, urlsplit

from bench.broken_bodies import broken
from bench.running import address, sender
from incidents import outgoing, sealed
from incidents.intake.monitoring import registry, sns_signature
from incidents.models import Integration, Payload

BATCH, CONNECTIONS, PROCESSES = 200, 4, 8
OVER_HTTP = 10
"""One in so many bodies."""
GROWTH = 50
"""MiB that a process may grow."""
VOICE, TOKEN = "voice", "token of the bench"
UNKEPT = ("heartbeat", VOICE)
"""Kept elsewhere than among the payloads."""
Body = tuple[bytes, dict[str, str]]


@dataclass(frozen=True)
class Door:
    """`kind` of integration behind it. `path` and `header` of those that have no key in their address."""

    name: str
    kind: str
    path: str = ""
    header: tuple[str, str] = ("", "")


def doors() -> list[Door]:
    """Every adapter's own address, the telephone, and those that clients of other products have built in."""
    return [
        *[Door(kind, kind) for kind in sorted(registry.adapters())],
        Door(VOICE, VOICE),
        Door("pagerduty base", "pagerduty", "/in/pagerduty/v2/enqueue", ("X-Routing-Key", "{key}")),
        Door("opsgenie base", "opsgenie", "/in/opsgenie/v2/alerts", ("Authorization", "GenieKey {key}")),
        Door("servicenow base", "servicenow", "/in/servicenow/api/now/table/incident", ("Authorization", "{basic}")),
    ]


@dataclass
class Found:
    """Answers by status, what was wrong, and by how many MiB the process grew."""

    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    grew: float = 0

    def note(self, status: int, said: bytes) -> None:
        self.answers[status] += 1
        if status >= 500 or (status >= 400 and not said):
            self.wrong.append(f"{status} {said[:200]!r}")

    def add(self, other: "Found") -> None:
        self.answers += other.answers
        self.wrong += other.wrong
        self.grew = max(self.grew, other.grew)


# --- bodies -----------------------------------------------------------------------------------
def example_of(door: Door, key: str) -> Body:
    if door.kind == VOICE:
        form = {"CallSid": "CA00000000000000000000000000000001", "From": "+4930123456", "CallStatus": "ringing"}
        return urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}
    body, headers = registry.adapters()[door.kind].example()
    if door.header[0] and door.kind == "pagerduty":  # the key in the body goes before that in the header
        body = json.dumps({**json.loads(body), "routing_key": key}).encode()
    return body, headers


def bodies_of(door: Door, example: Body, seed: str, count: int) -> Iterable[Body]:
    chance = random.Random(seed)
    for _ in range(count):
        body, said = broken(example[0], chance)
        if door.kind == VOICE and chance.random() < 0.8:
            said["content-type"] = example[1]["content-type"]
        is_signed = door.kind == "sns" and chance.random() < 0.8
        yield (_by_amazon(body) if is_signed else body), {**example[1], **said}


class Amazon:
    """Signs as SNS does, and answers whoever asks for its certificate or confirms a subscription."""

    def __init__(self) -> None:
        from datetime import UTC, datetime, timedelta

        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import Encoding

        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name, now = x509.Name([]), datetime.now(UTC)
        made = x509.CertificateBuilder(name, name, self.key.public_key(), 1, now, now + timedelta(days=1))
        self.certificate = made.sign(self.key, SHA256()).public_bytes(Encoding.PEM)

    def request(self, method: str, url: str, **more: object) -> outgoing.Reply:
        return outgoing.Reply(200, {}, self.certificate if url.endswith(".pem") else b"<ok/>")

    def sign(self, message: dict[str, object]) -> dict[str, object]:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        message = {**message, "SignatureVersion": "2"}
        text = sns_signature.signed_text(message).encode("utf-8", "replace")
        return message | {"Signature": base64.b64encode(self.key.sign(text, PKCS1v15(), SHA256())).decode()}


_amazon: Amazon | None = None


def _by_amazon(body: bytes) -> bytes:
    """Signed, when it is an object still: what is behind the signature is to be tried, too."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return body
    signed = isinstance(message, dict) and _amazon is not None
    return json.dumps(_amazon.sign(message)).encode() if signed and _amazon else body


# --- sending ----------------------------------------------------------------------------------
def over_http(url: str, work: Sequence[Body]) -> Found:
    parts, found = urlsplit(url), Found()
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    for body, headers in work:
        try:
            with suppress(
                BrokenPipeError, ConnectionResetError
            ):  # refused while it was still sent: the answer is there
                link.request("POST", parts.path, body, headers)
            answer = link.getresponse()
            found.note(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            found.wrong.append(f"{type(error).__name__}: {error}")
            link.close()
    link.close()
    return found


_application: Callable[..., Iterable[bytes]] | None = None
_began_with = 0.0


def begin() -> None:
    """In each process: the application, and an Amazon that can be reached."""
    global _amazon, _application
    from mim.wsgi import application

    _amazon, _application = Amazon(), application
    mock.patch.object(outgoing, "request", _amazon.request).start()
    sns_signature.forget_certificates()


def _mebibytes() -> float:
    """What this process holds, without what it could give back: bodies of 20 MB leave holes."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def inside(url: str, door: Door, example: Body, extra: dict[str, str], seed: str, count: int) -> Found:
    """The same through the application in this process. Its growth counts from the end of its first bodies, by which
    everything is loaded."""
    global _began_with
    parts, found = urlsplit(url), Found()
    for body, headers in bodies_of(door, example, seed, count):
        headers |= extra
        if door.kind == VOICE:
            headers["x-twilio-signature"] = _by_the_provider(url, body, headers)
        try:
            found.note(*_asked(_environ(parts, body, headers)))
        except Exception as error:  # whatever came through would have ended the request
            found.wrong.append(f"{type(error).__name__}: {error}")
    _began_with = _began_with or _mebibytes()
    found.grew = _mebibytes() - _began_with
    return found


def _asked(environ: dict[str, object]) -> tuple[int, bytes]:
    status: list[int] = []
    answer = _application(environ, lambda said, _: status.append(int(said[:3])))  # type: ignore[misc]
    said = b"".join(answer)
    answer.close()  # type: ignore[attr-defined]
    return status[0], said


def _environ(parts, body: bytes, headers: dict[str, str]) -> dict[str, object]:
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": parts.path, "QUERY_STRING": "",
        "SERVER_NAME": parts.hostname, "SERVER_PORT": str(parts.port or 80), "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": named.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": parts.netloc, "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr, "wsgi.url_scheme": parts.scheme, "wsgi.version": (1, 0),
        "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False, **named,
    }  # fmt: skip


def _by_the_provider(url: str, body: bytes, headers: dict[str, str]) -> str:
    """Its signature over the form as Django reads it; "" for what is no form."""
    from django.core.exceptions import SuspiciousOperation
    from django.core.handlers.wsgi import WSGIRequest
    from django.http.multipartparser import MultiPartParserError

    from incidents.intake.voice.signature import signature_of

    try:
        return signature_of(url, WSGIRequest(_environ(urlsplit(url), body, headers)).POST, TOKEN)
    except (SuspiciousOperation, MultiPartParserError, ValueError, LookupError):
        return ""


# --- one door ---------------------------------------------------------------------------------
def opened(door: Door) -> tuple[Integration, str, str, dict[str, str]]:
    """A new integration, its address, its key, and the header that opens it where the path does not."""
    more: dict[str, object] = {"expected_every_seconds": 3600} if door.kind == "heartbeat" else {}
    if door.kind == VOICE:
        more["signing_secrets"] = [sealed.seal(TOKEN)]
    integration, url = sender(door.kind, **more)
    key = url.rsplit("/", 1)[1]
    if not door.header[0]:
        return integration, url, key, {}
    basic = "Basic " + base64.b64encode(f"bench:{key}".encode()).decode()
    return (
        integration,
        address() + door.path,
        key,
        {door.header[0].lower(): door.header[1].format(key=key, basic=basic)},
    )


def fuzz(door: Door, count: int, seed: int, pool: ProcessPoolExecutor) -> tuple[Integration, Found]:
    """All the bodies at one door."""
    integration, url, key, extra = opened(door)
    began, found = time.perf_counter(), Found()
    by_http = count // OVER_HTTP
    sizes = [BATCH] * ((count - by_http) // BATCH) + [(count - by_http) % BATCH]
    example = example_of(door, key)
    runs = [
        pool.submit(inside, url, door, example, extra, f"{door.name} {seed} {number}", size)
        for number, size in enumerate(sizes) if size
    ]  # fmt: skip
    if door.kind == "sns":  # nobody can ask Amazon here: its certificate is said to be elsewhere, which is refused
        example = (example[0].replace(b"amazonaws.com", b"example.org"), example[1])
    work = [(body, headers | extra) for body, headers in bodies_of(door, example, f"{door.name} {seed} http", by_http)]
    with ThreadPoolExecutor(CONNECTIONS) as senders:
        for one in senders.map(lambda part: over_http(url, part), [work[n::CONNECTIONS] for n in range(CONNECTIONS)]):
            found.add(one)
    for run in runs:
        found.add(run.result())
    accepted = sum(number for status, number in found.answers.items() if 200 <= status < 300)
    kept = Payload.objects.filter(integration=integration).exclude(state="refused").count()
    if door.kind not in UNKEPT and kept != accepted:
        found.wrong.append(f"accepted {accepted}, kept {kept}")
    if found.grew > GROWTH:
        found.wrong.append(f"a process grew by {found.grew:.0f} MiB")
    told = ", ".join(f"{status}: {number:,}" for status, number in sorted(found.answers.items()))
    print(
        f"| {door.name} | {sum(found.answers.values()):,} | {accepted:,} | {told} | {len(found.wrong)} | "
        f"{time.perf_counter() - began:.0f} s |",
        flush=True,
    )
    for fault in found.wrong[:5]:
        print(f"  {fault}", file=sys.stderr, flush=True)
    return integration, found


def stuck(integrations: list[Integration]) -> list[str]:
    """Accepted bodies that did not become alerts, after the worker had its time."""
    mine = Payload.objects.filter(integration__in=integrations)
    until = time.monotonic() + 600
    while mine.filter(state="waiting").exists() and time.monotonic() < until:
        time.sleep(1)
    left = mine.filter(state__in=("waiting", "failed")) | mine.filter(state="refused", attempts__gt=0)
    return [" ".join(row) for row in left.values_list("integration__kind", "state", "reason")[:20]]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbelow(10**6)
    wanted = sys.argv[3:]
    print(f"seed {seed}, {address()}\n")
    print("| door | bodies | accepted | answers | wrong | took |\n|---|---|---|---|---|---|")
    os.environ["MIM_PUBLIC_URL"] = address()  # of the processes, too: signatures are over it
    os.environ["MIM_LOG_LEVEL"] = "CRITICAL"  # of the processes: every refusal would be a line
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=begin) as pool:
        results = [fuzz(door, count, seed, pool) for door in doors() if not wanted or door.name in wanted]
    wrong = [fault for _, found in results for fault in found.wrong]
    left = stuck([integration for integration, _ in results])
    for line in (*wrong[:20], *left):
        print(f"  {line}")
    print(f"\n{len(wrong)} wrong answers, {len(left)} accepted bodies stuck")
    if wrong or left:
        sys.exit(1)


if __name__ == "__main__":
    main()
