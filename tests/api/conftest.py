"""Clients of the API with real keys, one for each person of the story."""

import json
from typing import Any

import pytest
from django.test import Client

from incidents.models import ApiKey, User

BASE = "/api/v1"
ALL_SCOPES = ["read", "write", "declare", "admin"]


class Caller:
    """Asks the API as one person, with a key; JSON in, JSON out, the expected status checked on the way."""

    def __init__(self, user: User | None, *, scopes: list[str] | None = None, secret: str | None = None) -> None:
        self.user = user
        self.client = Client()
        if user is not None and secret is None:
            self.key, secret = ApiKey.issue(user, name="tests", scopes=ALL_SCOPES if scopes is None else scopes)
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response. `body` may be bytes, sent as they are; `If_Match` becomes the header If-Match."""
        url = path if path.startswith(("/", "http")) else f"{BASE}/{path}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", "application/json")
        return self.client.generic(method, url, content, content_type=kind, headers={**self.headers, **named})

    def get(self, path: str, expect: int = 200, **headers: str) -> Any:
        return self._expect(self.ask("GET", path, None, **headers), expect)

    def post(self, path: str, body: Any = None, expect: int = 200, **headers: str) -> Any:
        return self._expect(self.ask("POST", path, {} if body is None else body, **headers), expect)

    def patch(self, path: str, body: Any, expect: int = 200, **headers: str) -> Any:
        return self._expect(self.ask("PATCH", path, body, **headers), expect)

    def put(self, path: str, body: Any, expect: int = 200, **headers: str) -> Any:
        return self._expect(self.ask("PUT", path, body, **headers), expect)

    def delete(self, path: str, expect: int = 204) -> Any:
        return self._expect(self.ask("DELETE", path), expect)

    @staticmethod
    def _expect(response: Any, status: int) -> Any:
        assert response.status_code == status, (response.status_code, response.content[:2000])
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
            problem = response.json()
            assert problem["status"] == response.status_code
            assert {"type", "title", "detail"} <= problem.keys()
        return response.json() if response.content else None


@pytest.fixture
def caller():
    """Makes a Caller for a person."""
    return Caller


@pytest.fixture
def as_technician(technician):
    return Caller(technician)


@pytest.fixture
def as_manager(manager):
    return Caller(manager)


@pytest.fixture
def as_engineer(engineer):
    return Caller(engineer)


@pytest.fixture
def as_requester(requester):
    return Caller(requester)


@pytest.fixture
def as_administrator(administrator):
    return Caller(administrator)


@pytest.fixture
def as_stakeholder(stakeholder):
    return Caller(stakeholder)


@pytest.fixture
def as_nobody(db):
    return Caller(None)
