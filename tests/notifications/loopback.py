"""A server on loopback that keeps what it was asked and answers as a test says."""

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")


Answer = tuple[int, Any, dict[str, str]]


@contextmanager
def serving(answer: Callable[[Asked], Answer]):
    """`answer` says status, body (bytes, or anything JSON can hold) and headers. Yields address and what was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            asked.append(one)
            status, said, more = answer(one)
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(raw)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_PUT = do_POST

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


class FakeSlack:
    """The methods of Slack's Web API this product uses, as strict as Slack is about token, JSON, channel and ts."""

    token = "xoxb-1-right"  # noqa: S105

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.refuse: list[Answer | str] = []
        """The next answers instead of the usual ones: a whole answer, or the word of an `ok: false`."""
        self.lose = 0
        """So many messages are taken and the answer is lost."""
        self.members = {"C0123456789"}

    def __call__(self, asked: Asked) -> Answer:
        method = asked.path.rpartition("/")[2]
        if self.refuse:
            said = self.refuse.pop(0)
            return (200, {"ok": False, "error": said}, {}) if isinstance(said, str) else said
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return 200, {"ok": False, "error": "invalid_auth"}, {}
        reads = method in ("conversations.history", "conversations.replies")
        if not reads and not asked.headers.get("content-type", "").startswith("application/json"):
            return 200, {"ok": False, "error": "invalid_arguments"}, {}
        given = asked.query if reads else asked.json
        if method == "conversations.open":
            return 200, {"ok": True, "channel": {"id": f"D{given['users'][1:]}"}}, {}
        room = given["channel"]
        if room.startswith("C") and room not in self.members:
            return 200, {"ok": False, "error": "not_in_channel"}, {}
        answer = getattr(self, method.replace(".", "_"))(given, room)
        if self.lose and method == "chat.postMessage":
            self.lose -= 1
            return 500, b"upstream went away", {}
        return 200, answer, {}

    def chat_postMessage(self, given, room):
        self._check(given)
        if "thread_ts" in given and given["thread_ts"] not in {one["ts"] for one in self.messages}:
            return {"ok": False, "error": "thread_not_found"}
        ts = f"1767600000.{len(self.messages):06}"
        self.messages.append({**given, "ts": ts})
        return {"ok": True, "channel": room, "ts": ts}

    def chat_update(self, given, room):
        self._check(given)
        one = next((one for one in self.messages if (one["channel"], one["ts"]) == (room, given["ts"])), None)
        if one is None:
            return {"ok": False, "error": "message_not_found"}
        one.update(given)
        return {"ok": True, "channel": room, "ts": given["ts"]}

    def conversations_history(self, given, room):
        return {
            "ok": True,
            "messages": [one for one in self.messages if one["channel"] == room and "thread_ts" not in one],
        }

    def conversations_replies(self, given, room):
        return {
            "ok": True,
            "messages": [one for one in self.messages if given["ts"] in (one["ts"], one.get("thread_ts"))],
        }

    @staticmethod
    def _check(given) -> None:
        """What Slack would refuse as invalid_blocks."""
        for block in given["blocks"]:
            if block["type"] == "header":
                assert len(block["text"]["text"]) <= 150
            if block["type"] == "section":
                assert block.get("fields") or 0 < len(block["text"]["text"]) <= 3000
                assert len(block.get("fields", ())) <= 10
            if block["type"] == "actions":
                assert 1 <= len(block["elements"]) <= 25

    def heads(self):
        return [one for one in self.messages if "thread_ts" not in one]

    def replies(self):
        return [one for one in self.messages if "thread_ts" in one]
