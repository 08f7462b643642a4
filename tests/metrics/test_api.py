"""Figures and import as other software sees them."""

import csv
import io
import json

import pytest
from django.test import Client

from incidents.models import ApiKey, MajorIncident
from tests.metrics.histories import past_incident, service, set_zone, utc
from tests.metrics.test_history_import import CLOUDFLARE

pytestmark = pytest.mark.django_db
JULY = "from=2019-07-01&to=2019-08-01"


class Caller:
    """A client with a key."""

    def __init__(self, user, *scopes):
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {ApiKey.issue(user, name='test', scopes=list(scopes))[1]}"}

    def get(self, path):
        return self.client.get(f"/api/v1/{path}", headers=self.headers)

    def post(self, path, body, **headers):
        return self.client.post(
            f"/api/v1/{path}", body if isinstance(body, str) else json.dumps(body),
            content_type="application/json", headers={**self.headers, **headers},
        )  # fmt: skip


@pytest.fixture
def desk(service_desk_manager):
    return Caller(service_desk_manager, "read", "write")


def test_the_worked_case_imported_and_read_back_over_the_api(desk):
    answer = desk.post("import/incidents", [CLOUDFLARE])
    assert answer.status_code == 200, answer.content
    (result,) = answer.json()["results"]
    assert (result["row"], result["external_id"], result["status"], result["errors"]) == (
        1, CLOUDFLARE["external_id"], "created", {},
    )  # fmt: skip
    assert result["ref"] == MajorIncident.objects.get().ref
    found = desk.get(f"metrics/kpis?{JULY}").json()
    assert found["mttd"] == {"mean_seconds": 180, "median_seconds": 180, "p90_seconds": 180, "n": 1}
    assert found["mtta"] == {"mean_seconds": None, "median_seconds": None, "p90_seconds": None, "n": 0}
    assert found["mttr"]["mean_seconds"] == 67 * 60
    assert found["time_to_restore"]["mean_seconds"] == 24 * 60
    assert found["time_to_contain"]["mean_seconds"] == 22 * 60
    assert found["time_to_declare"]["n"] == 0
    assert found["average_downtime"]["mean_seconds"] == 27 * 60
    assert found["major_incidents"] == {"count": 1}
    assert found["mtbf"]["failures"] == 1
    assert found["mtbf"]["uptime_seconds"] == 31 * 86400 - 27 * 60
    assert found["cost"] == {"value": 0, "n": 1}
    assert found["promise_kept_rate"] == {"value": None, "n": 0}
    assert (found["from"], found["to"]) == ("2019-07-01T00:00:00Z", "2019-08-01T00:00:00Z")
    assert desk.post("import/incidents", [CLOUDFLARE]).json()["results"][0]["status"] == "unchanged"


def test_months_are_a_plain_list_with_the_change_against_the_first(desk):
    for month, count in ((5, 2), (6, 3)):
        for day in range(count):
            past_incident(declared_at=utc(2026, month, 1 + day))
    found = desk.get("metrics/monthly?from=2026-05-01&to=2026-08-01").json()
    assert [(row["month"], row["count"], row["change_percent"]) for row in found] == [
        ("2026-05", 2, 0), ("2026-06", 3, 50), ("2026-07", 0, -100),
    ]  # fmt: skip


def test_days_are_days_of_the_organisation(desk):
    set_zone("Europe/Berlin")
    past_incident(declared_at=utc(2026, 3, 31, 22))
    assert desk.get("metrics/kpis?from=2026-04-01&to=2026-05-01").json()["major_incidents"]["count"] == 1
    assert desk.get("metrics/kpis?from=2026-03-01&to=2026-04-01").json()["major_incidents"]["count"] == 0
    assert (
        desk.get("metrics/kpis?from=2026-03-31T22:00:00Z&to=2026-04-01T00:00:01%2B02:00").json()["major_incidents"][
            "count"
        ]
        == 1
    )


def test_services_show_mtbf_downtime_and_cost(desk):
    shop = service("shop", cost_per_hour=600)
    past_incident(declared_at=utc(2026, 5, 4), downtime=[(shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 12))])
    (row,) = desk.get("metrics/services?from=2026-05-01&to=2026-06-01").json()
    assert (row["service"], row["downtime_seconds"], row["cost"]) == ("shop", 7200, 1200)
    assert row["mtbf"]["mean_seconds"] == 31 * 86400 - 7200


