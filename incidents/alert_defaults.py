"""The rules a new installation begins with: good on day one, and a pattern for one's own."""

from typing import Any

DEFAULT_RULES: tuple[dict[str, Any], ...] = (
    {
        "name": "Critical alerts become tickets",
        "position": 100,
        "severities": ["critical"],
        "outcome": "ticket",
        "impact": 2,
        "urgency": 2,
    },
    {
        "name": "Errors become tickets",
        "position": 110,
        "severities": ["error"],
        "outcome": "ticket",
        "impact": 3,
        "urgency": 2,
    },
    {
        "name": "Warnings and information are kept only",
        "position": 120,
        "severities": ["warning", "info"],
        "outcome": "nothing",
    },
)
