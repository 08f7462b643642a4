"""What every address of the API has in common: keys, scopes, problems, idempotency, ETags, pages."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.models import ApiKey, IdempotentRequest, Ticket
from tests import factories
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


# --- Keys -----------------------------------------------------------------------------------------------
def test_without_a_key_the_answer_is_401_and_says_how(as_nobody):
    response = as_nobody.ask("GET", "tickets")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "unauthenticated"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic YTpi", "Token x", "Bearer \x80"])
def test_a_wrong_key_is_401(as_nobody, header):
    response = as_nobody.ask("GET", "tickets", None, Authorization=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_expired_and_revoked_keys_and_disabled_accounts_are_401(technician):
    caller = Caller(technician)
    caller.get("tickets")
    for changes in ({"expires_at": timezone.now() - timedelta(seconds=1)}, {"revoked_at": timezone.now()}):
        ApiKey.objects.filter(pk=caller.key.pk).update(**changes)
        caller.get("tickets", 401)
        ApiKey.objects.filter(pk=caller.key.pk).update(expires_at=None, revoked_at=None)
    technician.is_active = False
    technician.save()
    caller.get("tickets", 401)
    technician.is_active, technician.access_expires_at = True, timezone.now() - timedelta(seconds=1)
    technician.save()
    caller.get("tickets", 401)


def test_a_key_costs_one_query_and_its_use_is_noted_once_a_minute(technician, django_assert_num_queries):
    caller = Caller(technician)
    caller.get("tickets")
    used = ApiKey.objects.get(pk=caller.key.pk).last_used_at
    assert used is not None
    with django_assert_num_queries(2):  # the key with its user and roles, the page
        caller.get("tickets")
    assert ApiKey.objects.get(pk=caller.key.pk).last_used_at == used
    ApiKey.objects.filter(pk=caller.key.pk).update(last_used_at=used - timedelta(seconds=61))
    caller.get("tickets")
    assert ApiKey.objects.get(pk=caller.key.pk).last_used_at > used - timedelta(seconds=61)


DECLARATION = {"title": "Shop is down", "impact": 1, "urgency": 1, "services": []}


@pytest.mark.parametrize(
    ("scopes", "reads", "writes", "declares"),
    [
        (["read"], 200, 403, 403),
        (["read", "write"], 200, 201, 403),
        (["write"], 403, 201, 403),
        (["read", "declare"], 200, 403, 201),
        (["declare"], 403, 403, 201),
        (["ingest"], 403, 201, 403),
        (["admin"], 403, 403, 403),
        (["read", "write", "declare", "admin"], 200, 201, 201),
        ([], 403, 403, 403),
    ],
)
def test_scopes_do_what_they_say(manager, scopes, reads, writes, declares):
    caller = Caller(manager, scopes=scopes)
    caller.get("major-incidents", reads)
    caller.post("tickets", {"title": "x"}, writes)
    refusal = caller.post("major-incidents", DECLARATION, declares)
    if declares == 403:
        assert refusal["type"] == "not_allowed"
        assert refusal["scope"] == "declare"
        assert "declare" in refusal["detail"]


def test_a_browser_session_works_and_needs_the_csrf_token(technician):
    client = Client(enforce_csrf_checks=True)
    client.force_login(technician)
    assert client.get("/api/v1/tickets").status_code == 200
    refused = client.post("/api/v1/tickets", {"title": "x"}, content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["type"] == "not_allowed"
    client.cookies["csrftoken"] = token = "a" * 32
    made = client.post(
        "/api/v1/tickets", {"title": "x"}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert made.status_code == 201, made.content


# --- Problems -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "nothing/here", 404, "not_found"),
        ("GET", "tickets/INC-999999999999", 404, "not_found"),
        ("GET", "tickets/INC-99999999999999999999999", 404, "not_found"),
        ("GET", "tickets/%00", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("GET", "/api/v9/tickets", 404, "not_found"),
        ("DELETE", "tickets", 405, "method_not_allowed"),
        ("PUT", "tickets/INC-1", 405, "method_not_allowed"),
        ("POST", "major-incidents/MI-1/begin-nothing", 404, "not_found"),
    ],
)
def test_every_refusal_is_a_problem_document(as_technician, method, path, status, kind):
    response = as_technician.ask(method, path)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == kind


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"17", 400),
        (b'{"title": NaN}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b'{"title": "a\\u0000b"}', 400),
        (b'{"title": "\xff\xfe"}', 400),
        (b'{"title": {}}', 400),
        (b'{"title": ["x"]}', 400),
        (b'{"title": true}', 400),
        (b'{"title": "x", "impact": 99999999999999999999999999}', 400),
        (b'{"title": "x", "impact": 1.5}', 400),
        (b'{"title": "x", "impact": null}', 400),
        (b'{"title": "x", "service": {"slug": "x"}}', 400),
        (b'{"title": "x", "service": "a\\u0000b"}', 400),
        (b'{"title": "x", "assignee": ["a@b.org"]}', 400),
        (b'{"title": "x", "major_incident": "MI-99999999999999999999"}', 400),
        (b'{"title": "x", "reported_at": "2024-03-01T10:00:00"}', 400),
        (b'{"title": "x", "reported_at": "0001-01-01T00:00:00+14:00"}', 400),
        (b'{"title": "x", "reported_at": 17}', 400),
        (b'{"title": "x", "reported_at": "9999-12-31T23:59:59Z"}', 400),
        (b'{"title": "x", "description": ' + b"[" * 1000 + b"]" * 1000 + b"}", 400),
        (b'{"title": "x", "extra": ' + b'{"a":' * 30 + b"1" + b"}" * 30 + b"}", 400),
        (b'{"title": "' + b"x" * 251 + b'"}', 400),
        (b'{"title": "x", "description": "' + b"y" * 20_001 + b'"}', 400),
        (b'{"title": "x", "description": "' + b"y" * 1_100_000 + b'"}', 413),
    ],
)
def test_no_body_makes_the_server_stumble(as_technician, body, status):
    response = as_technician.ask("POST", "tickets", body)
    assert response.status_code == status, response.content[:500]
    problem = response.json()
    assert problem["type"] == {400: "invalid", 413: "too_large"}[status]
    if status == 400:
        assert problem["errors"]
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "search=%00", "search=" + "x" * 5000, "service=%00", "assignee=%00", "cursor=x", "cursor=%00", "page_size=1e9",
        "page_size=-1", "page_size=99999999999999999999", "major_incident=MI-x", "reported_after=2024-01-01T00:00:00",
        "impact=NaN", "impact=99999999999999999999999", "team=%00", "status=%00", "ordering=%00", "candidate=%00",
    ],
)  # fmt: skip
def test_no_query_makes_the_server_stumble(as_technician, query):
    assert as_technician.get(f"tickets?{query}", 400)["type"] == "invalid"


def test_other_media_types_and_encodings_are_refused(as_technician):
    assert as_technician.ask("POST", "tickets", b"a=b", **{"Content-Type": "text/plain"}).status_code == 415
    assert as_technician.ask("POST", "tickets", b"<x/>", **{"Content-Type": "application/xml"}).status_code == 415
    assert as_technician.ask("POST", "tickets", b"\x1f\x8b", Content_Encoding="gzip").status_code == 415
    assert as_technician.ask("GET", "tickets", None, Accept="text/html").status_code == 406


def test_both_spellings_of_a_path_answer(as_technician):
    for path in ("tickets", "tickets/"):
        as_technician.get(path)
        ref = as_technician.post(path, {"title": "x"}, 201)["ref"]
        as_technician.get(f"tickets/{ref}/")
        as_technician.post(f"tickets/{ref}/acknowledge/")


def test_times_come_out_in_utc_whatever_offset_went_in(as_technician):
    body = {"title": "x", "reported_at": "2024-03-01T12:30:00+02:00"}
    assert as_technician.post("tickets", body, 201)["reported_at"] == "2024-03-01T10:30:00Z"


def test_a_time_in_the_future_is_refused(as_technician):
    ahead = (timezone.now() + timedelta(minutes=5)).isoformat()
    ref = as_technician.post("tickets", {"title": "x"}, 201)["ref"]
    assert as_technician.post(f"tickets/{ref}/acknowledge", {"at": ahead}, 400)["errors"].keys() == {"at"}


# --- Idempotency ----------------------------------------------------------------------------------------
def test_the_same_key_and_body_gives_the_first_answer_again(as_technician):
    first = as_technician.ask("POST", "tickets", {"title": "x"}, Idempotency_Key="a1")
    second = as_technician.ask("POST", "tickets", {"title": "x"}, Idempotency_Key="a1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first["Location"] == second["Location"]
    assert second["Idempotent-Replayed"] == "true"
    assert Ticket.objects.count() == 1
    as_technician.post("tickets/", {"title": "x"}, 201, Idempotency_Key="a1")
    assert Ticket.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(as_technician):
    as_technician.post("tickets", {"title": "x"}, 201, Idempotency_Key="a1")
    problem = as_technician.post("tickets", {"title": "y"}, 409, Idempotency_Key="a1")
    assert problem["type"] == "idempotency_mismatch"
    assert Ticket.objects.count() == 1


def test_a_key_belongs_to_its_user_and_to_a_day(as_technician, as_manager):
    as_technician.post("tickets", {"title": "x"}, 201, Idempotency_Key="a1")
    as_manager.post("tickets", {"title": "y"}, 201, Idempotency_Key="a1")
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    as_technician.post("tickets", {"title": "z"}, 201, Idempotency_Key="a1")
    assert Ticket.objects.count() == 3


def test_refusals_are_remembered_and_leave_nothing_behind(as_technician):
    ref = as_technician.post("tickets", {"title": "x"}, 201)["ref"]
    first = as_technician.post(f"tickets/{ref}/close", {}, 409, Idempotency_Key="c1")
    as_technician.post(f"tickets/{ref}/resolve", {"resolution": "done"})
    assert as_technician.post(f"tickets/{ref}/close", {}, 409, Idempotency_Key="c1") == first
    assert as_technician.post(f"tickets/{ref}/close", {}, Idempotency_Key="c2")["status"] == "closed"


def test_an_idempotency_key_that_is_too_long_is_refused(as_technician):
    problem = as_technician.post("tickets", {"title": "x"}, 400, Idempotency_Key="k" * 256)
    assert problem["errors"].keys() == {"Idempotency-Key"}


# --- ETags ----------------------------------------------------------------------------------------------
def test_a_change_on_top_of_a_stale_state_is_refused(as_technician):
    made = as_technician.ask("POST", "tickets", {"title": "x"})
    path, etag = f"tickets/{made.json()['ref']}", made["ETag"]
    assert as_technician.ask("GET", path, None, If_None_Match=etag).status_code == 304
    as_technician.patch(path, {"title": "y"}, If_Match=etag)
    problem = as_technician.patch(path, {"title": "z"}, 412, If_Match=etag)
    assert problem["type"] == "stale"
    fresh = as_technician.ask("GET", path, None, If_None_Match=etag)
    assert fresh.status_code == 200
    assert fresh.json()["title"] == "y"
    as_technician.patch(path, {"title": "z"}, If_Match=fresh["ETag"])
    as_technician.patch(path, {"title": "q"}, If_Match="*")
    as_technician.patch(path, {"title": "r"})


# --- Pages ----------------------------------------------------------------------------------------------
def _walk(caller, path, link="next"):
    pages, url = [], path
    while url:
        page = caller.get(url)
        pages.append(page["results"])
        url = page[link]
    return pages


@pytest.mark.parametrize("ordering", ["", "id", "-id", "title", "-priority", "resolved_at", "-resolved_at"])
def test_pages_show_every_row_once_in_either_direction(as_technician, ordering):
    for number in range(11):
        row = factories.ticket(f"Title {number % 3}", impact=1 + number % 4)
        if number % 4 == 0:
            as_technician.post(f"tickets/{row.ref}/resolve", {"resolution": "done"})
    path = f"tickets?page_size=3&ordering={ordering}"
    forward = [row["ref"] for page in _walk(as_technician, path) for row in page]
    assert len(forward) == len(set(forward)) == 11
    whole = [row["ref"] for row in as_technician.get(f"tickets?page_size=500&ordering={ordering}")["results"]]
    assert forward == whole
    last = path
    while following := as_technician.get(last)["next"]:
        last = following
    backward = _walk(as_technician, last, "previous")
    assert [row["ref"] for page in reversed(backward) for row in page] == whole


def test_rows_that_arrive_meanwhile_neither_repeat_nor_hide_others(as_technician):
    first = [factories.ticket(f"t{number}").ref for number in range(6)]
    page = as_technician.get("tickets?page_size=2")
    seen = [row["ref"] for row in page["results"]]
    while page["next"]:
        factories.ticket("arrives meanwhile")
        page = as_technician.get(page["next"])
        seen += [row["ref"] for row in page["results"]]
    assert seen == first[::-1]


def test_a_cursor_is_ours_and_belongs_to_its_ordering(as_technician):
    for number in range(3):
        factories.ticket(f"t{number}")
    following = as_technician.get("tickets?page_size=1&ordering=title")["next"]
    assert as_technician.get(following.replace("ordering=title", "ordering=-title"), 400)["errors"].keys() == {"cursor"}
    assert as_technician.get(following.replace("cursor=", "cursor=x"), 400)["errors"].keys() == {"cursor"}


def test_pages_are_at_most_500_rows(as_technician):
    assert as_technician.get("tickets?page_size=100000")["results"] == []
