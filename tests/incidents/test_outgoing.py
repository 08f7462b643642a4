"""Requests to addresses that people name: nothing reaches the private network unless an administrator allowed it."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from incidents import outgoing
from incidents.outgoing import OutgoingFailed, OutgoingRefused


@contextmanager
def listening(answer=lambda handler: handler.say(200, b"hello")):
    """A server on loopback that counts who came."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, self.headers.get("Host")))
            answer(self)

        do_GET = do_POST

        def say(self, status, body, **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def open_loopback(settings):
    settings.OUTGOING_HTTP = True
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "255.255.255.255", "198.18.0.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_never_asked(address):
    assert not outgoing.is_allowed(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses_are_asked(address):
    assert outgoing.is_allowed(address)


def test_a_named_network_is_open_and_no_other(settings):
    settings.OUTGOING_NETWORKS = ["10.20.0.0/16"]
    assert outgoing.is_allowed("10.20.3.4")
    assert outgoing.is_allowed("::ffff:10.20.3.4")
    assert not outgoing.is_allowed("10.21.3.4")
    assert not outgoing.is_allowed("127.0.0.1")


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "http://example.org/", "https://", "nonsense", "https://u:p@example.org/"]
)
def test_the_form_of_an_address_is_checked_before_it_is_resolved(url):
    with pytest.raises(OutgoingRefused):
        outgoing.check_url(url)


def test_loopback_is_refused_before_anything_is_sent(settings):
    settings.OUTGOING_HTTP = True
    with listening() as (port, asked), pytest.raises(OutgoingRefused, match="not a public address"):
        outgoing.request("POST", f"http://127.0.0.1:{port}/", content=b"x")
    assert asked == []


def test_a_name_that_changes_its_mind_is_checked_at_the_connection(settings, monkeypatch):
    """DNS rebinding: public when the form was saved, loopback when the message leaves."""
    settings.OUTGOING_HTTP = True
    answers = iter(["93.184.216.34", "127.0.0.1"])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))],
    )
    with listening() as (port, asked):
        outgoing.check_destination(f"http://rebinding.example:{port}/")
        with pytest.raises(OutgoingRefused):
            outgoing.request("GET", f"http://rebinding.example:{port}/")
    assert asked == []


def test_one_private_address_among_several_refuses_the_name(monkeypatch):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: both)
    with pytest.raises(OutgoingRefused, match=r"10\.0\.0\.1"):
        outgoing.check_destination("https://mixed.example/")


def test_an_allowed_address_is_asked_under_its_name(open_loopback, monkeypatch):
    with listening() as (port, asked):
        here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: here)
        reply = outgoing.request("POST", f"http://hooks.example:{port}/in", json={"a": 1})
    assert (reply.status, reply.text) == (200, "hello")
    assert asked == [("/in", f"hooks.example:{port}")]


def test_a_redirect_is_an_answer_and_is_not_followed(open_loopback):
    with (
        listening() as (canary, visits),
        listening(lambda handler: handler.say(302, b"", Location=f"http://127.0.0.1:{canary}/secret")) as (port, _),
    ):
        assert outgoing.request("GET", f"http://127.0.0.1:{port}/").status == 302
    assert visits == []


def test_an_endless_answer_is_cut(open_loopback):
    with listening(lambda handler: handler.say(200, b"x" * 1_000_000)) as (port, _):
        assert len(outgoing.request("GET", f"http://127.0.0.1:{port}/").body) == 64 * 1024


def test_a_file_may_be_larger_when_the_caller_says_so(open_loopback):
    with listening(lambda handler: handler.say(200, b"x" * 1_000_000)) as (port, _):
        assert len(outgoing.request("GET", f"http://127.0.0.1:{port}/", most_bytes=500_000).body) == 500_000


def test_a_dripping_answer_is_not_waited_for(open_loopback, monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 0.3)
    stop = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    with listening(drip) as (port, _):
        try:
            assert len(outgoing.request("GET", f"http://127.0.0.1:{port}/").body) < 100
        finally:
            stop.set()


def test_nobody_there_is_a_failure_with_a_sentence(open_loopback):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OutgoingFailed, match=r"No answer from 127\.0\.0\.1"):
        outgoing.request("GET", f"http://127.0.0.1:{port}/")
