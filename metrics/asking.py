"""How a statement of figures is asked: the parameters of a scope, rows out as dictionaries."""

import json
from datetime import datetime
from typing import Any

from django.db import connection

from incidents.service_hours import WORKING_WEEK
from metrics.periods import GRAIN_FORMATS, Scope

_DEFAULT_WEEK = json.dumps(WORKING_WEEK)


def parameters(scope: Scope, at: datetime) -> dict[str, Any]:
    return {
        "start": scope.start,
        "end": scope.end,
        "now": at,
        "until": max(scope.start, min(scope.end, at)),
        "zone": scope.zone.key,
        "by_service": bool(scope.services),
        "services": list(scope.services),
        "by_severity": bool(scope.severities),
        "severities": list(scope.severities),
        "service_keys": [str(pk) for pk in scope.services],
        "by_cause": bool(scope.causes),
        "causes": list(scope.causes),
        "by_channel": bool(scope.channels),
        "channels": list(scope.channels),
        "grain": GRAIN_FORMATS[scope.grain],
        "use_kept": scope.use_kept,
        "default_week": _DEFAULT_WEEK,
        "by_incident": scope.incident_ids is not None,
        "only_counted": scope.only_counted,
        "incident_ids": list(scope.incident_ids or ()),
    }


def fetch(statement: str, scope: Scope, at: datetime) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters(scope, at))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
