"""Signed-in browsers, and tickets to look at."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models import User
from tests import factories


@pytest.fixture
def signed_in():
    """A signed-in browser of a person; `htmx=True` asks as htmx does."""

    def open_browser(user: User, *, htmx: bool = False) -> Client:
        headers = {"HX-Request": "true"} if htmx else {}
        client = Client(headers=headers)
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def at_desk(signed_in, technician):
    return signed_in(technician)


@pytest.fixture
def ticket(requester, checkout):
    """The requester's own report about Checkout."""
    return factories.ticket(channel="portal", actor=requester, service=checkout, description="It says 502.")


@pytest.fixture
def queries_of():
    """How many queries a page takes; it is asked twice, so that what is kept between requests does not count."""

    def count(browser: Client, address: str) -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as found:
            assert browser.get(address).status_code == 200
        return len(found)

    return count
