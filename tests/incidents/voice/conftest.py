"""A telephone line, and somebody on call with a number."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import rotas
from incidents.models import Integration, User
from incidents.models.access import digest
from incidents.sealed import seal
from tests.incidents.voice.provider import ACCOUNT, KEY, TOKEN


@pytest.fixture(autouse=True)
def _public_address(settings):
    settings.PUBLIC_URL = "https://desk.example.org"


@pytest.fixture
def line(organisation, administrator, checkout):
    return Integration.objects.create(
        name="Telephone", kind="voice", key_sha256=digest(KEY), key_prefix=KEY[:6], signing_secrets=[seal(TOKEN)],
        settings={"account_sid": ACCOUNT}, created_by=administrator, created_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def on_call_manager(manager, administrator):
    User.objects.filter(pk=manager.pk).update(phone="+49 170 765 43 21")
    now = timezone.now()
    rotas.add_shift(
        role="major_incident_manager", person=manager, starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=8), actor=administrator, at=now,
    )  # fmt: skip
    return manager
