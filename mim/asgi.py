"""The stream server: server-sent events and nothing else. No views, no sessions, no database.

`GET /live/?ticket=…[&topics=…][&loaded=1|&last=1]` holds the connection open and sends one line of JSON
(`{"topic", "seq", "kind"}`) whenever a followed topic changes; the page then refetches what it
shows, so permission is asked in one place. `kind` `sync` means: refetch, something may have been
missed (sent after a reconnect, and when the broker was away). `loaded` repeats what changed in the
last seconds, for a page that was still on its way. After a quarter of an hour the server sends the
event `renew` and closes; the page asks for a new ticket.
"""

import asyncio
import itertools
import json
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")

import redis.asyncio as redis  # noqa: E402
from django.conf import settings  # noqa: E402
from redis.exceptions import RedisError  # noqa: E402

from mim import live_ticket  # noqa: E402

CHANNEL_PREFIX = "mim:live:"
HEARTBEAT = 15.0  # seconds of silence after which a comment keeps the connection open
SLOW_READER = 10.0  # seconds a reader may take for one piece before it is dropped
LONGEST_STREAM = 15 * 60.0
MOST_STREAMS = 5000
RECENT = 5.0  # seconds a change is repeated to streams that open after it: their page may be older than it
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds between attempts to reach the broker

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_log = logging.getLogger("mim.stream")


class Reader:
    """One open stream. Keeps only the newest change of each topic: a nudge says "look again", not what is new."""

    def __init__(self, topics: list[str]) -> None:
        self.topics = topics
        self.waiting: dict[str, dict[str, Any]] = {}
        self.wake = asyncio.Event()

    def nudge(self, message: dict[str, Any]) -> None:
        self.waiting[message["topic"]] = message
        self.wake.set()

    def nudge_all(self) -> None:
        """Asks the page to look at everything it follows again."""
        for topic in self.topics:
            self.nudge({"topic": topic, "seq": None, "kind": "sync"})

    def take(self) -> list[dict[str, Any]]:
        taken, self.waiting = list(self.waiting.values()), {}
        self.wake.clear()
        return taken


class Hub:
    """All readers of this process, and its one subscription at the broker."""

    def __init__(self) -> None:
        self.readers: dict[str, set[Reader]] = {}
        self.recent: dict[str, tuple[float, dict[str, Any]]] = {}  # topic → when, newest change; oldest first
        self.count = 0
        self.closing = asyncio.Event()
        self.is_connected = False
        self._listening: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)

    def begin(self) -> None:
        self._listening = asyncio.create_task(self._listen(), name="broker subscription")

    async def end(self) -> None:
        """Lets every stream close by itself and gives up the subscription."""
        self.closing.set()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    def join(self, reader: Reader) -> None:
        self.count += 1
        for topic in reader.topics:
            self.readers.setdefault(topic, set()).add(reader)

    def leave(self, reader: Reader) -> None:
        self.count -= 1
        for topic in reader.topics:
            followers = self.readers.get(topic, set())
            followers.discard(reader)
            if not followers:
                self.readers.pop(topic, None)

    def repeat_recent(self, reader: Reader) -> None:
        """For a page loaded a moment ago: what changed while it was on its way."""
        self._forget_old()
        for topic in reader.topics:
            if topic in self.recent:
                reader.nudge(self.recent[topic][1])

    def _remember(self, nudge: dict[str, Any]) -> None:
        self._forget_old()
        self.recent.pop(nudge["topic"], None)
        self.recent[nudge["topic"]] = (time.monotonic(), nudge)

    def _forget_old(self) -> None:
        limit = time.monotonic() - RECENT
        while self.recent and next(iter(self.recent.values()))[0] < limit:
            self.recent.pop(next(iter(self.recent)))

    def next_id(self) -> str:
        return str(next(self._numbers))

    async def _listen(self) -> None:
        """Subscribes, and subscribes again with growing pauses whenever the broker was away."""
        pause, missed = FIRST_PAUSE, False
        while True:
            client = redis.Redis.from_url(
                settings.REDIS_URL, socket_connect_timeout=2.0, socket_keepalive=True, health_check_interval=15
            )
            try:
                async with client.pubsub() as subscription:
                    await subscription.psubscribe(CHANNEL_PREFIX + "*")
                    self.is_connected = True
                    pause = FIRST_PAUSE
                    if missed:
                        self._nudge_everybody()
                    await self._relay(subscription)
            except (RedisError, OSError, TimeoutError) as error:
                if self.is_connected or not missed:
                    _log.warning("broker away: %s", error)
            finally:
                self.is_connected = False
                await client.aclose()
            missed = True
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _relay(self, subscription: Any) -> None:
        """Hands messages out until the connection breaks; a silent broker is asked for a sign of life."""
        while True:
            message = await subscription.get_message(ignore_subscribe_messages=True, timeout=HEARTBEAT)
            if message is None:
                await asyncio.wait_for(subscription.ping(), 5.0)
                continue
            if message["type"] != "pmessage":
                continue
            topic = message["channel"].decode().removeprefix(CHANNEL_PREFIX)
            try:
                content = json.loads(message["data"])
                nudge = {"topic": topic, "seq": content.get("seq"), "kind": content.get("kind")}
            except (ValueError, AttributeError):
                _log.warning("unreadable message for %s", topic)
                continue
            self._remember(nudge)
            for reader in tuple(self.readers.get(topic, ())):
                reader.nudge(nudge)

    def _nudge_everybody(self) -> None:
        for reader in {reader for followers in self.readers.values() for reader in followers}:
            reader.nudge_all()


