"""What one signal of a monitoring tool says, whatever tool it was. Pure data, known to every room."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Says(StrEnum):
    """What one signal says of its condition. INFO (a test, a change event) makes no alert and is kept as payload."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    INFO = "info"


class Grade(StrEnum):
    """Severities of alerts, the worst first (values of models.AlertSeverity)."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(slots=True)
class Signal:
    """What a sender said about one condition at one moment. Nobody changes one; that is not enforced, since a frozen
    one takes three times as long to make, and a storm makes a hundred thousand.

    `episode` is the sender's own mark of this occurrence (Alertmanager: startsAt); "" when it has none: then the open
    alert with the key goes on, and a key that fires after its resolve begins a new one. `occurred_at` is the sender's
    time (aware), None when it gave none or an unreadable one. `service` is a slug or name as the sender wrote it.
    Texts may be of any length; they are cut where they are stored.
    """

    key: str
    says: Says
    title: str
    severity: Grade = Grade.ERROR
    body: str = ""
    episode: str = ""
    occurred_at: datetime | None = None
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
