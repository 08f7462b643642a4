"""Bodies of real senders, and what an adapter makes of them."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from incidents.intake.monitoring.shape import Received

BODIES = Path(__file__).parent / "bodies"
ARRIVED = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
KINDS = (
    "pagerduty", "opsgenie", "victorops", "grafana", "zabbix", "nagios", "icinga", "datadog", "sns", "sentry",
    "uptime-kuma", "cloudevents", "generic", "servicenow", "heartbeat",
)  # fmt: skip


def adapter(kind: str):
    return import_module(f"incidents.intake.monitoring.{kind.replace('-', '_')}").ADAPTER


def received(kind: str, body: bytes | str, **given) -> Received:
    raw = body.encode() if isinstance(body, str) else body
    return Received(kind=kind, body=raw, **{"headers": {}, "query": {}, "received_at": ARRIVED, **given})


def body_of(name: str) -> bytes:
    """`pagerduty/firing.json`"""
    return (BODIES / name).read_bytes()


def read(name: str, **given):
    kind = name.partition("/")[0]
    return adapter(kind).read(received(kind, body_of(name), **given))


def all_bodies() -> list[str]:
    return sorted(str(path.relative_to(BODIES)) for path in BODIES.rglob("*") if path.is_file())
