"""What to paste where: every kind has its guide, and what stands in it works as it stands."""

import json
import re
from html import unescape
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string

from incidents.intake.monitoring.shape import Says
from tests.incidents.monitoring.reading import KINDS, adapter, received

URL, BASE, KEY = "https://desk.example.com/in/kind/abc123", "https://desk.example.com/base", "abc123"


def guide(kind: str) -> str:
    integration = SimpleNamespace(expected_every_seconds=3600, grace_seconds=60)
    context = {"url": URL, "base_url": BASE, "key": KEY, "integration": integration}
    return render_to_string(f"incidents/integrations/guides/{kind}.html", context)


def snippets(kind: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<pre>(.*?)</pre>", guide(kind), re.DOTALL)]


@pytest.mark.parametrize("kind", [*KINDS, "alertmanager"])
def test_every_kind_says_where_to_paste_its_address_and_key(kind):
    text = guide(kind)
    assert URL in text or (BASE in text and KEY in text)
    assert "{{" not in text and "{%" not in text


def test_datadogs_payload_is_json_and_unreplaced_variables_say_nothing():
    payload = next(text for text in snippets("datadog") if text.startswith("{"))
    body = json.loads(payload) | {"title": "[Triggered] CPU", "transition": "Triggered", "alert_cycle_key": "7"}
    (signal,) = adapter("datadog").read(received("datadog", json.dumps(body)))
    assert (signal.key, signal.says, signal.title, signal.labels) == ("7", Says.FIRING, "CPU", {})


def test_zabbixs_parameters_are_those_that_are_read():
    names = dict(line.split(None, 1) for line in snippets("zabbix")[0].splitlines())
    body = names | {"event_id": "8341", "event_value": "1", "event_source": "0", "event_name": "CPU"}
    (signal,) = adapter("zabbix").read(received("zabbix", json.dumps(body)))
    assert (signal.key, signal.title, signal.labels, signal.link) == ("8341", "CPU", {}, "")


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie", "victorops", "cloudevents", "generic", "servicenow"])
def test_bodies_for_curl_are_read_as_they_stand(kind):
    bodies = re.findall(r"(?:--json|-d) '(\{.+?\})'", " ".join(snippets(kind)), re.DOTALL)
    assert bodies
    for body in bodies:
        if body not in ("{}",) and "close_notes" not in body:
            assert adapter(kind).read(received(kind, body))
