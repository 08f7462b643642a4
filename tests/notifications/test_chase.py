"""A missing acknowledgement is asked for once more, then reported; it stops for whoever answers or acts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import response, seats
from incidents.process import AccountRole
from notifications import acknowledge_links, chase
from notifications.models import Delivery
from notifications.queries import told_by_audience
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def declared(people, checkout, smtp):
    person("desk", AccountRole.SERVICE_DESK_MANAGER)
    person("second", AccountRole.TECHNICAL_STAFF)
    incident = declare(people["manager"], checkout)
    deliver()
    return incident


def heard(moment: str) -> set[str]:
    return set(Delivery.objects.filter(moment=moment, channel="email").values_list("address", flat=True))


def later(minutes: float):
    return timezone.now() + timedelta(minutes=minutes)


def test_asked_again_once_then_reported_once_and_the_declarer_never(declared):
    assert chase.sweep(now=later(14)) == 0
    assert chase.sweep(now=later(16)) == 3
    assert heard("acknowledgement_reminded") == {
        "director@shop.example",
        "engineer@shop.example",
        "second@shop.example",
    }
    assert chase.sweep(now=later(20)) == 0
    assert chase.sweep(now=later(27)) == 3
    assert heard("acknowledgement_missing") == {"desk@shop.example"}
    assert chase.sweep(now=later(60)) == 0
    entry = declared.events.get(kind="acknowledgement_missing")
    assert sorted(entry.payload["people"]) == ["Director", "Engineer", "Second"]


def test_it_stops_for_whoever_acknowledged_and_for_whoever_acted(declared, people, client):
    link = Delivery.objects.get(recipient=people["director"], channel="email", moment="declared")
    path = f"/acknowledge/{acknowledge_links.secret_of(link)}/"
    assert "I have read it" in client.get(path).content.decode()
    assert Delivery.objects.filter(acknowledged_at__isnull=False).count() == 0, "a look acknowledges nothing"
    assert "Acknowledged" in client.post(path).content.decode()
    seat = seats.invite(
        declared.pk, role="technical_staff", user=people["engineer"], guest_email="", message="",
        actor=people["manager"], at=timezone.now(),
    )  # fmt: skip
    seats.accept(seat.pk, actor=people["engineer"], at=timezone.now())
    response.post_note(declared.pk, text="On it", actor=people["engineer"], at=timezone.now())
    assert chase.sweep(now=later(16)) == 1
    assert heard("acknowledgement_reminded") == {"second@shop.example"}
    told = {row.audience: (row.acknowledged, row.to_acknowledge) for row in told_by_audience(declared)}
    assert told["management"] == (1, 1)
    engineer = Delivery.objects.filter(recipient=people["engineer"], moment="declared")
    assert set(engineer.values_list("acknowledged_how", flat=True)) == {"acted on the incident"}
    deliver()
    assert chase.sweep(now=later(18)) == 0


def test_the_mail_bears_each_persons_own_link_and_only_where_it_is_asked_for(declared, people, smtp):
    def mail(name):
        return smtp.to(f"{name}@shop.example")[0].get_body(("plain",)).get_content()

    assert "/acknowledge/" in mail("director")
    assert mail("director") != mail("engineer")
    assert "/acknowledge/" not in mail("requester") + mail("stakeholder") + mail("manager")


def test_the_button_of_the_inbox_is_only_for_the_person_addressed(declared, people, client):
    row = Delivery.objects.get(recipient=people["director"], channel="in_app", moment="declared")
    client.force_login(people["engineer"])
    assert client.post(f"/deliveries/{row.pk}/acknowledge/").status_code == 404
    client.force_login(people["director"])
    assert "Acknowledge<" in client.get("/inbox/").content.decode()
    assert client.get(f"/deliveries/{row.pk}/acknowledge/").status_code == 405
    assert client.post(f"/deliveries/{row.pk}/acknowledge/").status_code == 302
    assert "Acknowledged" in client.get("/inbox/").content.decode()
    assert Delivery.objects.get(pk=row.pk).acknowledged_by == people["director"]


def test_a_lesser_incident_asks_nobody(people, checkout):
    declare(people["manager"], checkout, urgency=2)
    assert chase.sweep(now=later(60)) == 0
