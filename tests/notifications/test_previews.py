"""A preview says what would happen and writes nothing."""

import pytest
from django.utils import timezone

from incidents.actions import tickets
from incidents.models import ApiKey, MajorIncident, TimelineEvent
from incidents.process import AccountRole
from notifications import preview
from notifications.models import Delivery
from tests.notifications.conftest import declare, person

pytestmark = pytest.mark.django_db
BODY = {"title": "Checkout answers 502", "services": ["checkout"], "impact": 1, "urgency": 1}


def api(client, user, path, body=None, scopes=("read", "write", "declare")):
    _, secret = ApiKey.issue(user, name="test", scopes=list(scopes))
    headers = {"authorization": f"Bearer {secret}"}
    if body is None:
        return client.get(f"/api/v1/{path}", headers=headers)
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def test_the_preview_of_a_declaration_names_audiences_words_clocks_and_tickets(people, checkout, client):
    ticket = tickets.open_ticket(
        title="I cannot pay", channel="hotline", actor=people["manager"], at=timezone.now(), service=checkout
    )
    before = TimelineEvent.objects.count()
    answer = api(client, people["manager"], "major-incidents/preview", {**BODY, "tickets": [ticket.ref]})
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert said["severity"] == "SEV1"
    assert [one["audience"] for one in said["audiences"]] == ["technical", "management", "key_stakeholders", "users"]
    technical, management, *_ = said["audiences"]
    assert technical["recipients"] == ["manager@shop.example", "engineer@shop.example"]
    assert management["recipients"] == ["director@shop.example"]
    assert management["channels"] == ["email", "in_app"]
    assert "Checkout" in management["text"]
    assert said["recipient_count"] == 5
    assert [one["ref"] for one in said["tickets"]] == [ticket.ref]
    assert said["clocks"]["reported_at"] is not None
    assert said["clocks"]["started_at"] is None
    assert MajorIncident.objects.count() == 0
    assert TimelineEvent.objects.count() == before
    assert not Delivery.objects.filter(moment="declared").exists()


def test_the_preview_tells_the_same_people_as_the_declaration(people, checkout):
    person("many", AccountRole.MANAGEMENT, AccountRole.REQUESTER)
    fields = {"title": "Checkout answers 502", "impact": 1, "urgency": 1, "services": [checkout]}
    shown = preview.of_declaration(actor=people["manager"], at=timezone.now(), **fields)
    incident = declare(people["manager"], checkout)
    told = Delivery.objects.filter(incident=incident, moment="declared", channel="email")
    assert shown.recipient_count == told.count()
    for audience in shown.audiences:
        counted = told.filter(audiences__contains=[audience.audience]).values_list("address", flat=True)
        assert sorted(audience.recipients) == sorted(counted)


def test_the_preview_of_a_drill_reaches_only_who_would_be_seated(people, checkout, client):
    said = api(client, people["manager"], "major-incidents/preview", {**BODY, "is_drill": True}).json()
    assert said["recipient_count"] == 1
    assert said["audiences"][0]["subject"].startswith("DRILL: ")


def test_the_preview_warns_of_an_audience_without_people(manager, engineer, checkout):
    shown = preview.of_declaration(actor=manager, at=timezone.now(), title="Down", impact=1, urgency=1)
    assert "Management: nobody belongs to it, so it cannot be informed." in shown.warnings


def test_the_preview_refuses_what_declaring_refuses(people, checkout, client):
    late, early = "2026-01-01T10:00:00Z", "2026-01-01T09:00:00Z"
    reversed_clocks = {**BODY, "started_at": late, "detected_at": early}
    answer = api(client, people["manager"], "major-incidents/preview", reversed_clocks)
    assert (answer.status_code, answer.json()["type"]) == (409, "clock_order")
    answer = api(client, people["manager"], "major-incidents/preview", {"title": ""})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"title", "impact", "urgency"}


def test_only_who_may_declare_may_preview_a_declaration(people, checkout, client):
    answer = api(client, people["engineer"], "major-incidents/preview", BODY)
    assert answer.status_code == 403
    assert answer.json()["who_may"] == ["manager@shop.example"]


def test_the_preview_of_an_update_shows_each_audience_its_text(people, checkout, client):
    incident = declare(people["manager"], checkout)
    body = {"texts": {"users": "We are on it.", "management": "Rolling back."}}
    answer = api(client, people["manager"], f"major-incidents/{incident.ref}/updates/preview", body)
    assert answer.status_code == 200, answer.content
    said = {one["audience"]: one for one in answer.json()["audiences"]}
    assert set(said) == {"users", "management"}
    assert "We are on it." in said["users"]["text"]
    assert "Rolling back." in said["management"]["text"]
    assert not Delivery.objects.filter(moment="update").exists()


def test_an_update_without_words_is_refused_by_field(people, checkout, client):
    incident = declare(people["manager"], checkout)
    path = f"major-incidents/{incident.ref}/updates/preview"
    assert api(client, people["manager"], path, {}).json()["errors"]["text"]
    assert api(client, people["manager"], path, {"texts": {"friends": "Hello"}}).json()["errors"]["texts"]
    assert api(client, people["requester"], path, {"text": "Hello"}).status_code == 404


def test_the_list_of_deliveries_is_filtered_and_says_what_became_of_each(people, checkout, client):
    incident = declare(people["manager"], checkout)
    path = f"deliveries?major_incident={incident.ref}&audience=management&channel=email"
    [row] = api(client, people["manager"], path).json()["results"]
    assert row["recipient"] == "director@shop.example"
    assert (row["state"], row["attempts"], row["major_incident"]) == ("queued", 0, incident.ref)
    assert row["audiences"] == ["management"]
    by_person = api(client, people["manager"], "deliveries?recipient=director@shop.example").json()["results"]
    assert {one["channel"] for one in by_person} == {"email", "in_app"}
    assert api(client, people["manager"], "deliveries?state=nonsense").status_code == 400


def test_a_requester_sees_only_messages_to_themselves(people, checkout, client):
    declare(people["manager"], checkout)
    rows = api(client, people["requester"], "deliveries").json()["results"]
    assert {one["recipient"] for one in rows} == {"requester@shop.example"}
