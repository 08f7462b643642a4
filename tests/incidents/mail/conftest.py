"""Mail brought in the way the doors bring it, and what the worker then does."""

import pytest
from django.utils import timezone

from incidents.actions.mail import Came
from incidents.intake.email.process import process_due
from incidents.intake.email.store import keep
from incidents.models import InboundMail
from tests.incidents.mail.mails import mail

DESK = "servicedesk@localhost"


def bring(
    raw: bytes | None = None, *, at=None, to: str = DESK, envelope: str | None = "rita@customer.example", **headers
) -> InboundMail:
    """Keeps one mail and processes what is due; answers the row as it is afterwards."""
    at = at or timezone.now()
    came = Came(via="smtp", envelope_from=envelope, recipients=[to], peer="127.0.0.1")
    row, _ = keep(raw if raw is not None else mail(**headers), came, at=at)
    process_due(at=at)
    return InboundMail.objects.get(pk=row.pk)


@pytest.fixture
def by_mail(organisation):
    return bring
