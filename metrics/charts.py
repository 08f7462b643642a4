"""Options of the charts as plain data; the page hands them to the library as JSON, no script is written here."""

from typing import Any

from django.urls import reverse

from metrics.dashboard import Asked, month_question
from metrics.kpis import Figures


def monthly(figures: Figures, asked: Asked) -> dict[str, Any]:
    """Incidents a month as bars that open the month, and how long the services were down on average as a line."""
    drill = reverse("kpi_drill", args=["major_incidents"])
    minutes = []
    for month in figures.months:
        mean = month.summary.statistics["average_downtime"].mean_seconds
        minutes.append(None if mean is None else round(mean / 60))
    return {
        "legend": {"top": 0, "left": 0},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": [month.month for month in figures.months]},
        "yAxis": [
            {"type": "value", "minInterval": 1},
            {"type": "value", "splitLine": {"show": False}, "name": "min"},
        ],
        "series": [
            {
                "name": "Major incidents",
                "type": "bar",
                "barMaxWidth": 36,
                "itemStyle": {"borderRadius": [3, 3, 0, 0]},
                "data": [
                    {"value": month.count, "url": f"{drill}?{month_question(month, figures.scope, asked)}"}
                    for month in figures.months
                ],
            },
            {
                "name": "Average downtime (min)",
                "type": "line",
                "yAxisIndex": 1,
                "connectNulls": True,
                "symbolSize": 6,
                "data": minutes,
            },
        ],
    }
