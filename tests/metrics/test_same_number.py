"""One question, five places: tile, chart, CSV, PDF and API show the same number."""

import csv
import io
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from incidents.models import ApiKey
from metrics import monthly_report
from metrics.definitions import KPI_BY_KEY, STATISTICS
from metrics.targets import set_target
from tests.metrics.histories import past_incident, service, utc

pytestmark = pytest.mark.django_db
MAY = "from=2026-05-01&to=2026-06-01"


@pytest.fixture
def three_outages():
    shop, pay = service("shop", cost_per_hour=600), service("pay", cost_per_hour=90)
    for day, minutes, one in ((4, 37, shop), (11, 122, pay), (30, 541, shop)):
        start = utc(2026, 5, day, 10)
        past_incident(
            started_at=start, detected_at=utc(2026, 5, day, 10, 3), reported_at=utc(2026, 5, day, 10, 4),
            acknowledged_at=utc(2026, 5, day, 10, 4 + day), declared_at=utc(2026, 5, day, 10, 40),
            resolved_at=utc(2026, 5, day, 23), title=f"Outage {day}",
            downtime=[(one, start, start.replace(hour=10 + minutes // 60, minute=minutes % 60))],
        )  # fmt: skip


def test_tile_chart_csv_pdf_and_api_say_the_same(three_outages, technician, monkeypatch):
    browser = Client()
    browser.force_login(technician)
    key = ApiKey.issue(technician, name="t", scopes=["read"])[1]
    api = browser.get(f"/api/v1/metrics/kpis?{MAY}", headers={"Authorization": f"Bearer {key}"}).json()
    expected = {
        "mttd": 180, "mtta": (4 + 11 + 30) * 60 / 3, "mttr": (13 * 60 - 4) * 60, "time_to_declare": 37 * 60,
        "average_downtime": (37 + 122 + 541) * 60 / 3,
    }  # fmt: skip
    for name, seconds in expected.items():
        assert api[name]["mean_seconds"] == pytest.approx(seconds), name
    cost = (37 + 541) * 10 + 122 * 1.5
    assert api["cost"] == {"value": pytest.approx(cost), "n": 3}
    uptime = 2 * 31 * 86400 - 700 * 60
    assert api["mtbf"]["mean_seconds"] == pytest.approx(uptime / 3)

    page = browser.get(f"/kpis/?{MAY}").content.decode()
    words = {
        "mttd": "3 min", "mtta": "15 min", "mttr": "12 h 56 min", "average_downtime": "3 h 53 min", "mtbf": "20 d 12 h",
        "time_to_declare": "37 min", "cost": "€5,963",
    }  # fmt: skip
    tiles = dict(re.findall(r'class="tile-label">([^<]+)</div>\s*<div class="tile-value">([^<]+)</div>', page))
    rows = dict(
        re.findall(r'class="row-link"[^>]*title="[^"]*">([^<]+)</a>.*?<td class="num">([^<]+)</td>', page, re.S)
    )
    shown = rows | tiles
    for name, said in words.items():
        assert shown[KPI_BY_KEY[name].label] == said, name

    chart = json.loads(re.search(r'<script id="times-chart" type="application/json">(.*?)</script>', page, re.S)[1])
    drawn = {one["name"]: one["data"] for one in chart["series"]}
    for name in ("mttd", "mtta", "mttr"):
        assert drawn[KPI_BY_KEY[name].label] == [pytest.approx(expected[name] / 60)]

    exported = browser.get(reverse("kpi_chart_csv", args=["summary"]) + f"?{MAY}").content.decode()
    lines = {row["Figure"]: row for row in csv.DictReader(io.StringIO(exported))}
    for kpi in STATISTICS:
        value = lines[kpi.label]["Value"]
        assert (float(value) if value else None) == pytest.approx(api[kpi.key]["mean_seconds"]), kpi.key
    assert float(lines["Cost of downtime"]["Value"]) == pytest.approx(cost)

    printed = {}
    compile_as_it_is = monthly_report.contents
    monkeypatch.setattr(
        monthly_report, "contents", lambda *a, **k: printed.setdefault("given", compile_as_it_is(*a, **k))
    )
    pdf = browser.get(reverse("report_pdf") + "?month=2026-05")
    assert pdf.content.startswith(b"%PDF")
    on_paper = {one["label"]: one["value"] for one in printed["given"]["figures"]}
    for name, said in words.items():
        assert on_paper[KPI_BY_KEY[name].label] == said, name
    assert on_paper["Major incidents"] == shown["Major incidents"] == str(api["major_incidents"]["count"]) == "3"


def test_a_target_is_met_or_missed_alike_on_tile_and_api(three_outages, management, technician):
    from django.utils import timezone

    set_target("mttd", 120, actor=management, at=timezone.now())
    set_target("major_incidents", 3, actor=management, at=timezone.now())
    browser = Client()
    browser.force_login(technician)
    page = browser.get(f"/kpis/?{MAY}").content.decode()
    assert "Target missed" in page
    assert "Target met" in page
    key = ApiKey.issue(technician, name="t", scopes=["read"])[1]
    api = browser.get(f"/api/v1/metrics/kpis?{MAY}", headers={"Authorization": f"Bearer {key}"}).json()
    assert [(one["kpi"], one["target"], one["is_met"]) for one in api["targets"]] == [
        ("mttd", 120, False), ("major_incidents", 3, True),
    ]  # fmt: skip
