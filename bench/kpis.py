"""P8: the KPI dashboard over many tickets and ten years of major incidents.

Fills the database, computes every row anew (ten years, under 5 minutes), then measures what the server needs for the
dashboard page and for the API at a small and at the full number of tickets, whether what is kept equals the direct
computation, how old a corrected figure is when it is read, and what keeping costs whoever creates a ticket.

    python3 -m bench.kpis [tickets] [major incidents]
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from bench.running import fill_tickets, load, work_seconds

from django.conf import settings  # isort: skip
from django.core.management import call_command  # isort: skip
from django.db import connection, transaction  # isort: skip
from django.test import Client  # isort: skip
from django.utils import timezone  # isort: skip

from incidents.actions.major_incidents import current_matrix  # isort: skip
from incidents.models import MajorIncident, Service, Ticket, User  # isort: skip
from metrics import kept_months  # isort: skip
from metrics.tasks import sweep_kpi_rows  # isort: skip
from metrics.kpis import Figures, figures  # isort: skip
from metrics.periods import Scope, read_scope  # isort: skip

YEARS, ROUNDS, SERVICES = 10, 30, 20
_INCIDENTS = """
INSERT INTO incidents_majorincident (title, description, stage, impact, urgency, priority, severity, affects,
  revenue_impact, reputation_impact, is_drill, is_imported, external_id, matrix_id, stood_down_reason, started_at,
  detected_at, reported_at, acknowledged_at, declared_at, contained_at, restored_at, resolved_at, closed_at,
  corrected_clocks, clocks_not_applicable, conditions, actions_summary, needs, last_seq, created_at, updated_at)
SELECT 'Outage ' || n, '', 'closed', 1 + n %% 2, 1 + n %% 3, 'P1', 'SEV' || 1 + n %% 3, 'both', '', '', false, true,
  'bench-' || n, %(matrix)s, '', at, at + interval '1 minute' * (n %% 11), at + interval '1 minute' * (n %% 13 + 11),
  at + interval '1 minute' * (n %% 17 + 24), at + interval '1 minute' * (n %% 19 + 24),
  at + interval '1 minute' * (n %% 41 + 30), at + interval '1 minute' * (n %% 211 + 40),
  at + interval '1 minute' * (n %% 503 + 260), at + interval '2 days', '[]', '{}', '', '', '', 0, now(), now()
FROM (SELECT n, now() - interval '1 minute' * ((n::bigint * 5256000) / %(count)s + 3000) AS at
      FROM generate_series(%(first)s, %(last)s) AS n) AS made
"""
_SERVICES = """
INSERT INTO incidents_service (name, slug, description, cost_per_hour, off_hours_percent, tier, is_active, is_public,
  created_at)
SELECT 'Bench ' || n, 'bench-' || n, '', 100 * n, CASE WHEN n %% 3 = 0 THEN 50 ELSE 100 END, 1 + n %% 3, true, false,
  now() FROM generate_series(1, %(wanted)s - (SELECT count(*) FROM incidents_service)) AS n ON CONFLICT DO NOTHING
"""
_DOWNTIME = """
INSERT INTO incidents_downtimeinterval (incident_id, service_id, started_at, ended_at, follows_clocks)
SELECT i.id, (%(services)s::bigint[])[1 + (i.id + at) %% %(kinds)s], i.started_at + interval '7 minutes' * at,
  i.restored_at + interval '7 minutes' * at, at = 0
FROM incidents_majorincident i CROSS JOIN generate_series(0, (i.id %% 3 = 0)::int) AS at
WHERE i.external_id LIKE 'bench-%%'
  AND NOT EXISTS (SELECT 1 FROM incidents_downtimeinterval d WHERE d.incident_id = i.id)
