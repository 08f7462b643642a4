"""What comes back after a message has left: receipts of providers, acknowledgements of people."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import receipts
from notifications.models import Delivery
from tests.notifications.conftest import declare, deliver

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_acknowledgement_counts_on_every_channel_of_the_person_and_once(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    mail = Delivery.objects.get(incident=incident, recipient=people["director"], channel="email", moment="declared")
    at = timezone.now()
    assert receipts.acknowledge(mail, people["director"], at, "link in the mail")
    assert not receipts.acknowledge(mail, people["director"], at + timedelta(minutes=1), "button in the inbox")
    rows = Delivery.objects.filter(incident=incident, recipient=people["director"], moment="declared")
    assert set(rows.values_list("channel", "acknowledged_at", "acknowledged_how")) == {
        ("email", at, "link in the mail"),
        ("in_app", at, "link in the mail"),
    }
    assert not Delivery.objects.filter(acknowledged_at__isnull=False).exclude(recipient=people["director"]).exists()


def test_a_receipt_is_kept_the_newest_wins_and_a_failure_shows(people, checkout, smtp):
    declare(people["manager"], checkout)
    deliver()
    row = Delivery.objects.filter(recipient=people["director"], channel="email", moment="declared").get()
    Delivery.objects.filter(pk=row.pk).update(provider_id="SM123")
    now = timezone.now()
    assert receipts.receive("SM123", said="delivered to handset", at=now) == row
    receipts.receive("SM123", said="sent to carrier", at=now - timedelta(seconds=5))
    row.refresh_from_db()
    assert (row.receipt, row.receipt_at, row.state) == ("delivered to handset", now, "delivered")
    receipts.receive(row.message_id, said="mailbox full", at=now + timedelta(seconds=9), has_failed=True)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "Accepted, but not delivered: mailbox full")
    assert receipts.receive("SM999", said="delivered", at=now) is None
