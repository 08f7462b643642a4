"""The downtime calendar: how long anything was down on each day of the organisation's calendar."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from metrics import sql
from metrics.asking import fetch
from metrics.chart_parts import Chart, Column
from metrics.periods import Scope, start_of_day

MOST_DAYS = 731
LEVELS = (0, 600, 3600, 4 * 3600)
"""From how many seconds on a day has the next darker colour."""
DAYS = f"""
WITH {sql.COUNTED},
days AS (
  SELECT day::date AS day, tstzrange(day::timestamp AT TIME ZONE %(zone)s,
    (day::timestamp + interval '1 day') AT TIME ZONE %(zone)s) * tstzrange(%(start)s, %(until)s) AS during
  FROM generate_series((%(start)s::timestamptz AT TIME ZONE %(zone)s)::date,
    (%(until)s::timestamptz AT TIME ZONE %(zone)s)::date, interval '1 day') AS day
),
unplanned AS (
  SELECT d.incident_id, tstzmultirange(tstzrange(d.started_at, greatest(d.started_at, coalesce(d.ended_at, %(now)s))))
    - coalesce(p.windows, '{{}}'::tstzmultirange) AS parts
  FROM incidents_downtimeinterval d JOIN counted i ON i.id = d.incident_id
  LEFT JOIN planned p ON p.service_id = d.service_id
  WHERE d.started_at < %(until)s AND coalesce(d.ended_at, %(now)s) > %(start)s
    AND (NOT %(by_service)s OR d.service_id = ANY(%(services)s))
),
cut AS (
  SELECT days.day, range_agg(part * days.during) AS parts, count(DISTINCT u.incident_id) AS incidents
  FROM unplanned u CROSS JOIN LATERAL unnest(u.parts) AS part JOIN days ON part && days.during
  GROUP BY days.day
)
SELECT cut.day, cut.incidents, sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds
FROM cut CROSS JOIN LATERAL unnest(cut.parts) AS part GROUP BY cut.day, cut.incidents ORDER BY cut.day
"""  # noqa: S608 (constants of this module)


@dataclass(frozen=True)
class Day:
    """`seconds` is None for a day outside of the period."""

    day: date
    seconds: float | None = None
    incidents: int = 0

    @property
    def level(self) -> int:
        """0 without downtime to 4, the darkest; -1 outside of the period."""
        if self.seconds is None:
            return -1
        return 0 if not self.seconds else sum(self.seconds >= edge for edge in LEVELS)


def days(scope: Scope, *, at: datetime) -> list[Day]:
    """Every day of the period up to now, the last two years of it; seconds with anything down. One query."""
    last = min(scope.end, at).astimezone(scope.zone)
    earliest = start_of_day((last - timedelta(days=MOST_DAYS)).date(), scope.zone)
    asked = replace(scope, start=max(scope.start, earliest))
    if asked.start >= last:
        return []
    found = {row["day"]: row for row in fetch(DAYS, asked, at)}
    day, end = asked.start.astimezone(scope.zone).date(), (last - timedelta(microseconds=1)).date()
    listed = []
    while day <= end:
        row = found.get(day)
        listed.append(Day(day, row["seconds"] if row else 0.0, row["incidents"] if row else 0))
        day += timedelta(days=1)
    return listed


def months(listed: list[Day]) -> list[tuple[str, list[Day | None]]]:
    """Rows of the calendar: each month with 31 places, those it does not have are None."""
    rows: dict[str, list[Day | None]] = {}
    for one in listed:
        rows.setdefault(f"{one.day:%Y-%m}", [None] * 31)[one.day.day - 1] = one
    return list(rows.items())


def as_chart(listed: list[Day]) -> Chart:
    """The same as a table and for the export."""
    total = sum(one.seconds or 0 for one in listed)
    down = [one for one in listed if one.seconds]
    return Chart(
        "calendar", "Downtime by day", f"Something was down on {len(down)} of {len(listed)} days.",
        [Column("Day"), Column("Downtime", "seconds"), Column("Incidents", "count")],
        [[f"{one.day:%Y-%m-%d}", one.seconds, one.incidents] for one in listed], None,
        note=f"{total / 3600:.1f} hours in all; overlapping outages count once.",
    )  # fmt: skip
