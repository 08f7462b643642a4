"""The outbox is emptied over real SMTP, and what happens when that does not work."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import response, seats
from incidents.models import AudienceMembership
from incidents.process import AccountRole, Audience
from notifications import delivery, evidence
from notifications.channels import registry
from notifications.models import Delivery, Notice
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db


def step(incident, key):
    return incident.steps.get(key=key)


def test_a_message_goes_out_over_smtp_and_the_servers_answer_is_kept(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    row = Delivery.objects.get(incident=incident, moment="declared", address="engineer@shop.example")
    assert (row.state, row.answer, row.attempts) == ("delivered", "250 2.0.0 queued as SINK", 1)
    assert row.delivered_at is not None
    mail = smtp.to("engineer@shop.example")[0]
    assert mail["Message-ID"] == row.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Reply-To"]
    assert mail.get_body(("plain",)) is not None
    assert mail.get_body(("html",)) is not None


def test_nothing_is_sent_twice_when_the_sweep_runs_again(people, checkout, smtp):
    declare(people["manager"], checkout)
    deliver()
    deliver()
    assert Delivery.objects.exclude(state="delivered").count() == 0
    before = len(smtp.mails)
    deliver()
    assert len(smtp.mails) == before
    assert len({mail["Message-ID"] for _, mail in smtp.mails}) == before


def test_inform_has_its_evidence_as_soon_as_the_mails_are_accepted(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    done = step(incident, "inform")
    assert done.state == "done"
    assert done.evidence["audiences"]["technical"] == {"told": 2, "of": 2}
    assert done.evidence["audiences"]["users"] == {"told": 1, "of": 1}


def test_inform_waits_while_the_mail_server_is_dead_and_is_done_when_it_is_back(people, checkout, smtp, settings):
    working = settings.EMAIL_PORT
    settings.EMAIL_PORT = 9
    incident = declare(people["manager"], checkout)
    deliver()
    row = Delivery.objects.get(moment="declared", address="director@shop.example", channel="email")
    assert row.state == "queued"
    assert row.reason.startswith("The mail server cannot be reached")
    assert row.next_attempt_at > timezone.now()
    assert step(incident, "inform").state == "open"
    assert "Management: 0 of 1 told." in step(incident, "inform").missing
    settings.EMAIL_PORT = working
    deliver()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("delivered", "")
    assert step(incident, "inform").state == "done"


def test_an_address_that_is_refused_for_good_fails_with_the_servers_reason(people, checkout, smtp):
    smtp.refuse["director@shop.example"] = "550 5.1.1 no such mailbox"
    incident = declare(people["manager"], checkout)
    deliver()
    row = Delivery.objects.get(moment="declared", address="director@shop.example", channel="email")
    assert (row.state, row.reason) == ("failed", "550 5.1.1 no such mailbox")
    assert step(incident, "inform").missing == ["Management: 0 of 1 told."]
    assert len(smtp.to("engineer@shop.example")) == 1


def test_an_address_that_is_refused_for_now_is_tried_again(people, checkout, smtp):
    smtp.refuse["director@shop.example"] = "451 4.7.1 greylisted, come back"
    declare(people["manager"], checkout)
    deliver()
    row = Delivery.objects.get(moment="declared", address="director@shop.example", channel="email")
    assert (row.state, row.reason) == ("queued", "451 4.7.1 greylisted, come back")
    smtp.refuse.clear()
    deliver()
    row.refresh_from_db()
    assert row.state == "delivered"
    assert row.attempts == 2


def test_the_declarer_alone_is_not_an_informed_audience(manager, director, stakeholder, requester, checkout, smtp):
    incident = declare(manager, checkout)
    deliver()
    assert step(incident, "inform").missing == ["Technical team: only the person who declared has been told."]


def test_an_audience_that_is_empty_on_purpose_is_not_waited_for(manager, engineer, director, requester, checkout, smtp):
    incident = declare(manager, checkout)
    deliver()
    assert step(incident, "inform").state == "open"
    AudienceMembership.objects.create(audience=Audience.KEY_STAKEHOLDERS, empty_reason="The shop has no departments")
    evidence.report_outstanding()
    done = step(incident, "inform")
    assert done.state == "done"
    assert done.evidence["audiences"]["key_stakeholders"]["empty_reason"] == "The shop has no departments"


def test_a_merged_message_counts_for_all_its_audiences(manager, engineer, checkout, smtp):
    person("owner", AccountRole.MANAGEMENT, AccountRole.KEY_STAKEHOLDER, AccountRole.REQUESTER)
    incident = declare(manager, checkout)
    deliver()
    assert len(smtp.to("owner@shop.example")) == 1 + 1  # declared, and the step that this completed
    assert step(incident, "inform").state == "done"


def test_a_notice_in_the_product_is_no_evidence_for_somebody_with_an_address(people, checkout, no_smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    assert Notice.objects.filter(user=people["director"]).exists()
    assert step(incident, "inform").state == "open"


def test_the_bridge_has_its_evidence_when_another_accepted_seat_got_the_invitation(people, checkout, smtp):
    manager, engineer, now = people["manager"], people["engineer"], timezone.now()
    incident = declare(manager, checkout)
    response.set_bridge(incident.pk, join_url="https://meet.example/mi", actor=manager, at=timezone.now())
    deliver()
    assert step(incident, "bridge").missing
    seat = seats.invite(incident.pk, role="technical_staff", user=engineer, actor=manager, at=now)
    seats.accept(seat.pk, actor=engineer, at=timezone.now())
    deliver()
    done = step(incident, "bridge")
    assert done.evidence["invitation_delivered_to"] == ["engineer@shop.example", "manager@shop.example"]
    assert done.missing == []
    assert "https://meet.example/mi" in smtp.to("engineer@shop.example")[-1].get_body(("plain",)).get_content()


def test_an_invitation_that_was_answered_meanwhile_is_not_sent(people, checkout, smtp):
    manager, engineer = people["manager"], people["engineer"]
    incident = declare(manager, checkout)
    seat = seats.invite(incident.pk, role="technical_staff", user=engineer, actor=manager, at=timezone.now())
    seats.accept(seat.pk, actor=engineer, at=timezone.now())
    deliver()
    row = Delivery.objects.get(moment="seat_invited", channel="email")
    assert (row.state, row.reason) == ("suppressed", "The invitation was answered or taken back.")


def test_a_message_is_not_sent_after_it_stopped_being_of_use(people, checkout, smtp):
    declare(people["manager"], checkout)
    Delivery.objects.update(valid_until=timezone.now() - timedelta(minutes=1))
    deliver()
    assert smtp.mails == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"suppressed"}


def test_a_message_that_could_not_be_sent_in_time_failed_and_says_why(people, checkout, no_smtp):
    declare(people["manager"], checkout)
    deliver()
    Delivery.objects.update(valid_until=timezone.now() - timedelta(minutes=1))
    deliver()
    row = Delivery.objects.get(moment="declared", address="director@shop.example", channel="email")
    assert row.state == "failed"
    assert row.reason.startswith("Given up after 1 attempts: The mail server cannot be reached")


def test_rows_of_a_worker_that_died_are_taken_over_when_its_lease_ends(people, checkout, smtp):
    declare(people["manager"], checkout)
    channel = registry()["email"]
    now = timezone.now()
    dead = delivery.claim(channel, now=now, lease=uuid.uuid4())
    assert len(dead) == 5
    assert delivery.claim(channel, now=now + timedelta(seconds=1), lease=uuid.uuid4()) == []
    taken = delivery.claim(channel, now=now + delivery.LEASE, lease=uuid.uuid4())
    assert {row.pk for row in taken} == {row.pk for row in dead}
    assert {row.message_id for row in taken} == {row.message_id for row in dead}


def test_two_workers_never_send_by_mail_at_the_same_time(people, checkout, smtp):
    declare(people["manager"], checkout)
    channel = registry()["email"]
    channel.batch = 2
    assert len(delivery.claim(channel, now=timezone.now(), lease=uuid.uuid4())) == 2
    assert delivery.claim(channel, now=timezone.now(), lease=uuid.uuid4()) == []


def test_retries_wait_longer_each_time_and_never_longer_than_ten_minutes():
    waits = [delivery.retry_after(attempt).total_seconds() for attempt in range(1, 20)]
    assert 2.5 <= waits[0] <= 5
    assert 5 <= waits[1] <= 10
    assert max(waits) <= 600


def test_the_inbox_gets_one_notice_per_event_and_person(people, checkout, smtp):
    declare(people["manager"], checkout)
    deliver()
    Delivery.objects.filter(channel="in_app").update(state="queued", delivered_at=None)
    deliver()
    notices = Notice.objects.filter(user=people["stakeholder"])
    assert [notice.title for notice in notices] == ["Major disruption of Checkout"]
