"""Nagios, and what is configured like it: a notify command that sends the macros by curl, as a form or as JSON.

Field names are read whatever their case and punctuation, with or without the words of the tool: HOSTNAME, host_name and
host are one. The same problem is repeated at each interval with a new time; the problem id tells occurrences apart.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import fields, first, labels, link, moment, plain_names, text
from incidents.intake.monitoring.shape import Grade, Malformed, Received, Says, Signal

_TYPES = {
    "PROBLEM": Says.FIRING,
    "RECOVERY": Says.RESOLVED,
    "ACKNOWLEDGEMENT": Says.ACKNOWLEDGED,
    "CUSTOM": Says.INFO,
    "FLAPPINGSTART": Says.INFO,
    "FLAPPINGSTOP": Says.INFO,
    "FLAPPINGEND": Says.INFO,
    "FLAPPINGDISABLED": Says.INFO,
    "DOWNTIMESTART": Says.INFO,
    "DOWNTIMEEND": Says.INFO,
    "DOWNTIMEREMOVED": Says.INFO,
    "DOWNTIMECANCELLED": Says.INFO,
}
_GRADES = {
    "CRITICAL": Grade.CRITICAL,
    "DOWN": Grade.CRITICAL,
    "UNREACHABLE": Grade.CRITICAL,
    "WARNING": Grade.WARNING,
    "UNKNOWN": Grade.WARNING,
}
_UNKNOWN_MACRO = re.compile(r"\$[A-Za-z0-9_.:]*\$")
_TYPE = ("type", "notificationtype")
_HOST = ("host", "hostname", "hostalias", "hostdisplayname")
_SERVICE = ("service", "servicedesc", "servicename", "servicedisplayname")
_STATE = ("state", "servicestate", "hoststate")
_OUTPUT = ("output", "serviceoutput", "hostoutput")
_LONG_OUTPUT = ("longoutput", "longserviceoutput", "longhostoutput")
_PROBLEM = ("problemid", "serviceproblemid", "hostproblemid")
_LAST_PROBLEM = ("lastproblemid", "lastserviceproblemid", "lasthostproblemid")
_HARD_CHANGE = ("lasthardstatechange", "lastservicestatechange", "lasthoststatechange")
_TIME = ("time", "timet", "longdatetime", "eventtime", "icingatimet", "icingalongdatetime")
_LINK = ("url", "notesurl", "actionurl", "serviceactionurl", "hostactionurl", "link")
_LABELS = ("hostaddress", "address", "hostgroup", "hostgroupname", "servicegroup", "servicegroupname", "author", "user")


class Nagios(PlainAnswers):
    kind = "nagios"

    def read(self, received: Received) -> list[Signal]:
        given = {
            name: "" if isinstance(value, str) and _UNKNOWN_MACRO.fullmatch(value.strip()) else value
            for name, value in plain_names(fields(received)).items()
        }
        host, service = _of(given, _HOST), _of(given, _SERVICE)
        if not host:
            raise Malformed("host is missing: send the name of the host.", field="host")
        state, says = _of(given, _STATE).upper(), _says(given)
        output = _of(given, _OUTPUT)
        where = f"{service} on {host}" if service else host
        return [
            Signal(
                key=f"{host}!{service}" if service else host,
                says=says,
                title=f"{where} is {state or says.upper()}",
                severity=Grade.INFO if says is Says.INFO else _GRADES.get(state, Grade.ERROR),
                body="\n".join(part for part in (output, _of(given, _LONG_OUTPUT), _comment(given)) if part),
                episode=self.episode(given, says),
                occurred_at=moment(_of(given, _TIME), received.settings.get("time_zone")),
                service=first(given.get("mimservice"), service),
                labels=labels({name: given.get(name) for name in _LABELS}, host=host, check=service, state=state),
                link=link(*(given.get(name) for name in _LINK)),
            )
        ]

    def episode(self, given: Mapping[str, Any], says: Says) -> str:
        """The problem id, which is 0 once it recovered: then the last one. "" when none was sent."""
        number = _of(given, _PROBLEM).lstrip("0") or _of(given, _LAST_PROBLEM).lstrip("0")
        return number or (_of(given, _HARD_CHANGE) if says is not Says.RESOLVED else "")

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        names = {
            Says.FIRING: "PROBLEM",
            Says.RESOLVED: "RECOVERY",
            Says.ACKNOWLEDGED: "ACKNOWLEDGEMENT",
            Says.INFO: "FLAPPINGSTART",
        }
        recovered = says is Says.RESOLVED
        form = {
            "type": names[says],
            "host": "db-1",
            "service": "Disk /var",
            "state": "OK" if recovered else "CRITICAL",
            "output": "DISK OK - free space: 41 GB" if recovered else "DISK CRITICAL - free space: 812 MB (1%)",
            "problem_id": "0" if recovered else str(sample_times.seconds()),
            "last_problem_id": "0",
            "time": str(sample_times.seconds()),
            "address": "192.0.2.21",
            "url": "https://nagios.example.com/cgi-bin/extinfo.cgi?type=2&host=db-1",
        }
        return urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}


def _of(given: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return first(*(given.get(name) for name in names))


def _says(given: Mapping[str, Any]) -> Says:
    """By the notification type; without one, by the state."""
    said = re.sub(r"[^A-Z]", "", _of(given, _TYPE).upper().partition("(")[0])
    if said in _TYPES:
        return _TYPES[said]
    state = _of(given, _STATE).upper()
    if not said and state in ("OK", "UP"):
        return Says.RESOLVED
    if not said and state in _GRADES:
        return Says.FIRING
    raise Malformed(f"type must be one of {', '.join(_TYPES)}.", field="type")


def _comment(given: Mapping[str, Any]) -> str:
    comment = first(given.get("comment"), given.get("notificationcomment"), given.get("serviceackcomment"))
    author = first(given.get("author"), given.get("notificationauthor"), given.get("notificationauthorname"))
    return f"{author}: {comment}" if author and comment else text(comment)


ADAPTER = Nagios()
