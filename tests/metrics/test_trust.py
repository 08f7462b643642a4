"""What lets management trust a figure: its definition, its rows, who set its clocks, its report, and the way out."""

import io
import json
import re
import uuid
import zipfile
from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.actions import clocks, services
from incidents.models import (
    ApiKey,
    GuestPass,
    Holiday,
    MajorIncident,
    Organisation,
    Problem,
    Seat,
    ServiceDependency,
    ServiceHours,
    Team,
    Ticket,
)
from incidents.queries.costs import cost_of_downtime
from metrics import full_export, monthly_report, rows, tasks
from metrics.definitions import KPI_BY_KEY
from metrics.kpis import figures
from metrics.models import FigureView, IncidentFigures, ReportSchedule, SentReport
from metrics.periods import read_scope
from notifications.models import Webhook
from tests.metrics.histories import past_incident, scope, service, set_zone, utc

pytestmark = pytest.mark.django_db
MAY = "from=2026-05-01&to=2026-06-01"


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def outage(day=4, **fields):
    shop = service("shop", cost_per_hour=600)
    return past_incident(
        **{"started_at": utc(2026, 5, day, 10), "detected_at": utc(2026, 5, day, 10, 3),
           "reported_at": utc(2026, 5, day, 10, 3), "restored_at": utc(2026, 5, day, 11),
           "resolved_at": utc(2026, 5, day, 11, 30), "declared_at": utc(2026, 5, day, 10, 10)} | fields,
        downtime=[(shop, utc(2026, 5, day, 10), utc(2026, 5, day, 11))],
    )  # fmt: skip


def test_a_figure_opens_to_who_corrected_its_clocks_and_to_what_others_would_have_counted(
    manager, technician, checkout
):
    from incidents.actions import major_incidents

    at = timezone.now() - timedelta(hours=3)
    incident = major_incidents.declare(
        title="Checkout unavailable", services=[checkout], impact=1, urgency=1, actor=manager, at=at,
        clocks_given={"started_at": at - timedelta(minutes=10), "detected_at": at - timedelta(minutes=6)},
    )  # fmt: skip
    clocks.correct(
        incident.pk, clock="detected_at", value=at - timedelta(minutes=8), reason="Seen in the alarm log.",
        actor=manager, at=timezone.now(),
    )  # fmt: skip
    page = signed_in(technician).get("/kpis/mttd/?preset=3").content.decode()
    assert f"corrected by {manager.display_name}" in page
    assert "Seen in the alarm log." in page
    outage()
    page = signed_in(technician).get(f"/kpis/mttr/?{MAY}").content.decode()
    assert "Report to service restored" in page
    assert re.search(r"57 min <span class=\"muted\">mean, n 1", page)
    assert "1 h 27 min" in page


def test_every_figure_is_defined_in_words_and_its_target_set_by_management_only(management, technician):
    page = signed_in(technician).get("/kpis/definitions/").content.decode()
    for kpi in KPI_BY_KEY.values():
        assert f'id="{kpi.key}"' in page
        assert kpi.formula.split(":")[0].replace("’", "’")[:40] in page
    address = reverse("target_edit", args=["mttr"])
    assert signed_in(technician).get(address).status_code == 403
    browser = signed_in(management)
    assert browser.post(address, {"value": "-1"}).status_code == 422
    assert browser.post(address, {"value": "90"}).status_code == 302
    assert "at most 1 h 30 min" in browser.get("/kpis/definitions/").content.decode()
    outage()
    assert "Target met" in browser.get(f"/kpis/?{MAY}").content.decode()
    assert browser.post(address, {"value": ""}).status_code == 302
    assert "Target met" not in browser.get(f"/kpis/?{MAY}").content.decode()


