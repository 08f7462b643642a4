"""Two autoresponders talk for ten minutes: at most one answer and one ticket, whatever the other one's manners."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from incidents.actions.mail import Came
from incidents.intake.email.process import process_due
from incidents.intake.email.store import keep
from incidents.models import InboundMail, Ticket
from notifications.models import Delivery
from tests.incidents.mail.mails import mail
from tests.notifications.conftest import deliver, smtp  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
AWAY = "away@customer.example"
STYLES = {
    "by the book": ({"Auto_Submitted": "auto-replied"}, ""),
    "exchange": ({"Auto_Submitted": "auto-generated", "X_Auto_Response_Suppress": "All"}, ""),
    "vacation with precedence": ({"Precedence": "bulk"}, ""),
    "by its subject alone": ({}, "Out of Office: "),
    "without any manners, but with the thread": ({}, "Re: "),
}


def reply(sent, number: int, headers: dict[str, str], prefix: str) -> tuple[bytes, str]:
    """What the other side's program answers to one of our mails, and to which address."""
    to = sent["Reply-To"].addresses[0].addr_spec
    said = {
        "From": AWAY, "To": to, "Subject": f"{prefix}{sent['Subject']}", "In_Reply_To": sent["Message-ID"],
        "References": f"{sent['References'] or ''} {sent['Message-ID']}", "Message_ID": f"<{number}@away>", **headers,
    }  # fmt: skip
    return mail(**said, body="I am away until Monday."), to


@pytest.mark.parametrize("style", STYLES)
def test_two_autoresponders_for_ten_minutes(organisation, smtp, style):  # noqa: F811
    start = timezone.now()
    waiting = [(mail(From=AWAY, Message_ID="<first@away>", body="Cannot pay"), "servicedesk@localhost")]
    read = 0
    for minute in range(10):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            now = timezone.now()
            for raw, to in waiting:
                keep(raw, Came(via="smtp", envelope_from=AWAY, recipients=[to]), at=now)
            process_due(at=now)
            deliver()
            fresh, read = smtp.to(AWAY)[read:], len(smtp.to(AWAY))
            waiting = [reply(one, number + read * 100, *STYLES[style]) for number, one in enumerate(fresh)]
    assert len(smtp.to(AWAY)) <= 1, "answers"
    assert Ticket.objects.count() == 1
    assert InboundMail.objects.exclude(state__in=("ticket", "comment", "ignored")).count() == 0


def test_a_responder_that_changes_its_address_and_keeps_no_thread_is_stopped_by_the_limits(organisation, smtp):  # noqa: F811
    start, read = timezone.now(), 0
    waiting = [mail(From=AWAY, Message_ID="<first@away>")]
    for minute in range(60):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            for raw in waiting:
                keep(raw, Came(via="smtp", envelope_from=AWAY, recipients=["servicedesk@localhost"]), at=timezone.now())
            process_due(at=timezone.now())
            deliver()
            fresh, read = smtp.to(AWAY)[read:], len(smtp.to(AWAY))
            waiting = [mail(From=AWAY, Subject="Your request", Message_ID=f"<{minute}-{read}@away>") for _ in fresh]
    assert Delivery.objects.filter(address=AWAY).count() == 5
    assert Ticket.objects.count() == 6


def test_two_installations_like_this_one_do_not_talk_to_each_other(organisation, smtp):  # noqa: F811
    at = timezone.now()
    theirs = mail(
        "X-MIM-Loop: desk.other.example", From="desk@other.example", Auto_Submitted="auto-generated",
        X_Auto_Response_Suppress="All", Subject="INC-9 received: Your mail",
    )  # fmt: skip
    keep(theirs, Came(via="smtp", envelope_from="", recipients=["servicedesk@localhost"]), at=at)
    process_due(at=at)
    deliver()
    assert smtp.mails == [] and InboundMail.objects.get().state == "ignored"
