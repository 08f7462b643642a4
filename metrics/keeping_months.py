"""SQL that keeps the months honest: whatever moves a figure notes when, in its own transaction.

A note is a new row that nobody else writes, so writers never wait for each other; a version counter would be one hot
row. A reader leaves out every kept month that a note touches, and the sweep takes the notes away together with those
months. Both are one statement, so one snapshot: a note that is not seen yet belongs to a change that is not seen yet.
Used by a migration only; a change here needs a new one.
"""
# ruff: noqa: S608  (only constants of this module are put into the statements)

from metrics.keeping import _changes, _trigger

INDEX = """
CREATE INDEX IF NOT EXISTS figures_downtime_during ON incidents_downtimeinterval
  USING gist (tstzrange(started_at, ended_at, '[]'));
"""
"""Which outages touch a month: without it the current month reads the outages of ten years."""

WITHIN = """
CREATE OR REPLACE FUNCTION metrics_incidents_within(spans tstzmultirange) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 200 AS $$
DECLARE one tstzrange;
BEGIN
  FOR one IN SELECT unnest(spans) LOOP
    RETURN QUERY SELECT i.id FROM incidents_majorincident i
      WHERE coalesce(i.declared_at, i.reported_at) >= lower(one)
        AND coalesce(i.declared_at, i.reported_at) < upper(one);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION metrics_downtime_within(spans tstzmultirange)
RETURNS TABLE (incident_id bigint, service_id bigint, started_at timestamptz, ended_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 200 AS $$
DECLARE one tstzrange;
BEGIN  -- each outage once, in the first span that it touches
  FOR one IN SELECT unnest(spans) LOOP
    RETURN QUERY SELECT d.incident_id, d.service_id, d.started_at, d.ended_at FROM incidents_downtimeinterval d
      WHERE tstzrange(d.started_at, d.ended_at, '[]') && one
        AND NOT tstzrange(d.started_at, d.ended_at, '[]') && (spans * tstzmultirange(tstzrange(NULL, lower(one))));
  END LOOP;
END $$;
"""
"""What lies in a few days of many years. As functions because the planner cannot know how few they are: it would
read every outage and step of ten years. Stable, so they see what the asking statement sees, and no more."""

_NOTE = "INSERT INTO metrics_moved (since, until)"
_DAYS = "date_trunc('day', {since}), date_trunc('day', {until}) + interval '1 day'"
"""Whole days, so that a thousand rows of one statement become few notes."""
_AT = _DAYS.format(since="b.at", until="b.at")
_DURING = _DAYS.format(since="b.started_at", until="b.ended_at")

FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION metrics_mark(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN  -- always an update, so that a computation under way is waited for
  UPDATE metrics_incidentfigures SET is_kept = false, stale_since = coalesce(stale_since, now())
  WHERE incident_id = ANY(ids);
  {_NOTE}
    SELECT {_AT} FROM (
      SELECT coalesce(i.declared_at, i.reported_at) AS at FROM incidents_majorincident i WHERE i.id = ANY(ids)
    ) b WHERE b.at IS NOT NULL
    UNION
    SELECT {_DURING} FROM incidents_downtimeinterval b WHERE b.incident_id = ANY(ids);
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_incident() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone bigint; come bigint;
BEGIN  -- the argument names the incident's column
  IF TG_OP <> 'INSERT' THEN gone := (to_jsonb(OLD) ->> TG_ARGV[0])::bigint; END IF;
  IF TG_OP <> 'DELETE' THEN come := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint; END IF;
  PERFORM metrics_mark(ARRAY[gone, come]);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_clocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- the day it is counted in, before and after; figures between two clocks are read from the incident itself
  {_NOTE} SELECT {_AT} FROM (
    SELECT coalesce(OLD.declared_at, OLD.reported_at) AS at
    UNION SELECT coalesce(NEW.declared_at, NEW.reported_at)
  ) b WHERE b.at IS NOT NULL;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_NOTE} SELECT DISTINCT {_AT} FROM (
    SELECT coalesce(i.declared_at, i.reported_at) AS at FROM moved i
  ) b WHERE b.at IS NOT NULL;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_of_each() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM metrics_mark(ARRAY(SELECT DISTINCT incident_id FROM moved));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_downtime() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- what was before is no longer in the table, so it is noted from the rows themselves
  PERFORM metrics_mark(ARRAY(SELECT DISTINCT incident_id FROM moved));
  IF TG_OP <> 'INSERT' THEN {_NOTE} SELECT DISTINCT {_DURING} FROM moved b; END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_problem() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM metrics_mark(ARRAY(
    SELECT l.majorincident_id FROM incidents_problem_major_incidents l WHERE l.problem_id = NEW.id));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM metrics_mark(ARRAY(
    SELECT DISTINCT d.incident_id FROM incidents_downtimeinterval d WHERE d.service_id = NEW.id));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_during(during tstzrange, services bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM metrics_mark(ARRAY(
    SELECT DISTINCT d.incident_id FROM incidents_downtimeinterval d
    WHERE d.service_id = ANY(services) AND tstzrange(d.started_at, d.ended_at, '[]') && during));
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN  -- only outages that the window touches or touched: a window every week must not move ten years
  PERFORM metrics_mark_during(
    tstzrange(least(OLD.starts_at, NEW.starts_at), greatest(OLD.ends_at, NEW.ends_at), '[]'),
    ARRAY(SELECT l.service_id FROM incidents_maintenancewindow_services l WHERE l.maintenancewindow_id = NEW.id));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_window_service() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE during tstzrange;
BEGIN  -- a window that is gone already says no more when it was: then all outages of the service
  SELECT tstzrange(w.starts_at, w.ends_at, '[]') INTO during FROM incidents_maintenancewindow w
  WHERE w.id = coalesce(NEW.maintenancewindow_id, OLD.maintenancewindow_id);
  PERFORM metrics_mark_during(coalesce(during, '(,)'::tstzrange), ARRAY[coalesce(NEW.service_id, OLD.service_id)]);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE metrics_incidentfigures SET is_kept = false, stale_since = coalesce(stale_since, now()) WHERE is_kept;
  {_NOTE} VALUES (NULL, NULL);
  RETURN NULL;
END $$;
"""

_I = "incidents_"
_CLOCKS = (
    *("is_drill", "stage", "merged_into_id", "started_at", "detected_at", "reported_at", "acknowledged_at"),
    *("declared_at", "contained_at", "restored_at", "resolved_at", "closed_at"),
)


def _of_statement(name: str, on: str, does: str, *operations: str) -> list[str]:
    """One call for all rows of a statement: an import of thousands costs as much as one."""
    rows = {"INSERT": "NEW TABLE AS moved", "DELETE": "OLD TABLE AS moved", "UPDATE": "OLD TABLE AS moved"}
    return [
        _trigger(f"{name}_{operation.lower()}", f"{_I}{on}",
                 f"{operation} ON {_I}{on} REFERENCING {rows[operation]} FOR EACH STATEMENT", f"{does}()")
        for operation in operations
    ]  # fmt: skip


TRIGGERS = "\n".join(
    [
        f"DROP TRIGGER IF EXISTS figures_downtime ON {_I}downtimeinterval;",
        *_of_statement("downtime", "downtimeinterval", "metrics_mark_downtime", "INSERT", "UPDATE", "DELETE"),
        _trigger("downtime_moved", f"{_I}downtimeinterval", _changes(f"{_I}downtimeinterval", "incident_id"),
                 "metrics_mark_incident('incident_id')"),
        *_of_statement("step", "incidentstep", "metrics_mark_of_each", "INSERT", "DELETE"),
        *_of_statement("counted", "majorincident", "metrics_mark_counted", "INSERT", "DELETE"),
        _trigger("clocks", f"{_I}majorincident", _changes(f"{_I}majorincident", *_CLOCKS), "metrics_mark_clocks()"),
        _trigger("stage", f"{_I}majorincident",
                 _changes(f"{_I}majorincident", "stage", "is_drill", "merged_into_id", "resolved_at", "closed_at"),
                 "metrics_mark_incident('id')"),
        _trigger("ticket_says", f"{_I}ticket",
                 f"UPDATE OF channel, reported_at ON {_I}ticket FOR EACH ROW WHEN (NEW.major_incident_id IS NOT NULL"
                 " AND (OLD.channel IS DISTINCT FROM NEW.channel OR OLD.reported_at IS DISTINCT FROM NEW.reported_at))",
                 "metrics_mark_incident('major_incident_id')"),
    ]
)  # fmt: skip
