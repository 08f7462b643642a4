"""The statements behind the figures. One row per incident (`facts`), from which every figure is an aggregate.

Downtime is computed with range types of the database: the union of an incident's intervals is a
`range_agg`, planned work is subtracted as a multirange. PostgreSQL 14 or newer.
"""
# ruff: noqa: S608  (only constants of this module are put into the statements; values are parameters)

from metrics.definitions import DURATIONS

_DURATION_COLUMNS = ",\n    ".join(
    f"extract(epoch FROM {kpi.end} - {kpi.start})::float8 AS {kpi.key}" for kpi in DURATIONS
)

COUNTED = """
planned AS (  -- maintenance windows of each service
  SELECT link.service_id, range_agg(tstzrange(w.starts_at, w.ends_at)) AS windows
  FROM incidents_maintenancewindow w
  JOIN incidents_maintenancewindow_services link ON link.maintenancewindow_id = w.id
  GROUP BY link.service_id
),
counted AS (  -- drills, stood-down and merged incidents are in no figure
  SELECT i.*, coalesce(i.declared_at, i.reported_at) AS belongs_at
  FROM incidents_majorincident i
  WHERE (NOT %(only_counted)s OR (NOT i.is_drill AND i.stage <> 'stood_down' AND i.merged_into_id IS NULL))
    AND (NOT %(by_severity)s OR i.severity = ANY(%(severities)s))
    AND (NOT %(by_incident)s OR i.id = ANY(%(incident_ids)s))
    AND (NOT %(by_service)s OR EXISTS (
      SELECT 1 FROM incidents_affectedservice a WHERE a.incident_id = i.id AND a.service_id = ANY(%(services)s))
      OR EXISTS (
      SELECT 1 FROM incidents_downtimeinterval d WHERE d.incident_id = i.id AND d.service_id = ANY(%(services)s)))
)"""

FACTS = f"""
WITH {COUNTED},
scope AS (
  SELECT * FROM counted WHERE %(by_incident)s OR (belongs_at >= %(start)s AND belongs_at < %(end)s)
),
unplanned AS (  -- every interval without the planned work in it; open ones reach up to now
  SELECT d.incident_id, d.service_id, d.ended_at IS NULL AS is_open,
         d.started_at = d.ended_at AND NOT coalesce(p.windows @> d.started_at, false) AS is_instant,
         tstzmultirange(tstzrange(d.started_at, greatest(d.started_at, coalesce(d.ended_at, %(now)s))))
           - coalesce(p.windows, '{{}}'::tstzmultirange) AS parts
  FROM incidents_downtimeinterval d
  JOIN scope s ON s.id = d.incident_id
  LEFT JOIN planned p ON p.service_id = d.service_id
),
merged AS (  -- the union, per incident and within it per service
  SELECT u.incident_id, u.service_id, grouping(u.service_id) = 1 AS is_whole, range_agg(part) AS parts
  FROM unplanned u CROSS JOIN LATERAL unnest(u.parts) AS part
  GROUP BY GROUPING SETS ((u.incident_id), (u.incident_id, u.service_id))
),
lengths AS (
  SELECT m.incident_id, m.service_id, m.is_whole,
         sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds
  FROM merged m CROSS JOIN LATERAL unnest(m.parts) AS part
  GROUP BY m.incident_id, m.service_id, m.is_whole
),
downtime AS (
  SELECT u.incident_id, coalesce(max(l.seconds), 0) AS seconds, bool_or(u.is_open) AS is_open
  FROM unplanned u LEFT JOIN lengths l ON l.incident_id = u.incident_id AND l.is_whole
  WHERE NOT isempty(u.parts) OR coalesce(u.is_instant, false)
  GROUP BY u.incident_id
),
costs AS (
  SELECT l.incident_id, sum(l.seconds / 3600 * sv.cost_per_hour)::float8 AS cost
  FROM lengths l JOIN incidents_service sv ON sv.id = l.service_id
  WHERE NOT l.is_whole AND (NOT %(by_service)s OR l.service_id = ANY(%(services)s))
  GROUP BY l.incident_id
),
steps AS (
  SELECT t.incident_id, count(t.opened_at) AS opened,
         count(*) FILTER (WHERE t.opened_at IS NOT NULL AND t.state = 'done' AND NOT t.by_fallback) AS conforming
  FROM incidents_incidentstep t JOIN scope s ON s.id = t.incident_id GROUP BY t.incident_id
),
promises AS (
  SELECT p.incident_id, count(*) FILTER (WHERE p.state IN ('kept', 'broken')) AS settled,
         count(*) FILTER (WHERE p.state = 'kept') AS kept
  FROM incidents_updatepromise p JOIN scope s ON s.id = p.incident_id GROUP BY p.incident_id
),
detections AS (  -- the channel of the earliest linked ticket
  SELECT DISTINCT ON (t.major_incident_id) t.major_incident_id AS incident_id, t.channel
  FROM incidents_ticket t JOIN scope s ON s.id = t.major_incident_id
  ORDER BY t.major_incident_id, t.reported_at, t.id
),
reviewed AS (
  SELECT incident_id FROM incidents_review WHERE state = 'completed'
),
with_problem AS (
  SELECT DISTINCT majorincident_id AS incident_id FROM incidents_problem_major_incidents
),
facts AS (
  SELECT s.id, s.title, s.stage, s.severity, s.is_imported, s.belongs_at,
    to_char(s.belongs_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS month,
    s.started_at, s.detected_at, s.reported_at, s.acknowledged_at, s.declared_at,
    s.contained_at, s.restored_at, s.resolved_at, s.closed_at,
    {_DURATION_COLUMNS},
    d.seconds AS average_downtime, coalesce(d.is_open, false) AS is_still_down,
    c.cost,
    coalesce(st.opened, 0) AS steps_opened, coalesce(st.conforming, 0) AS steps_conforming,
    coalesce(pr.settled, 0) AS promises_settled, coalesce(pr.kept, 0) AS promises_kept,
    s.stage = 'closed' AS is_closed, r.incident_id IS NOT NULL AS is_reviewed,
    wp.incident_id IS NOT NULL AS has_problem,
    det.channel
  FROM scope s
  LEFT JOIN downtime d ON d.incident_id = s.id
  LEFT JOIN costs c ON c.incident_id = s.id
  LEFT JOIN steps st ON st.incident_id = s.id
  LEFT JOIN promises pr ON pr.incident_id = s.id
  LEFT JOIN detections det ON det.incident_id = s.id
  LEFT JOIN reviewed r ON r.incident_id = s.id
  LEFT JOIN with_problem wp ON wp.incident_id = s.id
)"""


