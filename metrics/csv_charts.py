"""A chart as CSV, safe to open in a spreadsheet: its numbers as they are, durations in seconds."""

import csv
import io

from metrics.chart_parts import Chart
from metrics.csv_export import safe_cell

_UNITS = {"seconds": " (seconds)", "share": " (share of 1)", "change": " (per cent)"}


def as_csv(chart: Chart) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"{column.title or 'State'}{_UNITS.get(column.unit, '')}" for column in chart.columns])
    writer.writerows([safe_cell(cell) for cell in row] for row in chart.rows)
    return out.getvalue()
