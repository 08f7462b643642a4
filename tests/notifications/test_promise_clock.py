"""The promise clock under any sequence of acts and sweeps, through the night in which the clocks go back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.actions import promises, updates
from incidents.models import MajorIncident, UpdatePromise
from incidents.process import AccountRole
from notifications.models import Delivery
from notifications.promises import REMIND_BEFORE, watch
from notifications.templatetags.message_times import zoned
from tests.notifications.conftest import declare, person

NIGHT = datetime(2024, 10, 27, 0, 0, tzinfo=UTC)  # at 01:00 UTC it is 02:00 in Berlin for the second time
acts = st.lists(
    st.tuples(st.sampled_from(["publish", "move", "withdraw", "sweep"]), st.integers(1, 40), st.integers(1, 90)),
    min_size=1,
    max_size=12,
)


class PromiseClock(TestCase):
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(acts)
    def test_every_promise_ends_as_its_instant_says(self, steps):
        """The model: what is owed by when, in seconds of real time; kept at or before it, broken after it."""
        manager = person("manager", AccountRole.MAJOR_INCIDENT_MANAGER)
        incident = declare(manager, clocks_given={"declared_at": NIGHT})
        first = incident.promises.get()
        UpdatePromise.objects.filter(pk=first.pk).update(due_at=NIGHT + timedelta(minutes=30))
        MajorIncident.objects.filter(pk=incident.pk).update(next_update_at=NIGHT + timedelta(minutes=30))
        owed, at, expected = NIGHT + timedelta(minutes=30), NIGHT, []
        by = {"actor": manager}
        is_open = True
        with timezone.override(ZoneInfo("Europe/Berlin")):
            for act, wait, ahead in steps:
                at, due = at + timedelta(minutes=wait), at + timedelta(minutes=wait + ahead)
                if act == "sweep":
                    watch(at=at)
                    if is_open and at >= owed:
                        expected.append("broken")
                        is_open = False
                elif act == "publish":
                    texts = {"technical": "On it"}
                    updates.publish_update(incident.pk, texts=texts, next_update_at=due, at=at, **by)
                    if is_open:
                        expected.append("kept" if at <= owed else "broken")
                    owed, is_open = due, True
                elif act == "move":
                    promises.move(incident.pk, due_at=due, reason="Vendor is late", at=at, **by)
                    if is_open:
                        expected.append("withdrawn")
                    owed, is_open = due, True
                elif MajorIncident.objects.get(pk=incident.pk).next_update_at is not None:
                    promises.withdraw(incident.pk, reason="Nobody waits", at=at, **by)
                    if is_open:
                        expected.append("withdrawn")
                    is_open = False
        rows = list(incident.promises.order_by("pk"))
        assert [row.state for row in rows if row.state != "open"] == expected
        assert [row.due_at for row in rows if row.state == "open"] == ([owed] if is_open else [])
        if is_open:
            assert MajorIncident.objects.get(pk=incident.pk).next_update_at == owed
        assert incident.events.filter(kind="promise_overdue").count() == sum(bool(row.escalated_at) for row in rows)


@pytest.mark.django_db
def test_in_the_hour_that_comes_twice_the_reminder_is_five_real_minutes_before():
    manager = person("manager", AccountRole.MAJOR_INCIDENT_MANAGER)
    incident = declare(manager, clocks_given={"declared_at": NIGHT})
    due = datetime(2024, 10, 27, 1, 20, tzinfo=UTC)
    promises.move(incident.pk, due_at=due, reason="Next look", actor=manager, at=NIGHT)
    assert zoned(due, "Europe/Berlin") == "Sun 27 Oct 02:20 CET (01:20 UTC)"
    an_hour_before = due - timedelta(hours=1)
    assert zoned(an_hour_before, "Europe/Berlin") == "Sun 27 Oct 02:20 CEST (00:20 UTC)"
    assert watch(at=an_hour_before) == 0
    assert watch(at=due - REMIND_BEFORE - timedelta(seconds=1)) == 0
    assert watch(at=due - REMIND_BEFORE + timedelta(seconds=1)) == 1
    assert Delivery.objects.filter(moment="promise_due_soon", channel="email").count() == 1
    assert watch(at=due) == 1
    assert incident.promises.get(due_at=due).state == "broken"
