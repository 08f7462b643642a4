"""The stream server, end to end: a real server, a real broker, real sockets."""

import http.client
import json
import socket
import time

import pytest
import redis
from django.test import override_settings

from mim import live_ticket
from mim.embedded import programs, throwaway
from mim.embedded.ports import accepts, free_port
from tests.platform.conftest import environment_for, until

ORIGIN = "https://desk.example.org"
KEY = "k" * 60


class Stream:
    """An open connection; reads one server-sent event after the other."""

    def __init__(self, port: int, ticket: str, extra: str = "", **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.connection.request("GET", f"/live/?ticket={ticket}{extra}", headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next_event(self) -> dict:
        """The next block that is not a comment, as its fields; empty at the end of the stream."""
        fields: dict = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n":
                if "data" in fields:
                    return fields | {"data": json.loads(fields["data"])}
                fields = {}
            elif name:
                fields[name] = value
        return {}

    def close(self) -> None:
        self.connection.close()
        self.answer.close()


@pytest.fixture(scope="module")
def servers():
    with throwaway.folder() as home, throwaway.valkey(home) as broker:
        environment = environment_for(home, "", broker.url)
        environment |= {"MIM_SECRET_KEY": KEY, "MIM_PUBLIC_URL": ORIGIN, "DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
        port = free_port()
        child = programs.stream(environment, home / "log", "127.0.0.1", port)
        child.start()
        until(lambda: accepts("127.0.0.1", port), 20, "stream server")
        yield port, redis.Redis.from_url(broker.url), child
        child.stop()


def subscribed(broker: redis.Redis) -> bool:
    return broker.pubsub_numpat() > 0


@pytest.fixture
def port(servers):
    until(lambda: subscribed(servers[1]), 10, "subscription")
    return servers[0]


@pytest.fixture
def publish(servers):
    def say(topic: str, seq: int | None = None, kind: str = "changed") -> None:
        message = json.dumps({"topic": topic, "seq": seq, "kind": kind})
        assert servers[1].publish(f"mim:live:{topic}", message) >= 1

    return say


def ticket(*topics: str, user: int = 5) -> str:
    with override_settings(SECRET_KEY=KEY):
        return live_ticket.issue(user, list(topics))


pytestmark = pytest.mark.stack


def test_a_change_reaches_the_page_that_follows_it_and_no_other(port, publish):
    mine, other = Stream(port, ticket("MI-12", "desk")), Stream(port, ticket("MI-13"))
    assert mine.status == 200 and mine.answer.getheader("Content-Type").startswith("text/event-stream")
    time.sleep(0.05)
    publish("MI-12", 7, "stage_changed")
    publish("MI-13", 1)
    assert mine.next_event()["data"] == {"topic": "MI-12", "seq": 7, "kind": "stage_changed"}
    assert other.next_event()["data"]["topic"] == "MI-13"
    mine.close()
    other.close()


def test_a_ticket_that_is_forged_or_missing_opens_nothing(port):
    good = ticket("desk")
    for bad in ("", "x", good[:-2] + "xx"):
        answer = Stream(port, bad)
        assert answer.status == 401
        assert json.loads(answer.answer.read())["type"] == "ticket"


def test_an_old_ticket_opens_nothing(port):
    import time_machine

    with time_machine.travel(time.time() - live_ticket.CONNECT_WITHIN - 5):
        old = ticket("desk")
    assert Stream(port, old).status == 401


def test_topics_beyond_the_ticket_are_not_followed(port, publish):
    assert Stream(port, ticket("desk"), "&topics=MI-99").status == 403
    both = Stream(port, ticket("desk", "MI-1"), "&topics=MI-1,MI-99")
    time.sleep(0.05)
    publish("desk")
    publish("MI-1", 3)
    assert both.next_event()["data"]["topic"] == "MI-1"
    both.close()


def test_only_the_public_address_may_read_it_from_a_browser(port):
    allowed = Stream(port, ticket("desk"), Origin=ORIGIN)
    assert allowed.status == 200
    assert allowed.answer.getheader("Access-Control-Allow-Origin") == ORIGIN
    allowed.close()
    assert Stream(port, ticket("desk"), Origin="https://evil.example").status == 403


def test_a_page_that_comes_back_is_asked_to_look_at_everything_again(port):
    again = Stream(port, ticket("desk", "MI-1"), **{"Last-Event-ID": "17"})
    kinds = {(event["data"]["topic"], event["data"]["kind"]) for event in (again.next_event(), again.next_event())}
    assert kinds == {("desk", "sync"), ("MI-1", "sync")}
    again.close()


def test_after_the_broker_was_away_every_page_looks_again(port, servers):
    page = Stream(port, ticket("desk"))
    time.sleep(0.05)
    servers[1].client_kill_filter(_type="pubsub")
    assert page.next_event()["data"] == {"topic": "desk", "seq": None, "kind": "sync"}
    page.close()


def test_a_reader_that_does_not_read_holds_nobody_up_and_only_the_newest_is_kept_for_it(port, publish):
    slow = socket.create_connection(("127.0.0.1", port))
    slow.sendall(f"GET /live/?ticket={ticket('desk')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    quick = Stream(port, ticket("desk"))
    time.sleep(0.05)
    for number in range(2000):
        publish("desk", number)
    last = -1
    while last < 1999:
        last = quick.next_event()["data"]["seq"]
    assert last == 1999
    slow.close()
    quick.close()


def test_anything_but_a_get_of_the_stream_is_refused(port):
    for method, path, status in (("POST", "/live/", 405), ("GET", "/", 404), ("GET", "/live/healthz", 200)):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(method, path)
        assert connection.getresponse().status == status


def test_an_open_stream_does_not_hold_the_end_of_the_server(servers, port):
    page = Stream(port, ticket("desk"))
    began = time.monotonic()
    servers[2].stop()
    assert time.monotonic() - began <= 3
    assert page.next_event().get("event") == "renew"
    assert page.next_event() == {}
    log = servers[2].log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log
    servers[2].start()
    until(lambda: accepts("127.0.0.1", port), 20, "stream server")
