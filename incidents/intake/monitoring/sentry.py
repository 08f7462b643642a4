"""Sentry: webhooks of an internal integration (issue, event alert, metric alert) and of the old webhook plugin.

What the SDKs send (envelopes) is no alert; it is refused with a sentence that says where the webhook is set.
"""

import json
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import first, grade, json_object, labels, link, mark, moment, obj, text
from incidents.intake.monitoring.shape import Grade, Malformed, Received, Says, Signal
from incidents.intake.monitoring.signatures import require_hmac

SIGNATURE_HEADER = "Sentry-Hook-Signature"
_ACTIONS = {
    "created": Says.FIRING,
    "triggered": Says.FIRING,
    "unresolved": Says.FIRING,
    "critical": Says.FIRING,
    "warning": Says.FIRING,
    "open": Says.FIRING,
    "resolved": Says.RESOLVED,
    "ignored": Says.RESOLVED,
    "archived": Says.RESOLVED,
    "assigned": Says.ACKNOWLEDGED,
}
_ENVELOPE = (
    "This is an envelope of a Sentry SDK, not a webhook. Leave the SDK's DSN at Sentry; set this address in Sentry "
    "under Settings → Developer Settings → Internal Integration → Webhook URL."
)


class Sentry(PlainAnswers):
    kind = "sentry"

    def verify(self, received: Received) -> None:
        """The client secret of the internal integration signs the body."""
        require_hmac(received, header=SIGNATURE_HEADER)

    def read(self, received: Received) -> list[Signal]:
        _refuse_envelope(received)
        body = json_object(received)
        data = obj(body.get("data"))
        if "data" not in body and ("project" in body or "project_name" in body):
            return [_legacy(received, body)]
        action = text(body.get("action")).lower()
        for name, reader in (("metric_alert", _metric), ("issue", _issue), ("event", _event)):
            if isinstance(data.get(name), dict) and "comment" not in received.headers.get("sentry-hook-resource", ""):
                return [reader(received, action, data, data[name])]
        if not isinstance(body.get("data"), dict):
            raise Malformed("data is missing: this is not a webhook of Sentry.", field="data")
        title = f"Sentry {received.headers.get('sentry-hook-resource', 'notice')}: {action}"
        return [Signal(key=mark(received, "notice"), says=Says.INFO, title=title, severity=Grade.INFO)]

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        words = {Says.FIRING: "unresolved", Says.RESOLVED: "resolved", Says.ACKNOWLEDGED: "assigned", Says.INFO: "seen"}
        issue: dict[str, Any] = {
            "id": "4509112873",
            "shortId": "SHOP-3F",
            "title": "ConnectionRefusedError: [Errno 111] Connection refused",
            "culprit": "shop.checkout in pay",
            "level": "error",
            "status": "resolved" if says is Says.RESOLVED else "unresolved",
            "platform": "python",
            "project": {"id": "11", "name": "Shop", "slug": "shop", "platform": "python"},
            "count": "812",
            "userCount": 344,
            "firstSeen": sample_times.iso(),
            "lastSeen": sample_times.iso(),
            "web_url": "https://example.sentry.io/issues/4509112873/",
            "permalink": None,
        }
        body = {
            "action": words[says],
            "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
            "data": {"issue": issue},
            "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},
        }
        return json.dumps(body).encode(), {
            "content-type": "application/json",
            "sentry-hook-resource": "issue",
            "sentry-hook-timestamp": str(sample_times.seconds()),
        }


def _refuse_envelope(received: Received) -> None:
    head, _, rest = received.body[:4096].partition(b"\n")
    is_envelope = (b'"dsn"' in head or b'"sent_at"' in head or b'"event_id"' in head) and b'"type"' in rest[:512]
    if is_envelope or "envelope" in received.headers.get("content-type", "") or received.body[:2] == b"\x1f\x8b":
        raise Malformed(_ENVELOPE, status=415)


def _issue(received: Received, action: str, data: dict[str, Any], issue: dict[str, Any]) -> Signal:
    project = obj(issue.get("project"))
    return Signal(
        key=_named(issue.get("id"), "data.issue.id"),
        says=_ACTIONS.get(action, Says.INFO),
        title=first(issue.get("title"), issue.get("shortId"), "Sentry issue"),
        severity=grade(issue.get("level")),
        body=text(issue.get("culprit")),
        occurred_at=moment(received.headers.get("sentry-hook-timestamp")) or moment(issue.get("lastSeen")),
        service=text(project.get("slug")),
        labels=labels(
            issue=issue.get("shortId"),
            project=project.get("slug"),
            level=issue.get("level"),
            events=issue.get("count"),
            users=issue.get("userCount"),
        ),
        link=link(issue.get("web_url"), issue.get("permalink")),
    )


def _event(received: Received, action: str, data: dict[str, Any], event: dict[str, Any]) -> Signal:
    """An issue alert. Its event names the issue, so that the issue's resolve closes it."""
    listed = event.get("tags")
    named = {text(pair[0]): pair[1] for pair in listed if _is_pair(pair)} if isinstance(listed, list) else {}
    return Signal(
        key=_named(first(event.get("issue_id"), event.get("groupID"), obj(event.get("issue")).get("id")), "issue_id"),
        says=_ACTIONS.get(action, Says.INFO),
        title=first(event.get("title"), event.get("message"), data.get("triggered_rule"), "Sentry event"),
        severity=grade(event.get("level")),
        body=first(event.get("culprit"), event.get("message")),
        occurred_at=moment(event.get("datetime")) or moment(event.get("timestamp")),
        service=first(named.get("service"), event.get("project_slug")),
        labels=labels(named, rule=data.get("triggered_rule"), project=event.get("project")),
        link=link(event.get("web_url")),
    )


def _metric(received: Received, action: str, data: dict[str, Any], alert: dict[str, Any]) -> Signal:
    rule = obj(alert.get("alert_rule"))
    projects = alert.get("projects")
    return Signal(
        key=f"metric/{_named(alert.get('id'), 'data.metric_alert.id')}",
        says=_ACTIONS.get(action, Says.INFO),
        title=first(rule.get("name"), alert.get("title"), data.get("description_title"), "Sentry metric alert"),
        severity={"critical": Grade.CRITICAL, "warning": Grade.WARNING}.get(action, Grade.ERROR),
        body=text(data.get("description_text")),
        occurred_at=moment(received.headers.get("sentry-hook-timestamp")) or moment(alert.get("date_started")),
        service=text(projects[0]) if isinstance(projects, list) and projects else "",
        labels=labels(query=rule.get("query"), aggregate=rule.get("aggregate"), environment=rule.get("environment")),
        link=link(data.get("web_url")),
    )


def _legacy(received: Received, body: dict[str, Any]) -> Signal:
    """The old plugin only tells of new and regressed issues; nothing says that one is resolved."""
    event = obj(body.get("event"))
    return Signal(
        key=_named(first(body.get("id"), event.get("issue_id"), body.get("url")), "id"),
        says=Says.FIRING,
        title=first(event.get("title"), body.get("message"), body.get("culprit"), "Sentry issue"),
        severity=grade(body.get("level")),
        body=first(body.get("message"), body.get("culprit")),
        occurred_at=moment(event.get("datetime")) or moment(event.get("timestamp")),
        service=first(body.get("project_slug"), body.get("project")),
        labels=labels(project=first(body.get("project_name"), body.get("project")), level=body.get("level")),
        link=link(body.get("url")),
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _named(value: Any, place: str) -> str:
    if not (found := text(value)):
        raise Malformed(f"{place} is missing: it names the issue.", field=place)
    return found


ADAPTER = Sentry()
