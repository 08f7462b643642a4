"""The statements behind the figures. One row per incident (`facts`), from which every figure is an aggregate.

Downtime is computed with range types of the database: the union of an incident's intervals is a
`range_agg`, planned work is subtracted as a multirange. PostgreSQL 14 or newer.
"""
# ruff: noqa: S608  (only constants of this module are put into the statements; values are parameters)

from metrics.definitions import DURATIONS

_DURATION_COLUMNS = ",\n    ".join(
    f"extract(epoch FROM {kpi.end} - {kpi.start})::float8 AS {kpi.key}" for kpi in DURATIONS
)

_CAUSE = """coalesce((
  SELECT pb.cause_category FROM incidents_problem_major_incidents link
  JOIN incidents_problem pb ON pb.id = link.problem_id WHERE link.majorincident_id = i.id
  ORDER BY pb.cause_category = 'unknown', pb.id LIMIT 1), '')"""
_CHANNEL = """coalesce((
  SELECT t.channel FROM incidents_ticket t WHERE t.major_incident_id = i.id
  ORDER BY t.reported_at, t.id LIMIT 1), '')"""
"""Of the first linked problem whose cause is known; of the earliest linked ticket. Empty where there is none."""

_OF_INCIDENT = (
    "i.id, i.title, i.stage, i.severity, i.is_imported, i.belongs_at, i.started_at, i.detected_at, i.reported_at,"
    " i.acknowledged_at, i.declared_at, i.contained_at, i.restored_at, i.resolved_at, i.closed_at"
)

COUNTED = f"""
planned AS (  -- maintenance windows of each service
  SELECT link.service_id, range_agg(tstzrange(w.starts_at, w.ends_at)) AS windows
  FROM incidents_maintenancewindow w
  JOIN incidents_maintenancewindow_services link ON link.maintenancewindow_id = w.id
  GROUP BY link.service_id
),
counted AS NOT MATERIALIZED (  -- drills, stood-down and merged incidents are in no figure
  SELECT i.*, coalesce(i.declared_at, i.reported_at) AS belongs_at
  FROM incidents_majorincident i
  WHERE (NOT %(only_counted)s OR (NOT i.is_drill AND i.stage <> 'stood_down' AND i.merged_into_id IS NULL))
    AND (NOT %(by_severity)s OR i.severity = ANY(%(severities)s))
    AND (NOT %(by_incident)s OR i.id = ANY(%(incident_ids)s))
    AND (NOT %(by_service)s OR EXISTS (
      SELECT 1 FROM incidents_affectedservice a WHERE a.incident_id = i.id AND a.service_id = ANY(%(services)s))
      OR EXISTS (
      SELECT 1 FROM incidents_downtimeinterval d WHERE d.incident_id = i.id AND d.service_id = ANY(%(services)s)))
    AND (NOT %(by_cause)s OR {_CAUSE} = ANY(%(causes)s))
    AND (NOT %(by_channel)s OR {_CHANNEL} = ANY(%(channels)s))
)"""

PRICES = """
prices AS (  -- what an hour of each service costs, and when an hour counts in full
  SELECT sv.id AS service_id, sv.cost_per_hour::float8 AS an_hour, sv.off_hours_percent / 100.0::float8 AS off_share,
         coalesce(nullif(h.time_zone, ''), %(zone)s) AS zone, coalesce(h.week, %(default_week)s::jsonb) AS week,
         coalesce(h.observes_holidays, true) AS observes_holidays
  FROM incidents_service sv
  LEFT JOIN LATERAL (
    SELECT * FROM incidents_servicehours WHERE id = sv.hours_id OR (sv.hours_id IS NULL AND is_default)
  ) h ON true
)"""
"""Services without hours of their own have the default ones, else the working week every desk begins with."""


