"""Tickets over the API."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(as_technician, checkout):
    body = {"title": "Payment fails", "service": "Checkout", "impact": 2, "urgency": 1, "channel": "hotline"}
    return as_technician.post("tickets", body, 201)


def test_a_ticket_is_filed_with_what_follows_from_it(ticket):
    assert ticket["ref"].startswith("INC-")
    assert (ticket["service"], ticket["priority"], ticket["status"]) == ("checkout", "P1", "new")
    assert ticket["reported_at"].endswith("Z")
    assert ticket["assignee"] is None


def test_the_answer_says_where_the_ticket_is(as_technician, checkout):
    response = as_technician.ask("POST", "tickets", {"title": "Payment fails"})
    assert response.status_code == 201
    assert response["Location"].endswith(f"/api/v1/tickets/{response.json()['ref']}")
    assert as_technician.get(response["Location"]) == response.json()
    assert response["ETag"] == as_technician.ask("GET", response["Location"])["ETag"]


def test_a_service_is_named_by_slug_or_exact_name_and_an_unknown_one_is_refused(as_technician, checkout):
    for name in ("checkout", "Checkout"):
        assert as_technician.post("tickets", {"title": "x", "service": name}, 201)["service"] == "checkout"
    problem = as_technician.post("tickets", {"title": "x", "service": "Chekout"}, 400)
    assert problem["type"] == "invalid"
    assert list(problem["errors"]) == ["service"]


def test_every_wrong_field_is_named(as_technician):
    body = {"title": "", "impact": 9, "urgency": "high", "kind": "quarrel", "assignee": "nobody@example.org"}
    problem = as_technician.post("tickets", body, 400)
    assert set(problem["errors"]) == {"title", "impact", "urgency", "kind", "assignee"}
    assert all(isinstance(texts, list) and texts for texts in problem["errors"].values())


def test_the_life_of_a_ticket(as_technician, technician, ticket):
    path = f"tickets/{ticket['ref']}"
    assert as_technician.post(f"{path}/acknowledge")["acknowledged_by"] == technician.email
    assert as_technician.post(f"{path}/assign", {"assignee": technician.email})["status"] == "assigned"
    assert as_technician.patch(path, {"status": "in_progress"})["status"] == "in_progress"
    assert as_technician.post(f"{path}/hold", {}, 400)["errors"].keys() == {"reason"}
    held = as_technician.post(f"{path}/hold", {"reason": "Waits for the supplier"})
    assert (held["status"], held["hold_reason"]) == ("on_hold", "Waits for the supplier")
    assert as_technician.post(f"{path}/resolve", {"resolution": "Card gateway restarted"})["status"] == "resolved"
    assert as_technician.post(f"{path}/reopen", {"reason": "Still failing"})["status"] == "in_progress"
    as_technician.post(f"{path}/resolve", {"resolution": "Second gateway restarted"})
    assert as_technician.post(f"{path}/close")["status"] == "closed"
    assert as_technician.post(f"{path}/hold", {"reason": "x"}, 409)["type"] == "wrong_stage"


def test_a_ticket_is_escalated_by_skill_and_up_the_line(as_technician, engineer, ticket):
    path = f"tickets/{ticket['ref']}/escalate"
    escalated = as_technician.post(path, {"kind": "functional", "to": engineer.email, "reason": "Needs a developer"})
    assert escalated["assignee"] == engineer.email
    unknown = {"kind": "functional", "to": "nobody@x.org", "reason": "x"}
    assert as_technician.post(path, unknown, 400)["errors"].keys() == {"to"}
    assert as_technician.post(path, {"kind": "sideways", "reason": "x"}, 400)["errors"].keys() == {"kind"}


def test_a_technician_proposes_a_candidate(as_technician, ticket):
    body = {"reason": "Nobody can pay", "business_impact": "All revenue"}
    candidate = as_technician.post(f"tickets/{ticket['ref']}/propose", body)
    assert candidate["ref"].startswith("CAN-")
    assert candidate["tickets"] == [ticket["ref"]]
    assert as_technician.get(f"candidates/{candidate['ref']}") == candidate
    assert as_technician.get(f"tickets/{ticket['ref']}")["candidate"] == candidate["ref"]


def test_requesters_see_their_own_tickets_and_public_comments_only(as_technician, as_requester, requester, ticket):
    own = as_requester.post("tickets", {"title": "My basket is empty", "channel": "portal"}, 201)
    assert own["requester"] == requester.email
    assert [row["ref"] for row in as_requester.get("tickets")["results"]] == [own["ref"]]
    as_requester.get(f"tickets/{ticket['ref']}", 404)
    as_technician.post(f"tickets/{own['ref']}/comments", {"text": "internal guess"}, 201)
    as_technician.post(f"tickets/{own['ref']}/comments", {"text": "We look into it", "public": True}, 201)
    seen = as_requester.get(f"tickets/{own['ref']}/comments")["results"]
    assert [row["text"] for row in seen] == ["We look into it"]
    refusal = as_requester.post(f"tickets/{own['ref']}/hold", {"reason": "x"}, 403)
    assert refusal["type"] == "not_allowed"
    assert "who_may" in refusal


def test_files_are_attached_and_come_back_as_downloads(as_technician, ticket):
    path = f"tickets/{ticket['ref']}/attachments"
    upload = {"file": SimpleUploadedFile("screen.html", b"<script>alert(1)</script>")}
    response = as_technician.client.post(f"/api/v1/{path}", upload, headers=as_technician.headers)
    assert response.status_code == 201, response.content
    kept = response.json()
    assert as_technician.get(path)["results"] == [kept]
    file = as_technician.ask("GET", f"{path}/{kept['id']}")
    assert b"".join(file.streaming_content) == b"<script>alert(1)</script>"
    assert file["Content-Disposition"].startswith("attachment")
    assert file["X-Content-Type-Options"] == "nosniff"
    assert as_technician.post(path, {"file": "x"}, 415)["type"] == "unsupported_media_type"


def test_watching_begins_and_ends(as_technician, engineer, ticket):
    path = f"tickets/{ticket['ref']}/watchers"
    assert as_technician.post(path, {"user": engineer.email}, 201)["user"] == engineer.email
    assert [row["user"] for row in as_technician.get(path)["results"]] == [engineer.email]
    as_technician.delete(f"{path}/{engineer.email}")
    assert as_technician.get(path)["results"] == []
    as_technician.delete(f"{path}/{engineer.email}", 404)


def test_lists_are_filtered_ordered_and_searched(as_technician, checkout):
    for number, title in enumerate(["Basket empty", "Payment fails", "Payment slow"]):
        as_technician.post("tickets", {"title": title, "impact": number + 1, "urgency": 1, "kind": "incident"}, 201)
    as_technician.post("tickets", {"title": "New phone", "kind": "service_request", "service": "checkout"}, 201)

    def titles(query):
        return [row["title"] for row in as_technician.get(f"tickets?{query}")["results"]]

    assert titles("kind=service_request") == ["New phone"]
    assert titles("service=Checkout") == ["New phone"]
    assert titles("priority=P1,P2&ordering=title") == ["Basket empty", "Payment fails", "Payment slow"]
    assert titles("search=payment&ordering=-title") == ["Payment slow", "Payment fails"]
    assert titles("assignee=none&status=closed") == []
    for wrong in ("status=burning", "service=unknown", "ordering=password", "reported_after=yesterday", "page_size=0"):
        problem = as_technician.get(f"tickets?{wrong}", 400)
        assert list(problem["errors"]) == [wrong.partition("=")[0]]
