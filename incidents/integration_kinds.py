"""DATA about the kinds of senders: how each looks, what it is good for, and the address it is given. No I/O."""

from dataclasses import dataclass

from incidents.models import IntegrationKind

K = IntegrationKind


@dataclass(frozen=True)
class Ask:
    """One of the settings that people may give a sender; `what` is text, zone (a time zone) or number."""

    name: str
    label: str
    help: str
    what: str = "text"
    least: int = 0
    most: int = 0


_ZONE = Ask("time_zone", "Time zone of its times", "It writes times without one. For example Europe/Berlin.", "zone")
_SIGNATURE = Ask("signature_header", "Header with the signature", "Empty: the one this kind uses by itself.")
FLAPPING = (
    Ask("flapping_changes", "Flapping: changes", "So many changes of state. Empty: 6.", "number", 3, 100),
    Ask("flapping_seconds", "Flapping: within, seconds", "Within so long. Empty: 600.", "number", 1, 86_400),
)
"""When an alert counts as flapping; asked of every sender of alerts."""


@dataclass(frozen=True)
class KindOf:
    """`path` is the fixed address of senders that hand the key over in a header or in the body, "" when the key
    stands in the address; `base` is what their client libraries want instead. `signs`: may sign what it sends."""

    icon: str
    line: str
    path: str = ""
    base: str = ""
    signs: bool = False
    asks: tuple[Ask, ...] = FLAPPING


KINDS: dict[str, KindOf] = {
    K.ALERTMANAGER: KindOf("bell-ringing", "Alerts of Prometheus, grouped, firing and resolved"),
    K.GRAFANA: KindOf(
        "chart-line", "Alert rules of Grafana, by a webhook contact point", signs=True, asks=(_SIGNATURE, *FLAPPING)
    ),
    K.ZABBIX: KindOf("server", "Problems and recoveries, by a webhook media type", asks=(_ZONE, *FLAPPING)),
    K.NAGIOS: KindOf("server-2", "Host and service notifications, by one command with curl", asks=(_ZONE, *FLAPPING)),
    K.ICINGA: KindOf("topology-star-3", "Host and service notifications of Icinga 2"),
    K.DATADOG: KindOf("chart-bar", "Monitors of Datadog, by its webhook integration"),
    K.SNS: KindOf(
        "broadcast",
        "CloudWatch alarms; the subscription confirms itself",
        asks=(Ask("topic_arn", "Only this topic", "Its ARN. Empty: any topic that knows the address."), *FLAPPING),
    ),
    K.SENTRY: KindOf("bug", "Issues and metric alerts of Sentry", signs=True),
    K.UPTIME_KUMA: KindOf("activity-heartbeat", "Up and down of websites and hosts"),
    K.PAGERDUTY: KindOf("urgent", "Anything that can speak to PagerDuty", "/v2/enqueue", ""),
    K.OPSGENIE: KindOf("users-group", "Anything that can speak to Opsgenie", "/in/opsgenie", "/in/opsgenie"),
    K.VICTOROPS: KindOf("phone-incoming", "Anything that can speak to Splunk On-Call"),
    K.SERVICENOW: KindOf("ticket", "Tools that can only open ServiceNow incidents", "/in/servicenow", "/in/servicenow"),
    K.CLOUDEVENTS: KindOf("bolt", "CloudEvents 1.0: structured, binary, batch"),
    K.GENERIC: KindOf("forms", "Any JSON; you say which field is what", signs=True, asks=(_SIGNATURE, *FLAPPING)),
    K.HEARTBEAT: KindOf("activity", "A job that must call in; silence is the alarm", asks=()),
    K.VOICE: KindOf("phone", "Calls by a Twilio-compatible number", signs=True, asks=()),
    K.API: KindOf("plug-connected", "Alerts sent with an API key", "/api/v1/alerts", "/api/v1", asks=()),
}
TO_CHOOSE = tuple(kind for kind in KINDS if kind != K.API)
"""What people connect, the most usual first. The REST API needs none: its keys are made under “API keys”."""


def address(public_url: str, kind: str, key: str) -> str:
    """The whole address to paste into the sender."""
    return public_url + (KINDS[kind].path or f"/in/{kind}/{key}")


def base_address(public_url: str, kind: str) -> str | None:
    """What client libraries of this kind take as base; None for kinds whose key stands in the address."""
    known = KINDS[kind]
    return public_url + known.base if known.path else None