def test_filters_by_tree_team_cause_and_channel_and_a_comparison(technician, service_desk_manager):
    shop, base = service("shop"), service("base")
    ServiceDependency.objects.create(service=shop, needs=base)
    base.team = Team.objects.create(name="Platform", slug="platform")
    base.save()
    down = [(base, utc(2026, 5, 4, 10), utc(2026, 5, 4, 11))]
    caused = past_incident(declared_at=utc(2026, 5, 4, 10), downtime=down)
    past_incident(declared_at=utc(2026, 4, 4, 10))
    Problem.objects.create(title="Deploy", cause_category="change", created_at=utc(2026, 5, 5)).major_incidents.add(
        caused
    )
    Ticket.objects.create(title="x", channel="hotline", reported_at=utc(2026, 5, 4), major_incident=caused)
    key = ApiKey.issue(technician, name="t", scopes=["read"])[1]

    def count(query):
        answer = Client().get(f"/api/v1/metrics/kpis?{MAY}&{query}", headers={"Authorization": f"Bearer {key}"})
        return answer.json()["major_incidents"]["count"], answer.json()["mtbf"]["failures"]

    for query, expected in {
        "service=shop": (0, 0), "service=shop&tree=1": (1, 1), "team=platform": (1, 1), "cause=change": (1, 1),
        "cause=software": (0, 0), "cause=none": (0, 0), "channel=hotline": (1, 1), "channel=none": (0, 0),
    }.items():  # fmt: skip
        assert count(query) == expected, query
    browser = signed_in(technician)
    for bad in ("team=nobody", "cause=x", "channel=x", "by=hour", "compare=x"):
        assert browser.get(f"/kpis/?{MAY}&{bad}").status_code == 422, bad
    page = browser.get(f"/kpis/?{MAY}&compare=previous&by=week").content.decode()
    assert "against 1 Apr 2026 to 30 Apr 2026" in page
    assert "before 1 (±0 %)" in page
    assert "2026-W19" in page
    for by, pieces in (("day", 31), ("week", 5)):
        rows_ = (
            Client().get(f"/api/v1/metrics/monthly?{MAY}&by={by}", headers={"Authorization": f"Bearer {key}"}).json()
        )
        assert len(rows_) == pieces
        assert sum(row["count"] for row in rows_) == 1


