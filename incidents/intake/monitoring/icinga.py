"""Icinga 2: a notification command with curl. As Nagios, which has a problem id; here the last good state tells."""

import json
from collections.abc import Mapping
from typing import Any

from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.nagios import Nagios
from incidents.intake.monitoring.reading import first
from incidents.intake.monitoring.shape import Says


class Icinga(Nagios):
    kind = "icinga"

    def episode(self, given: Mapping[str, Any], says: Says) -> str:
        """When it was last well: the same from warning to critical, other than the last hard state change, which is
        taken where nothing else is sent. A recovery names another moment: it closes what is open."""
        if says is Says.RESOLVED:
            return ""
        well = first(given.get("laststateok"), given.get("laststateup"))
        return well or first(given.get("lasthardstatechange"), given.get("problemid"))

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
            "last_state_ok": f"{sample_times.seconds() - 60}.218431",
            "time": str(sample_times.seconds()),
            "address": "192.0.2.11",
            "author": "icingaadmin" if says is Says.ACKNOWLEDGED else "",
            "comment": "on it" if says is Says.ACKNOWLEDGED else "",
        }
        return json.dumps(body).encode(), {"content-type": "application/json"}


ADAPTER = Icinga()