def priced(part: str) -> str:
    """Money for one stretch of downtime: hours outside the service hours count with their share."""
    seconds = f"extract(epoch FROM upper({part}) - lower({part}))::float8"
    return (
        f"p.an_hour / 3600 * CASE WHEN p.off_share = 1 OR p.an_hour = 0 THEN {seconds} ELSE"
        f" {seconds} * p.off_share + (1 - p.off_share) *"
        f" metrics_open_seconds({part}, p.zone, p.week, p.observes_holidays) END"
    )


_ASKED = """
scope AS (
  SELECT * FROM counted WHERE %(by_incident)s OR (belongs_at >= %(start)s AND belongs_at < %(end)s)
)"""


MEASURED = f"""
noted AS (  -- each with what was computed before, when nothing has moved since
  SELECT s.*, f.incident_id IS NOT NULL AS is_kept, f.downtime_seconds AS kept_downtime, f.costs AS kept_costs,
    f.cost AS kept_cost,
    f.effort_seconds AS kept_effort, f.steps_opened AS kept_opened, f.steps_conforming AS kept_conforming,
    f.promises_settled AS kept_settled, f.promises_kept AS kept_promises, f.is_reviewed AS kept_reviewed,
    f.has_problem AS kept_problem, f.cause AS kept_cause, f.channel AS kept_channel
  FROM scope s
  LEFT JOIN metrics_incidentfigures f ON f.incident_id = s.id AND f.is_kept AND %(use_kept)s
),
live AS (
  SELECT * FROM noted WHERE NOT is_kept
),
unplanned AS (  -- every interval without the planned work in it; open ones reach up to now
  SELECT d.incident_id, d.service_id, d.ended_at IS NULL AS is_open,
         d.started_at = d.ended_at AND NOT coalesce(p.windows @> d.started_at, false) AS is_instant,
         tstzmultirange(tstzrange(d.started_at, greatest(d.started_at, coalesce(d.ended_at, %(now)s))))
           - coalesce(p.windows, '{{}}'::tstzmultirange) AS parts
  FROM incidents_downtimeinterval d
  JOIN live s ON s.id = d.incident_id
  LEFT JOIN planned p ON p.service_id = d.service_id
),
merged AS (  -- the union, per incident and within it per service
  SELECT u.incident_id, u.service_id, grouping(u.service_id) = 1 AS is_whole, range_agg(part) AS parts
  FROM unplanned u CROSS JOIN LATERAL unnest(u.parts) AS part
  GROUP BY GROUPING SETS ((u.incident_id), (u.incident_id, u.service_id))
),
downtime AS (
  SELECT u.incident_id, bool_or(u.is_open) AS is_open
  FROM unplanned u WHERE NOT isempty(u.parts) OR coalesce(u.is_instant, false)
  GROUP BY u.incident_id
),
lengths AS (
  SELECT m.incident_id, sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds
  FROM merged m CROSS JOIN LATERAL unnest(m.parts) AS part WHERE m.is_whole GROUP BY m.incident_id
),
costs AS (
  SELECT one.incident_id, jsonb_object_agg(one.service_id, one.cost) AS costs, sum(one.cost) AS whole
  FROM (
    SELECT m.incident_id, m.service_id, sum({priced("part")})::float8 AS cost
    FROM merged m CROSS JOIN LATERAL unnest(m.parts) AS part JOIN prices p ON p.service_id = m.service_id
    WHERE NOT m.is_whole GROUP BY m.incident_id, m.service_id
  ) one GROUP BY one.incident_id
),
steps AS (
  SELECT t.incident_id, count(t.opened_at) AS opened,
         count(*) FILTER (WHERE t.opened_at IS NOT NULL AND t.state = 'done' AND NOT t.by_fallback) AS conforming
  FROM incidents_incidentstep t JOIN live s ON s.id = t.incident_id GROUP BY t.incident_id
),
promises AS (
  SELECT p.incident_id, count(*) FILTER (WHERE p.state IN ('kept', 'broken')) AS settled,
         count(*) FILTER (WHERE p.state = 'kept') AS kept
  FROM incidents_updatepromise p JOIN live s ON s.id = p.incident_id GROUP BY p.incident_id
),
effort AS (  -- from taking a seat until it was given back or the fix was confirmed; one person counts once
  SELECT one.incident_id, sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds
  FROM (
    SELECT st.incident_id, st.user_id, range_agg(tstzrange(st.answered_at, greatest(st.answered_at,
      least(st.released_at, coalesce(s.resolved_at, s.closed_at, %(now)s))))) AS spans
    FROM incidents_seat st JOIN live s ON s.id = st.incident_id
    WHERE st.answered_at IS NOT NULL AND st.state IN ('accepted', 'released') GROUP BY st.incident_id, st.user_id
  ) one CROSS JOIN LATERAL unnest(one.spans) AS part GROUP BY one.incident_id
),
measured AS (
  SELECT {_OF_INCIDENT}, i.kept_downtime AS average_downtime, false AS is_still_down, i.kept_costs AS costs,
    i.kept_cost AS whole_cost,
    i.kept_effort AS effort_seconds, i.kept_opened AS steps_opened, i.kept_conforming AS steps_conforming,
    i.kept_settled AS promises_settled, i.kept_promises AS promises_kept, i.kept_reviewed AS is_reviewed,
    i.kept_problem AS has_problem, i.kept_cause AS cause, i.kept_channel AS channel
  FROM noted i WHERE i.is_kept
  UNION ALL
  SELECT {_OF_INCIDENT}, CASE WHEN d.incident_id IS NOT NULL THEN coalesce(l.seconds, 0) END,
    coalesce(d.is_open, false), c.costs, c.whole, e.seconds,
    coalesce(st.opened, 0), coalesce(st.conforming, 0), coalesce(pr.settled, 0), coalesce(pr.kept, 0),
    EXISTS (SELECT 1 FROM incidents_review r WHERE r.incident_id = i.id AND r.state = 'completed'),
    EXISTS (SELECT 1 FROM incidents_problem_major_incidents w WHERE w.majorincident_id = i.id),
    {_CAUSE}, {_CHANNEL}
  FROM live i
  LEFT JOIN downtime d ON d.incident_id = i.id
  LEFT JOIN lengths l ON l.incident_id = i.id
  LEFT JOIN costs c ON c.incident_id = i.id
  LEFT JOIN effort e ON e.incident_id = i.id
  LEFT JOIN steps st ON st.incident_id = i.id
  LEFT JOIN promises pr ON pr.incident_id = i.id
),
facts AS (
  SELECT s.*, s.stage = 'closed' AS is_closed,
    to_char(s.belongs_at AT TIME ZONE %(zone)s, %(grain)s) AS month,
    {_DURATION_COLUMNS},
    CASE WHEN NOT %(by_service)s THEN s.whole_cost ELSE (
      SELECT sum(one.value::float8) FROM jsonb_each_text(s.costs) one WHERE one.key = ANY(%(service_keys)s)
    ) END AS cost
  FROM measured s
)"""


