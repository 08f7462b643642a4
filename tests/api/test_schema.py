"""The schema: complete, without warnings, and true for what generated requests get back."""

import os
import re
from io import StringIO

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from incidents.actions import candidates, changes, major_incidents, problems, response, seats, updates
from incidents.api.urls import urlpatterns
from incidents.models import ApiKey, Consult
from incidents.process import AccountRole
from mim.wsgi import application
from tests import factories
from tests.factories import minute

EXAMPLES = int(os.environ.get("MIM_ATTACK_EXAMPLES", 1))
"""Requests for each of some 160 operations, once with right and once with wrong input."""
pytestmark = pytest.mark.broad
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip


def test_the_schema_is_made_without_a_warning_and_is_valid():
    out, err = StringIO(), StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out, stderr=err)
    assert "/api/v1/major-incidents/{ref}/begin-containment:" in out.getvalue()


@pytest.mark.django_db
def test_the_schema_and_its_page_answer_everybody_without_anything_from_elsewhere():
    client = Client()
    for path in ("/api/v1/schema", "/api/v1/schema/"):
        response = client.get(path, headers={"Accept": "application/json"})
        assert response.json()["openapi"].startswith("3.")
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "swagger-ui" in text
    assert "<style" not in text
    assert "https://" not in text
    assert all("src=" in part.split(">")[0] for part in text.split("<script")[1:])
    script = client.get("/api/v1/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")


@pytest.fixture
def schema(db):
    """Over WSGI; the connection of the test stays open between requests, as in Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/schema", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_nothing_is_undocumented(schema):
    paths = set(schema.raw_schema["paths"])
    known = {_shown(route) for route in _routes(get_resolver().url_patterns)}
    assert {path for path in known if path.startswith("/api/v1/")} - paths <= {
        "/api/v1/schema", "/api/v1/docs", "/api/v1/health", "/api/v1/ready",
    }  # fmt: skip
    assert len(urlpatterns) > 150


def _routes(patterns, before=""):
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, route)
        elif not route.endswith("/") and "^" not in route:
            yield route


def _shown(route):
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def test_every_operation_names_its_refusals(schema):
    for path, operations in schema.raw_schema["paths"].items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "patch", "delete"):
                codes = operation["responses"].keys()
                assert {"400", "401", "403", "404", "500", "503"} <= codes, (path, method)
                assert any(code.startswith(("2", "3")) for code in codes), (path, method)


@pytest.fixture
def world(checkout, technician):
    """One of everything, and somebody who may do nearly everything with it."""
    person = factories.person(*(role for role in AccountRole if role != "external_consultant"), name="Everybody")
    other = factories.person("technical_staff", "change_manager", "management", name="Other")
    ticket = factories.ticket(service=checkout)
    candidate = candidates.flag(
        title="c", source="proposed", cluster="c", ticket_ids=[ticket.pk], actor=person, at=minute(0)
    )
    incident = major_incidents.declare(title="i", services=[checkout], impact=1, urgency=1, actor=person, at=minute(1))
    seat = seats.invite(incident.pk, role="technical_staff", user=other, actor=person, at=minute(2))
    seats.accept(seat.pk, actor=other, at=minute(2))
    note = response.post_note(incident.pk, text="n", actor=person, at=minute(3))
    task = response.add_task(incident.pk, title="t", actor=person, at=minute(3))
    update = updates.publish_update(incident.pk, texts={"users": "u"}, actor=person, at=minute(3))
    approval = updates.ask_approval(incident.pk, question="?", approver=person, actor=person, at=minute(3))
    response.set_bridge(incident.pk, join_url="https://meet.example.org/x", actor=person, at=minute(4))
    response.open_war_room(incident.pk, location="Room 4", actor=person, at=minute(4))
    problem = problems.open_problem(title="p", major_incident=incident, actor=person, at=minute(5))
    change = changes.open_change(title="c", approvers=[person], actor=other, at=minute(5))
    consult = Consult.objects.filter(step__incident=incident).first()
    _, secret = ApiKey.issue(person, name="all", scopes=["read", "write", "declare", "admin"])
    ids = {
        "seats": seat.pk, "timeline": note.pk, "tasks": task.pk, "updates": update.pk, "approvals": approval.pk,
        "downtime": incident.downtime.get().pk, "consults": consult.pk if consult else 1,
    }  # fmt: skip
    refs = {"tickets": ticket, "candidates": candidate, "major-incidents": incident, "problems": problem,
            "changes": change}  # fmt: skip
    fixed = {"key": "bridge", "name": "started_at", "slug": "checkout", "email": other.email, "audience": "users"}
    return secret, {name: record.ref for name, record in refs.items()}, ids, fixed


@pytest.mark.django_db
@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_generated_requests_get_only_documented_answers(schema, world, mode):
    failures = []
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            _attack(operation, world, mode)
        except Unsatisfiable:
            continue  # nothing wrong can be said to an address without parameters
        except BaseExceptionGroup as failure:
            failures.append(f"{operation.label}: {failure}"[:3000])
    assert not failures, f"{len(failures)} operations:\n\n" + "\n\n".join(failures[:12])


def _attack(operation, world, mode):
    secret, refs, ids, fixed = world

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case):
        parts = operation.path.removeprefix("/api/v1/").split("/")
        for name in list(case.path_parameters or {}):
            if name == "ref":
                case.path_parameters[name] = refs[parts[0]]
            elif name == "id":
                case.path_parameters[name] = ids.get(parts[2] if len(parts) > 2 else "", 1)
            elif name in fixed:
                case.path_parameters[name] = fixed[name]
        for name in list(case.query or {}):
            if name == "cursor":
                case.query.pop(name)
        answer = case.call(headers={"Authorization": f"Bearer {secret}"})
        case.validate_response(answer, checks=CHECKS)

    ask()
