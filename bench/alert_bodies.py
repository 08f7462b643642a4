"""Bodies as Alertmanager groups them."""

import json
from collections.abc import Iterable


def group(
    numbers: Iterable[int], *, keys: str = "host", service: str = "", severity: str = "critical", status: str = "firing"
) -> bytes:
    """One webhook body with an alert for each number; the number is the key."""
    alerts = [
        {
            "status": status,
            "labels": {
                "alertname": "HostDown",
                "instance": f"{keys}-{n}:9100",
                "severity": severity,
                **({"service": service} if service else {}),
            },
            "annotations": {"summary": f"{keys}-{n} does not answer", "description": "No answer for five minutes."},
            "startsAt": "2026-03-02T09:15:00.000Z",
            "endsAt": "2026-03-02T09:45:00.000Z" if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.org/graph?g0.expr=up",
            "fingerprint": f"{keys}{n:012x}",
        }
        for n in numbers
    ]
    return json.dumps(
        {
            "receiver": "desk",
            "status": status,
            "alerts": alerts,
            "groupLabels": {"alertname": "HostDown"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.org",
            "version": "4",
            "groupKey": '{}:{alertname="HostDown"}',
            "truncatedAlerts": 0,
        }
    ).encode()
