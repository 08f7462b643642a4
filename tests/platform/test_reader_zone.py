"""Whose clock a page shows."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from incidents.models import Organisation
from mim.middleware import ReaderZone
from tests import factories


def zone_name(request) -> str:
    seen: list[str] = []

    def page(_) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    ReaderZone(page)(request)
    return seen[0]


def request_of(user=None, path: str = "/desk/", cookie: bool = True):
    request = RequestFactory().get(path)
    request.user = user
    if cookie:
        request.COOKIES["sessionid"] = "x"
    return request


@pytest.mark.django_db
def test_the_readers_own_zone_comes_first_then_the_organisations_then_utc():
    person = factories.person("technical_staff", name="Tess")
    Organisation.objects.filter(pk=1).delete()
    assert zone_name(request_of(person)) == "UTC"
    Organisation.objects.create(pk=1, time_zone="Europe/Berlin")
    assert zone_name(request_of(person)) == "Europe/Berlin"
    person.time_zone = "America/New_York"
    assert zone_name(request_of(person)) == "America/New_York"
    person.time_zone = "Mars/Olympus"
    assert zone_name(request_of(person)) == "UTC"


@pytest.mark.django_db
def test_requests_without_a_session_and_of_machines_cost_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert zone_name(request_of(cookie=False)) == "UTC"
        assert zone_name(request_of(path="/api/v1/tickets/")) == "UTC"
        assert zone_name(request_of(path="/healthz")) == "UTC"


@pytest.mark.django_db
def test_the_zone_does_not_leak_into_the_next_request():
    person = factories.person("technical_staff", name="Tess", time_zone="Asia/Tokyo")
    assert zone_name(request_of(person)) == "Asia/Tokyo"
    assert timezone.get_current_timezone_name() == "UTC"