def facts(scope: str) -> str:
    """What follows WITH: the tables that end in `facts`, one row for each incident of the table `scope`."""
    return f"{COUNTED},{PRICES},{scope},{MEASURED}"


FACTS = f"WITH {facts(_ASKED)}"


def _statistic(key: str) -> str:
    return (
        f"count({key}) AS {key}_n, avg({key}) AS {key}_mean, min({key}) AS {key}_least, max({key}) AS {key}_most,"
        f" percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {key}) AS {key}_percentiles"
    )


_STATISTICS = ",\n  ".join(_statistic(key) for key in (*(kpi.key for kpi in DURATIONS), "average_downtime"))

SUMMARY = f"""{FACTS}
SELECT month, count(*) AS incidents,
  {_STATISTICS},
  count(*) FILTER (WHERE is_still_down) AS still_down,
  sum(cost) AS cost_value, count(cost) AS cost_n,
  sum(effort_seconds) AS effort_value, count(effort_seconds) AS effort_n,
  sum(steps_conforming) AS raci_conformance_hits, sum(steps_opened) AS raci_conformance_n,
  sum(promises_kept) AS promise_kept_rate_hits, sum(promises_settled) AS promise_kept_rate_n,
  count(*) FILTER (WHERE is_closed AND is_reviewed) AS pir_rate_hits,
  count(*) FILTER (WHERE is_closed) AS pir_rate_n,
  count(*) FILTER (WHERE has_problem) AS problem_rate_hits, count(*) AS problem_rate_n,
  array_agg(channel) AS channels, array_agg(cause) AS causes,
  (SELECT jsonb_object_agg(kpi, value) FROM metrics_target) AS targets
FROM facts GROUP BY GROUPING SETS ((), (month)) ORDER BY month NULLS FIRST
"""

