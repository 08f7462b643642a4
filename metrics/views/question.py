"""What every page of figures asks first: period, filters, grain, comparison."""

from typing import Any

from django.http import HttpRequest

from incidents.models import CauseCategory, Channel, Service
from incidents.priority import Severity
from metrics import dashboard
from metrics.periods import NO_CAUSE, NO_CHANNEL, Grain


def question(request: HttpRequest) -> dict[str, Any]:
    """The question as asked, and what may be chosen. One query."""
    asked = dashboard.read_question(request.GET)
    rows = list(Service.objects.order_by("name").values("id", "slug", "name", "team__slug", "team__name"))
    teams = {row["team__slug"]: row["team__name"] for row in rows if row["team__slug"]}
    return {
        "asked": asked,
        "known_services": [(r["id"], r["slug"], r["name"], r["team__slug"], r["team__name"]) for r in rows],
        "presets": [(key, label, asked.query(**{"preset": key, "from": "", "to": ""}))
                    for key, label in dashboard.PRESETS],
        "services": rows,
        "teams": sorted(teams.items(), key=lambda one: one[1]),
        "severities": Severity.values,
        "causes": [*CauseCategory.choices, (NO_CAUSE, "No problem linked")],
        "channels": [*Channel.choices, (NO_CHANNEL, "No ticket linked")],
        "grains": Grain.choices,
        "comparisons": dashboard.Compare.choices,
    }  # fmt: skip
