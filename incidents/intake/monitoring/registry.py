"""Which adapter reads which kind: every module of this package that holds an `ADAPTER` brings it along."""

import pkgutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import import_module

from incidents.intake.monitoring.shape import Adapter, Received

_PACKAGE = "incidents.intake.monitoring"
_HEARD = ("content-type", "user-agent", "ce-", "sentry-hook-", "x-amz-sns-", "x-grafana-alerting-")


@lru_cache(maxsize=1)
def adapters() -> Mapping[str, Adapter]:
    """Kind to adapter, all of them. Found once a process."""
    package = import_module(_PACKAGE)
    found: dict[str, Adapter] = {}
    for module in pkgutil.iter_modules(package.__path__):
        adapter = getattr(import_module(f"{_PACKAGE}.{module.name}"), "ADAPTER", None)
        if adapter is not None:
            found[adapter.kind] = adapter
    return found


def adapter_for(kind: str) -> Adapter | None:
    """The adapter of a kind (a value of models.IntegrationKind); None when nothing reads it."""
    return adapters().get(kind)


def methods_of(adapter: Adapter) -> tuple[str, ...]:
    """HTTP methods the tool uses: the adapter's `methods`, by default POST alone."""
    return tuple(getattr(adapter, "methods", ("POST",)))


def verify(adapter: Adapter, received: Received) -> None:
    """Whether the sender is who it says, for adapters whose senders sign (those with a `verify`). Asked once, in the
    request and outside any transaction. Raises Malformed: 401 or 403, 503 when that cannot be found out now."""
    check = getattr(adapter, "verify", None)
    if check is not None:
        check(received)


def heard(adapter: Adapter, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that are kept, with lower-case names: those every adapter may need, and the adapter's `headers`
    (lower-case names, or beginnings that end in `-`). Nothing else of a request is ever stored."""
    wanted = (*_HEARD, *getattr(adapter, "headers", ()))
    names = {name for name in wanted if not name.endswith("-")}
    starts = tuple(name for name in wanted if name.endswith("-"))
    named = ((name.lower(), value) for name, value in headers)
    return {name: value[:2000] for name, value in named if name in names or name.startswith(starts)}
