"""Integrations, their payloads, and rules through the API."""

import pytest
from django.utils import timezone

from incidents.models import AlertRule, IdempotentRequest, Integration, Payload, PayloadState
from incidents.models.access import digest
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(as_administrator):
    return as_administrator.post("integrations", {"name": "Prometheus", "kind": "alertmanager"}, 201)


def payload(integration_id, body=b"{}", **fields):
    return Payload.objects.create(
        integration_id=integration_id, received_at=timezone.now(), body=body, sha256=digest(body.decode("latin-1")),
        **fields,
    )  # fmt: skip


def test_a_name_and_a_kind_are_enough_and_the_key_is_shown_once(made, as_administrator, settings):
    assert made["url"] == f"{settings.PUBLIC_URL}/in/alertmanager/{made['key']}"
    assert len(made["key"]) >= 22  # letters and digits: 5.95 bits each, so more than 128 bits
    later = as_administrator.get(f"integrations/{made['id']}")
    assert later["key"] is None
    assert made["key"] not in str(later)
    assert later["url"] == f"{settings.PUBLIC_URL}/in/alertmanager/{made['key'][:6]}…"
    row = Integration.objects.get(pk=made["id"])
    assert row.key_sha256 == digest(made["key"])


def test_a_repeated_request_gets_the_same_key_though_the_database_holds_none(as_administrator):
    body, once = {"name": "Grafana", "kind": "grafana"}, {"Idempotency_Key": "again"}
    made = as_administrator.post("integrations", body, 201, **once)
    assert as_administrator.post("integrations", body, 201, **once)["key"] == made["key"]
    assert made["key"].encode() not in bytes(IdempotentRequest.objects.get().body)


@pytest.mark.parametrize(
    ("kind", "path", "base"),
    [
        ("pagerduty", "/v2/enqueue", ""),
        ("opsgenie", "/in/opsgenie", "/in/opsgenie"),
        ("servicenow", "/in/servicenow", "/in/servicenow"),
    ],
)
def test_clients_that_fix_the_path_get_the_address_they_want(as_administrator, settings, kind, path, base):
    made = as_administrator.post("integrations", {"name": kind, "kind": kind}, 201)
    assert (made["url"], made["base_url"]) == (settings.PUBLIC_URL + path, settings.PUBLIC_URL + base)


def test_a_rotated_key_is_another_one_and_the_old_one_is_gone(made, as_administrator):
    rotated = as_administrator.post(f"integrations/{made['id']}/rotate")
    assert rotated["key"] and rotated["key"] != made["key"]
    assert not Integration.objects.filter(key_sha256=digest(made["key"])).exists()


def test_fields_are_corrected_and_wrong_ones_named(made, as_administrator, checkout):
    path = f"integrations/{made['id']}"
    changed = as_administrator.patch(path, {"service": "checkout", "settings": {"host": "label"}, "is_active": False})
    assert (changed["service"], changed["settings"], changed["health"]["state"]) == (
        "checkout",
        {"host": "label"},
        "off",
    )
    wrong = {"settings": [], "service": "nowhere", "grace_seconds": -1}
    assert as_administrator.patch(path, wrong, 400)["errors"].keys() == wrong.keys()
    assert as_administrator.patch(path, {"expected_every_seconds": 60}, 400)["errors"].keys() == {
        "expected_every_seconds"
    }
    twin = as_administrator.post("integrations", {"name": "Prometheus", "kind": "grafana"}, 409)
    assert twin["type"] == "duplicate"
    assert as_administrator.post("integrations", {"name": "x", "kind": "carrier-pigeon"}, 400)["errors"].keys() == {
        "kind"
    }
    assert as_administrator.post("integrations", {"name": "x", "kind": "api"}, 400)["errors"].keys() == {"kind"}


def test_a_heartbeat_is_expected_every_five_minutes_unless_said_otherwise(as_administrator):
    made = as_administrator.post("integrations", {"name": "Backup", "kind": "heartbeat"}, 201)
    assert made["expected_every_seconds"] == 300
    path = f"integrations/{made['id']}"
    assert as_administrator.patch(path, {"expected_every_seconds": 3600})["expected_every_seconds"] == 3600
    assert as_administrator.patch(path, {"expected_every_seconds": None}, 400)["errors"].keys() == {
        "expected_every_seconds"
    }


