"""The portal: is it known? Report it. My reports."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents.actions import major_incidents, updates
from incidents.models import Ticket
from tests import factories
from tests.factories import minute


@pytest.fixture
def at_portal(signed_in, requester):
    return signed_in(requester)


def page_of(client):
    return client.get(reverse("portal")).content.decode()


def test_known_outages_come_first_in_public_words(at_portal, declared, manager):
    told = {"users": "Paying **fails** at the moment.", "technical": "Gateway pool is exhausted."}
    updates.publish_update(
        declared.pk, texts=told, audiences=["users", "technical"], next_update_at=None, actor=manager, at=minute(12)
    )
    page = page_of(at_portal)
    assert page.index("Paying <strong>fails</strong>") < page.index("Report something</h2>")
    assert "Gateway pool" not in page
    assert "Checkout" in page


def test_an_update_for_others_is_not_shown(at_portal, declared, manager):
    updates.publish_update(
        declared.pk, texts={"technical": "Gateway pool"}, audiences=["technical"], next_update_at=None, actor=manager,
        at=minute(12),
    )  # fmt: skip
    page = page_of(at_portal)
    assert "Gateway pool" not in page
    assert "You need not report it again" in page


def test_a_drill_is_no_outage(at_portal, manager, checkout):
    major_incidents.declare(
        title="Exercise", services=[checkout], impact=1, urgency=1, is_drill=True, actor=manager, at=timezone.now()
    )
    assert "Exercise" not in page_of(at_portal)


def test_without_an_outage_the_page_says_so(at_portal):
    assert "No known outage" in page_of(at_portal)


def test_a_report_becomes_a_ticket_of_the_requester(at_portal, requester, checkout):
    given = {"title": "Cannot pay", "service": checkout.pk, "impact": "4", "urgency": "2", "description": "Since 9."}
    answer = at_portal.post(
        reverse("portal"), given | {"attachments": SimpleUploadedFile("shot.png", b"\x89PNG\r\n\x1a\n1")}
    )
    made = Ticket.objects.get()
    assert answer.url == reverse("ticket", args=[made.pk])
    assert (made.requester, made.channel, made.service) == (requester, "portal", checkout)
    assert made.attachments.get().filename == "shot.png"


def test_a_report_without_a_title_keeps_the_rest(at_portal):
    answer = at_portal.post(reverse("portal"), {"impact": "4", "urgency": "2", "description": "Since nine o’clock"})
    assert answer.status_code == 422
    assert "Since nine o’clock" in answer.content.decode()


def test_a_refused_file_leaves_no_ticket_behind(at_portal):
    given = {
        "title": "Cannot pay",
        "impact": "4",
        "urgency": "2",
        "attachments": SimpleUploadedFile("run.exe", b"MZ\x00"),
    }
    assert at_portal.post(reverse("portal"), given).status_code == 422
    assert not Ticket.objects.exists()


def test_my_reports_are_mine_only(at_portal, ticket):
    factories.ticket("Somebody else’s trouble")
    page = page_of(at_portal)
    assert ticket.title in page and "Somebody else" not in page


def test_the_outages_alone_are_the_live_part(at_portal, declared):
    part = at_portal.get(reverse("portal_outages")).content.decode()
    assert "<html" not in part and "Disruption of Checkout" in part and declared.title not in part


@pytest.mark.parametrize("name", ["portal", "portal_outages"])
def test_guests_have_no_portal(signed_in, consultant, name):
    assert signed_in(consultant).get(reverse(name)).status_code == 403
