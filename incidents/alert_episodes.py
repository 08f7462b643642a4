"""What signals make of alerts: begun, told again, acknowledged, over, come back, flapping. Pure.

One condition (the sender's key) has episodes, one open at a time. Signals are ordered by the sender's time, and at
the same time by how far they go (firing, acknowledged, resolved), so that late and repeated ones change nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incidents.alert_signals import Says

FIRING, ACKNOWLEDGED, RESOLVED = Says.FIRING.value, Says.ACKNOWLEDGED.value, Says.RESOLVED.value


@dataclass(frozen=True, slots=True)
class Flapping:
    """So many changes between firing and resolved within so many seconds: the sender cannot make up its mind."""

    changes: int = 6
    seconds: int = 600


@dataclass(slots=True)
class Heard:
    """A signal made fit for the record: texts cut, `at` (aware) never later than `received_at`, service looked up."""

    key: str
    says: str
    episode: str
    at: datetime
    received_at: datetime
    severity: str
    title: str
    body: str
    labels: Mapping[str, str]
    link: str
    service_id: int | None
    payload_id: int | None
    is_drill: bool = False


@dataclass(slots=True)
class Episode:
    """An alert while signals are folded into it. `pk` None: it began just now. `reports` are those to be added.

    `began`, `returned`, `worsened` and `ended` say what happened to it in this fold, `decided` that the rules spoke.
    """

    key: str
    episode: str
    status: str
    severity: str
    title: str
    body: str
    labels: Mapping[str, str]
    link: str
    service_id: int | None
    started_at: datetime
    state_at: datetime
    first_received_at: datetime
    last_received_at: datetime
    payload_id: int | None
    ended_at: datetime | None = None
    pk: int | None = None
    reports: int = 0
    changes: int = 1
    recent_changes: list[datetime] = field(default_factory=list)
    is_flapping: bool = False
    in_maintenance: bool = False
    is_drill: bool = False
    outcome: str = ""
    decide_at: datetime | None = None
    rule_id: int | None = None
    ticket_id: int | None = None
    candidate_id: int | None = None
    major_incident_id: int | None = None
    decided: bool = False
    began: bool = False
    returned: bool = False
    worsened: bool = False
    ended: bool = False
    touched: bool = False

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def fires_since(self) -> datetime:
        """When it last began to fire: its beginning, or its return."""
        return self.recent_changes[-1] if self.recent_changes else self.started_at


_GRAVITY = {"info": 0, "warning": 1, "error": 2, "critical": 3}


def fold(history: list[Episode], heard: Heard, flapping: Flapping) -> Episode | None:
    """Takes one signal into the episodes of its key, the newest last; a new one is appended.

    Answers the episode it told of, None when it was about nothing (a resolve or acknowledgement of what never fired).
    """
    newest = next((one for one in reversed(history) if one.is_open), history[-1] if history else None)
    same = next((one for one in history if one.episode == heard.episode), None) if heard.episode else None
    if heard.says == FIRING:
        return _fire(history, newest, same, heard, flapping)
    told = same or newest
    if told is None:
        return None
    _report(told, heard)
    if told.is_open and heard.says == RESOLVED and heard.at >= told.state_at:
        _end(told, heard.at, flapping)
    elif told.is_open and heard.says == ACKNOWLEDGED and heard.at >= told.started_at:
        if told.status != ACKNOWLEDGED:
            told.status, told.changes = ACKNOWLEDGED, told.changes + 1
        told.state_at = max(told.state_at, heard.at)
    return told


def _fire(
    history: list[Episode], newest: Episode | None, same: Episode | None, heard: Heard, flapping: Flapping
) -> Episode:
    if newest is None:
        return _begin(history, heard, [])
    if same is not None and same is not newest:  # an episode that another has followed already
        _report(same, heard)
        return same
    if newest.is_open and (same is not None or not heard.episode or heard.at < newest.started_at):
        _report(newest, heard)
        if heard.at >= newest.state_at:
            _say(newest, heard)
        return newest
    if newest.is_open:  # the sender counts a new episode, so the former is over, though nobody said so
        _end(newest, max(heard.at, newest.state_at), flapping)
    elif _is_late(newest, same, heard):
        _report(newest, heard)
        return newest
    moments = _recent([*newest.recent_changes, heard.at], flapping)
    if same is not None or newest.is_flapping or len(moments) >= flapping.changes:
        _report(newest, heard)
        _return(newest, heard, flapping)
        return newest
    return _begin(history, heard, moments)


def _is_late(newest: Episode, same: Episode | None, heard: Heard) -> bool:
    """Told of a time before the end that is known; of another episode: before the known one began."""
    if heard.episode and same is None and not newest.is_flapping:
        return heard.at <= newest.started_at
    return heard.at <= newest.state_at


def _begin(history: list[Episode], heard: Heard, moments: list[datetime]) -> Episode:
    begun = Episode(
        key=heard.key,
        episode=heard.episode or heard.at.isoformat(),
        status=FIRING,
        severity=heard.severity,
        title=heard.title,
        body=heard.body,
        labels=heard.labels,
        link=heard.link,
        service_id=heard.service_id,
        started_at=heard.at,
        state_at=heard.at,
        first_received_at=heard.received_at,
        last_received_at=heard.received_at,
        payload_id=heard.payload_id,
        reports=1,
        recent_changes=moments or [heard.at],
        is_drill=heard.is_drill,
        began=True,
        touched=True,
    )
    history.append(begun)
    return begun


def _report(told: Episode, heard: Heard) -> None:
    told.reports += 1
    told.touched = True
    if heard.received_at >= told.last_received_at:
        told.last_received_at, told.payload_id = heard.received_at, heard.payload_id


def _say(told: Episode, heard: Heard) -> None:
    """The words of the newest firing signal count; its service too, if it names one."""
    told.worsened = told.worsened or _GRAVITY[heard.severity] > _GRAVITY[told.severity]
    told.severity, told.title, told.body = heard.severity, heard.title, heard.body
    told.labels, told.link = heard.labels, heard.link
    told.service_id = heard.service_id or told.service_id
    told.state_at = max(told.state_at, heard.at)


def _end(told: Episode, at: datetime, flapping: Flapping) -> None:
    told.status, told.ended_at, told.state_at = RESOLVED, max(at, told.started_at), at
    told.ended, told.touched = True, True
    _change(told, at, flapping)


def _return(told: Episode, heard: Heard, flapping: Flapping) -> None:
    told.status, told.ended_at, told.ended = FIRING, None, False
    told.returned = not told.began
    _say(told, heard)
    _change(told, heard.at, flapping)


def _change(told: Episode, at: datetime, flapping: Flapping) -> None:
    told.changes += 1
    told.recent_changes = _recent([*told.recent_changes, at], flapping)
    told.is_flapping = len(told.recent_changes) >= flapping.changes


def _recent(moments: list[datetime], flapping: Flapping) -> list[datetime]:
    """The last ones within the window before the newest; more than decide are not kept."""
    since = max(moments) - timedelta(seconds=flapping.seconds)
    return [moment for moment in sorted(moments) if moment > since][-flapping.changes :]
