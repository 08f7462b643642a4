"""What a JSON body probably means when nobody mapped its fields: names and words that many tools share. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidents.intake.monitoring.reading import GRADE_OF_WORD, first, labels, link, moment, objects, plain_names, text
from incidents.intake.monitoring.shape import Grade, Says

_LISTS = ("alerts", "events", "incidents", "notifications", "items", "data")
_WRAPPERS = ("alert", "event", "incident", "monitor", "check", "notification", "payload", "data", "labels")
_KEYS = (
    "key", "dedupkey", "alertkey", "alertid", "incidentkey", "incidentid", "fingerprint", "entityid", "alias",
    "externalid", "monitorid", "checkid", "eventid", "id",
)  # fmt: skip
_PLACES = (("host", "service"), ("host", "check"), ("hostname", "service"), ("hostname", "check"))
_TITLES = (
    "title", "summary", "subject", "alertname", "eventname", "name", "headline", "message", "text", "msg",
    "description",
)  # fmt: skip
_BODIES = (
    "description", "details", "body", "message", "text", "msg", "output",
)  # fmt: skip
_SERVICES = ("service", "servicename", "application", "app", "component")
_LINKS = ("url", "link", "href", "permalink", "generatorurl", "dashboardurl")
_TIMES = ("time", "timestamp", "occurredat", "startsat", "eventtime", "createdat", "date", "datetime")
_STATES = ("state", "status", "alertstate", "eventaction", "action", "messagetype", "transition", "event", "type")
_SEVERITIES = ("severity", "level", "priority", "criticality", "urgency", "state", "status", "type", "messagetype")
_WORDS = {
    Says.RESOLVED: (
        "resolved resolve recovered recovery closed close cleared clear ok up normal success succeeded passed healthy "
        "inactive green online fixed restored ended"
    ),
    Says.ACKNOWLEDGED: "acknowledged acknowledge acknowledgement ack",
    Says.INFO: "info information test ping",
    Says.FIRING: (
        "firing alert alerting alarm problem open opened triggered trigger active critical warning warn error failed "
        "failure fail down bad red unhealthy offline new created"
    ),
}
_SAYS_OF_WORD = {word: says for says, words in _WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Guess:
    """What is probably meant; "" and None where nothing was found. `says` is FIRING unless something says otherwise."""

    key: str = ""
    title: str = ""
    says: Says = Says.FIRING
    severity: Grade = Grade.ERROR
    body: str = ""
    service: str = ""
    link: str = ""
    occurred_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def guess_items(value: Any) -> list[Any]:
    """The alerts of a body: the body itself, its elements, or the one list of objects that is called like alerts."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for name in _LISTS:
            if (listed := objects(value.get(name))) and len(listed) == len(value[name]):
                return listed
    return [value]


def guess_state(item: Mapping[str, Any]) -> Says | None:
    """By the first field that holds a word of a state; None when none does."""
    given = plain_names(item)
    if given.get("resolved") is True or given.get("isresolved") is True:
        return Says.RESOLVED
    for name in _STATES:
        if found := _SAYS_OF_WORD.get(text(given.get(name)).lower()):
            return found
    return None


def guess(item: dict[str, Any]) -> Guess:
    """The fields of the item, and of the objects in it that are called like one (`alert`, `event`, …)."""
    given = _unwrapped(item)
    severity = (GRADE_OF_WORD.get(text(given.get(name)).lower()) for name in _SEVERITIES)
    flat = {name: value for name, value in item.items() if not isinstance(value, dict | list)}
    title = _of(given, _TITLES)
    return Guess(
        key=_key(given) or title,
        title=title,
        says=guess_state(given) or Says.FIRING,
        severity=next((grade for grade in severity if grade), Grade.ERROR),
        body=next((said for name in _BODIES if (said := text(given.get(name))) != title), ""),
        service=_of(given, _SERVICES),
        link=link(*(given.get(name) for name in _LINKS)),
        occurred_at=next((found for name in _TIMES if (found := moment(given.get(name)))), None),
        labels=labels(*(item.get(name) for name in ("labels", "tags")), flat),
    )


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """Plain names of the item itself before those of its wrappers."""
    found = plain_names(item)
    for name in _WRAPPERS:
        inner = found.get(name)
        if isinstance(inner, dict):
            found = plain_names(inner) | {key: value for key, value in found.items() if not isinstance(value, dict)}
    return found


def _of(given: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return first(*(given.get(name) for name in names))


def _key(given: Mapping[str, Any]) -> str:
    """A field that names the condition, else where it is; "" when there is none."""
    if named := _of(given, _KEYS):
        return named
    places = (f"{text(given.get(host))}/{text(given.get(check))}" for host, check in _PLACES)
    return next((place for place in places if not place.startswith("/") and not place.endswith("/")), "")
