"""Updates of one incident, asked for in the portal."""

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import major_incidents, updates
from incidents.models import AudienceMembership
from notifications.models import Delivery, Subscription
from tests import factories
from tests.notifications.conftest import declare


@pytest.fixture
def organisation(db):
    return factories.organisation()


@pytest.fixture
def declared(manager, checkout):
    return declare(manager, checkout)


@pytest.fixture
def untold(organisation):
    """A person whose role is in no audience."""
    AudienceMembership.objects.update_or_create(audience="users", defaults={"roles": [], "empty_reason": "by choice"})
    return factories.person("requester", name="Una Told")


@pytest.fixture
def asking(client, untold):
    client.force_login(untold)
    return client


def address(incident):
    return reverse("subscription", args=[incident.ref])


def update(incident, manager):
    updates.publish_update(
        incident.pk, texts={"users": "News"}, audiences=["users"], next_update_at=None, actor=manager,
        at=timezone.now(),
    )  # fmt: skip


def test_who_asks_gets_what_users_get_and_who_stops_does_not(asking, untold, manager, declared):
    heard = Delivery.objects.filter(moment="update", recipient=untold, channel="email")
    assert "Send me updates" in asking.get(address(declared)).content.decode()
    assert "You get updates" in asking.post(address(declared), headers={"HX-Request": "true"}).content.decode()
    asking.post(address(declared))
    assert Subscription.objects.count() == 1
    update(declared, manager)
    assert heard.count() == 1
    asking.post(address(declared), {"stop": "1"})
    update(declared, manager)
    assert heard.count() == 1 and not Subscription.objects.exists()


def test_who_is_told_anyway_is_told_that(client, manager, declared):
    client.force_login(manager)
    part = client.get(address(declared)).content.decode()
    assert "You are told of every update" in part and "<form" not in part


def test_without_scripts_the_button_leads_back_to_the_portal(asking, declared):
    assert asking.post(address(declared)).url == reverse("portal")


def test_a_drill_and_what_is_over_cannot_be_followed(asking, manager, declared):
    drill = major_incidents.declare(
        title="Exercise", services=[], impact=1, urgency=1, is_drill=True, actor=manager, at=timezone.now()
    )
    assert asking.get(address(drill)).status_code == 404
    major_incidents.stand_down(declared.pk, reason="False alarm", actor=manager, at=timezone.now())
    assert asking.post(address(declared)).status_code == 404
    assert asking.get("/portal/outages/MI-99999/subscription/").status_code == 404