def _statistic(key: str) -> str:
    return (
        f"count({key}) AS {key}_n, avg({key}) AS {key}_mean,"
        f" percentile_cont(0.5) WITHIN GROUP (ORDER BY {key}) AS {key}_median,"
        f" percentile_cont(0.9) WITHIN GROUP (ORDER BY {key}) AS {key}_p90"
    )


_STATISTICS = ",\n  ".join(_statistic(key) for key in (*(kpi.key for kpi in DURATIONS), "average_downtime"))

SUMMARY = f"""{FACTS}
SELECT month, count(*) AS incidents,
  {_STATISTICS},
  count(*) FILTER (WHERE is_still_down) AS still_down,
  sum(cost) AS cost_value, count(cost) AS cost_n,
  sum(steps_conforming) AS raci_conformance_hits, sum(steps_opened) AS raci_conformance_n,
  sum(promises_kept) AS promise_kept_rate_hits, sum(promises_settled) AS promise_kept_rate_n,
  count(*) FILTER (WHERE is_closed AND is_reviewed) AS pir_rate_hits,
  count(*) FILTER (WHERE is_closed) AS pir_rate_n,
  count(*) FILTER (WHERE has_problem) AS problem_rate_hits, count(*) AS problem_rate_n,
  array_agg(coalesce(channel, '')) AS channels
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
  SELECT m.service_id, sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds
  FROM merged m CROSS JOIN LATERAL unnest(m.parts) AS part GROUP BY m.service_id
)
SELECT sv.id, sv.slug, sv.name, sv.tier, sv.is_active, sv.cost_per_hour::float8 AS cost_per_hour,
  coalesce(c.failures, 0) AS failures, coalesce(l.seconds, 0) AS downtime_seconds,
  coalesce(c.gap_seconds, 0) AS gap_seconds, coalesce(c.gaps, 0) AS gaps,
  coalesce((SELECT bool_or(is_open) FROM unplanned u WHERE u.service_id = sv.id), false) AS is_still_down
FROM incidents_service sv
LEFT JOIN counts c ON c.service_id = sv.id
LEFT JOIN lengths l ON l.service_id = sv.id
WHERE CASE WHEN %(by_service)s THEN sv.id = ANY(%(services)s) ELSE sv.is_active END
ORDER BY sv.tier, sv.name
"""
