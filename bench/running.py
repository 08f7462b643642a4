"""The running installation that a bench measures, and records to fill it with."""

import os
import secrets
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from incidents.models import ApiKey, Integration, Scope, Service, Ticket, User  # noqa: E402
from incidents.models.access import digest  # noqa: E402
from mim.env import running_services  # noqa: E402


def address() -> str:
    """Where `manage.py up` answers, or MIM_BENCH_URL. Ends the command with a sentence when neither is known."""
    running = running_services(settings.VAR_DIR).get("environment", {})
    found = os.environ.get("MIM_BENCH_URL") or running.get("MIM_PUBLIC_URL")
    if not found:
        sys.exit("Start `python3 manage.py up` in another shell first, or set MIM_BENCH_URL.")
    return str(found).rstrip("/")


def supervisor() -> int:
    """The process of the `manage.py up` that keeps this installation."""
    pid = running_services(settings.VAR_DIR).get("pid")
    if not pid:
        sys.exit("Start `python3 manage.py up` in another shell first.")
    return int(pid)


def key() -> str:
    """A new key of a technician, with every scope."""
    user = User.objects.filter(role_rows__role="service_desk_technician", is_active=True).first()
    if user is None:
        sys.exit("There is no service desk technician; load the demo organisation first.")
    return ApiKey.issue(user, name="bench", scopes=list(Scope.values), expires_at=timezone.now() + timedelta(hours=1))[
        1
    ]


def sender(kind: str = "alertmanager", **fields: object) -> tuple[Integration, str]:
    """A new integration and the address its tool sends to."""
    key = secrets.token_urlsafe(24)
    integration = Integration.objects.create(
        name=f"bench {kind} {key[:6]}", kind=kind, key_sha256=digest(key), key_prefix=key[:6],
        created_at=timezone.now(), **fields,
    )  # fmt: skip
    return integration, f"{address()}/in/{kind}/{key}"


def work_seconds() -> float:
    """Processor time that this process and its database connection have used: what a loaded machine does not blur.

    Without the database's part when it runs elsewhere.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    own = time.process_time()
    if not stat.exists():
        return own
    ticks = stat.read_text().rpartition(")")[2].split()
    return own + (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def load() -> str:
    """How busy the machine is with everything else: figures of a busy one say little."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


_TICKETS = """
INSERT INTO incidents_ticket (title, description, kind, channel, requester_email, configuration_item, impact, urgency,
  priority, status, support_tier, kept_open_reason, reported_at, callback_sealed, resolved_at, resolution, hold_reason,
  sla_kind, created_at, updated_at, service_id)
SELECT 'Page ' || n || ' answers slowly', '', 'incident', 'api', '', '', 3, 3, 'P' || 1 + n %% 4, 'resolved', 1, '',
  at, '', at, '', '', '', now(), now(), (%(services)s::bigint[])[1 + n %% greatest(%(kinds)s, 1)]
FROM (SELECT n, now() - interval '1 minute' * (n %% 1000000) AS at
      FROM generate_series(%(first)s, %(last)s) AS n) AS made
"""


def fill_tickets(wanted: int) -> int:
    """Fills up to `wanted` tickets with resolved ones spread over two years. Returns how many there are now.

    In the database itself: a million of them through the models takes a quarter of an hour.
    """
    have = Ticket.objects.count()
    services = list(Service.objects.values_list("pk", flat=True))
    for first in range(have, wanted, 100_000):
        last = min(first + 100_000, wanted) - 1
        with connection.cursor() as cursor:
            cursor.execute(_TICKETS, {"services": services, "kinds": len(services), "first": first, "last": last})
    return max(have, wanted)
