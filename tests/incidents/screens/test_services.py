"""Services: what works now, who needs whom, planned work."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import major_incidents, services
from incidents.models import MaintenanceWindow, Service
from tests import factories


@pytest.fixture
def database(checkout, administrator):
    """Checkout needs it."""
    needed = factories.service("Order database", tier=1)
    services.add_dependency(checkout.pk, needs=needed, actor=administrator, at=timezone.now())
    return needed


@pytest.fixture
def outage(database, manager):
    """The order database is down."""
    return major_incidents.declare(
        title="Database full", services=[database], impact=1, urgency=1, actor=manager, at=timezone.now()
    )


def page_of(browser, service):
    return browser.get(reverse("service", args=[service.slug])).content.decode()


def test_the_catalogue_says_what_works(at_desk, checkout):
    page = at_desk.get(reverse("service_list")).content.decode()
    assert "Checkout" in page and "Working" in page


def test_a_service_is_down_because_of_an_incident(at_desk, outage):
    page = at_desk.get(reverse("service_list"), {"state": "down"}).content.decode()
    assert "Order database" in page and outage.ref in page and ">Checkout<" not in page


def test_what_needs_a_service_that_is_down_is_at_risk(at_desk, outage, checkout):
    page = page_of(at_desk, checkout)
    assert "At risk" in page and "It needs Order database, which is down" in page


def test_a_drill_takes_no_service_down(at_desk, database, manager):
    major_incidents.declare(
        title="Exercise", services=[database], impact=1, urgency=1, is_drill=True, actor=manager, at=timezone.now()
    )
    assert "Working" in page_of(at_desk, database) and "Exercise" not in page_of(at_desk, database)


def test_a_service_names_both_sides_and_everything_it_takes_along(at_desk, database, checkout, administrator):
    app = factories.service("Phone app")
    services.add_dependency(app.pk, needs=checkout, actor=administrator, at=timezone.now())
    page = page_of(at_desk, database)
    assert "Phone app" in page and "(through Checkout)" in page
    assert "Order database" in page_of(at_desk, checkout)


def test_its_downtime_and_changes_are_on_the_page(at_desk, outage, database, engineer):
    from incidents.actions import changes

    changes.open_change(title="Bigger disk", services=[database], actor=engineer, at=timezone.now())
    page = page_of(at_desk, database)
    assert "still down" in page and "Bigger disk" in page


def test_a_service_is_added_with_what_it_needs(signed_in, administrator, checkout):
    given = {"name": "Gift cards", "tier": "2", "cost_per_hour": "150", "needs": [checkout.pk]}
    answer = signed_in(administrator).post(reverse("service_new"), given)
    assert answer.url == "/services/gift-cards/"
    assert Service.objects.get(slug="gift-cards").depends_on.get() == checkout


def test_a_name_that_is_taken_keeps_what_was_typed(signed_in, administrator, checkout):
    given = {"name": "Checkout", "tier": "2", "cost_per_hour": "150", "description": "A second one"}
    answer = signed_in(administrator).post(reverse("service_new"), given)
    assert answer.status_code == 422
    assert "A second one" in answer.content.decode() and "already" in answer.content.decode()


def test_a_circle_of_dependencies_is_refused_at_its_field(signed_in, administrator, checkout, database):
    given = {"name": database.name, "tier": "1", "cost_per_hour": "0", "needs": [checkout.pk], "is_active": "on"}
    answer = signed_in(administrator).post(reverse("service_edit", args=[database.slug]), given)
    assert answer.status_code == 422
    assert "directly or through others" in answer.content.decode()


def test_planned_work_is_shown_and_taken_back(signed_in, service_desk_manager, checkout):
    browser, now = signed_in(service_desk_manager), timezone.now()
    given = {
        "title": "New certificates",
        "services": [checkout.pk],
        "starts_at": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "ends_at": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M}",
    }
    assert browser.post(reverse("window_new", args=[checkout.slug]), given).status_code == 302
    assert "New certificates" in page_of(browser, checkout) and "Maintenance" in page_of(browser, checkout)
    window = MaintenanceWindow.objects.get()
    assert browser.post(reverse("window_remove", args=[checkout.slug, window.pk])).status_code == 302
    assert not MaintenanceWindow.objects.exists()


def test_a_window_that_ends_before_it_starts_keeps_what_was_typed(signed_in, administrator, checkout):
    given = {"title": "Upside down", "services": [checkout.pk], "starts_at": "2026-05-02T10:00",
             "ends_at": "2026-05-02T09:00"}  # fmt: skip
    answer = signed_in(administrator).post(reverse("window_new", args=[checkout.slug]), given)
    assert answer.status_code == 422 and "Upside down" in answer.content.decode()


def test_stakeholders_read_services_without_tickets_and_changes(signed_in, stakeholder, checkout):
    page = page_of(signed_in(stakeholder), checkout)
    assert "Open tickets" not in page and "Recent changes" not in page


def test_people_outside_the_staff_do_not_see_services(signed_in, outsider, requester, consultant, checkout):
    for person in (outsider, requester, consultant):
        assert signed_in(person).get(reverse("service_list")).status_code == 403
        assert signed_in(person).get(reverse("service", args=[checkout.slug])).status_code == 403


def test_only_those_who_may_configure_change_services(signed_in, technician, checkout):
    browser = signed_in(technician)
    for name, args in (("service_new", []), ("service_edit", [checkout.slug]), ("window_new", [checkout.slug])):
        assert browser.get(reverse(name, args=args)).status_code == 403
        assert browser.post(reverse(name, args=args), {"name": "x"}).status_code == 403
    assert "New service" not in browser.get(reverse("service_list")).content.decode()


def test_a_service_that_is_not_there_is_not_found(at_desk, organisation):
    assert at_desk.get(reverse("service", args=["nothing"])).status_code == 404


def test_the_list_costs_the_same_for_1_10_and_45_services(at_desk, queries_of, manager):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            one = factories.service(f"Service number {made}")
            major_incidents.declare(
                title=f"Down {made}", services=[one], impact=1, urgency=1, actor=manager, at=timezone.now()
            )
            made += 1
        costs.append(queries_of(at_desk, reverse("service_list")))
    assert len(set(costs)) == 1 and costs[0] <= 12, costs


def test_the_page_costs_the_same_however_much_depends_on_it(at_desk, queries_of, checkout, administrator):
    costs, made = [], 0
    for wanted in (1, 10, 40):
        while made < wanted:
            other = factories.service(f"Dependent {made}")
            services.add_dependency(other.pk, needs=checkout, actor=administrator, at=timezone.now())
            made += 1
        costs.append(queries_of(at_desk, reverse("service", args=[checkout.slug])))
    assert len(set(costs)) == 1 and costs[0] <= 24, costs
