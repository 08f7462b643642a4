"""Planning changes on the screen: the calendar with collisions and freezes, templates, the questionnaire, votes."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import changes, freezes
from incidents.models import Change, ChangeTemplate, FreezeWindow
from incidents.risk import QUESTIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def begin():
    """Noon of the fifteenth of this month."""
    return timezone.now().replace(day=15, hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def planned(engineer, checkout, begin):
    def make(title, hours=0, **fields):
        window = {"window_start": begin + timedelta(hours=hours), "window_end": begin + timedelta(hours=hours + 2)}
        return changes.open_change(title=title, services=[checkout], actor=engineer, at=begin, **window, **fields)

    return make


def test_the_calendar_shows_changes_collisions_and_freezes(planned, signed_in, queries_of, change_manager, begin):
    planned("Enlarge the pool"), planned("Renew the key", 1), planned("Far away", 24 * 70)
    frozen = {"starts_at": begin - timedelta(days=1), "ends_at": begin + timedelta(days=1)}
    freezes.save_freeze(name="Winter sale", **frozen, actor=change_manager, at=begin)
    browser = signed_in(change_manager)
    page = browser.get(reverse("change_calendar")).content.decode()
    assert "2 changes" in page and "2 collide" in page and "Winter sale" in page and "Far away" not in page
    for odd in ("2026-13", "x", "0-0", "99999-1"):
        assert browser.get(reverse("change_calendar"), {"month": odd}).status_code == 200
    before = queries_of(browser, reverse("change_calendar"))
    for n in range(6):
        planned(f"More {n}", n)
    assert queries_of(browser, reverse("change_calendar")) == before


def test_freezes_are_planned_moved_and_lifted(signed_in, change_manager, technician, begin):
    browser = signed_in(change_manager, htmx=True)
    given = {"name": "Sale", "starts_at": f"{begin:%Y-%m-%dT%H:%M}", "ends_at": f"{begin:%Y-%m-%dT%H:%M}"}
    refused = browser.post(reverse("freeze_new"), given)
    assert refused.status_code == 422 and "must end after it starts" in refused.content.decode()
    browser.post(reverse("freeze_new"), given | {"ends_at": f"{begin + timedelta(days=2):%Y-%m-%dT%H:%M}"})
    freeze = FreezeWindow.objects.get()
    assert 'value="Sale"' in browser.get(reverse("freeze_edit", args=[freeze.pk])).content.decode()
    assert signed_in(technician).post(reverse("freeze_remove", args=[freeze.pk])).status_code == 403
    browser.post(reverse("freeze_remove", args=[freeze.pk]))
    assert not FreezeWindow.objects.exists()


def test_a_template_is_approved_and_used_in_two_clicks(signed_in, change_manager, technician, checkout):
    browser = signed_in(change_manager)
    given = {"name": "Renew a certificate", "risk": "low", "plan": "Order it\nInstall it (5 min)", "is_active": "on",
             "services": [checkout.pk]}  # fmt: skip
    assert browser.post(reverse("change_template_new"), given).status_code == 302
    template = ChangeTemplate.objects.get()
    assert "Renew a certificate" in browser.get(reverse("change_templates")).content.decode()
    assert browser.get(reverse("change_template_edit", args=[template.pk])).status_code == 200
    desk = signed_in(technician)
    assert "Draft it" in desk.get(reverse("change_template_use", args=[template.pk])).content.decode()
    desk.post(reverse("change_template_use", args=[template.pk]), {"title": "Renew shop.example"})
    made = Change.objects.get()
    page = desk.get(reverse("change", args=[made.pk])).content.decode()
    assert "Renew shop.example" in page and "Install it" in page and "Standard change" in page


def test_risk_votes_conditions_and_checks_on_the_page(planned, signed_in, engineer, change_manager, management):
    change = planned("Enlarge the pool", approvers=[change_manager, management], quorum=1)
    browser, board = signed_in(engineer), signed_in(change_manager)
    browser.post(reverse("change_risk", args=[change.pk]), {one.key: "2" for one in QUESTIONS})
    browser.post(reverse("change_move", args=[change.pk, "submit"]))
    page = board.get(reverse("change", args=[change.pk])).content.decode()
    assert "High" in page and "0 of 1 needed" in page and "Hand over my vote" in page
    board.post(reverse("change_form", args=[change.pk, "approve"]), {"condition": "After the backup"})
    row = change.approvals.get(approver=change_manager)
    shown = browser.get(reverse("change", args=[change.pk])).content.decode()
    assert "After the backup" in shown
    held = browser.post(reverse("change_move", args=[change.pk, "start"]))
    assert held.status_code == 422 and "After the backup" in held.content.decode()
    board.post(reverse("change_condition", args=[change.pk, row.pk]), {"note": "It ran"})
    for act in ("start", "implement"):
        browser.post(reverse("change_move", args=[change.pk, act]))
    refused = browser.post(reverse("change_form", args=[change.pk, "check"]), {"result": "failed"})
    assert refused.status_code == 422
    browser.post(reverse("change_form", args=[change.pk, "check"]), {"result": "failed", "notes": "Still slow"})
    assert "Still slow" in browser.get(reverse("change", args=[change.pk])).content.decode()
    assert "0 % succeeded" in browser.get(reverse("change_list")).content.decode()
