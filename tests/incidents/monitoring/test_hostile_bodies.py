"""Whatever the bytes: signals or Malformed, never anything else, and nothing the database cannot keep."""

import json
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.intake.monitoring.shape import Malformed, Says, Signal
from tests.incidents.monitoring.reading import KINDS, adapter, all_bodies, body_of, received

OUTCOMES = ("read", "refused")
RESTS = (
    "",
    "v2/enqueue",
    "v2/change/enqueue",
    "v2/alerts",
    "v2/alerts/a/close",
    "requests",
    "api/now/table/incident/0",
)
TYPES = (
    "", "application/json", "application/x-www-form-urlencoded", "text/plain; charset=UTF-8", "text/xml",
    "multipart/form-data; boundary=b", "multipart/form-data", "multipart/form-data; boundary=\x00\r\n",
    "application/cloudevents-batch+json", "application/x-sentry-envelope",
)  # fmt: skip
MAPPED = {
    "items": "alerts",
    "key": ["$.a", "b[0]"],
    "state": {"path": "c", "resolved": [1]},
    "labels": "d",
    "time": "e",
}
ODD: tuple[object, ...] = (
    None, True, 0, -1, 1e308, 10**400, "", "\x00", "\ud800", "9" * 5000, "{EVENT.ID}", "$X", [], {}, [[]], [None],
    {"": ""}, {"a": {"b": [1]}}, "2026-02-30T99:00:00Z", "0001-01-01T00:00:00Z", "1e400", "a" * 3000, "http://",
    "-9999999999999999",
)  # fmt: skip


def outcome(kind: str, body: bytes, **more) -> str:
    """ "read" or "refused", with an answer that says so; fails for anything else."""
    one, request = adapter(kind), received(kind, body, payload_id=7, **more)
    try:
        signals = one.read(request)
    except Malformed as why:
        answer = one.refused(request, why)
        assert 400 <= answer.status < 500
        json.dumps(answer.body, ensure_ascii=False).encode()
        return "refused"
    for signal in signals:
        storable(signal)
    assert one.read(request) == signals  # reading twice gives the same
    assert one.accepted(request, signals).status in (200, 201, 202)
    return "read"


def storable(signal: Signal) -> None:
    assert signal.key and signal.says in Says
    texts = [signal.key, signal.title, signal.body, signal.episode, signal.service, signal.link]
    texts += [*signal.labels, *signal.labels.values()]
    for text in texts:
        assert isinstance(text, str) and "\x00" not in text
        text.encode()  # no lone surrogates
    assert signal.occurred_at is None or signal.occurred_at.tzinfo is not None


MORE = {
    "rest": st.sampled_from(RESTS),
    "method": st.sampled_from(("POST", "PUT", "DELETE", "GET")),
    "headers": st.sampled_from(TYPES).map(lambda value: {"content-type": value}),
    "settings": st.sampled_from(({}, MAPPED, {"time_zone": "Nowhere/Else"}, {"time_zone": 3, "key": 4, "state": 5})),
}
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", KINDS)
@many
@given(body=st.binary(max_size=400), more=st.fixed_dictionaries(MORE))
def test_any_bytes(kind, body, more):
    assert outcome(kind, body, **more) in OUTCOMES


values = st.recursive(
    st.sampled_from(ODD) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", KINDS)
@many
@given(value=values, more=st.fixed_dictionaries(MORE))
def test_any_json(kind, value, more):
    assert outcome(kind, _dumped(value), **more) in OUTCOMES


@pytest.mark.parametrize("name", all_bodies())
def test_real_bodies_bent_in_every_place(name):
    kind, body, chance = name.partition("/")[0], body_of(name), random.Random(name)
    outcomes: Counter[str] = Counter()
    for cut in range(0, len(body), max(1, len(body) // 40)):
        outcomes[outcome(kind, body[:cut])] += 1
    for _ in range(40):
        at = chance.randrange(len(body))
        outcomes[outcome(kind, body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :])] += 1
    if name.endswith(".json"):
        for bent in _bent(json.loads(body), chance):
            outcomes[outcome(kind, _dumped(bent), rest=chance.choice(RESTS))] += 1
    assert outcomes[outcome(kind, body)], "small damage may not change how every body is taken"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1000 + b"]" * 1000,
        b'{"alerts":' * 1000 + b"1" + b"}" * 1000,
        b"[" * 200_000,
        b"<a>" * 5000 + b"</a>" * 5000,
        b'{"a":NaN}',
        b'{"a":Infinity,"title":"x"}',
        b'{"title":' + b"9" * 10_000 + b"}",
        b'{"title":"\\ud800\\u0000"}',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"&".join(b"a=1" for _ in range(5000)),
        b'"text"',
        b"null",
        b"",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_breaks_parsers(kind, body):
    assert outcome(kind, body) in OUTCOMES


def _dumped(value) -> bytes:
    """JSON with lone surrogates written as escapes, as a hostile sender would."""
    return json.dumps(value, ensure_ascii=True, allow_nan=True).encode()


def _bent(value, chance):
    """The body with one place after the other replaced by something odd, or left out."""
    for path in _places(value):
        bent = json.loads(json.dumps(value))
        at = bent
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = chance.choice(ODD)
        yield bent
        del at[path[-1]]
        yield bent


def _places(value, path=()):
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from _places(inner, (*path, step))