def test_filters_name_services_by_slug_or_name(desk):
    shop = service("shop")
    past_incident(declared_at=utc(2026, 5, 4), services=[shop], severity="SEV2")
    past_incident(declared_at=utc(2026, 5, 4), severity="SEV1")
    for query, count in (("service=shop", 1), ("service=Shop", 1), ("severity=SEV2", 1), ("severity=SEV3", 0)):
        found = desk.get(f"metrics/kpis?from=2026-05-01&to=2026-06-01&{query}").json()
        assert found["major_incidents"]["count"] == count, query


def test_without_a_period_everything_so_far_counts(desk):
    past_incident(declared_at=utc(2019, 7, 2))
    found = desk.get("metrics/kpis").json()
    assert (found["major_incidents"]["count"], found["from"]) == (1, "2019-07-01T00:00:00Z")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("from=yesterday", {"from"}), ("from=2026-02-30", {"from"}), ("from=2026-05-01T10:00", {"from"}),
        ("from=2026-05-01&to=2026-04-01", {"to"}), ("from=2026-05-01&to=2026-05-01", {"to"}),
        ("from=0001-01-01", {"from"}), ("to=9999-12-31T23:59:59-12:00", {"to"}), ("from=%00", {"from"}),
        ("service=nobody", {"service"}), ("severity=SEV9", {"severity"}),
        ("from=x&to=y&service=z&severity=q", {"from", "to", "service", "severity"}), ("service=%00", {"service"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["kpis", "monthly", "services", "incidents.csv"])
def test_a_bad_scope_names_every_bad_parameter(desk, path, query, fields):
    answer = desk.get(f"metrics/{path}?{query}")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json()["type"], set(answer.json()["errors"])) == ("invalid", fields)


def test_the_rows_behind_the_figures_come_as_csv_that_no_spreadsheet_runs(desk):
    shop = service("shop")
    past_incident(
        title='=HYPERLINK("http://evil","x")', started_at=utc(2026, 5, 4, 10), detected_at=utc(2026, 5, 4, 10, 3),
        declared_at=utc(2026, 5, 4, 10, 5), downtime=[(shop, utc(2026, 5, 4, 10), utc(2026, 5, 4, 11))],
    )  # fmt: skip
    for lead in "+-@\t\r":
        past_incident(title=f"{lead}cmd", declared_at=utc(2026, 5, 5))
    answer = desk.get("metrics/incidents.csv?from=2026-05-01&to=2026-06-01")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert len(rows) == 6
    assert all(row["title"].startswith("'") for row in rows)
    last = rows[-1]
    assert (last["mttd_seconds"], last["downtime_seconds"], last["services"]) == ("180.0", "3600.0", "Shop")
    assert (last["declared_at"], last["mtta_seconds"]) == ("2026-05-04T10:05:00Z", "")


def test_csv_is_answered_when_it_is_asked_for(desk):
    desk.headers["Accept"] = "text/csv"
    assert desk.get("metrics/incidents.csv").status_code == 200


def test_figures_are_for_staff_and_import_for_those_who_run_the_desk(requester, technician, desk):
    assert Caller(requester, "read").get("metrics/kpis").status_code == 403
    assert Caller(technician, "read").get("metrics/kpis").status_code == 200
    assert Caller(technician, "read", "write").post("import/incidents", []).status_code == 403
    assert Client().get("/api/v1/metrics/kpis").status_code == 401
    assert desk.post("import/incidents", []).json() == {"results": []}


@pytest.mark.parametrize("body", ["", "{", "3", '"x"', '{"x": 1}', "null"])
def test_a_body_that_is_no_list_is_refused_with_a_sentence(desk, body):
    answer = desk.post("import/incidents", body)
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid")


def test_an_import_repeated_with_its_key_gives_its_first_answer(desk):
    first = desk.post("import/incidents", [CLOUDFLARE], **{"Idempotency-Key": "once"})
    again = desk.post("import/incidents", [CLOUDFLARE], **{"Idempotency-Key": "once"})
    assert first.json() == again.json()
    assert again.json()["results"][0]["status"] == "created"


def test_the_number_of_queries_does_not_follow_the_number_of_incidents(desk, django_assert_max_num_queries):
    for number in range(20):
        past_incident(declared_at=utc(2026, 5, 1 + number), services=[service(f"s{number}")])
    for path in ("kpis", "monthly", "services", "incidents.csv"):
        with django_assert_max_num_queries(6):
            desk.get(f"metrics/{path}?from=2026-05-01&to=2026-06-01")
