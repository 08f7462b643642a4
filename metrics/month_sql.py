"""The statements of kept months: which of them stand, what they hold, and the same for the days between them.

A period is cut into whole months that are kept and `spans` between them. The spans are computed by the same tables that
make a month, so both have one form, and both are read in one statement: no change falls between them.
"""
# ruff: noqa: S608  (only constants of these modules are put into the statements; values are parameters)

from metrics import sql
from metrics.definitions import STATISTICS


def _standing(last: str) -> str:
    """Kept months of the period that no change touches, and what is left of it up to the moment `last`."""
    return f"""
stale AS (
  SELECT range_agg(tstzrange(v.since, v.until, '[]')) AS during
  FROM (SELECT DISTINCT since, until FROM metrics_moved) v
),
standing AS MATERIALIZED (
  SELECT m.version, m.starts_at, m.ends_at FROM metrics_monthfigures m
  WHERE m.starts_at >= %(start)s AND m.ends_at <= {last} AND m.zone = %(zone)s
    AND NOT coalesce(tstzrange(m.starts_at, m.ends_at) && (SELECT during FROM stale), false)
),
spans AS MATERIALIZED (
  SELECT unnest(tstzmultirange(tstzrange(%(start)s, {last})) - coalesce(
    (SELECT range_agg(tstzrange(starts_at, ends_at)) FROM standing), '{{}}'::tstzmultirange)) AS during
)"""


_SCOPE = """
scope AS (
  SELECT c.* FROM metrics_incidents_within((SELECT range_agg(during) FROM spans)) AS found (id)
  JOIN counted c ON c.id = found.id
)"""

_VALUES = ", ".join(
    f"'{kpi.key}', array_agg({kpi.key} ORDER BY {kpi.key}) FILTER (WHERE {kpi.key} IS NOT NULL)" for kpi in STATISTICS
)
_BLOCK = f"""jsonb_build_object(
    'count', count(*), 'still_down', count(*) FILTER (WHERE is_still_down),
    'values', jsonb_build_object({_VALUES}),
    'cost', jsonb_build_array(sum(cost), count(cost)),
    'effort', jsonb_build_array(sum(effort_seconds), count(effort_seconds)),
    'hits', jsonb_build_object(
      'raci_conformance', jsonb_build_array(sum(steps_conforming), sum(steps_opened)),
      'promise_kept_rate', jsonb_build_array(sum(promises_kept), sum(promises_settled)),
      'pir_rate', jsonb_build_array(
        count(*) FILTER (WHERE is_closed AND is_reviewed), count(*) FILTER (WHERE is_closed)),
      'problem_rate', jsonb_build_array(count(*) FILTER (WHERE has_problem), count(*))),
    'channels', jsonb_agg(channel), 'causes', jsonb_agg(cause))"""

OUTAGES = f"""
touching AS (  -- outages in each span without the planned work in them; open ones reach up to now
  SELECT g.during, d.service_id, d.started_at,
         d.started_at = d.ended_at AND NOT coalesce(p.windows @> d.started_at, false) AS is_instant,
         tstzmultirange(tstzrange(d.started_at, greatest(d.started_at, coalesce(d.ended_at, %(now)s))))
           - coalesce(p.windows, '{{}}'::tstzmultirange) AS parts
  FROM metrics_downtime_within((SELECT range_agg(during) FROM spans)) d
  JOIN spans g ON tstzrange(d.started_at, d.ended_at, '[]') && g.during
  JOIN counted i ON i.id = d.incident_id
  LEFT JOIN planned p ON p.service_id = d.service_id
  WHERE d.service_id IS NOT NULL
),
begun AS (  -- a failure begins with the first moment that was not planned
  SELECT during, service_id, count(*) AS failures, min(began) AS first, max(began) AS last
  FROM (
    SELECT during, service_id, CASE WHEN NOT isempty(parts) THEN lower(parts) ELSE started_at END AS began
    FROM touching WHERE NOT isempty(parts) OR coalesce(is_instant, false)
  ) one WHERE during @> began GROUP BY during, service_id
),
cut AS (
  SELECT t.during, t.service_id, range_agg(part * t.during) AS parts
  FROM touching t CROSS JOIN LATERAL unnest(t.parts) AS part GROUP BY t.during, t.service_id
),
lasted AS (
  SELECT c.during, c.service_id, sum(extract(epoch FROM upper(part) - lower(part)))::float8 AS seconds,
         sum({sql.priced("part")})::float8 AS cost
  FROM cut c CROSS JOIN LATERAL unnest(c.parts) AS part JOIN prices p ON p.service_id = c.service_id
  GROUP BY c.during, c.service_id
),
outages AS MATERIALIZED (  -- else once for each service
  SELECT during, service_id, jsonb_build_array(coalesce(failures, 0), extract(epoch FROM first)::float8,
    extract(epoch FROM last)::float8, coalesce(seconds, 0), coalesce(cost, 0)) AS numbers
  FROM begun FULL JOIN lasted USING (during, service_id)
)"""
"""For each span and service: failures, first and last beginning (seconds since 1970), seconds of downtime, cost."""