"""
_LINKS = """
UPDATE incidents_ticket t SET major_incident_id = i.id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM incidents_majorincident WHERE external_id LIKE 'bench-%%') i
WHERE t.id = i.n * 3 AND t.major_incident_id IS NULL
"""


def fill_incidents(wanted: int) -> int:
    """Up to `wanted` closed major incidents of the last ten years, each with an outage and a linked ticket."""
    have = MajorIncident.objects.filter(external_id__startswith="bench-").count()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SERVICES, {"wanted": SERVICES})
        services = list(Service.objects.order_by("pk").values_list("pk", flat=True))
        if have < wanted:
            cursor.execute(
                _INCIDENTS, {"matrix": current_matrix().pk, "count": wanted, "first": have + 1, "last": wanted}
            )
        cursor.execute(_DOWNTIME, {"services": services, "kinds": len(services)})
        cursor.execute(_LINKS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incidents_majorincident, incidents_downtimeinterval, incidents_ticket")
    return max(have, wanted)


def timed(label: str, act: Callable[[], object], goal: str = "") -> None:
    """Prints median and 95th percentile in milliseconds, and the processor time of one; the first round warms up."""
    act()
    found, worked = [], work_seconds()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    worked = (work_seconds() - worked) * 1000 / ROUNDS
    median, p95 = statistics.median(found), statistics.quantiles(found, n=20)[-1]
    print(
        f"{label:>52}  median {median:6.1f}  p95 {p95:6.1f}  processor {worked:6.1f} ms  {load()}  {goal}", flush=True
    )


def _browser() -> Client:
    person = User.objects.filter(role_rows__role="management", is_active=True).first()
    if person is None:
        sys.exit("There is nobody in management; load the demo organisation first.")
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


PAGES = (
    ("12 months", "preset=12"),
    ("ten years", "preset=all"),
    ("ten years against the year before", "preset=all&compare=year"),
    ("ten years of one severity", "preset=all&severity=SEV1"),
    ("ten years of one service", "preset=all&service={service}"),
    ("a period of one's own", "from=2021-03-10&to=2024-11-20"),
)


def dashboards(label: str) -> None:
    client = _browser()
    service = Service.objects.filter(is_active=True).latest("pk").slug
    for name, query in PAGES:
        path = f"/kpis/?{query.format(service=service)}"
        timed(f"{label}, {name}", lambda path=path: _ok(client.get(path)), "goal p95 ≤ 50")  # type: ignore[misc]
    scope = read_scope(at=timezone.now())
    timed(f"{label}, figures alone, ten years", lambda: figures(scope, at=timezone.now()))
    timed(f"{label}, the same in a new process", lambda: _as_in_a_new_process(scope))
    with connection.cursor() as cursor:
        timed(f"{label}, one empty round trip", lambda: cursor.execute("SELECT 1"))


def _as_in_a_new_process(scope: Scope) -> None:
    kept_months.forget_what_was_read()
    figures(scope, at=timezone.now())


def _ok(answer: object) -> None:
    if getattr(answer, "status_code", 0) != 200:
        sys.exit(f"The dashboard answered {getattr(answer, 'status_code', '?')}.")


def equal_to_the_direct_computation() -> None:
    now = timezone.now()
    scope = read_scope(at=now)
    kept = figures(scope, at=now)
    began = time.perf_counter()
    direct = figures(replace(scope, use_kept=False), at=now)
    seconds = time.perf_counter() - began
    same = _comparable(kept) == _comparable(direct)
    print(f"kept equals direct: {same}; the direct computation takes {seconds * 1000:.0f} ms")
    if not same:
        sys.exit(1)


def _comparable(found: Figures) -> Any:
    """Without what is no figure: the question, and the targets, which kept months leave to the whole."""
    pieces = [replace(one, summary=replace(one.summary, targets={})) for one in found.months]
    return _rounded(asdict(replace(found, scope=None, months=pieces)))  # type: ignore[arg-type]


def _rounded(value: Any) -> Any:
    """To nine digits: the same numbers added in another order differ in the last one."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def age_of_a_correction() -> None:
    """From the commit of a correction of years ago to the figure that shows it; what reading costs until the sweep."""
    scope = read_scope(at=timezone.now())
    incident = MajorIncident.objects.filter(external_id__startswith="bench-").earliest("started_at")
    before = figures(scope, at=timezone.now()).whole.statistics["mttr"].mean_seconds
    MajorIncident.objects.filter(pk=incident.pk).update(resolved_at=incident.resolved_at + timedelta(minutes=1))  # type: ignore[operator]
    began = time.perf_counter()
    moved = figures(scope, at=timezone.now()).whole.statistics["mttr"].mean_seconds != before
    took = (time.perf_counter() - began) * 1000
    print(f"a correction shows in the next read: {moved}, {took:.0f} ms after the commit; {load()}", flush=True)
    timed("figures alone while that month waits for the sweep", lambda: figures(scope, at=timezone.now()))
    MajorIncident.objects.filter(pk=incident.pk).update(resolved_at=incident.resolved_at)
    began = time.perf_counter()
    sweep_kpi_rows()
    print(f"the sweep after it: {(time.perf_counter() - began) * 1000:.0f} ms; {load()}", flush=True)
    if not moved:
        sys.exit(1)


def upkeep(rows: int = 4_000) -> None:
    """Processor time of creating tickets with and without what keeps the figures, interleaved; all is taken back."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(10):
        is_kept = number % 2 == 0
        with transaction.atomic():
            if not is_kept:
                with connection.cursor() as cursor:
                    cursor.execute("ALTER TABLE incidents_ticket DISABLE TRIGGER USER")
            began = work_seconds()
            for at in range(rows // 10):
                Ticket.objects.create(title=f"Upkeep {at}", channel="api", reported_at=timezone.now())
            took[is_kept].append(work_seconds() - began)
            transaction.set_rollback(True)
    ratio = sum(took[True]) / sum(took[False])
    print(f"creating tickets with all triggers of the table / without any: {ratio:.2f} (goal ≤ 1.10); {load()}")


def main(tickets: int, incidents: int) -> None:
    settings.ALLOWED_HOSTS.append("testserver")
    print(f"{fill_incidents(incidents)} major incidents in {YEARS} years", flush=True)
    began = time.perf_counter()
    call_command("rebuild_figures")
    print(f"rebuild of ten years: {time.perf_counter() - began:.1f} s (goal ≤ 300); {load()}", flush=True)
    for size in sorted({max(Ticket.objects.count(), tickets // 100), tickets}):
        have = fill_tickets(size)
        fill_incidents(incidents)
        call_command("rebuild_figures")
        dashboards(f"{have} tickets")
    equal_to_the_direct_computation()
    age_of_a_correction()
    upkeep()


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*(given + [1_000_000, 20_000][len(given) :]))
