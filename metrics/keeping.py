"""SQL that keeps the rows of figures honest: triggers that mark a row in the transaction of whatever moved it.

Application code cannot forget them, nor can an import, a bulk update or a person at the database. Used by a migration
only; a change here needs a new one.
"""
# ruff: noqa: S608  (only constants of this module are put into the statements)

OPEN_SECONDS = """
CREATE OR REPLACE FUNCTION metrics_local_moment(at timestamp, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  -- the first moment at which the clock on the wall shows it; an hour that winter time repeats shows twice
  SELECT CASE
    WHEN ((at AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone = at
      THEN (at AT TIME ZONE zone) - interval '1 hour'
    WHEN ((at AT TIME ZONE zone) - interval '30 minutes') AT TIME ZONE zone = at
      THEN (at AT TIME ZONE zone) - interval '30 minutes'
    ELSE at AT TIME ZONE zone END
$$;

CREATE OR REPLACE FUNCTION metrics_open_seconds(during tstzrange, zone text, week jsonb, observes_holidays boolean)
RETURNS float8 LANGUAGE sql STABLE PARALLEL SAFE AS $$
  -- seconds of the stretch that lie within the service hours, on the clocks of the zone
  SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)::float8
  FROM generate_series(
    (lower(during) AT TIME ZONE zone)::date - 1, (upper(during) AT TIME ZONE zone)::date, interval '1 day'
  ) AS on_day
  CROSS JOIN LATERAL jsonb_array_elements(week -> (extract(isodow FROM on_day)::int - 1)) AS span
  CROSS JOIN LATERAL (
    SELECT during * tstzrange(
      metrics_local_moment(on_day::timestamp + make_interval(mins => (span ->> 0)::int), zone),
      (on_day::timestamp + make_interval(mins => (span ->> 1)::int)) AT TIME ZONE zone
    ) AS part
  ) cut
  WHERE NOT (observes_holidays AND EXISTS (SELECT 1 FROM incidents_holiday h WHERE h.day = on_day::date))
    AND NOT isempty(part)
$$;
"""

_MARK = "UPDATE metrics_incidentfigures SET is_kept = false, stale_since = coalesce(stale_since, now())"
_BY_SERVICE = """
    WHERE incident_id IN (SELECT d.incident_id FROM incidents_downtimeinterval d WHERE d.service_id = {service})"""

FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION metrics_mark_incident() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone bigint; come bigint;
BEGIN  -- the argument names the incident's column; always an update, so that a computation under way is waited for
  IF TG_OP <> 'INSERT' THEN gone := (to_jsonb(OLD) ->> TG_ARGV[0])::bigint; END IF;
  IF TG_OP <> 'DELETE' THEN come := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint; END IF;
  {_MARK} WHERE incident_id IN (gone, come);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_problem() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_MARK} WHERE incident_id IN (
    SELECT l.majorincident_id FROM incidents_problem_major_incidents l WHERE l.problem_id = NEW.id);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_MARK} {_BY_SERVICE.format(service="NEW.id")};
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_MARK} WHERE incident_id IN (
    SELECT d.incident_id FROM incidents_downtimeinterval d
    JOIN incidents_maintenancewindow_services l ON l.service_id = d.service_id
    WHERE l.maintenancewindow_id = coalesce(NEW.id, OLD.id));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_window_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_MARK} {_BY_SERVICE.format(service="coalesce(NEW.service_id, OLD.service_id)")};
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION metrics_mark_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {_MARK} WHERE is_kept;
  RETURN NULL;
