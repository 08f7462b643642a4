"""What each tool sends becomes the signals it means."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from incidents.intake.monitoring.shape import Grade, Malformed, Says
from tests.incidents.monitoring.reading import KINDS, adapter, body_of, read, received

F, A, R, I = Says.FIRING, Says.ACKNOWLEDGED, Says.RESOLVED, Says.INFO  # noqa: E741
CRITICAL, ERROR, WARNING, INFO = Grade.CRITICAL, Grade.ERROR, Grade.WARNING, Grade.INFO
CLOSE = {"rest": "v2/alerts/8341/close"}
BERLIN = {"settings": {"time_zone": "Europe/Berlin"}}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:desk"
GROUP = "0a5c8f1e5d3b2c6a9f8e7d6c5b4a39281706f5e4d3c2b1a0998877665544332211"
CPU = "High CPU utilization (over 90% for 5m)"
MAPPED = {
    "settings": {
        "title": "alert.name",
        "body": "alert.text",
        "key": ["host", "check"],
        "state": {"path": "status", "resolved": ["ok", "closed"], "firing": ["bad"]},
        "severity": {"path": "alert.sev", "critical": ["1"], "warning": [2]},
        "time": "when",
        "time_zone": "Europe/Berlin",
        "link": "url",
        "labels": {"machine": "host"},
    }
}

# body, what came with it, and (key, says, title, severity, episode, service, minute and second of the hour) a signal
TABLE = [
    (
        "pagerduty/firing.json",
        {},
        [("srv01/HTTP", F, "DISK at 99% on machine prod-datapipe03.example.com", CRITICAL, "", "", "42:58")],
    ),
    ("pagerduty/acknowledged.json", {}, [("srv01/HTTP", A, "srv01/HTTP", ERROR, "", "", None)]),
    ("pagerduty/resolved.json", {}, [("srv01/HTTP", R, "srv01/HTTP", ERROR, "", "", None)]),
    (
        "pagerduty/change.json",
        {"rest": "v2/change/enqueue"},
        [(None, I, "Build Success - Increase snapshot create timeout to 30 seconds", INFO, "", "", "56:30")],
    ),
    ("opsgenie/firing.json", {}, [("8341", F, f"Problem: {CPU}", ERROR, "", "", None)]),
    (
        "opsgenie/alertmanager.json",
        {"rest": "v2/alerts"},
        [(GROUP, F, "[FIRING:1] InstanceDown (web-1 node)", CRITICAL, "", "", None)],
    ),
    ("opsgenie/resolved.json", CLOSE, [("8341", R, "Problem has been resolved in 17m 45s", ERROR, "", "", None)]),
    (
        "opsgenie/resolved.json",
        {"rest": "v2/alerts/a/b//c/acknowledge"},
        [("a/b//c", A, "Problem has been resolved in 17m 45s", ERROR, "", "", None)],
    ),
    (
        "opsgenie/resolved.json",
        {"rest": "v2/alerts/8341/notes"},
        [("8341", I, "Problem has been resolved in 17m 45s", INFO, "", "", None)],
    ),
    (
        "victorops/firing.json",
        {"rest": "web"},
        [("9f8e7d6c5b4a3928", F, "[FIRING:1] InstanceDown (web-1 node)", CRITICAL, "", "", "14:07")],
    ),
    (
        "victorops/resolved.json",
        {},
        [("9f8e7d6c5b4a3928", R, "[RESOLVED] InstanceDown (web-1 node)", ERROR, "", "", "30:47")],
    ),
    (
        "grafana/firing.json",
        {},
        [
            (
                "c6eadffa33fcdf37",
                F,
                "This alert was triggered for zone us-1",
                CRITICAL,
                "2026-03-02T09:14:00+01:00",
                "",
                "14:00",
            ),
            (
                "8fd3a1f0aa10bb21",
                R,
                "This alert was triggered for zone us-1",
                ERROR,
                "2026-03-02T09:00:00Z",
                "",
                "13:20",
            ),
        ],
    ),
    (
        "grafana/resolved.json",
        {},
        [
            (
                "c6eadffa33fcdf37",
                R,
                "This alert was triggered for zone us-1",
                CRITICAL,
                "2026-03-02T09:14:00+01:00",
                "",
                "31:00",
            )
        ],
    ),
    ("grafana/legacy_firing.json", {}, [("1/12", F, "Panel Title alert", WARNING, "", "", None)]),
    ("grafana/legacy_resolved.json", {}, [("1/12", R, "Panel Title alert", ERROR, "", "", None)]),
    ("zabbix/firing.json", {}, [("8341", F, CPU, ERROR, "", "Shop", None)]),
    ("zabbix/firing.json", BERLIN, [("8341", F, CPU, ERROR, "", "Shop", "59:30")]),
    ("zabbix/acknowledged.json", {}, [("8341", A, CPU, ERROR, "", "Shop", None)]),
    ("zabbix/resolved.json", BERLIN, [("8341", R, CPU, ERROR, "", "Shop", "05:00")]),
    (
        "nagios/firing.form",
        {},
        [("db-1!Disk /var", F, "Disk /var on db-1 is CRITICAL", CRITICAL, "3107", "Disk /var", "14:07")],
    ),
    (
        "nagios/resolved.form",
        {},
        [("db-1!Disk /var", R, "Disk /var on db-1 is OK", ERROR, "3107", "Disk /var", "31:52")],
    ),
    ("nagios/host_down.form", {}, [("db-1", F, "db-1 is DOWN", CRITICAL, "3108", "", "14:07")]),
    (
        "icinga/firing.json",
        {},
        [("web-1!http", F, "http on web-1 is CRITICAL", CRITICAL, "1772442787.218431", "http", "14:07")],
    ),
    (
        "icinga/acknowledged.json",
        {},
        [("web-1!http", A, "http on web-1 is CRITICAL", CRITICAL, "1772442787.218431", "http", "14:07")],
    ),
    ("icinga/resolved.json", {}, [("web-1!http", R, "http on web-1 is OK", ERROR, "", "http", "31:52")]),
    (
        "icinga/downtime.json",
        {},
        [("web-1!http", I, "http on web-1 is CRITICAL", INFO, "1772442787.218431", "http", "14:07")],
    ),
    ("datadog/firing.json", {}, [("5934102875610294312", F, "Cart answers slowly", ERROR, "", "cart", "14:07")]),
    ("datadog/resolved.json", {}, [("5934102875610294312", R, "Cart answers slowly", ERROR, "", "cart", "31:52")]),
    ("datadog/default_payload.json", {}, [(None, F, "CPU is high on {host:a}", ERROR, "", "", "14:07")]),
    ("sns/firing.json", {}, [(f"{TOPIC} test-alarm-5xx", F, "5xx of the shop", ERROR, "", "", "14:07")]),
    ("sns/resolved.json", {}, [(f"{TOPIC} test-alarm-5xx", R, "5xx of the shop", ERROR, "", "", "31:07")]),
    ("sns/no_data.json", {}, [(f"{TOPIC} test-alarm-5xx", I, "5xx of the shop", INFO, "", "", "41:07")]),
    ("sns/confirmation.json", {}, [(TOPIC, I, f"SubscriptionConfirmation of {TOPIC}", INFO, "", "", None)]),
    ("sentry/event_alert.json", {}, [("1170820242", F, "ReferenceError: heck is not defined", ERROR, "", "", "14:07")]),
    (
        "sentry/firing.json",
        {},
        [("1170820242", F, "ReferenceError: heck is not defined", ERROR, "", "front-end", "14:07")],
    ),
    (
        "sentry/resolved.json",
        {"headers": {"sentry-hook-timestamp": "1772443912"}},
        [("1170820242", R, "ReferenceError: heck is not defined", ERROR, "", "front-end", "31:52")],
    ),
    ("sentry/metric_firing.json", {}, [("metric/4", F, "Too many errors", CRITICAL, "", "front-end", "14:00")]),
    ("sentry/metric_resolved.json", {}, [("metric/4", R, "Too many errors", ERROR, "", "front-end", "14:00")]),
    (
        "sentry/legacy.json",
        {},
        [("27379932", F, "This is an example Python exception", ERROR, "", "project-slug", "14:07")],
    ),
    ("uptime-kuma/firing.json", {}, [("7", F, "Shop is down", CRITICAL, "", "checkout", "14:07")]),
    ("uptime-kuma/resolved.json", {}, [("7", R, "Shop is up", CRITICAL, "", "checkout", "14:07")]),
    ("uptime-kuma/test.json", {}, [("test", I, "Test Uptime Kuma Testing", INFO, "", "", None)]),
    (
        "uptime-kuma/certificate.json",
        {},
        [
            (
                "test",
                I,
                "[Shop][https://shop.example.com] Certificate CN=shop.example.com will expire in 7 days",
                INFO,
                "",
                "",
                None,
            )
        ],
    ),
    ("cloudevents/firing.json", {}, [("/mycontext C234-1234-1234", F, "Pump 4 is too hot", CRITICAL, "", "", "14:07")]),
    (
        "cloudevents/resolved.json",
        {},
        [("/mycontext C234-1234-1235", R, "Pump 4 is too hot", CRITICAL, "", "", "14:07")],
    ),
    (
        "cloudevents/resolved.json",
        {
            "settings": {
                "key": "data.alarm.id",
                "title": "data.title",
                "state": {"path": "data.alarm.state", "resolved": "off"},
            }
        },
        [("pump-4", R, "Pump 4 is too hot", CRITICAL, "", "", "14:07")],
    ),
    (
        "cloudevents/batch.json",
        {"headers": {"content-type": "application/cloudevents-batch+json"}},
        [("/mycontext 1", F, "One", ERROR, "", "", "14:07"), ("/mycontext 2", F, "Two", ERROR, "", "", "14:07")],
    ),
    ("generic/firing.json", MAPPED, [("backup-1/nightly", F, "Backup failed", WARNING, "", "", "14:07")]),
    ("generic/resolved.json", MAPPED, [("backup-1/nightly", R, "Backup failed", WARNING, "", "", "24:07")]),
    ("generic/firing.json", {}, [("backup-1/nightly", F, "Backup failed", ERROR, "", "", None)]),
    ("generic/resolved.json", {}, [("backup-1/nightly", R, "Backup failed", ERROR, "", "", None)]),
    ("generic/apprise.json", {}, [("Disk full", F, "Disk full", ERROR, "", "", None)]),
    ("generic/apprise_xml.xml", {}, [("Disk full", F, "Disk full", WARNING, "", "", None)]),
    ("servicenow/firing.json", {}, [(None, F, "[PROBLEM] High CPU utilization", ERROR, "", "", None)]),
    (
        "servicenow/resolved.json",
        {"method": "PUT", "rest": "api/now/table/incident/" + "0" * 31 + "7"},
        [("z-1", R, "[RESOLVED] High CPU utilization", ERROR, "", "", None)],
    ),
]


@pytest.mark.parametrize(("name", "given", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_a_body_says_what_it_means(name, given, expected):
    signals = read(name, **given)
    assert [
        (
            None if wanted[0] is None else signal.key,
            signal.says,
            signal.title,
            signal.severity,
            signal.episode,
            signal.service,
            f"{signal.occurred_at:%M:%S}" if signal.occurred_at else None,
        )
        for signal, wanted in zip(signals, expected, strict=True)
    ] == expected
    assert all(signal.key for signal in signals)


def test_zabbix_times_are_read_in_its_own_zone_over_a_clock_change():
    began, ended = read("zabbix/firing.json", **BERLIN)[0], read("zabbix/resolved.json", **BERLIN)[0]
    assert began.occurred_at == datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
    assert ended.occurred_at == datetime(2026, 3, 29, 1, 5, tzinfo=UTC)


def test_labels_and_links_come_along():
    signal = read("pagerduty/firing.json")[0]
    assert signal.labels["component"] == "mysql" and signal.labels["load avg"] == "0.75"
    assert signal.link == "https://monitoring.service.example.com"
    assert read("opsgenie/firing.json")[0].labels["linux"] == "true"
    assert read("zabbix/firing.json")[0].link.endswith("triggerid=23041&eventid=8341")
    assert read("generic/firing.json", **MAPPED)[0].labels == {"machine": "backup-1"}
    assert "SERVICENOTESURL" not in str(read("nagios/firing.form")[0])


REFUSED = [
    ("pagerduty", "{}", {"rest": "v2/enqueue"}, 400, "event_action"),
    ("pagerduty", '{"event_action":"trigger","payload":{"summary":"x"}}', {}, 400, "payload.source"),
    ("pagerduty", '{"event_action":["trigger"]}', {}, 400, "event_action"),
    ("pagerduty", '{"event_action":"resolve"}', {}, 400, "dedup_key"),
    ("pagerduty", '{"event_action":"resolve","dedup_key":"%s"}' % ("k" * 256), {}, 400, "dedup_key"),
    ("opsgenie", "{}", {"rest": "v2/alerts"}, 422, "message"),
    ("opsgenie", '{"message":"m","alias":"%s"}' % ("a" * 513), {}, 422, "alias"),
    ("victorops", '{"message_type":"PANIC"}', {}, 400, "message_type"),
    ("grafana", '{"alerts":[{"status":"firing","fingerprint":"a"},{"status":"?"}]}', {}, 400, "alerts[1].status"),
    ("zabbix", '{"event_value":"1","event_id":"{EVENT.ID}"}', {}, 400, "event_id"),
    ("nagios", "type=PROBLEM", {}, 400, "host"),
    ("nagios", "host=a&type=WHAT", {}, 400, "type"),
    ("datadog", '{"title":"[Recovered] x"}', {}, 400, "alert_cycle_key"),
    ("sns", '{"AlarmName":"raw"}', {}, 400, ""),
    ("sentry", '{"event_id":"9ec79c33","dsn":"https://e@s.io/1"}\n{"type":"event"}\n{}', {}, 415, ""),
    ("sentry", '{"action":"resolved","data":{"issue":{}}}', {}, 400, "data.issue.id"),
    ("uptime-kuma", '{"heartbeat":{"monitorID":1,"status":9}}', {}, 400, "heartbeat.status"),
    ("cloudevents", '{"specversion":"1.0","id":"1","source":"s"}', {}, 400, "type"),
    ("cloudevents", '[{"specversion":"1.0","id":"1","source":"s","type":"t"},{"id":"2"}]', {}, 400, "[1].source"),
    ("generic", body_of("generic/monit_broken.txt"), {}, 400, ""),
    ("generic", "{}", {}, 400, "key"),
    ("generic", '{"a":1}', {"settings": {"items": "alerts"}}, 400, "alerts"),
    ("generic", '{"a":1}', {"settings": {"key": "b.c"}}, 400, "b.c"),
    ("generic", '<!DOCTYPE a [<!ENTITY b "c">]><a><b>&b;</b></a>', {}, 400, ""),
    ("servicenow", '{"description":"x"}', {}, 400, "short_description"),
]


@pytest.mark.parametrize(("kind", "body", "given", "status", "field"), REFUSED)
def test_a_body_that_cannot_be_read_is_refused_in_the_dialect_and_names_the_field(kind, body, given, status, field):
    with pytest.raises(Malformed) as refusal:
        adapter(kind).read(received(kind, body, **given))
    answer = adapter(kind).refused(received(kind, body, **given), refusal.value)
    assert (answer.status, refusal.value.field) == (status, field)
    assert refusal.value.sentence.endswith((".", "?"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_test_button_sends_is_read_and_a_resolve_fits_its_alert(kind):
    one = adapter(kind)
    found = {}
    for says in (F, R):
        body, headers = one.example(says=says)
        found[says] = one.read(received(kind, body, headers=headers))
        assert one.accepted(received(kind, body, headers=headers, payload_id=7), found[says]).status in (200, 201, 202)
    if kind == "heartbeat":
        assert found == {F: [], R: []}
        return
    assert [signal.says for signal in (*found[F], *found[R])] == [F, R]
    assert {signal.key for signals in found.values() for signal in signals} == {found[F][0].key}


def test_a_key_made_by_us_is_the_same_whenever_the_request_is_read():
    one = adapter("pagerduty")
    body = '{"event_action":"trigger","payload":{"summary":"a","source":"b","severity":"info"}}'
    first = received("pagerduty", body)
    key = one.read(first)[0].key
    assert key == one.read(received("pagerduty", body, payload_id=9))[0].key
    assert one.accepted(first, []).body["dedup_key"] == key
    later = received("pagerduty", body, received_at=datetime(2026, 3, 2, 9, 16, tzinfo=UTC))
    assert one.read(later)[0].key != key


def test_cloudevents_in_binary_mode_carry_their_attributes_in_headers():
    headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "9",
        "ce-source": "/caf%C3%A9",
        "ce-type": "com.example.alarm.cleared",
        "ce-time": "2026-03-02T09:14:07Z",
    }
    signal = adapter("cloudevents").read(received("cloudevents", '{"title":"Hot"}', headers=headers))[0]
    assert (signal.key, signal.says, signal.title) == ("/café 9", R, "Hot")


def test_uptime_kuma_may_send_a_form():
    form = urlencode({"data": body_of("uptime-kuma/firing.json").decode()})
    assert adapter("uptime-kuma").read(received("uptime-kuma", form))[0].key == "7"
    head = b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n'
    multipart = head + body_of("uptime-kuma/firing.json") + b"\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert adapter("uptime-kuma").read(received("uptime-kuma", multipart, headers=headers))[0].key == "7"
