"""Mails of sign-in and invitations: with the act or not at all, tried again, and not kept readable."""

import re
from datetime import timedelta

import pytest
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from incidents.actions.people import invite_person
from incidents.process import AccountRole
from notifications import queued_mail
from notifications.models import QueuedMail
from tests.notifications.conftest import person


@pytest.fixture(autouse=True)
def _the_real_queue(settings, db):
    settings.EMAIL_BACKEND = "notifications.queued_mail.QueueBackend"


def later(**by):
    return timezone.now() + timedelta(**by)


def test_an_invitation_is_queued_with_the_account_and_sent_by_the_worker(smtp):
    admin = person("admin", AccountRole.ADMINISTRATOR)
    invite_person(email="new@shop.example", name="Zoë", roles=["requester"], actor=admin, at=timezone.now())
    assert smtp.mails == []
    assert queued_mail.send_due(at=timezone.now()) == 1
    (mail,) = smtp.to("new@shop.example")
    assert "/accounts/password/reset/key/" in mail.get_content()
    assert queued_mail.send_due(at=later(days=1)) == 0


def test_what_is_rolled_back_is_not_sent():
    with pytest.raises(RuntimeError), transaction.atomic():
        send_mail("Hello", "text", None, ["a@shop.example"])
        raise RuntimeError
    assert not QueuedMail.objects.exists()


def test_a_mail_server_that_is_away_delays_it_and_it_bears_the_same_id(no_smtp, settings):
    send_mail("Hello", "Grüße", None, ["a@shop.example"])
    assert queued_mail.send_due(at=timezone.now()) == 1
    row = QueuedMail.objects.get()
    assert row.sent_at is None and row.reason and row.next_attempt_at > timezone.now()
    assert queued_mail.send_due(at=timezone.now()) == 0, "not due yet"


def test_it_is_given_up_after_a_day_with_the_reason(no_smtp):
    send_mail("Hello", "text", None, ["a@shop.example"])
    queued_mail.send_due(at=later(hours=25))
    row = QueuedMail.objects.get()
    assert row.given_up_at and row.reason and row.sealed == ""


def test_a_link_that_opens_an_account_is_not_readable_in_the_database(smtp, client):
    person("lost")
    client.post("/accounts/password/reset/", {"email": "lost@shop.example"})
    row = QueuedMail.objects.get()
    assert "password" not in row.sealed
    queued_mail.send_due(at=timezone.now())
    assert re.search(r"/accounts/password/reset/key/\S+", smtp.to("lost@shop.example")[0].get_content())
    assert QueuedMail.objects.get().sealed == ""


def test_a_refused_address_does_not_hold_up_the_next(smtp):
    smtp.refuse["bad@shop.example"] = "550 no such mailbox"
    send_mail("Hello", "text", None, ["bad@shop.example"])
    send_mail("Hello", "text", None, ["good@shop.example"])
    assert queued_mail.send_due(at=timezone.now()) == 2
    assert smtp.addresses() == ["good@shop.example"]
    assert "550" in QueuedMail.objects.get(address="bad@shop.example").reason
