"""A provider on loopback that speaks Twilio's protocol: takes messages and calls, and asks and reports back, signed."""

import base64
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as xml

from django.http import QueryDict
from django.test import Client

from incidents.intake.voice.signature import signature_of

ACCOUNT, TOKEN = "AC" + "0" * 32, "token-of-the-account"
SENDER, CALLER = "+14155550100", "+14155550199"
DESK = "https://desk.example.org"


class Provider:
    """What arrived is in `texts` and `calls`. `answers` are given first, one each: (status, body, headers)."""

    def __init__(self) -> None:
        self.texts: list[dict[str, str]] = []
        self.calls: list[dict[str, str]] = []
        self.answers: list[tuple[int, str, dict[str, str]]] = []
        self.seconds, self.now, self.most_at_once = 0.0, 0, 0
        self.wrong: list[str] = []
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, said, headers = provider.take(self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *args) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, path: str, headers: dict[str, str], body: str) -> tuple[int, str, dict[str, str]]:
        with self._lock:
            self.now += 1
            self.most_at_once = max(self.most_at_once, self.now)
        try:
            time.sleep(self.seconds)
            return self._answer(path, headers, body)
        finally:
            with self._lock:
                self.now -= 1

    def _answer(self, path: str, headers: dict[str, str], body: str) -> tuple[int, str, dict[str, str]]:
        given = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        right = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if headers.get("Authorization") != f"Basic {right}":
            return 401, '{"code": 20003, "message": "Authenticate", "status": 401}', {}
        with self._lock:
            if self.answers:
                return self.answers.pop(0)
            kind = path.removeprefix(f"/2010-04-01/Accounts/{ACCOUNT}/")
            if kind == "Messages.json" and {"To", "Body", "StatusCallback"} <= set(given):
                self.texts.append({**given, "Sid": f"SM{len(self.texts):032}"})
                return 201, f'{{"sid": "{self.texts[-1]["Sid"]}", "status": "queued"}}', {}
            if kind == "Calls.json" and {"To", "From", "Url", "StatusCallback"} <= set(given):
                self.calls.append({**given, "Sid": f"CA{len(self.calls):032}"})
                return 201, f'{{"sid": "{self.calls[-1]["Sid"]}", "status": "queued"}}', {}
            self.wrong.append(f"{path} {sorted(given)}")
            return 400, '{"code": 21601, "message": "a parameter is missing"}', {}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def signed(url: str, token: str = TOKEN, **fields: str):
    """What the provider asks at `url`, signed with the token."""
    form = QueryDict(mutable=True)
    form.update(fields)
    path = urlsplit(url)
    headers = {"X-Twilio-Signature": signature_of(url, form, token)}
    return Client().post(f"{path.path}?{path.query}" if path.query else path.path, fields, headers=headers)


class Call:
    """A call as the person called hears it: picks up, and follows what the answer says about keys."""

    def __init__(self, placed: dict[str, str]) -> None:
        self.sid = placed["Sid"]
        self._take(signed(placed["Url"], CallSid=self.sid, CallStatus="in-progress"))

    def _take(self, response) -> None:
        assert response.status_code == 200, response.content
        self.tree = xml.fromstring(response.content)
        self.heard = " ".join(one.text or "" for one in self.tree.iter("Say"))
        gather = self.tree.find("Gather")
        self.action = gather.get("action") if gather is not None else ""

    def press(self, key: str) -> "Call":
        self._take(signed(self.action, CallSid=self.sid, Digits=key))
        return self
