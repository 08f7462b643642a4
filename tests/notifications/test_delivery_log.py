"""The delivery log: filtered, exported, sent again; who was told what, when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import updates
from incidents.errors import InUse, Invalid, NotAccountable
from incidents.models import TimelineEvent, User
from incidents.process import AccountRole
from notifications import told_queries
from notifications.models import Delivery
from notifications.resend import resend
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(people, checkout, smtp):
    smtp.refuse["director@shop.example"] = "550 5.1.1 no such mailbox"
    declare(people["manager"], checkout)
    deliver()
    smtp.refuse.clear()
    return Delivery.objects.get(recipient=people["director"], channel="email", moment="declared")


@pytest.mark.django_db(transaction=True)
def test_sent_again_it_is_the_same_row_with_the_same_message_id_and_one_more_attempt(failed, people, smtp):
    assert failed.state == "failed"
    resend(failed.pk, reason="Mailbox was repaired", actor=people["manager"], at=timezone.now())
    deliver()
    again = Delivery.objects.get(pk=failed.pk)
    assert (again.state, again.attempts, again.message_id) == ("delivered", 2, failed.message_id)
    assert (again.resent_by, again.resend_reason) == (people["manager"], "Mailbox was repaired")
    assert smtp.to("director@shop.example")[0]["Message-ID"] == failed.message_id
    assert Delivery.objects.filter(recipient=people["director"], channel="email", moment="declared").count() == 1
    entry = TimelineEvent.objects.get(kind="messages_resent")
    assert (entry.payload["to"], entry.text) == ("Director", "Mailbox was repaired")


@pytest.mark.django_db(transaction=True)
def test_sending_again_is_refused_without_reason_right_or_use(failed, people):
    now = timezone.now()
    with pytest.raises(Invalid, match="Say why"):
        resend(failed.pk, reason=" ", actor=people["manager"], at=now)
    with pytest.raises(NotAccountable):
        resend(failed.pk, reason="x", actor=people["engineer"], at=now)
    arrived = Delivery.objects.get(recipient=people["engineer"], channel="email", moment="declared")
    with pytest.raises(InUse, match="It is delivered"):
        resend(arrived.pk, reason="x", actor=people["manager"], at=now)
    User.objects.filter(pk=people["director"].pk).update(is_active=False)
    with pytest.raises(InUse, match="The account is disabled"):
        resend(failed.pk, reason="x", actor=people["manager"], at=now)
    assert not TimelineEvent.objects.filter(kind="messages_resent").exists()


def test_filters_stand_in_the_address_and_the_export_reads_the_same(people, checkout, client):
    incident = declare(people["manager"], checkout)
    updates.publish_update(incident.pk, texts={"users": "We are on it"}, actor=people["manager"], at=timezone.now())
    client.force_login(people["manager"])
    query = f"?incident={incident.ref}&moment=update&channel=email&recipient=requ&acknowledged=no"
    page = client.get(f"/deliveries/{query}").content.decode()
    assert "requester@shop.example" in page
    assert "director@shop.example" not in page.split("<tbody>")[1]
    lines = b"".join(client.get(f"/deliveries/export/{query}").streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "requester@shop.example" in lines[1]
    future = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "No message matches" in client.get(f"/deliveries/?since={future}").content.decode()


def test_the_matrix_shows_people_and_moments_with_what_became_of_each(people, checkout, client):
    incident = declare(people["manager"], checkout)
    updates.publish_update(incident.pk, texts={"users": "We are on it"}, actor=people["manager"], at=timezone.now())
    told = told_queries.who_was_told(incident)
    moments = [column.moment for column in told.columns]
    assert {"declared", "update"} <= set(moments)
    row = next(row for row in told.rows if row.name == "Director")
    assert row.cells[moments.index("declared")].state == "queued"
    assert row.cells[moments.index("update")] is None
    client.force_login(people["engineer"])
    page = client.get(f"/major-incidents/{incident.ref}/told/people/")
    assert page.status_code == 200
    client.force_login(people["stakeholder"])
    assert client.get(f"/major-incidents/{incident.ref}/told/people/").status_code == 403


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_the_matrix_and_the_card_ask_as_little_for_a_thousand_as_for_one(
    size, people, checkout, client, django_assert_max_num_queries
):
    incident = declare(people["manager"], checkout)
    event = TimelineEvent.objects.filter(incident=incident, kind="declared").get()
    now = timezone.now()
    crowd = User.objects.bulk_create(
        User(email=f"u{number}@shop.example", name=f"U {number}") for number in range(size)
    )
    Delivery.objects.bulk_create(
        Delivery(
            event=event, incident=incident, recipient=one, address=one.email, channel="email", moment="declared",
            audience="users", audiences=["users"], message_id=f"<{one.pk}@x>", state="delivered", delivered_at=now,
            queued_at=now, next_attempt_at=now, valid_until=now,
        )
        for one in crowd
    )  # fmt: skip
    with django_assert_max_num_queries(4):
        told = told_queries.who_was_told(incident, audience="users")
    assert len(told.rows) == min(size + 1, 50)
    assert bool(told.next_cursor) == (size > 50)
    client.force_login(people["manager"])
    with django_assert_max_num_queries(16):
        client.get(f"/major-incidents/{incident.ref}/told/")
    with django_assert_max_num_queries(14):
        names = client.get(f"/major-incidents/{incident.ref}/told/users/").content.decode()
    assert f"Told ({size})" in names


def test_the_api_filters_resends_and_tells_outsiders_nothing(failed, people, client):
    from tests.notifications.test_previews import api

    person("desk", AccountRole.SERVICE_DESK_MANAGER)
    [row] = api(client, people["manager"], "deliveries?state=failed&acknowledged=false").json()["results"]
    assert row["id"] == failed.pk
    assert row["acknowledge_by"] is not None
    path = f"deliveries/{failed.pk}/resend"
    assert api(client, people["requester"], path, {"reason": "x"}).status_code == 404
    assert api(client, people["engineer"], path, {"reason": "x"}).status_code == 403
    assert api(client, people["manager"], path, {}).json()["errors"]["reason"]
    again = api(client, people["manager"], path, {"reason": "Repaired"})
    assert (again.status_code, again.json()["state"], again.json()["message_id"]) == (200, "queued", failed.message_id)
    assert api(client, people["manager"], path, {"reason": "Repaired"}).json()["type"] == "conflict"
