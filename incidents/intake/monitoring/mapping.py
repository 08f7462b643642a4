"""Any JSON to signals: by the mapping a user made on the integration's page, else by good guesses. Pure.

The mapping stands in the integration's settings, all of it optional:

    {"items": "alerts",                                   several alerts a body: where the list is
     "title": "alert.name", "body": "alert.text",         dotted paths, list places as [0]; of several paths the texts
     "key": ["host", "check"],                            are joined
     "state": {"path": "status", "resolved": ["ok", "closed"], "acknowledged": ["ack"], "firing": ["bad"],
               "info": ["test"], "otherwise": "firing"},
     "severity": {"path": "prio", "critical": ["1"], "error": ["2", "3"], "otherwise": "warning"},
     "service": "tags.service", "time": "when", "time_zone": "Europe/Berlin", "link": "url", "episode": "started",
     "labels": {"host": "host.name"}}

A path is taken against one item; beginning with `$.` against the whole body.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.intake.monitoring.guessing import guess, guess_items, guess_state
from incidents.intake.monitoring.reading import GRADE_OF_WORD, first, labels, link, moment, obj, text
from incidents.intake.monitoring.shape import Grade, Malformed, Says, Signal

TEXT_FIELDS = ("title", "body", "key", "episode", "service", "time", "link")
"""What the mapping may take from the body as text, besides `items`, `state`, `severity` and `labels`."""
FIELDS = (*TEXT_FIELDS, "items", "state", "severity", "labels")
_STEP = re.compile(r"""\[["']([^"']+)["']\]|\[(\d{1,6})\]|([^.\[\]]+)""")


def is_mapped(settings: Mapping[str, Any]) -> bool:
    """Whether the settings hold any part of a mapping."""
    return any(settings.get(name) for name in FIELDS)


def signals(settings: Mapping[str, Any], value: Any) -> list[Signal]:
    """One signal an item, in the order of the body. Raises Malformed naming the path that leads nowhere."""
    found = []
    for number, item in enumerate(_items(settings, value)):
        place = f"item {number + 1}: " if number else ""
        if not isinstance(item, dict):
            raise Malformed(f"{place}Each alert must be a JSON object.", field=text(settings.get("items")))
        found.append(signal(settings, item, whole=value, place=place))
    return found


def signal(
    settings: Mapping[str, Any],
    item: dict[str, Any],
    *,
    whole: Any = None,
    key: str = "",
    occurred_at: datetime | None = None,
    place: str = "",
) -> Signal:
    """What one item says. `key` and `occurred_at` stand in where the mapping names none; a guess where both do not."""
    guessed = guess(item)
    said = {name: _joined(settings, name, item, whole, place) for name in TEXT_FIELDS}
    says = _says(settings, item, whole, place) or guessed.says
    found_key = said["key"] or key or guessed.key or said["title"]
    if not found_key:
        raise Malformed(
            f"{place}Nothing names this alert: map “key” to the field that stays the same until it is resolved.",
            field="key",
        )
    return Signal(
        key=found_key,
        says=says,
        title=first(said["title"], guessed.title, found_key),
        severity=_severity(settings, item, whole) or guessed.severity,
        body=first(said["body"], guessed.body),
        episode=said["episode"],
        occurred_at=moment(said["time"], settings.get("time_zone")) or occurred_at or guessed.occurred_at,
        service=first(said["service"], guessed.service),
        labels=_labels(settings, item, whole) or guessed.labels,
        link=link(said["link"]) or guessed.link,
    )


def look_up(value: Any, path: str) -> Any:
    """What a path leads to; None where it leads nowhere. A field whose name is the whole path is found first."""
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in _STEP.finditer(path):
        quoted, number, name = step.groups()
        if isinstance(value, list):
            index = number if number is not None else name if name and re.fullmatch(r"[0-9]{1,6}", name) else None
            value = value[int(index)] if index is not None and int(index) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(quoted or number or name)
        else:
            return None
    return value


def faults(settings: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the mapping itself, a sentence a field; empty when nothing is."""
    found = {}
    for name in (*TEXT_FIELDS, "items"):
        if settings.get(name) and not all(isinstance(path, str) and path.strip() for path in _paths(settings[name])):
            found[name] = "Give a path like alert.name or items[0].id, or a list of such paths."
    named = settings.get("labels")
    if named and not (isinstance(named, str) or isinstance(named, dict) and all(map(_is_path, named.values()))):
        found["labels"] = "Give a path to an object, or a name and a path for each label."
    for name, kinds in (("state", Says), ("severity", Grade)):
        rule = settings.get(name)
        if rule and not _is_path(rule) and not _is_path(obj(rule).get("path")):
            found[name] = "Give the path to the field, and which of its values mean what."
        elif rule and (otherwise := obj(rule).get("otherwise")) and otherwise not in list(kinds):
            found[name] = f"“otherwise” must be one of {', '.join(kinds)}."
    return found


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _paths(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given] if given else []


def _items(settings: Mapping[str, Any], value: Any) -> list[Any]:
    path = settings.get("items")
    if not _is_path(path):
        return guess_items(value)
    found = look_up(value, str(path).removeprefix("$."))
    if not isinstance(found, list):
        raise Malformed(f"There is no list at “{path}”.", field=str(path))
    return found


def _get(path: Any, item: Any, whole: Any) -> Any:
    if not isinstance(path, str):
        return None
    return look_up(whole, path[2:]) if path.startswith("$.") else look_up(item, path)


def _joined(settings: Mapping[str, Any], name: str, item: Any, whole: Any, place: str) -> str:
    paths = _paths(settings.get(name))
    parts = [said for path in paths if (said := text(_get(path, item, whole)))]
    if name == "key" and paths and len(parts) < len(paths):
        missing = next(path for path in paths if not text(_get(path, item, whole)))
        raise Malformed(f"{place}There is nothing at “{missing}”, which is mapped to the key.", field=text(missing))
    return ("/" if name == "key" else " ").join(parts)


def _says(settings: Mapping[str, Any], item: Any, whole: Any, place: str) -> Says | None:
    """By the words listed; a word that is not listed by `otherwise`, else as it is usually meant, else firing."""
    rule = settings.get("state")
    if not rule:
        return None
    said = text(_get(rule if isinstance(rule, str) else obj(rule).get("path"), item, whole))
    for says in Says:
        if said.lower() in [text(word).lower() for word in _paths(obj(rule).get(says.value))]:
            return says
    otherwise = obj(rule).get("otherwise")
    if otherwise in list(Says):
        return Says(otherwise)
    return guess_state({"state": said}) or Says.FIRING


def _severity(settings: Mapping[str, Any], item: Any, whole: Any) -> Grade | None:
    rule = settings.get("severity")
    if not rule:
        return None
    said = text(_get(rule if isinstance(rule, str) else obj(rule).get("path"), item, whole)).lower()
    for grade in Grade:
        if said in [text(word).lower() for word in _paths(obj(rule).get(grade.value))]:
            return grade
    by_word = {text(word).lower(): text(grade).lower() for word, grade in obj(obj(rule).get("map")).items()}
    if by_word.get(said) in list(Grade):
        return Grade(by_word[said])
    otherwise = obj(rule).get("otherwise")
    return GRADE_OF_WORD.get(said) or (Grade(otherwise) if otherwise in list(Grade) else None)


def _labels(settings: Mapping[str, Any], item: Any, whole: Any) -> dict[str, str]:
    given = settings.get("labels")
    if isinstance(given, dict):
        return labels({name: _get(path, item, whole) for name, path in given.items()})
    return labels(_get(given, item, whole))
