"""Icinga 2: a notification command with curl. As Nagios; an occurrence is told by its last hard state change."""

import json
from collections.abc import Mapping
from typing import Any

from incidents.intake.monitoring.nagios import Nagios
from incidents.intake.monitoring.reading import first
from incidents.intake.monitoring.shape import Says


class Icinga(Nagios):
    kind = "icinga"

    def episode(self, given: Mapping[str, Any], says: Says) -> str:
        """When it became a problem. A recovery is a hard change itself and names another: it closes what is open."""
        if says is Says.RESOLVED:
            return ""
        return first(given.get("lasthardstatechange"), given.get("problemid"))

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        names = {
            Says.FIRING: "PROBLEM",
            Says.RESOLVED: "RECOVERY",
            Says.ACKNOWLEDGED: "ACKNOWLEDGEMENT",
            Says.INFO: "DOWNTIMESTART",
        }
        recovered = says is Says.RESOLVED
        body = {
            "type": names[says],
            "host": "web-1",
            "service": "http",
            "state": "OK" if recovered else "CRITICAL",
            "output": "HTTP OK: HTTP/1.1 200 OK" if recovered else "connect to address 192.0.2.11: Connection refused",
            "last_hard_state_change": "1772443912.103445" if recovered else "1772442847.218431",
            "time": "1772443912" if recovered else "1772442847",
            "address": "192.0.2.11",
            "author": "icingaadmin" if says is Says.ACKNOWLEDGED else "",
            "comment": "on it" if says is Says.ACKNOWLEDGED else "",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


ADAPTER = Icinga()
