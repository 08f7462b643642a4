"""Zabbix: a webhook media type that sends its parameters as they are. The guide holds the media type.

Macros that Zabbix does not know arrive as literal `{EVENT.…}`, numbers as texts, times without a zone (the time zone of
the Zabbix server is the setting `time_zone`); the subject changes on recovery, hence the event id is the key.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import (
    fields,
    first,
    labels,
    link,
    mark,
    moment,
    obj,
    plain_names,
    tags,
    text,
    whole,
)
from incidents.intake.monitoring.shape import Grade, Malformed, Received, Says, Signal

_MACRO = re.compile(r"\{[$#A-Z][A-Za-z0-9_.#$:<>\" ]*\}|\*UNKNOWN\*")
_GRADES = (Grade.INFO, Grade.INFO, Grade.WARNING, Grade.WARNING, Grade.ERROR, Grade.CRITICAL)
"""Not classified, information, warning, average, high, disaster."""
_WORDS = {
    "not classified": 0,
    "information": 1,
    "warning": 2,
    "average": 3,
    "high": 4,
    "disaster": 5,
}
_LABELS = ("host", "hostip", "hostgroup", "triggerid", "itemvalue", "opdata", "proxy")


class Zabbix(PlainAnswers):
    kind = "zabbix"

    def read(self, received: Received) -> list[Signal]:
        given = {name: _without_macros(value) for name, value in plain_names(fields(received)).items()}
        source, event = first(given.get("eventsource"), "0"), text(given.get("eventid"))
        if source not in ("0", "3", "4"):
            title = first(given.get("subject"), given.get("message"), "Zabbix discovery")
            return [Signal(key=event or mark(received, "event"), says=Says.INFO, title=title, severity=Grade.INFO)]
        if not event:
            raise Malformed("event_id is missing: set the parameter to {EVENT.ID}.", field="event_id")
        return [_signal(received, event, given)]

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        resolved = says is Says.RESOLVED
        body = {
            "event_id": "174002",
            "event_source": "0" if says is not Says.INFO else "1",
            "event_value": "0" if resolved else "1",
            "event_update_status": "1" if says is Says.ACKNOWLEDGED else "0",
            "event_update_action": "acknowledged" if says is Says.ACKNOWLEDGED else "{EVENT.UPDATE.ACTION}",
            "event_name": "High CPU utilization (over 90% for 5m)",
            "event_nseverity": "4",
            "event_severity": "High",
            "event_date": sample_times.written("%Y.%m.%d"),
            "event_time": sample_times.written("%H:%M:%S"),
            "event_recovery_date": sample_times.written("%Y.%m.%d") if resolved else "{EVENT.RECOVERY.DATE}",
            "event_recovery_time": sample_times.written("%H:%M:%S") if resolved else "{EVENT.RECOVERY.TIME}",
            "event_opdata": "Current utilization: 97.2 %",
            "event_tags": '[{"tag":"service","value":"Shop"},{"tag":"scope","value":"performance"}]',
            "host": "web-1",
            "host_ip": "192.0.2.11",
            "trigger_id": "23041",
            "subject": "Resolved in 17m 45s: High CPU" if resolved else "Problem: High CPU utilization",
            "message": "Problem name: High CPU utilization (over 90% for 5m)\nHost: web-1\nSeverity: High",
            "zabbix_url": "https://zabbix.example.com",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


def _without_macros(value: Any) -> Any:
    """A macro that was not replaced says nothing; within a text it stays."""
    return "" if isinstance(value, str) and _MACRO.fullmatch(value.strip()) else value


def _signal(received: Received, event: str, given: Mapping[str, Any]) -> Signal:
    says = _says(given)
    named = _tags(given.get("eventtags"))
    return Signal(
        key=event,
        says=says,
        title=first(given.get("eventname"), given.get("triggername"), given.get("subject"), f"Zabbix event {event}"),
        severity=_severity(given),
        body=first(given.get("message"), given.get("eventopdata"), given.get("triggerdescription")),
        occurred_at=_time(received, given, says),
        service=first(given.get("service"), named.get("service")),
        labels=labels(named, {name: given.get(name) for name in _LABELS}),
        link=_link(event, given),
    )


def _says(given: Mapping[str, Any]) -> Says:
    value, update = whole(given.get("eventvalue")), whole(given.get("eventupdatestatus"))
    if value not in (0, 1):
        raise Malformed("event_value must be 0 or 1: set the parameter to {EVENT.VALUE}.", field="event_value")
    if value == 0:
        return Says.RESOLVED
    if update == 1:
        action = text(given.get("eventupdateaction")).lower()
        if "unacknowledged" in action:
            return Says.FIRING
        return Says.ACKNOWLEDGED if "acknowledged" in action else Says.INFO
    return Says.FIRING


def _severity(given: Mapping[str, Any]) -> Grade:
    number = whole(given.get("eventnseverity"))
    if number is None:
        number = _WORDS.get(first(given.get("eventseverity"), given.get("severity")).lower())
    return _GRADES[number] if number is not None and 0 <= number < len(_GRADES) else Grade.ERROR


def _time(received: Received, given: Mapping[str, Any], says: Says) -> datetime | None:
    """By timestamp where Zabbix has that macro, else date and time in the zone the integration names."""
    zone = received.settings.get("time_zone")
    which = "eventrecovery" if says is Says.RESOLVED else "eventupdate" if says is Says.ACKNOWLEDGED else "event"
    written = f"{text(given.get(f'{which}date'))} {text(given.get(f'{which}time'))}".strip()
    return moment(given.get(f"{which}timestamp")) or moment(written, zone)


def _tags(given: Any) -> dict[str, str]:
    """`{EVENT.TAGSJSON}` or `{EVENT.TAGS}` (name:value, name:value)."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return tags(given)
    if isinstance(given, list):
        return labels({text(obj(tag).get("tag")): first(obj(tag).get("value"), "true") for tag in given})
    return {}


def _link(event: str, given: Mapping[str, Any]) -> str:
    base, trigger = link(given.get("zabbixurl")).rstrip("/"), text(given.get("triggerid"))
    made = f"{base}/tr_events.php?triggerid={trigger}&eventid={event}" if base and trigger else ""
    return link(made, given.get("triggerurl"))


ADAPTER = Zabbix()
