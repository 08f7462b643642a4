"""`/metrics` for Prometheus: the desk itself and its figures, computed at the scrape from the database alone.

Every web process answers the same, so nothing is kept in memory. A key with the scope `read`, or a signed-in person
who reads figures, may ask: `authorization: {credentials: <key>}` in the scrape configuration.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from incidents import permissions
from incidents.api.authentication import ApiKeyAuthentication
from incidents.models import DowntimeInterval, MajorIncident, Organisation, Ticket, TicketStatus
from incidents.process import OPEN_STAGES
from metrics import kpis
from metrics.dashboard import value_of
from metrics.definitions import KPIS, Unit
from metrics.periods import Scope, zone_of
from notifications import vitals

DAYS = 30
_OPEN_TICKETS = [status for status in TicketStatus.values if status not in ("resolved", "closed")]
_UNITS = {Unit.SECONDS: "_seconds", Unit.SHARE: "_ratio", Unit.MONEY: "_money", Unit.COUNT: ""}


class Desk(Collector):
    """One scrape. Six queries, whatever there is in the database."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield self._counted(
            "mim_open_major_incidents", "Major incidents that are open, drills left out.", ("severity", "stage"),
            MajorIncident.objects.filter(stage__in=OPEN_STAGES, is_drill=False), ("severity", "stage"),
        )  # fmt: skip
        yield self._counted(
            "mim_open_tickets", "Tickets not yet resolved.", ("status",),
            Ticket.objects.filter(status__in=_OPEN_TICKETS), ("status",),
        )  # fmt: skip
        yield self._counted(
            "mim_services_down", "Outages of a service that last, by service.", ("service",),
            DowntimeInterval.objects.filter(ended_at__isnull=True, service__isnull=False, incident__is_drill=False),
            ("service__slug",),
        )  # fmt: skip
        yield from self._machinery()
        yield from self._figures()

    def _counted(
        self, name: str, words: str, labels: Sequence[str], rows: QuerySet, fields: Sequence[str]
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, words, labels=labels)
        for row in rows.order_by().values_list(*fields).annotate(Count("id")):
            family.add_metric([str(value) for value in row[:-1]], row[-1])
        return family

    def _machinery(self) -> Iterator[GaugeMetricFamily]:
        ok = GaugeMetricFamily("mim_part_ok", "1 while this part of the machinery does its work.", labels=("part",))
        age = GaugeMetricFamily(
            "mim_part_age_seconds", "Since its last sign of life; the oldest due message for the outbox.",
            labels=("part",),
        )  # fmt: skip
        for sign in vitals.signs(now=timezone.now()):
            ok.add_metric([sign.name], float(sign.ok))
            if sign.seconds is not None:
                age.add_metric([sign.name], sign.seconds)
        yield from (ok, age)

    def _figures(self) -> Iterator[GaugeMetricFamily]:
        now, organisation = timezone.now(), Organisation.current()
        scope = Scope(now - timedelta(days=DAYS), now, zone_of(organisation), currency=organisation.currency)
        figures = kpis.figures(scope, at=now)
        for kpi in KPIS:
            value, n = value_of(kpi, figures)
            if value is not None:
                name = f"mim_kpi_{kpi.key}{_UNITS[kpi.unit]}"
                yield GaugeMetricFamily(name, f"{kpi.label}, the last {DAYS} days.", value=value)
            yield GaugeMetricFamily(f"mim_kpi_{kpi.key}_sample", f"What {kpi.label.lower()} is made of.", value=n)


def _may_read(request: HttpRequest) -> bool:
    try:
        found = ApiKeyAuthentication().authenticate(Request(request))
    except AuthenticationFailed:
        return False
    if found is None:
        return permissions.can(request.user, "view_figures")  # type: ignore[arg-type]
    user, key = found
    return "read" in key.scopes and permissions.can(user, "view_figures")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus; 401 for who may not read figures."""
    if not _may_read(request):
        answer = HttpResponse(
            "Send “Authorization: Bearer <key>” with a key whose owner reads figures.\n",
            status=401, content_type="text/plain; charset=utf-8",
        )  # fmt: skip
        answer["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Desk())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