END $$;
"""


def _trigger(name: str, on: str, when: str, does: str) -> str:
    return (
        f"DROP TRIGGER IF EXISTS figures_{name} ON {on};\n"
        f"CREATE TRIGGER figures_{name} AFTER {when} EXECUTE FUNCTION {does};"
    )


def _moved(*columns: str) -> str:
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)


def _changes(table: str, *columns: str) -> str:
    return f"UPDATE OF {', '.join(columns)} ON {table} FOR EACH ROW WHEN ({_moved(*columns)})"


_OF_INCIDENT = "metrics_mark_incident('incident_id')"
_I = "incidents_"
TRIGGERS = "\n".join(
    [
        _trigger("downtime", f"{_I}downtimeinterval",
                 f"INSERT OR UPDATE OR DELETE ON {_I}downtimeinterval FOR EACH ROW", _OF_INCIDENT),
        _trigger("step", f"{_I}incidentstep", _changes(f"{_I}incidentstep", "state", "opened_at", "by_fallback"),
                 _OF_INCIDENT),
        _trigger("promise", f"{_I}updatepromise", f"INSERT OR UPDATE OR DELETE ON {_I}updatepromise FOR EACH ROW",
                 _OF_INCIDENT),
        _trigger("review", f"{_I}review", _changes(f"{_I}review", "state"), _OF_INCIDENT),
        _trigger("review_made", f"{_I}review", f"INSERT OR DELETE ON {_I}review FOR EACH ROW", _OF_INCIDENT),
        _trigger("seat", f"{_I}seat", _changes(f"{_I}seat", "state", "answered_at", "released_at"), _OF_INCIDENT),
        _trigger("seat_made", f"{_I}seat", f"INSERT OR DELETE ON {_I}seat FOR EACH ROW", _OF_INCIDENT),
        _trigger("stage", f"{_I}majorincident",
                 _changes(f"{_I}majorincident", "stage", "merged_into_id", "resolved_at", "closed_at"),
                 "metrics_mark_incident('id')"),
        _trigger("problem_link", f"{_I}problem_major_incidents",
                 f"INSERT OR UPDATE OR DELETE ON {_I}problem_major_incidents FOR EACH ROW",
                 "metrics_mark_incident('majorincident_id')"),
        _trigger("cause", f"{_I}problem", _changes(f"{_I}problem", "cause_category"), "metrics_mark_problem()"),
        _trigger("ticket_link", f"{_I}ticket",
                 _changes(f"{_I}ticket", "major_incident_id"), "metrics_mark_incident('major_incident_id')"),
        _trigger("ticket_made", f"{_I}ticket",
                 f"INSERT ON {_I}ticket FOR EACH ROW WHEN (NEW.major_incident_id IS NOT NULL)",
                 "metrics_mark_incident('major_incident_id')"),
        _trigger("ticket_gone", f"{_I}ticket",
                 f"DELETE ON {_I}ticket FOR EACH ROW WHEN (OLD.major_incident_id IS NOT NULL)",
                 "metrics_mark_incident('major_incident_id')"),
        _trigger("price", f"{_I}service", _changes(f"{_I}service", "cost_per_hour", "off_hours_percent", "hours_id"),
                 "metrics_mark_service()"),
        _trigger("window", f"{_I}maintenancewindow", _changes(f"{_I}maintenancewindow", "starts_at", "ends_at"),
                 "metrics_mark_window()"),
        _trigger("window_service", f"{_I}maintenancewindow_services",
                 f"INSERT OR DELETE ON {_I}maintenancewindow_services FOR EACH ROW", "metrics_mark_window_service()"),
        _trigger("hours", f"{_I}servicehours",
                 f"INSERT OR UPDATE OR DELETE ON {_I}servicehours FOR EACH STATEMENT", "metrics_mark_all()"),
        _trigger("holiday", f"{_I}holiday", f"INSERT OR UPDATE OR DELETE ON {_I}holiday FOR EACH STATEMENT",
                 "metrics_mark_all()"),
        _trigger("zone", f"{_I}organisation", _changes(f"{_I}organisation", "time_zone"), "metrics_mark_all()"),
    ]
)  # fmt: skip

BACKFILL = """
UPDATE metrics_incidentfigures SET stale_since = coalesce(stale_since, now());
INSERT INTO metrics_incidentfigures
  (incident_id, stale_since, is_complete, is_kept, steps_opened, steps_conforming, promises_settled, promises_kept,
   is_reviewed, has_problem, cause, channel)
SELECT i.id, now(), false, false, 0, 0, 0, 0, false, false, '', ''
FROM incidents_majorincident i
WHERE NOT EXISTS (SELECT 1 FROM metrics_incidentfigures f WHERE f.incident_id = i.id);
"""
