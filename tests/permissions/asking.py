"""One request of the matrix: its address, its body, and which of the four answers came back."""

from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from incidents.models import ApiKey
from tests.permissions import bodies
from tests.permissions.notation import HIDDEN, NO, OK, SIGN_IN, Row
from tests.permissions.world import World

API = "/api/"
SCOPES = ["read", "write", "declare", "admin"]


class Asking:
    """Browsers signed in and keys issued once; whatever a request changes is rolled back after it.

    Requests go through every middleware, as the web server sends them, without what Django's test client keeps
    of each rendered template.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.handler = BaseHandler()
        self.handler.load_middleware()
        self.sessions: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        for name, person in world.people.items():
            browser = Client()
            browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
            self.sessions[name] = browser.cookies[settings.SESSION_COOKIE_NAME].value
            self.keys[name] = ApiKey.issue(person, name="matrix", scopes=SCOPES)[1]

    def address(self, row: Row) -> str:
        if row.route.startswith("/"):
            return row.route
        query = bodies.QUERIES.get(row.route, "")
        if "{ref}" in query:
            query = query.format(ref=self.world.places[row.on].ref)
        if "{layer}" in query:
            query = query.format(layer=self.world.places[""].layer.pk)
        return reverse(row.route, kwargs=bodies.arguments(row, self.world)) + query

    def response(self, row: Row, method: str, actor: str) -> Any:
        """The answer to one actor; the database is afterwards as it was."""
        address, body = self.address(row), bodies.body(row, method, self.world)
        factory, headers, given = RequestFactory(), {}, {}
        if address.startswith(API):
            headers["Accept"] = "application/json, */*;q=0.5"
            if actor in self.keys:
                headers["Authorization"] = f"Bearer {self.keys[actor]}"
            if method != "GET" and row.route not in bodies.FILES:
                given["content_type"] = "application/json"
        else:
            if row.act:  # as the open page asks: the dialog alone
                headers["HX-Request"] = "true"
            if actor in self.sessions:
                factory.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[actor]
        request = getattr(factory, method.lower())(address, body, headers=headers, **given)
        request._dont_enforce_csrf_checks = True
        with transaction.atomic():
            answer = self.handler.get_response(request)
            transaction.set_rollback(True)
        return answer

    def answer(self, row: Row, method: str, actor: str) -> str:
        return read(self.response(row, method, actor))


def read(response: Any) -> str:
    """One of the four answers, or the status when it is none of them (405, 5xx: always wrong)."""
    status = response.status_code
    if status in (301, 302, 303, 307) and "/accounts/login/" in response["Location"]:
        return SIGN_IN
    if status == 400 and "There is no record “MI-".encode() in response.content:
        return HIDDEN  # the body names an incident this person may not know of
    if status < 400 or status in (400, 409, 410, 412, 415, 422):
        return OK
    return {401: SIGN_IN, 403: NO, 404: HIDDEN}.get(status, str(status))
