"""A receiver of webhooks on loopback, as somebody would write one: it verifies every signature before it believes."""

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook as Verifier


class Receiver:
    """`got` holds (webhook-id, what was verified) in the order of arrival; `secret` is known once it was shown.

    `answer` is called with the handler after the body was read, and says something. `minds_age` False takes what is
    older or newer than five minutes, for tests that move the clock; the signature must be right all the same.
    """

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.raw: list[tuple[dict[str, str], bytes]] = []
        self.secret = ""
        self.minds_age = True
        self.answer: Callable[[Any], None] = lambda handler: handler.say(204)

    def types(self) -> list[str]:
        return [body["type"] for _, body in self.got]

    def take(self, headers: dict[str, str], body: bytes) -> None:
        self.raw.append((headers, body))
        if not self.secret:
            return
        if self.minds_age:
            told = Verifier(self.secret).verify(body, headers)
        else:
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            told = json.loads(body)
            right = Verifier(self.secret).sign(headers["webhook-id"], at, body.decode())
            assert right in headers["webhook-signature"].split()
        self.got.append((headers["webhook-id"], told))


@contextmanager
def receiving():
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
            receiver.answer(self)

        def do_GET(self):
            receiver.raw.append((dict(self.headers), b"GET"))
            self.say(200)

        def say(self, status: int, body: bytes = b"", **headers: str):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass  # a sender that hangs up is what some tests want

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
