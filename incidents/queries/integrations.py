"""Reading the senders of alerts: how each does now, and what came by it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Func

from incidents import integration_kinds
from incidents.integration_kinds import KINDS, KindOf
from incidents.models import Alert, Integration, IntegrationKind, Payload, PayloadState

LOOKS_BACK = timedelta(hours=24)
SHOWN_BYTES = 64 * 1024
LAST_PAYLOADS = 20


@dataclass(frozen=True)
class Health:
    """`last` is when something arrived (None: never), `last_state` what became of it; `refused` and `failed` count
    the last 24 hours; `is_late` is for heartbeats. `state` sums it up: off, late, failing, silent, ok."""

    last: datetime | None = None
    last_state: str = ""
    firing: int = 0
    refused: int = 0
    failed: int = 0
    is_late: bool = False
    state: str = "silent"


def integrations() -> QuerySet[Integration]:
    """All of them, with their default service and team."""
    return Integration.objects.select_related("service", "team", "created_by")


def health_of(rows: Iterable[Integration], at: datetime) -> dict[int, Health]:
    """How each does now. Three queries, however many there are."""
    known = {row.pk: row for row in rows}
    newest = Payload.objects.filter(integration=OuterRef("pk")).order_by("-id")
    last = {
        row["pk"]: (row["last_at"], row["last_state"] or "")
        for row in Integration.objects.filter(pk__in=known)
        .values("pk")
        .annotate(last_at=Subquery(newest.values("received_at")[:1]), last_state=Subquery(newest.values("state")[:1]))
    }
    firing = _counted(
        Alert.objects.filter(integration__in=known, ended_at__isnull=True, is_drill=False).values("integration")
    )
    bad = Payload.objects.filter(
        integration__in=known,
        received_at__gte=at - LOOKS_BACK,
        state__in=(PayloadState.REFUSED, PayloadState.FAILED),
        is_drill=False,
    )
    counted: dict[tuple[int, str], int] = {
        (row["integration"], row["state"]): row["n"]
        for row in bad.order_by().values("integration", "state").annotate(n=Count("pk"))
    }
    found = {}
    for pk, row in known.items():
        at_last, state = last.get(pk, (None, ""))
        refused, failed = counted.get((pk, "refused"), 0), counted.get((pk, "failed"), 0)
        late = is_late(row, at)
        found[pk] = Health(
            last=row.last_beat_at if row.kind == IntegrationKind.HEARTBEAT else at_last,
            last_state=state,
            firing=firing.get(pk, 0),
            refused=refused,
            failed=failed,
            is_late=late,
            state=_summed_up(row, at_last or row.last_beat_at, refused + failed, late),
        )
    return found


def _counted(rows: QuerySet) -> dict[int, int]:
    return {row["integration"]: row["n"] for row in rows.order_by().annotate(n=Count("pk"))}


def _summed_up(row: Integration, last: datetime | None, bad: int, late: bool) -> str:
    if not row.is_active:
        return "off"
    if late:
        return "late"
    if bad:
        return "failing"
    return "ok" if last else "silent"


def is_late(row: Integration, at: datetime) -> bool:
    """A heartbeat that should have called in, its grace over. One that never called is not late: it is silent."""
    if row.kind != IntegrationKind.HEARTBEAT or row.beat_due_at is None or not row.is_active:
        return False
    return row.beat_due_at + timedelta(seconds=row.grace_seconds) <= at


@dataclass(frozen=True)
class Address:
    """Where a sender sends to. `url` is whole while the key is known, masked behind its prefix afterwards;
    `base` is what client libraries take, None when the key stands in the address."""

    url: str
    base: str | None
    key_stands_in_it: bool


def address_of(row: Integration, key: str = "") -> Address:
    """`key` "" masks it."""
    shown = key or f"{row.key_prefix}…"
    return Address(
        integration_kinds.address(settings.PUBLIC_URL, row.kind, shown),
        integration_kinds.base_address(settings.PUBLIC_URL, row.kind),
        not KINDS[row.kind].path,
    )


def kind_of(row: Integration) -> KindOf:
    return KINDS[row.kind]


class _Bytes(Func):
    """The length of a binary column in bytes."""

    function = "octet_length"
    output_field = IntegerField()


class _Head(Func):
    """The first bytes of a binary column, so that a large body is not read whole."""

    template = "substring(%(expressions)s from 1 for %(most)s)"
    output_field: Any = CharField()


def payloads(rows: QuerySet[Payload] | None = None) -> QuerySet[Payload]:
    """Payloads without their bodies: `size` is the body's length, `head` its first 64 KiB (see `text_of`)."""
    known = Payload.objects.all() if rows is None else rows
    return known.defer("body").annotate(size=_Bytes(F("body")), head=_Head(F("body"), most=SHOWN_BYTES))


def text_of(head: Any) -> str:
    """Bytes of a body as text; what is no UTF-8 shows as the replacement sign, NUL as its picture."""
    return bytes(head or b"").decode("utf-8", "replace").replace("\x00", "␀")


def last_payloads(row: Integration) -> list[Payload]:
    """The newest, without bodies."""
    rows = Payload.objects.filter(integration=row).defer("body").annotate(size=_Bytes(F("body")))
    return list(rows.order_by("-id")[:LAST_PAYLOADS])
