"""Is it alive, is it ready: for load balancers, supervisors and whoever watches the desk itself.

Alive (`/healthz`): this process answers. Ready (`/readyz`): everything the product needs works,
background work included; each check says what it found, and any failing one makes it 503.
"""

import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from incidents.actions import payloads
from notifications import vitals, watchdog

Check = dict[str, Any]


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as this process serves requests; asks nothing of anything else."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 with every check `ok`, else 503 with the failing ones named. No key needed, nothing secret inside."""
    checks = {name: _timed(check) for name, check in CHECKS.items()}
    is_ready = all(check["ok"] for check in checks.values())
    content = {"status": "ok" if is_ready else "not_ready", "checks": checks}
    response = JsonResponse(content, status=200 if is_ready else 503)
    if not is_ready:
        response["Retry-After"] = "5"
    return response


def _timed(check: Callable[[], Check]) -> Check:
    began = time.perf_counter()
    try:
        found = check()
    except (DatabaseError, InterfaceError):
        connection.close()
        found = {"ok": False, "reason": "the database does not answer"}
    return found | {"milliseconds": round((time.perf_counter() - began) * 1000, 1)}


def database() -> Check:
    """It answers, and its tables are those of this version."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return {"ok": False, "reason": f"{len(waiting)} migrations are not applied: run `manage.py prepare`"}
    return {"ok": True}


def broker() -> Check:
    """It answers a ping in time."""
    client = redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_TIMEOUTS)
    try:
        client.ping()
    except redis.RedisError:
        return {"ok": False, "reason": "the broker does not answer; messages leave later, nothing is lost"}
    finally:
        client.close()
    return {"ok": True}


def worker() -> Check:
    """Background work is being done."""
    return _sign("worker")


def beat() -> Check:
    """The clock that starts periodic work runs."""
    return _sign("beat")


def sweeps() -> Check:
    """Every periodic piece of work ended well lately."""
    return _sign("sweeps")


def outbox() -> Check:
    """How long the oldest due message has been waiting, in seconds; 0 when none is due."""
    return _sign("outbox")


def _sign(name: str) -> Check:
    sign = next(one for one in vitals.signs(now=timezone.now()) if one.name == name)
    measure = "oldest_unsent_seconds" if name == "outbox" else "age_seconds"
    found: Check = {"ok": sign.ok} | ({} if sign.seconds is None else {measure: sign.seconds})
    return found if sign.ok else found | {"reason": sign.words}


def intake() -> Check:
    """How long the oldest accepted body has been waiting to become alerts, in seconds; 0 when none waits."""
    now = timezone.now()
    received_at = payloads.due(now).order_by("id").values_list("received_at", flat=True).first()
    age = round((now - received_at).total_seconds(), 1) if received_at else 0.0
    found: Check = {"ok": age <= vitals.UNSENT_LIMIT.total_seconds(), "oldest_waiting_seconds": age}
    return found if found["ok"] else found | {"reason": f"a body of a monitoring tool has been waiting for {age:.0f} s"}


def paging() -> Check:
    """How long the latest step of a page has been due, in seconds. A late one is alarmed and taken from here, too."""
    late = watchdog.lateness(now=timezone.now())
    found: Check = {"ok": not late.pages, "late_pages": late.pages, "late_seconds": late.seconds}
    if not late.pages:
        return found
    watchdog.rescue_soon()
    return found | {"reason": f"{late.pages} pages are late, the oldest by {late.seconds:.0f} s: call those on duty"}


CHECKS: dict[str, Callable[[], Check]] = {
    "database": database,
    "broker": broker,
    "worker": worker,
    "beat": beat,
    "sweeps": sweeps,
    "outbox": outbox,
    "intake": intake,
    "paging": paging,
}