def test_only_what_nothing_refers_to_is_deleted(made, as_administrator):
    used = as_administrator.post("integrations", {"name": "Used", "kind": "grafana"}, 201)
    payload(used["id"])
    refusal = as_administrator.ask("DELETE", f"integrations/{used['id']}")
    assert refusal.status_code == 409
    assert "Switch it off" in refusal.json()["detail"]
    as_administrator.delete(f"integrations/{made['id']}")
    as_administrator.get(f"integrations/{made['id']}", 404)


def test_payloads_are_read_as_text_and_replayed(made, as_administrator, as_technician):
    kept = payload(made["id"], b'{"a": "\xff\x00"}', state=PayloadState.FAILED, reason="Broke", attempts=5)
    shown = as_administrator.get(f"integrations/{made['id']}/payloads?state=failed")["results"]
    assert [(row["id"], row["state"], row["reason"], row["size_bytes"]) for row in shown] == [
        (kept.pk, "failed", "Broke", 11)
    ]
    assert shown[0]["body"] == '{"a": "�␀"}'
    again = as_administrator.post(f"payloads/{kept.pk}/replay")
    assert (again["state"], again["reason"], again["attempts"]) == ("waiting", "", 0)
    as_technician.get(f"integrations/{made['id']}/payloads", 403)
    as_technician.post(f"payloads/{kept.pk}/replay", expect=403)


def test_of_a_large_body_only_the_beginning_is_answered(made, as_administrator):
    kept = payload(made["id"], b"x" * 100_000)
    shown = as_administrator.get(f"payloads/{kept.pk}")
    assert (shown["size_bytes"], len(shown["body"])) == (100_000, 64 * 1024)


def test_health_counts_what_was_refused_lately(made, as_administrator):
    payload(made["id"], state=PayloadState.REFUSED)
    health = as_administrator.get(f"integrations/{made['id']}")["health"]
    assert (health["state"], health["refused_last_day"], health["firing"]) == ("failing", 1, 0)


def test_technicians_read_what_there_is_and_change_nothing(made, as_technician, administrator):
    assert [row["name"] for row in as_technician.get("integrations")["results"]] == ["Prometheus"]
    as_technician.post("integrations", {"name": "x", "kind": "grafana"}, 403)
    as_technician.post(f"integrations/{made['id']}/rotate", expect=403)
    assert (
        Caller(administrator, scopes=["read", "write"]).post("integrations", {"name": "x", "kind": "grafana"}, 403)[
            "scope"
        ]
        == "admin"
    )


def test_rules_are_kept_in_their_order(made, as_administrator, as_technician, checkout):
    AlertRule.objects.all().delete()
    first = as_administrator.post(
        "rules",
        {
            "name": "Checkout burns", "when": "alert", "source": made["id"], "severities": ["critical"],
            "services": ["checkout"], "label_equals": {"env": "prod"}, "outcome": "candidate", "after_seconds": 120,
        },
        201,
    )  # fmt: skip
    second = as_administrator.post("rules", {"name": "The rest", "outcome": "ticket", "impact": 2}, 201)
    assert (first["services"], first["source"], first["when"]) == (["checkout"], made["id"], "alert")
    assert [row["name"] for row in as_technician.get("rules")["results"]] == ["The rest", "Checkout burns"]
    as_administrator.patch(f"rules/{second['id']}", {"position": 9999, "severities": ["error", "critical"]})
    assert [row["name"] for row in as_technician.get("rules")["results"]] == ["Checkout burns", "The rest"]
    as_technician.patch(f"rules/{second['id']}", {"position": 1}, 403)
    as_administrator.delete(f"rules/{second['id']}")
    as_technician.get(f"rules/{second['id']}", 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"severities": ["awful"]}, {"services": ["nowhere"]}, {"outcome": "party"}, {"impact": 5}, {"source": 99},
        {"after_seconds": -1}, {"label_equals": {"a": []}}, {"when": "ticket"}, {"text_contains": "x" * 201},
    ],
)  # fmt: skip
def test_a_wrong_condition_is_named(as_administrator, wrong):
    body = {"name": "x", "outcome": "ticket", **wrong}
    found = as_administrator.post("rules", body, 400)["errors"]
    assert {name.split(".")[0] for name in found} == wrong.keys()


def test_a_page_of_integrations_costs_the_same_for_1_10_and_100(as_administrator, django_assert_max_num_queries):
    for number in range(100):
        made = as_administrator.post("integrations", {"name": f"i{number}", "kind": "generic"}, 201)
        payload(made["id"], state=PayloadState.REFUSED)
        if number in (0, 9, 99):
            with django_assert_max_num_queries(9):
                as_administrator.get("integrations?page_size=100")