ROWS = f"""{FACTS}
SELECT facts.*, array(
  SELECT sv.name FROM incidents_affectedservice a JOIN incidents_service sv ON sv.id = a.service_id
  WHERE a.incident_id = facts.id ORDER BY sv.name) AS services
FROM facts ORDER BY belongs_at DESC, id DESC
"""

SERVICES = f"""
WITH {COUNTED},
{PRICES},
unplanned AS (
  SELECT d.service_id, d.started_at, d.ended_at IS NULL AS is_open,
         d.started_at = d.ended_at AND NOT coalesce(p.windows @> d.started_at, false) AS is_instant,
         tstzmultirange(tstzrange(d.started_at, greatest(d.started_at, coalesce(d.ended_at, %(now)s))))
           - coalesce(p.windows, '{{}}'::tstzmultirange) AS parts
  FROM incidents_downtimeinterval d
  JOIN counted i ON i.id = d.incident_id
  LEFT JOIN planned p ON p.service_id = d.service_id
  WHERE d.service_id IS NOT NULL AND d.started_at < %(until)s AND coalesce(d.ended_at, %(now)s) >= %(start)s
),
failures AS (  -- a failure begins with the first moment that was not planned
  SELECT service_id, CASE WHEN NOT isempty(parts) THEN lower(parts) ELSE started_at END AS began
  FROM unplanned
  WHERE NOT isempty(parts) OR coalesce(is_instant, false)
),
gaps AS (
  SELECT service_id, began,
         extract(epoch FROM began - lag(began) OVER (PARTITION BY service_id ORDER BY began))::float8 AS gap
  FROM failures WHERE began >= %(start)s AND began < %(until)s
),
counts AS (
  SELECT service_id, count(*) AS failures, sum(gap) AS gap_seconds, count(gap) AS gaps FROM gaps GROUP BY service_id
),
merged AS (
  SELECT u.service_id, range_agg(part * tstzrange(%(start)s, %(until)s)) AS parts
  FROM unplanned u CROSS JOIN LATERAL unnest(u.parts) AS part GROUP BY u.service_id
),
lengths AS (
  SELECT m.service_id, sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds,
         sum({priced("part")})::float8 AS cost
  FROM merged m CROSS JOIN LATERAL unnest(m.parts) AS part JOIN prices p ON p.service_id = m.service_id
  GROUP BY m.service_id
)
SELECT sv.id, sv.slug, sv.name, sv.tier, sv.is_active, coalesce(l.cost, 0) AS cost,
  coalesce(c.failures, 0) AS failures, coalesce(l.seconds, 0) AS downtime_seconds,
  coalesce(c.gap_seconds, 0) AS gap_seconds, coalesce(c.gaps, 0) AS gaps,
  coalesce((SELECT bool_or(is_open) FROM unplanned u WHERE u.service_id = sv.id), false) AS is_still_down
FROM incidents_service sv
LEFT JOIN counts c ON c.service_id = sv.id
LEFT JOIN lengths l ON l.service_id = sv.id
WHERE CASE WHEN %(by_service)s THEN sv.id = ANY(%(services)s) ELSE sv.is_active END
ORDER BY sv.tier, sv.name
"""