hub: Hub | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI entry: life of the process, and one route."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _http(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    global hub
    await receive()
    hub = Hub()
    hub.begin()
    _close_streams_on_signal(hub)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await hub.end()
    await send({"type": "lifespan.shutdown.complete"})


def _close_streams_on_signal(living: Hub) -> None:
    """Servers tell an application about their end only after all connections closed, which streams never do."""
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(signum)

        def on_signal(number: int, frame: FrameType | None, before: Any = before) -> None:
            loop.call_soon_threadsafe(living.closing.set)
            if callable(before):
                before(number, frame)

        try:
            signal.signal(signum, on_signal)
        except ValueError:  # not the main thread: whoever runs us there stops us otherwise
            return


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get("origin", "")
    if scope["path"] == "/live/healthz":
        await _answer(send, 200, {"status": "ok", "broker": bool(hub and hub.is_connected)})
    elif scope["path"] != "/live/":
        await _answer(send, 404, {"type": "not_found", "status": 404})
    elif scope["method"] != "GET":
        await _answer(send, 405, {"type": "method_not_allowed", "status": 405}, allow="GET")
    elif origin and origin not in allowed_origins():
        await _answer(send, 403, {"type": "wrong_origin", "status": 403})
    else:
        await _stream(scope, headers, receive, send)


def allowed_origins() -> set[str]:
    """The public address; for a product on loopback, both of its names."""
    public = settings.PUBLIC_URL
    origins = {public}
    for one, other in (("//127.0.0.1:", "//localhost:"), ("//localhost:", "//127.0.0.1:")):
        if one in public:
            origins.add(public.replace(one, other))
    return origins


async def _stream(scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
    query = parse_qs(scope["query_string"].decode("latin-1"))
    origin = headers.get("origin", "")
    content = live_ticket.read(query.get("ticket", [""])[0])
    if content is None:
        await _answer(send, 401, {"type": "ticket", "title": "Ask for a new ticket", "status": 401}, origin=origin)
        return
    wanted = live_ticket.asked_topics(query["topics"][0]) if "topics" in query else content["topics"]
    topics = [topic for topic in wanted if topic in content["topics"]]
    if not topics:
        await _answer(send, 403, {"type": "forbidden", "status": 403}, origin=origin)
        return
    if hub is None or hub.closing.is_set() or hub.count >= MOST_STREAMS:
        await _answer(send, 503, {"type": "busy", "status": 503}, origin=origin, retry_after="5")
        return
    reader = Reader(topics)
    if headers.get("last-event-id") or query.get("last"):
        reader.nudge_all()
    elif "loaded" in query:
        hub.repeat_recent(reader)
    hub.join(reader)
    try:
        await _until_gone(hub, reader, origin, receive, send)
    finally:
        hub.leave(reader)


async def _until_gone(living: Hub, reader: Reader, origin: str, receive: Receive, send: Send) -> None:
    """Writes until the page goes away, reads too slowly, stayed long enough, or the server stops."""
    tasks = [
        asyncio.create_task(_write(living, reader, origin, send)),
        asyncio.create_task(_disconnected(receive)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(living: Hub, reader: Reader, origin: str, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _stream_headers(origin)})
    ends_at = asyncio.get_running_loop().time() + LONGEST_STREAM
    await _piece(send, "retry: 2000\n: open\n\n")
    closing = asyncio.create_task(living.closing.wait())
    try:
        while not closing.done() and asyncio.get_running_loop().time() < ends_at:
            woken = asyncio.create_task(reader.wake.wait())
            await asyncio.wait({woken, closing}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            lines = [f"id: {living.next_id()}\ndata: {json.dumps(message)}\n\n" for message in reader.take()]
            await _piece(send, "".join(lines) or ": still here\n\n")
    finally:
        closing.cancel()
    await send({"type": "http.response.body", "body": b"event: renew\ndata: {}\n\n", "more_body": False})


async def _piece(send: Send, text: str) -> None:
    """Sends one piece; TimeoutError, which ends the stream, when the reader does not take it."""
    await asyncio.wait_for(send({"type": "http.response.body", "body": text.encode(), "more_body": True}), SLOW_READER)


def _stream_headers(origin: str) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return headers + _cors(origin)


def _cors(origin: str) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin.encode()), (b"vary", b"origin")] if origin else []


async def _answer(
    send: Send, status: int, content: dict[str, Any], *, origin: str = "", allow: str = "", retry_after: str = ""
) -> None:
    body = json.dumps(content).encode()
    kind = b"application/json" if status == 200 else b"application/problem+json"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    headers += [(b"allow", allow.encode())] if allow else []
    headers += [(b"retry-after", retry_after.encode())] if retry_after else []
    await send({"type": "http.response.start", "status": status, "headers": headers + _cors(origin)})
    await send({"type": "http.response.body", "body": body, "more_body": False})