_KEPT = """
SELECT 'kept' AS kind, to_char(s.starts_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS name, s.version::text AS version,
  CASE WHEN s.version = ANY(%(known)s::uuid[]) THEN NULL ELSE (
    SELECT m.content::text FROM metrics_monthfigures m WHERE m.version = s.version) END AS content
FROM standing s"""

SUMMARY = f"""
WITH {_standing("%(end)s")},{sql.facts(_SCOPE)}
{_KEPT}
UNION ALL SELECT 'live', month, NULL, {_BLOCK}::text FROM facts GROUP BY month
UNION ALL SELECT 'targets', NULL, NULL, (SELECT jsonb_object_agg(kpi, value)::text FROM metrics_target)
"""
"""Rows of (kind, name, version, content): kept months, what was computed just now by month, the targets."""

SERVICES = f"""
WITH {_standing("%(until)s")},{sql.COUNTED},{sql.PRICES},{OUTAGES},
down AS (
  SELECT DISTINCT d.service_id FROM incidents_downtimeinterval d JOIN counted i ON i.id = d.incident_id
  WHERE d.ended_at IS NULL AND d.started_at < %(until)s AND %(now)s >= %(start)s
)
{_KEPT}
UNION ALL
SELECT 'service', NULL, NULL, jsonb_build_object(
  'id', sv.id, 'slug', sv.slug, 'name', sv.name, 'tier', sv.tier,
  'place', row_number() OVER (ORDER BY sv.tier, sv.name),
  'is_still_down', sv.id IN (SELECT service_id FROM down WHERE service_id IS NOT NULL),
  'live', (SELECT jsonb_agg(o.numbers) FROM outages o WHERE o.service_id = sv.id))::text
FROM incidents_service sv
WHERE CASE WHEN %(by_service)s THEN sv.id = ANY(%(services)s) ELSE sv.is_active END
"""

BUILD = f"""
WITH {sql.COUNTED},{sql.PRICES},
months AS MATERIALIZED (  -- those of which every incident is kept: nothing in them depends on the moment of asking
  SELECT w.starts_at, w.ends_at, tstzrange(w.starts_at, w.ends_at) AS during,
         to_char(w.starts_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS name
  FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS w (starts_at, ends_at)
  WHERE NOT EXISTS (
    SELECT 1 FROM counted c WHERE c.belongs_at >= w.starts_at AND c.belongs_at < w.ends_at
      AND NOT EXISTS (SELECT 1 FROM metrics_incidentfigures f WHERE f.incident_id = c.id AND f.is_kept))
  ORDER BY w.starts_at DESC LIMIT %(most)s
),
spans AS MATERIALIZED (SELECT during FROM months),
{_SCOPE.strip()},{sql.MEASURED},{OUTAGES},
blocks AS (
  SELECT m.name, {_BLOCK} AS block
  FROM months m JOIN facts f ON f.belongs_at >= m.starts_at AND f.belongs_at < m.ends_at GROUP BY m.name
),
services AS (SELECT during, jsonb_object_agg(service_id, numbers) AS outages FROM outages GROUP BY during)
INSERT INTO metrics_monthfigures (version, starts_at, ends_at, zone, content)
SELECT gen_random_uuid(), m.starts_at, m.ends_at, %(zone)s,
  coalesce(b.block, '{{}}'::jsonb) || jsonb_build_object('outages', coalesce(s.outages, '{{}}'::jsonb))
FROM months m LEFT JOIN blocks b ON b.name = m.name LEFT JOIN services s ON s.during = m.during
"""

FORGET = """
WITH seen AS (DELETE FROM metrics_moved RETURNING since, until)
DELETE FROM metrics_monthfigures m
WHERE m.zone <> %(zone)s OR EXISTS (
  SELECT 1 FROM (SELECT DISTINCT since, until FROM seen) v
  WHERE tstzrange(v.since, v.until, '[]') && tstzrange(m.starts_at, m.ends_at))
"""
"""Takes away the notes and the months that they touch, in one snapshot."""
