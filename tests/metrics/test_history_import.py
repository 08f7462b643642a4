"""Import of past incidents: rows stand for themselves, and twice changes nothing."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from incidents.models import DowntimeInterval, MajorIncident, Service, TimelineEvent
from metrics.history_import import import_rows, read_csv
from metrics.kpis import figures
from metrics.models import IncidentFigures
from tests.metrics.histories import scope, utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 7, 1)

CLOUDFLARE = {
    "external_id": "cloudflare-2019-07-02",
    "title": "Global outage after a rule deployment",
    "services": ["Edge network"],
    "impact": 1,
    "urgency": 1,
    "started_at": "2019-07-02T13:42:00Z",
    "detected_at": "2019-07-02T13:45:00Z",
    "reported_at": "2019-07-02T13:45:00Z",
    "acknowledged_at": None,
    "contained_at": "2019-07-02T14:07:00Z",
    "restored_at": "2019-07-02T14:09:00Z",
    "resolved_at": "2019-07-02T14:52:00Z",
    "downtime": [{"service": "Edge network", "started_at": "2019-07-02T13:42:00Z", "ended_at": "2019-07-02T14:09:00Z"}],
}


def statuses(results) -> list[str]:
    return [result.status for result in results]


def take(*rows, **options):
    return import_rows(list(rows), actor=None, at=NOW, **options)


def test_the_worked_case_keeps_its_clocks_and_leaves_the_unknown_ones_empty():
    (result,) = take(CLOUDFLARE)
    incident = MajorIncident.objects.get(external_id="cloudflare-2019-07-02")
    assert (result.status, result.ref, result.errors) == ("created", incident.ref, {})
    assert (incident.stage, incident.is_imported, incident.severity, incident.priority) == (
        "closed", True, "SEV1", "P1",
    )  # fmt: skip
    assert (incident.declared_at, incident.acknowledged_at, incident.closed_at) == (None, None, None)
    found = figures(scope(utc(2019, 7, 1), utc(2019, 8, 1)), at=NOW).whole.statistics
    assert [found[key].mean_seconds for key in ("mttd", "time_to_restore", "mttr", "average_downtime")] == [
        180, 1440, 4020, 1620,
    ]  # fmt: skip
    assert (found["mtta"].n, found["time_to_declare"].n) == (0, 0)


def test_without_downtime_the_services_were_down_from_start_to_restoring():
    take({**CLOUDFLARE, "downtime": None, "services": ["Edge network", "API"]})
    assert sorted(
        DowntimeInterval.objects.values_list("service__name", "started_at", "ended_at")
    ) == [(name, utc(2019, 7, 2, 13, 42), utc(2019, 7, 2, 14, 9)) for name in ("API", "Edge network")]  # fmt: skip
    take({**CLOUDFLARE, "external_id": "other", "downtime": []})
    assert DowntimeInterval.objects.count() == 2


def test_running_it_twice_changes_nothing_and_a_changed_row_updates_its_incident():
    first = take(CLOUDFLARE)
    before = MajorIncident.objects.values().get()
    events = TimelineEvent.objects.count()
    again = take(CLOUDFLARE)
    assert (statuses(first), statuses(again)) == (["created"], ["unchanged"])
    assert (MajorIncident.objects.values().get(), TimelineEvent.objects.count()) == (before, events)
    (changed,) = take({**CLOUDFLARE, "resolved_at": "2019-07-02T15:00:00Z", "services": ["Edge network", "Dashboard"]})
    incident = MajorIncident.objects.get()
    assert (changed.status, changed.ref) == ("updated", incident.ref)
    assert incident.resolved_at == utc(2019, 7, 2, 15)
    assert sorted(incident.services.values_list("name", flat=True)) == ["Dashboard", "Edge network"]
    assert incident.clock_entries.get(previous=utc(2019, 7, 2, 14, 52)).value == utc(2019, 7, 2, 15)


def test_a_clock_corrected_here_survives_the_next_import():
    take(CLOUDFLARE)
    MajorIncident.objects.update(detected_at=utc(2019, 7, 2, 13, 44), corrected_clocks=["detected_at"])
    assert statuses(take(CLOUDFLARE)) == ["unchanged"]
    assert MajorIncident.objects.get().detected_at == utc(2019, 7, 2, 13, 44)


def test_good_rows_go_in_beside_bad_ones_and_every_error_is_named_by_field():
    results = take(
        {
            **CLOUDFLARE,
            "external_id": "a",
            "resolved_at": "2019-07-02T14:00:00Z",
            "detected_at": "2019-07-02T13:00:00Z",
        },
        CLOUDFLARE,
        {"external_id": "b", "titel": "x", "impact": 9, "urgency": "high", "severity": "P1", "services": "edge"},
        "not an object",
        {**CLOUDFLARE, "external_id": "c", "declared_at": "2019-07-02 13:45"},
        {**CLOUDFLARE, "external_id": "d", "started_at": "2030-01-01T00:00:00Z", "downtime": [{"service": "x"}]},
        CLOUDFLARE,
    )
    assert statuses(results) == ["rejected", "created", *["rejected"] * 5]
    errors = [result.errors for result in results]
    assert set(errors[0]) == {"detected_at", "resolved_at"}
    assert set(errors[2]) == {"titel", "title", "impact", "urgency", "severity", "services"}
    assert set(errors[3]) == {"row"}
    assert set(errors[4]) == {"declared_at"}
    assert {"started_at", "downtime.0.started_at"} <= set(errors[5])
    assert errors[6] == {"external_id": ["Row 2 has the same external_id."]}
    assert MajorIncident.objects.count() == 1
    assert [result.row for result in results] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 251}, {"title": None}, {"title": 7}, {"title": "nul\x00"}, {"title": "half \ud800"},
        {"impact": True}, {"impact": 1.0}, {"users_affected": 10**12}, {"users_affected": -1},
        {"services": [""]}, {"services": ["x" * 121]}, {"services": [3]}, {"started_at": 5},
        {"started_at": "2019-13-02T13:42:00Z"}, {"started_at": "0001-01-01T00:00:00+23:59"},
        {"downtime": "yes"}, {"downtime": [3]}, {"downtime": [{"service": {}, "started_at": "2019-07-02T13:42:00Z"}]},
        {"downtime": [{"service": "x", "started_at": "2019-07-02T13:42:00Z", "ended_at": None}]},
        {"downtime": [{"service": "x", "started_at": "2019-07-02T13:42:00Z", "ended_at": "2019-07-02T13:00:00Z"}]},
        {"external_id": ""}, {"external_id": ["x"]}, {"severity": "SEV4"}, {"severity": []}, {"affects": "nobody"},
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_rejected_and_never_breaks_the_import(change):
    (result,) = take({**CLOUDFLARE, **change})
    assert result.status == "rejected"
    assert result.errors
    assert not MajorIncident.objects.exists()


def test_services_are_found_by_slug_or_name_and_made_when_unknown():
    known = Service.objects.create(name="Edge network", slug="edge")
    take({**CLOUDFLARE, "services": ["edge", "Edge network", "Brand new"], "downtime": []})
    assert sorted(Service.objects.values_list("slug", flat=True)) == ["brand-new", "edge"]
    assert MajorIncident.objects.get().affected.filter(service=known).count() == 1


def test_an_incident_that_is_not_over_stays_open_with_its_steps_to_do():
    (result,) = take({**CLOUDFLARE, "restored_at": None, "resolved_at": None,
                      "downtime": [{"service": "Edge network", "started_at": "2019-07-02T13:42:00Z"}]})  # fmt: skip
    incident = MajorIncident.objects.get()
    assert (result.status, incident.stage, incident.steps.filter(state="pending").count()) == (
        "created", "identification", 10,
    )  # fmt: skip
    assert statuses(take(CLOUDFLARE)) == ["updated"]
    incident = MajorIncident.objects.get()
    assert (incident.stage, incident.steps.filter(state="waived").count()) == ("closed", 10)


def test_an_import_tells_nobody_and_measures_each_incident():
    take(CLOUDFLARE)
    assert list(TimelineEvent.objects.values_list("kind", flat=True)) == ["incident_edited"]
    row = IncidentFigures.objects.get()
    assert (row.mttd_seconds, row.mtta_seconds, row.downtime_seconds, row.is_complete) == (180, None, 1620, False)
    assert row.stale_since is None


def test_a_dry_run_says_what_would_happen_and_writes_nothing():
    results = take(CLOUDFLARE, {**CLOUDFLARE, "external_id": "b", "impact": 0}, is_dry_run=True)
    assert [(result.status, result.ref) for result in results] == [("created", None), ("rejected", None)]
    assert not MajorIncident.objects.exists()
    assert not Service.objects.exists()


CSV_LINES = [
    "external_id,title,services,impact,urgency,started_at,detected_at,reported_at,resolved_at,restored_at,downtime",
    "a,Checkout down,Checkout;Payments,1,2,2026-05-04T10:00:00Z,2026-05-04T10:02:00Z,2026-05-04T10:03:00Z,"
    "2026-05-04T12:00:00Z,,Checkout|2026-05-04T10:00:00Z|2026-05-04T11:00:00Z",
    "b,Search slow,Search,2,2,2026-05-05T10:00:00Z,,2026-05-05T10:03:00Z,2026-05-05T12:00:00Z,2026-05-05T11:00:00Z,",
    "",
]
CSV = "\n".join(CSV_LINES)


def test_csv_reads_lists_and_intervals_from_its_cells():
    results = import_rows(read_csv(CSV), actor=None, at=NOW)
    assert statuses(results) == ["created", "created"], results
    checkout, search = MajorIncident.objects.order_by("external_id")
    assert sorted(checkout.services.values_list("name", flat=True)) == ["Checkout", "Payments"]
    assert (checkout.severity, search.severity) == ("SEV2", "SEV3")
    assert [interval.service.name for interval in checkout.downtime.all()] == ["Checkout"]
    assert [interval.ended_at for interval in search.downtime.all()] == [utc(2026, 5, 5, 11)]


def test_the_command_reports_rejected_rows_and_fails_when_there_are_any(tmp_path):
    file = tmp_path / "history.csv"
    file.write_text(CSV + "c,No levels,Search,,,,,,,,\n")
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("import_incidents", str(file), stdout=out, stderr=err)
    assert ended.value.code == 1
    assert "2 created, 0 updated, 0 unchanged, 1 rejected" in out.getvalue()
    assert "row 3 (c): impact:" in err.getvalue()
    good = tmp_path / "history.json"
    good.write_text(json.dumps([CLOUDFLARE]))
    out = StringIO()
    call_command("import_incidents", str(good), "--dry-run", stdout=out)
    assert "Would be: 1 created" in out.getvalue()
    call_command("import_incidents", str(good), stdout=out)
    assert MajorIncident.objects.count() == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", ""), ("a.json", "{"), ("a.json", '{"x": 1}'), ("a.txt", "x"), ("a.csv", 'a,b\n"x'), ("gone.csv", None)],
)
def test_a_file_that_cannot_be_read_is_a_sentence_not_a_trace(tmp_path, name, content):
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    with pytest.raises(CommandError):
        call_command("import_incidents", str(file))


def test_ten_thousand_rows_need_queries_by_the_batch(django_assert_max_num_queries):
    rows = [{**CLOUDFLARE, "external_id": str(number)} for number in range(1000)]
    take(CLOUDFLARE)
    with django_assert_max_num_queries(60):
        take(*rows)
