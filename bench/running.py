"""The running installation that a bench measures, and records to fill it with."""

import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
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


def fill_tickets(wanted: int) -> int:
    """Fills up to `wanted` tickets with resolved ones spread over two years. Returns how many there are now."""
    have = Ticket.objects.count()
    services = list(Service.objects.all())
    now = timezone.now()
    for start in range(have, wanted, 5_000):
        Ticket.objects.bulk_create(
            [
                Ticket(
                    title=f"Page {n} answers slowly", channel="api", reported_at=now - timedelta(minutes=n % 1_000_000),
                    service=services[n % len(services)] if services else None, status="resolved",
                    resolved_at=now - timedelta(minutes=n % 1_000_000), priority=f"P{n % 4 + 1}",
                )
                for n in range(start, min(start + 5_000, wanted))
            ]
        )  # fmt: skip
    return max(have, wanted)
