"""The KPI dashboard, what is behind its figures, and the overview."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.actions import major_incidents, updates
from incidents.models import Approval
from metrics.definitions import KPI_BY_KEY
from tests.metrics.histories import past_incident, service, utc

pytestmark = pytest.mark.django_db
MAY = "from=2026-05-01&to=2026-06-01"


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(technician):
    return signed_in(technician)


def outage(day: int = 4, **fields):
    shop = service("shop", cost_per_hour=600)
    return past_incident(
        title=fields.pop("title", "Shop down"),
        **{
            "started_at": utc(2026, 5, day, 10),
            "detected_at": utc(2026, 5, day, 10, 3),
            "reported_at": utc(2026, 5, day, 10, 3),
            "acknowledged_at": utc(2026, 5, day, 10, 8),
            "declared_at": utc(2026, 5, day, 10, 10),
            "restored_at": utc(2026, 5, day, 11),
            "resolved_at": utc(2026, 5, day, 11, 30),
        }
        | fields,
        downtime=[(shop, utc(2026, 5, day, 10), utc(2026, 5, day, 11))],
    )


def test_the_dashboard_shows_each_figure_with_its_sample(desk):
    outage()
    page = desk.get(f"/kpis/?{MAY}").content.decode()
    assert "Mean time to detect" in page
    assert re.search(r"3 min\s*</div>", page)
    assert "1 h 27 min" in page
    assert "n 1" in page
    assert "€600" in page


def test_every_figure_opens_to_the_incidents_and_the_two_clocks_behind_it(desk):
    outage()
    page = desk.get(f"/kpis/?{MAY}").content.decode()
    for key in KPI_BY_KEY:
        address = f"{reverse('kpi_drill', args=[key])}?from=2026-05-01&amp;to=2026-06-01"
        assert address in page, key
        behind = desk.get(address.replace("&amp;", "&"))
        assert behind.status_code == 200
    page = desk.get(f"/kpis/mttr/?{MAY}").content.decode()
    assert "Shop down" in page
    assert ">Reported</th>" in page
    assert ">Resolved</th>" in page
    assert "1 h 27 min" in page


def test_incidents_without_a_clock_are_counted_as_left_out(desk):
    outage()
    outage(day=5, acknowledged_at=None, title="Nobody noted who took it")
    page = desk.get(f"/kpis/mtta/?{MAY}").content.decode()
    assert "Nobody noted who took it" not in page
    assert "1 incident of the period left out" in page


def test_the_chart_is_data_and_its_bars_open_the_month(desk):
    outage()
    page = desk.get("/kpis/?from=2026-05-01&to=2026-07-01").content.decode()
    chart = json.loads(re.search(r'<script id="monthly-chart" type="application/json">(.*?)</script>', page, re.S)[1])
    assert chart["xAxis"]["data"] == ["2026-05", "2026-06"]
    assert [bar["value"] for bar in chart["series"][0]["data"]] == [1, 0]
    url = chart["series"][0]["data"][0]["url"]
    assert "from=2026-05-01&to=2026-06-01" in url
    assert desk.get(url).status_code == 200
    assert "As a table" in page


def test_the_question_stays_in_the_address_and_in_the_form(desk):
    outage()
    page = desk.get(f"/kpis/?{MAY}&service=shop&severity=SEV1").content.decode()
    assert 'value="2026-05-01"' in page
    assert '<option value="shop" selected>' in page
    assert "<option selected>SEV1</option>" in page
    assert "service=shop&amp;severity=SEV1" in page


def test_a_question_that_cannot_be_answered_keeps_what_was_typed_and_says_why(desk):
    answer = desk.get("/kpis/?from=2026-05-01&to=2026-04-01&severity=SEV9")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="2026-04-01"' in page
    assert "is not a severity" in page
    assert desk.get("/kpis/mttr/?from=nonsense").status_code == 422
    assert desk.get("/kpis/nothing/").status_code == 404


@pytest.mark.parametrize("preset", ["", "3", "6", "12", "24", "all", "rubbish"])
def test_every_preset_answers_with_and_without_incidents(desk, preset):
    assert "No major incident in this period" in desk.get(f"/kpis/?preset={preset}").content.decode()
    past_incident(declared_at=timezone.now() - timedelta(days=1))
    assert "Month by month" in desk.get(f"/kpis/?preset={preset}").content.decode()


def test_the_dashboard_needs_six_queries_besides_those_of_signing_in(desk, django_assert_max_num_queries):
    for number in range(10):
        outage(day=1 + number)
    sign_in = 3  # session, person, roles
    with django_assert_max_num_queries(6 + sign_in):
        desk.get(f"/kpis/?{MAY}&service=shop")
    with django_assert_max_num_queries(6 + sign_in):
        desk.get(f"/kpis/mtbf/?{MAY}")


def test_pages_carry_no_inline_script_or_style(desk, management):
    outage()
    for page in (desk.get(f"/kpis/?{MAY}"), desk.get(f"/kpis/mttr/?{MAY}"), signed_in(management).get("/overview/")):
        text = page.content.decode()
        assert not re.search(r"<script(?![^>]*(src=|application/json))", text)
        assert not re.search(r"\sstyle=|\son[a-z]+=", text)


def test_figures_are_not_for_requesters_nor_for_strangers(requester):
    assert signed_in(requester).get("/kpis/").status_code == 403
    assert signed_in(requester).get("/overview/").status_code == 403
    assert Client().get("/kpis/").status_code == 302


# --- Overview ------------------------------------------------------------------------------------
@pytest.fixture
def declared(manager, checkout):
    at = timezone.now()
    return major_incidents.declare(
        title="Checkout unavailable", services=[checkout], impact=1, urgency=1, actor=manager, at=at,
        users_affected=12_400, revenue_impact="No orders.",
        clocks_given={"started_at": at - timedelta(hours=2), "detected_at": at - timedelta(hours=1)},
    )  # fmt: skip


def test_the_overview_tells_management_what_is_going_on_and_what_it_has_cost(management, declared):
    page = signed_in(management).get("/overview/").content.decode()
    assert "Checkout unavailable" in page
    assert "12,400" in page
    assert re.search(r"€24,[01]\d\d", page)  # two hours, and the seconds since
    assert "€12,000 an hour" in re.sub(r"\s+", " ", page)


def test_a_key_stakeholder_sees_the_incidents_but_no_figures(stakeholder, declared):
    page = signed_in(stakeholder).get("/overview/").content.decode()
    assert "Checkout unavailable" in page
    assert "Mean time to detect" not in page


def test_drills_are_not_on_the_overview(management, manager, checkout):
    major_incidents.declare(
        title="Practice", services=[checkout], impact=1, urgency=1, actor=manager, at=timezone.now(), is_drill=True
    )
    page = signed_in(management).get("/overview/").content.decode()
    assert "Practice" not in page
    assert "Nothing major is under way" in page


def test_a_decision_is_given_with_one_click_and_only_by_whom_it_was_asked(management, stakeholder, manager, declared):
    updates.ask_approval(
        declared.pk, question="Switch the shop off for an hour?", options=[], approver=management,
        due_at=timezone.now() + timedelta(minutes=20), cost_of_waiting="€12,000 an hour", actor=manager,
        at=timezone.now(),
    )  # fmt: skip
    approval = Approval.objects.get()
    client = signed_in(management)
    assert "Switch the shop off for an hour?" in client.get("/overview/").content.decode()
    address = reverse("overview_decide", args=[approval.pk])
    assert signed_in(stakeholder).post(address, {"verdict": "approve"}).status_code == 404
    assert client.get(address).status_code == 405
    assert client.post(address, {"verdict": "approve", "comment": "Do it."}).status_code == 302
    approval = Approval.objects.get()
    assert (approval.state, approval.comment, approval.decided_by) == ("approved", "Do it.", management)
    assert client.post(address, {"verdict": "refuse"}).status_code == 422
