"""Who gets a ticket for which topics."""

import pytest

from mim import live_ticket
from tests import factories


def test_topics_are_cut_to_what_can_be_one():
    assert live_ticket.asked_topics("MI-12, desk,desk,MI-12,../x,MI-,*,user-5") == ["MI-12", "desk", "user-5"]
    assert len(live_ticket.asked_topics(",".join(f"MI-{n}" for n in range(500)))) == live_ticket.MOST_TOPICS


@pytest.mark.django_db
def test_a_ticket_names_the_person_and_only_the_topics_that_person_may_follow(client):
    technician = factories.person("service_desk_technician", name="Theo")
    client.force_login(technician)
    answer = client.get("/live-ticket/", {"topics": f"desk,user-{technician.pk},user-{technician.pk + 1}"})
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    content = answer.json()
    assert content["topics"] == ["desk", f"user-{technician.pk}"]
    assert content["url"].endswith("/live/")
    read = live_ticket.read(content["ticket"])
    assert read == {"user": technician.pk, "topics": content["topics"]}


@pytest.mark.django_db
def test_a_requester_may_not_follow_the_desk(client):
    client.force_login(factories.person("requester", name="Rita"))
    answer = client.get("/live-ticket/", {"topics": "desk"})
    assert answer.status_code == 403 and answer.json()["type"] == "forbidden"


@pytest.mark.django_db
def test_nobody_gets_no_ticket(client):
    assert client.get("/live-ticket/", {"topics": "desk"}).status_code == 401
    assert client.post("/live-ticket/", {"topics": "desk"}).status_code == 405
