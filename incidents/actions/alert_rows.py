"""Alerts read and written many at a time: one statement each, whatever the number."""

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet

from incidents.alert_episodes import Episode, Heard
from incidents.models import Alert, Integration

_RECENT_EPISODES = 8
_FIELDS = (
    "dedup_key", "episode", "status", "severity", "title", "body", "labels", "link", "service_id", "started_at",
    "state_at", "first_received_at", "last_received_at", "payload_id", "ended_at", "id", "changes", "recent_changes",
    "is_flapping", "in_maintenance", "is_drill", "outcome", "decide_at", "rule_id", "ticket_id", "candidate_id",
    "major_incident_id",
)  # fmt: skip
_NAMES = tuple({"dedup_key": "key", "id": "pk"}.get(name, name) for name in _FIELDS)
_TABLE = Alert._meta.db_table
_FIND = f"""
    SELECT latest.* FROM unnest(%s::text[]) AS wanted (key) CROSS JOIN LATERAL (
        SELECT {", ".join(_FIELDS)} FROM {_TABLE} WHERE integration_id = %s AND dedup_key = wanted.key
        ORDER BY id DESC LIMIT {_RECENT_EPISODES}
    ) latest ORDER BY latest.id
"""  # noqa: S608


def histories(integration: Integration, heard: Sequence[Heard]) -> dict[str, list[Episode]]:
    """The latest episodes of every key that is spoken of, the oldest first. Older ones change no more.

    One query that can only look keys up one by one: a key may have thousands of episodes, and a table that grew in
    this very minute has statistics that know nothing of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [list({one.key for one in heard}), integration.pk])
        rows = cursor.fetchall()
    found: dict[str, list[Episode]] = {}
    for row in rows:
        episode = _episode(row)
        episode.labels = json.loads(row[_LABELS])
        found.setdefault(episode.key, []).append(episode)
    return found


def loaded(alerts: QuerySet[Alert]) -> list[Episode]:
    """Saved alerts, to be decided and written again."""
    return [_episode(row) for row in alerts.values_list(*_FIELDS)]


def _episode(row: tuple[Any, ...]) -> Episode:
    return Episode(**dict(zip(_NAMES, row, strict=True)))


_LABELS = _FIELDS.index("labels")
_GIVEN = {
    "dedup_key": "varchar", "episode": "varchar", "status": "varchar", "severity": "varchar", "title": "varchar",
    "body": "text", "labels": "jsonb", "link": "varchar", "service_id": "bigint", "started_at": "timestamptz",
    "state_at": "timestamptz", "first_received_at": "timestamptz", "last_received_at": "timestamptz",
    "payload_id": "bigint", "ended_at": "timestamptz", "changes": "int", "recent_changes": "timestamptz[]",
    "is_flapping": "bool", "in_maintenance": "bool", "is_drill": "bool", "outcome": "varchar",
    "decide_at": "timestamptz", "rule_id": "bigint", "reports": "int", "ticket_id": "bigint",
    "candidate_id": "bigint", "major_incident_id": "bigint",
}  # fmt: skip
_BY_OTHERS = ("ticket_id", "candidate_id", "major_incident_id")
"""Columns that acts of people move meanwhile: only a decision of the rules writes them."""
_KEPT = ("dedup_key", "episode", "started_at", "first_received_at", "is_drill", "reports", *_BY_OTHERS)
_SET = ", ".join(
    [f"{name} = excluded.{name}" for name in _GIVEN if name not in _KEPT]
    + [f"{name} = COALESCE(excluded.{name}, had.{name})" for name in _BY_OTHERS]
)
_PUT = f"""
    INSERT INTO {_TABLE} AS had (integration_id, {", ".join(_GIVEN)})
    SELECT %s, {{values}} FROM unnest({{lists}}) AS given ({{names}})
    ON CONFLICT (integration_id, dedup_key, episode) DO UPDATE SET reports = had.reports + excluded.reports, {_SET}
    WHERE had.state_at <= excluded.state_at
    RETURNING id, dedup_key, episode
"""  # noqa: S608


def write(integration: Integration, told: Sequence[Episode]) -> list[Episode]:
    """All of them in one statement; uniqueness is the constraint's. Answers those that were written, with their `pk`:
    what an episode older than the latest ones is told late is left out.

    One list a column: the server reads those several times faster than JSON or rows of values. A column that says
    the same in every row, as most do in a storm, goes as one value.
    """
    if not told:
        return []
    columns = {name: list(map(read, told)) for name, read in _READ.items()}
    for name in _BY_OTHERS:
        columns[name] = [pk if one.decided else None for pk, one in zip(columns[name], told, strict=True)]
    values: list[str] = []
    lists: list[str] = []
    names: list[str] = []
    alike: list[Any] = []
    given: list[str] = []
    for name, column in columns.items():
        type_, written_as = _GIVEN[name], _WRITTEN_AS.get(name)
        if name != _IN_EVERY_ROW and column.count(column[0]) == len(column):
            values.append(f"%s::{type_}")
            alike.append(written_as(column[0]) if written_as else column[0])
            continue
        if written_as:
            column = list(map(written_as, column))
        is_cast = type_.endswith(("[]", "b"))  # lists of lists and lists of JSON are read as texts first
        values.append(f"{name}::{type_}" if is_cast else name)
        lists.append(f"%s::{'text' if is_cast else type_}[]")
        names.append(name)
        given.append(_list_of_texts(column) if is_cast or type_ in _TEXTS else _list_of_others(column))
    statement = _PUT.format(values=", ".join(values), lists=", ".join(lists), names=", ".join(names))
    with connection.cursor() as cursor:
        cursor.execute(statement, [integration.pk, *alike, *given])
        written = {(key, mark): pk for pk, key, mark in cursor.fetchall()}
    for episode in told:
        episode.pk = written.get((episode.key, episode.episode))
    return [episode for episode in told if episode.pk is not None]


_READ = {name: attrgetter({"dedup_key": "key"}.get(name, name)) for name in _GIVEN}
_IN_EVERY_ROW = "dedup_key"
"""Always a list: it says how many rows there are."""
_TEXTS = ("varchar", "text")


def _json(labels: Mapping[str, str]) -> str:
    return orjson.dumps(labels).decode()


def _list_of_texts(values: Sequence[str]) -> str:
    """The texts as PostgreSQL writes an array. They hold no NUL, which parts them here."""
    quoted = "\x00".join(values).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + quoted.replace("\x00", '","') + '"}'


def _list_of_others(values: Sequence[Any]) -> str:
    """Numbers, moments and truths in the same way; None is NULL."""
    said = {value: "NULL" if value is None else f'"{value}"' for value in set(values)}
    return "{" + ",".join([said[value] for value in values]) + "}"


_WRITTEN_AS: dict[str, Callable[[Any], str]] = {"labels": _json, "recent_changes": _list_of_others}