@pytest.mark.parametrize("by", ["month", "week", "day"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_pieces_of_a_period_are_those_the_database_names(by, zone):
    set_zone(zone)
    for day in (1, 8, 29, 31):
        past_incident(declared_at=utc(2025, 12, day, 23, 30))
    asked = read_scope(start="2025-11-30", end="2026-01-05", grain=by, at=utc(2026, 3, 1))
    found = figures(asked, at=utc(2026, 3, 1))
    assert sum(one.count for one in found.months) == found.whole.count == 4


def test_hours_outside_the_service_hours_cost_their_share_in_every_place(technician, management, service_desk_manager):
    shop = service("shop", cost_per_hour=600)
    hours = ServiceHours.objects.create(name="Office", time_zone="UTC")  # Monday to Friday, 8 to 18
    incident = past_incident(
        declared_at=utc(2026, 5, 4, 17), downtime=[(shop, utc(2026, 5, 4, 17), utc(2026, 5, 4, 20))]
    )
    rows.compute_many([incident.pk], at=timezone.now())
    assert figures(scope(utc(2026, 5, 1), utc(2026, 6, 1)), at=utc(2026, 7, 1)).whole.cost.value == 1800
    shop.hours = hours
    shop.save()
    services.edit_service(shop.pk, changes={"off_hours_percent": 10}, actor=service_desk_manager, at=timezone.now())
    for use_kept in (True, False):
        found = figures(scope(utc(2026, 5, 1), utc(2026, 6, 1), use_kept=use_kept), at=utc(2026, 7, 1))
        assert found.whole.cost.value == found.services[0].cost == pytest.approx(600 + 2 * 60)
    rows.compute_many([incident.pk], at=timezone.now())
    assert float(IncidentFigures.objects.get().cost) == 720
    page = signed_in(technician).get("/kpis/assumptions/").content.decode()
    assert "Mon–Fri 08:00-18:00" in page
    assert "€60" in page


def test_the_monthly_report_leaves_once_to_management_and_to_those_named(management, technician):
    outage()
    browser = signed_in(management)
    form = {"is_on": "on", "day": "2", "hour": "7", "to_management": "on", "addresses": "board@example.org\nnonsense"}
    assert browser.post(reverse("report_schedule"), form).status_code == 422
    assert browser.post(reverse("report_schedule"), form | {"addresses": "Board@example.org"}).status_code == 302
    set_zone("Europe/Berlin")
    assert monthly_report.send_due(at=utc(2026, 6, 2, 4)) is None  # six in Berlin: not yet
    assert monthly_report.send_due(at=utc(2026, 6, 2, 5, 30)) == "2026-05"
    assert monthly_report.send_due(at=utc(2026, 6, 2, 5, 40)) is None
    assert monthly_report.send("2026-05", ["x@example.org"], at=timezone.now()) is False
    report = SentReport.objects.get()
    assert sorted(report.recipients) == sorted([management.email, "board@example.org"])
    assert {one.to[0] for one in mail.outbox} == set(report.recipients)
    name, content, kind = mail.outbox[0].attachments[0]
    assert (mail.outbox[0].subject, name, kind) == (
        "Major incidents: May 2026", "major-incidents-2026-05.pdf", "application/pdf",
    )  # fmt: skip
    assert content == bytes(report.pdf)
    assert browser.get(reverse("sent_report", args=[report.pk])).content == bytes(report.pdf)
    assert browser.get("/kpis/reports/").status_code == 200
    assert browser.get(reverse("report_pdf") + "?month=2026-13").status_code == 422
    assert ReportSchedule.current().is_on
    tasks.sweep_monthly_report()


def test_views_are_kept_for_oneself_or_for_everybody(technician, management):
    mine, other = signed_in(technician), signed_in(management)
    new = f"{reverse('figure_view_new')}?{MAY}&severity=SEV1"
    assert mine.post(new, {"name": "May", "shared_with": "nobody"}).status_code == 302
    assert mine.post(new, {"name": "May", "shared_with": "nobody"}).status_code == 422
    assert mine.post(new, {"name": "All of May", "shared_with": "everybody"}).status_code == 302
    assert ">May<" in mine.get("/kpis/").content.decode()
    page = other.get("/kpis/").content.decode()
    assert "All of May" in page
    assert ">May<" not in page
    shared = FigureView.objects.get(name="All of May")
    assert other.post(reverse("figure_view_remove", args=[shared.pk])).status_code == 403
    assert mine.post(reverse("figure_view_remove", args=[shared.pk])).status_code == 302


@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_chart_has_words_a_table_and_a_csv_whatever_it_holds(technician, count):
    for day in range(count):
        outage(day=4 + day)
    browser = signed_in(technician)
    page = browser.get(f"/kpis/?{MAY}").content.decode() + browser.get(f"/kpis/more/?{MAY}").content.decode()
    for drawn in re.findall(r'data-chart="[^"]+"[^>]*>', page):
        assert re.search(r'role="img" aria-label="[^"]{20,}', drawn)
    pictures, tables = page.count("data-chart="), page.count('as a table"')
    assert tables > pictures
    for key in re.findall(r'href="(/kpis/charts/[^"?]+)', page):
        assert browser.get(f"{key}?{MAY}").content.decode().count("\n") >= 1
    assert len(json.loads(re.search(r'id="channels-chart"[^>]*>(.*?)</script>', page)[1])["series"]) if count else True


def test_five_hundred_points_are_drawn_with_a_slider_and_more_than_can_be_seen_is_refused(technician):
    browser = signed_in(technician)
    past_incident(declared_at=utc(2026, 5, 4, 10))
    page = browser.get("/kpis/?from=2025-01-01&to=2026-05-16&by=day").content.decode()
    chart = json.loads(re.search(r'id="monthly-chart"[^>]*>(.*?)</script>', page)[1])
    assert len(chart["xAxis"]["data"]) == 500
    assert "dataZoom" in chart
    assert browser.get("/kpis/?from=2015-01-01&to=2026-05-16&by=day").status_code == 422


def test_everything_goes_out_without_secrets_and_with_its_rows(technician, tmp_path):
    ApiKey.issue(technician, name="secret key", scopes=["read"])
    outage()
    seat = Seat.objects.create(
        incident=MajorIncident.objects.get(), user=technician, role="external_consultant", invited_at=timezone.now()
    )
    held = GuestPass.objects.create(seat=seat, issued_at=timezone.now(), expires_at=timezone.now())
    hook = {"url": "https://chat.example/hooks/T0/s3cret-of-the-hook", "sealed_secret": "x"}
    Webhook.objects.create(name="Chat", owner=technician, created_at=timezone.now(), **hook)
    path = tmp_path / "all.zip"
    call_command("export_everything", str(path), stdout=io.StringIO())
    with zipfile.ZipFile(path) as found:
        names = set(found.namelist())
        assert {f"{name}.{ending}" for name, _ in full_export.tables() for ending in ("jsonl", "csv")} == names
        (line,) = found.read("incidents_majorincident.jsonl").splitlines()
        assert json.loads(line)["detected_at"] == "2026-05-04T10:03:00Z"
        assert found.read("incidents_downtimeinterval.csv").count(b"\n") == 2
        people = found.read("incidents_user.jsonl")
        everything = b"".join(found.read(name) for name in names)
    assert held.nonce.encode() not in everything and b"s3cret-of-the-hook" not in everything
    assert technician.email.encode() in people
    assert b"argon2" not in people
    assert not any("apikey" in name for name in names)


def test_prometheus_reads_the_desk_with_a_key_and_nobody_without(technician, requester):
    Organisation.objects.get_or_create(pk=1)
    now = timezone.now()
    began = now - timedelta(days=3)
    past_incident(
        declared_at=began, detected_at=began - timedelta(minutes=20), stage="resolution",
        downtime=[(service("shop"), began, None)],
    )  # fmt: skip
    assert Client().get("/metrics").status_code == 401
    for user, status in ((technician, 200), (requester, 401)):
        key = ApiKey.issue(user, name="p", scopes=["read"])[1]
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status
        if status == 200:
            text = answer.content.decode()
            assert 'mim_open_major_incidents{severity="SEV1",stage="resolution"} 1.0' in text
            assert 'mim_services_down{service="shop"} 1.0' in text
            assert "mim_kpi_time_to_declare_seconds 1200.0" in text
            assert 'mim_part_ok{part="outbox"} 1.0' in text


@pytest.mark.parametrize("day", [(2026, 5, 4), (2026, 3, 28), (2026, 10, 24), (2026, 12, 24)])
def test_the_meter_of_the_war_room_and_the_figures_weigh_hours_alike(day):
    """Three days long, over both changes of the clock, a weekend and a holiday."""
    set_zone("Europe/Berlin")
    Holiday.objects.create(day=date(2026, 12, 25), name="Christmas")
    shop = service("shop", cost_per_hour=100)
    shop.hours, shop.off_hours_percent = ServiceHours.objects.create(name="Office", time_zone="Europe/Berlin"), 30
    shop.save()
    Organisation.objects.filter(pk=1).update(sla_stamp=uuid.uuid4())
    start = utc(*day, 7, 13)
    incident = past_incident(declared_at=start, downtime=[(shop, start, start + timedelta(days=3, minutes=41))])
    found = figures(scope(start, start + timedelta(days=5), "Europe/Berlin"), at=utc(2027, 1, 1))
    meter = cost_of_downtime(incident.downtime.select_related("service"), utc(2027, 1, 1))
    assert found.whole.cost.value == pytest.approx(float(meter))
    assert 30 * 72 < float(meter) < 100 * 73
