"""Signs of life of the machinery behind the messages, read from the database alone: no broker, no worker is asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils import timezone

from notifications.models import WAITING_STATES, Delivery, Heartbeat, QueuedMail

UNSENT_LIMIT = timedelta(seconds=60)
HEARTBEAT_LIMIT = 30
"""Seconds: what a heartbeat without a limit of its own may be old."""
SWEEP = "sweep "
"""Before the names of sweeps; other heartbeats are parts of the machinery."""


@dataclass(frozen=True)
class Sign:
    """One thing looked at. `seconds` is its age or delay, None when it was never heard; `words` say what is wrong."""

    name: str
    ok: bool
    seconds: float | None
    words: str = ""


def beat(name: str, *, allowed_seconds: int = HEARTBEAT_LIMIT, at: datetime | None = None) -> None:
    """Notes that this part is alive; it counts as silent after `allowed_seconds`."""
    values = {"beaten_at": at or timezone.now(), "allowed_seconds": allowed_seconds}
    Heartbeat.objects.update_or_create(name=name, defaults=values)


def signs(*, now: datetime) -> list[Sign]:
    """Worker, beat, sweeps and the outbox. Three queries."""
    beats = {row.name: row for row in Heartbeat.objects.all()}
    found = [_part(name, beats.get(name), now) for name in ("worker", "beat")]
    late = [
        (row.name.removeprefix(SWEEP), _age(row.beaten_at, now))
        for row in beats.values()
        if row.name.startswith(SWEEP) and _age(row.beaten_at, now) > row.allowed_seconds
    ]
    late.sort(key=lambda one: -one[1])
    said = f"the sweep “{late[0][0]}” last ended well {in_words(late[0][1])} ago" if late else ""
    more = f", and {len(late) - 1} more are late" if len(late) > 1 else ""
    found.append(Sign("sweeps", not late, late[0][1] if late else 0.0, said + more))
    return [*found, outbox(now=now)]


def outbox(*, now: datetime) -> Sign:
    """How long the oldest due message or mail has been waiting, 0 when none is due. Two queries."""
    rows = Delivery.objects.filter(state__in=WAITING_STATES, next_attempt_at__lte=now)
    mails = QueuedMail.objects.filter(sent_at__isnull=True, given_up_at__isnull=True, next_attempt_at__lte=now)
    oldest = [query.aggregate(at=Min("next_attempt_at"))["at"] for query in (rows, mails)]
    since = min(filter(None, oldest), default=None)
    age = _age(since, now) if since else 0.0
    is_late = age > UNSENT_LIMIT.total_seconds()
    return Sign("outbox", not is_late, age, f"a message has been due for {in_words(age)}" if is_late else "")


def _part(name: str, row: Heartbeat | None, now: datetime) -> Sign:
    if row is None:
        return Sign(name, False, None, f"the {name} was never heard")
    age = _age(row.beaten_at, now)
    ok = age <= row.allowed_seconds
    return Sign(name, ok, age, "" if ok else f"the {name} was last heard {in_words(age)} ago")


def _age(at: datetime, now: datetime) -> float:
    return round((now - at).total_seconds(), 1)


def in_words(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 5 min`."""
    minutes = int(seconds) // 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
