"""The demo's past incidents say who was told, and nothing of it leaves again."""

import pytest
from django.utils import timezone

from incidents.models import MajorIncident
from incidents.process import Audience
from metrics.demo.load import load
from notifications import delivery
from notifications.demo import tell_the_past
from notifications.models import Delivery
from notifications.queries import told_by_audience

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def test_the_newest_demo_incidents_show_who_was_told_and_send_nothing(settings, tmp_path, smtp):
    settings.VAR_DIR = tmp_path
    load(at=timezone.now())
    Delivery.objects.all().delete()  # of the open candidate, which is told for real
    assert tell_the_past() > 100
    newest = MajorIncident.objects.order_by("-declared_at").first()
    told = {one.audience: one for one in told_by_audience(newest)}
    assert set(told) == set(Audience) and all(one.is_complete for one in told.values())
    assert all(one.last_told_at < timezone.now() for one in told.values())
    delivery.deliver_due(seconds=1)
    assert smtp.mails == []
