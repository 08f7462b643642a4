"""Inbox, messages, caught mail, the status page and the slots of other pages."""

import time
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents.actions import major_incidents, updates
from incidents.process import AccountRole
from notifications.models import Delivery, Notice
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(db):
    return person("administrator", AccountRole.ADMINISTRATOR)


def signed_in(client, user):
    client.force_login(user)
    return client


def test_the_inbox_shows_what_one_person_was_told_and_nothing_of_others(people, checkout, client, no_smtp):
    declare(people["manager"], checkout)
    deliver()
    page = signed_in(client, people["stakeholder"]).get("/inbox/").content.decode()
    assert "Major disruption of Checkout" in page
    assert "SEV1 declared" not in page


def test_the_badge_counts_unread_notices_and_goes_away_when_they_are_read(people, checkout, client, no_smtp):
    declare(people["manager"], checkout)
    deliver()
    signed_in(client, people["director"])
    assert client.get(reverse("inbox_count")).content.startswith(b"1<")
    client.post(reverse("inbox_read_all"))
    assert client.get(reverse("inbox_count")).content == b""


def test_opening_a_notice_reads_it_and_leads_to_its_incident(people, checkout, client, no_smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    notice = Notice.objects.get(user=people["director"])
    answer = signed_in(client, people["director"]).post(reverse("notice_open", args=[notice.pk]))
    assert answer["Location"] == f"/major-incidents/{incident.ref}/"
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_nobody_opens_the_notice_of_somebody_else(people, checkout, client, no_smtp):
    declare(people["manager"], checkout)
    deliver()
    notice = Notice.objects.get(user=people["director"])
    assert signed_in(client, people["engineer"]).post(reverse("notice_open", args=[notice.pk])).status_code == 404


def test_the_slot_of_the_war_room_says_n_of_m_told_and_why_something_failed(people, checkout, client, smtp):
    smtp.refuse["director@shop.example"] = "550 no such mailbox"
    incident = declare(people["manager"], checkout)
    deliver()
    page = (
        signed_in(client, people["manager"]).get(reverse("incident_deliveries", args=[incident.ref])).content.decode()
    )
    assert "2 of 2 told" in page
    assert "0 of 1 told" in page
    assert "550 no such mailbox" in page
    assert "Next due" in page


def test_a_key_stakeholder_sees_counts_but_no_names(people, checkout, client, smtp):
    smtp.refuse["director@shop.example"] = "550 no such mailbox"
    incident = declare(people["manager"], checkout)
    deliver()
    signed_in(client, people["stakeholder"])
    page = client.get(reverse("incident_deliveries", args=[incident.ref])).content.decode()
    assert "0 of 1 told" in page
    assert "no such mailbox" not in page


def test_somebody_who_may_not_see_the_incident_gets_no_slot(people, checkout, client):
    incident = declare(people["manager"], checkout)
    url = reverse("incident_deliveries", args=[incident.ref])
    assert signed_in(client, people["requester"]).get(url).status_code == 404
    client.logout()
    assert client.get(url).status_code == 302


def test_messages_are_listed_and_one_opens_with_its_words(people, checkout, client, smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    signed_in(client, people["manager"])
    page = client.get(f"/deliveries/?incident={incident.ref}&audience=users&state=delivered").content.decode()
    assert "requester@shop.example" in page
    assert "director@shop.example" not in page
    row = Delivery.objects.get(moment="declared", channel="email", recipient=people["requester"])
    assert "You do not need to do anything" in client.get(f"/deliveries/{row.pk}/").content.decode()
    assert "A reference looks like MI-12." in client.get("/deliveries/?incident=nonsense").content.decode()


def test_the_list_costs_the_same_queries_for_few_and_for_many(people, checkout, client, no_smtp):
    incident = declare(people["manager"], checkout)
    signed_in(client, people["manager"])
    deliver()
    urls = ["/deliveries/", "/inbox/", reverse("incident_deliveries", args=[incident.ref]), "/status/"]

    def cost(url):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    for url in urls:
        cost(url)
    few = [cost(url) for url in urls]
    for number in range(20):
        person(f"extra{number}", AccountRole.REQUESTER)
    for _ in range(3):
        declare(people["manager"], checkout)
    deliver()
    assert [cost(url) for url in urls] == few


def test_the_status_page_shows_public_updates_and_nothing_internal(people, checkout, client):
    incident = declare(people["manager"], checkout, title="SECRET-TITLE", description="SECRET-TEXT")
    updates.publish_update(
        incident.pk,
        texts={"technical": "SECRET-UPDATE", "users": "We are working on it."},
        actor=people["manager"],
        at=timezone.now(),
    )
    page = client.get("/status/").content.decode()
    assert "Disruption of Checkout" in page
    assert "We are working on it." in page
    for secret in ("SECRET", incident.ref, "SEV1", "manager@shop.example"):
        assert secret not in page


def test_drills_and_false_alarms_never_reach_the_status_page(people, checkout, client):
    drill = declare(people["manager"], checkout, is_drill=True)
    updates.publish_update(drill.pk, texts={"users": "DRILLTEXT"}, actor=people["manager"], at=timezone.now())
    alarm = declare(people["manager"], checkout)
    updates.publish_update(alarm.pk, texts={"users": "ALARMTEXT"}, actor=people["manager"], at=timezone.now())
    major_incidents.stand_down(alarm.pk, reason="False alarm", actor=people["manager"], at=timezone.now())
    page = client.get("/status/").content.decode()
    assert "DRILLTEXT" not in page
    assert "ALARMTEXT" not in page
    assert "All services work as usual." in page


def caught(folder: Path, subject: str) -> str:
    name = f"{time.time_ns():020d}-abcdef12"
    body = f"Subject: {subject}\r\nTo: a@shop.example\r\n\r\n<script>alert(1)</script> hello\r\n"
    (folder / f"{name}.eml").write_text(f"X-Envelope-To: a@shop.example\r\n{body}")
    return name


def test_an_administrator_reads_caught_mails_as_text(administrator, client, settings, tmp_path):
    settings.MAIL_CATCHER_DIR = str(tmp_path)
    name = caught(tmp_path, "Welcome")
    signed_in(client, administrator)
    assert "Welcome" in client.get("/mail/").content.decode()
    page = client.get(f"/mail/{name}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert client.get("/mail/00000000000000000001-ab/").status_code == 404


def test_a_mail_with_broken_bytes_is_still_shown(administrator, client, settings, tmp_path):
    settings.MAIL_CATCHER_DIR = str(tmp_path)
    broken = b"Subject: =?nonsense?b?\xff\xfe?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe odd\r\n"
    (tmp_path / "00000000000000000007-aa.eml").write_bytes(broken)
    signed_in(client, administrator)
    assert client.get("/mail/").status_code == 200
    assert "odd" in client.get("/mail/00000000000000000007-aa/").content.decode()


def test_nobody_else_reads_caught_mails(people, client, settings, tmp_path):
    settings.MAIL_CATCHER_DIR = str(tmp_path)
    assert client.get("/mail/").status_code == 302
    assert signed_in(client, people["manager"]).get("/mail/").status_code == 403


def test_the_declare_dialog_previews_what_was_typed_so_far(people, checkout, client):
    body = {"title": "Down", "services": [checkout.pk], "impact": "1", "urgency": "1", "tickets": "INC-999, nonsense"}
    answer = signed_in(client, people["manager"]).post(reverse("declare_preview"), body)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "5 people are told" in page
    assert "Disruption: Checkout" in page
    half_typed = {**body, "title": "", "users_affected": "many", "started_at": "nonsense"}
    assert client.post(reverse("declare_preview"), half_typed).status_code == 200
    assert signed_in(client, people["engineer"]).post(reverse("declare_preview"), body).status_code == 403


def test_the_update_dialog_previews_its_audiences(people, checkout, client):
    incident = declare(people["manager"], checkout)
    url = reverse("update_preview", args=[incident.ref])
    page = signed_in(client, people["manager"]).post(url, {"text": "On it.", "audiences": ["users"]}).content.decode()
    assert "1 person is told" in page
    own = {"text": "For all", "text_users": "For users", "audiences": ["users", "management"], "next_in": "30"}
    page = client.post(url, own).content.decode()
    assert "For users" in page
    assert "For all" in page
    assert "Next update: by" in page
    empty = client.post(url, {"text": " ", "audiences": ["users"]})
    assert empty.status_code == 200  # nothing is wrong before a word is written
    assert "appears here" in empty.content.decode()
