"""Whatever arrives at a door: a clear 4xx or accepted, never a 5xx, and the worker gets through it."""

import random

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.broken_bodies import broken
from incidents.intake.monitoring import processing, registry
from incidents.models import Payload
from tests.incidents.monitoring.conftest import sender

pytestmark = pytest.mark.django_db
KINDS = sorted(registry.adapters())
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def door(organisation, monkeypatch):
    """`send(body, headers)` to a sender of the kind, whose signatures all fit; what is refused for its signature is
    tried elsewhere, and one of them would ask Amazon."""
    web = Client()

    def of(kind):
        if hasattr(registry.adapter_for(kind), "verify"):
            monkeypatch.setattr(type(registry.adapter_for(kind)), "verify", lambda *_: None)
        more = {"expected_every_seconds": 60} if kind == "heartbeat" else {}
        tool = sender(kind, key=f"key-of-{kind}", **more)

        def send(body, headers):
            named = {name: value for name, value in headers.items() if name != "content-type"}
            kind_of = headers.get("content-type", "application/json")
            answer = web.post(f"/in/{kind}/key-of-{kind}", body, content_type=kind_of, headers=named)
            processing.process(tool.pk)
            return answer

        return send

    return of


def check(answer) -> None:
    assert answer.status_code < 500, answer.content
    assert answer.content or answer.status_code in (200, 204)
    assert not Payload.objects.filter(state__in=("waiting", "failed")).exists(), Payload.objects.first().reason


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_every_kind_is_accepted_and_makes_what_it_says(door, kind):
    answer = door(kind)(*registry.adapter_for(kind).example())
    assert 200 <= answer.status_code < 300, answer.content


@pytest.mark.parametrize("kind", KINDS)
def test_bent_bodies_are_never_a_server_error(door, kind):
    send = door(kind)
    example, headers = registry.adapter_for(kind).example()

    @EXAMPLES
    @given(st.integers(0, 2**32))
    def one(seed):
        body, said = broken(example, random.Random(seed))
        check(send(body, {**headers, **said}))

    one()


@pytest.mark.parametrize("kind", KINDS)
def test_any_bytes_are_never_a_server_error(door, kind):
    send = door(kind)
    types = st.sampled_from(
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
    )

    @EXAMPLES
    @given(st.binary(max_size=400), types)
    def one(body, content_type):
        check(send(body, {"content-type": content_type}))

    one()
