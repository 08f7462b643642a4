"""What is usual: a row per service and hour of the week, and which words are ordinary. Made anew from the record, any
number of times; imports and corrections are in it the next time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from incidents.alike import Vocabulary
from incidents.detection import Calendar, Usual, hours_between, usual_of
from incidents.models import ArrivalCount, Service, Ticket, TicketKind, TicketVocabulary, UsualArrivals
from incidents.queries import influx as queries

WEEKS = 12
SAMPLE = 20_000
"""How many of the latest tickets say which words are ordinary."""
RENEWED_EVERY = timedelta(hours=6)


def renew_when_due(*, at: datetime) -> bool:
    """The sweep: whether it was time, and therefore done."""
    newest = UsualArrivals.objects.order_by("-computed_at").values_list("computed_at", flat=True).first()
    if newest is not None and newest > at - RENEWED_EVERY:
        return False
    renew(at=at)
    return True


@transaction.atomic
def renew(*, at: datetime) -> int:
    """Computes everything again from the last 12 weeks; returns the number of rows. Safe to run twice at once."""
    calendar = queries.calendar()
    usual = measured(calendar, at)
    rows = [
        UsualArrivals(service_id=service, hour=hour, per_hour=per_hour, observed=one.observed, computed_at=at)
        for service, one in usual.items()
        for hour, per_hour in enumerate(one.per_hour)
    ]
    UsualArrivals.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["service", "hour"],
        update_fields=["per_hour", "observed", "computed_at"],
        batch_size=2000,
    )
    latest = Ticket.objects.filter(kind=TicketKind.INCIDENT, major_incident=None).order_by("-pk")
    words = Vocabulary.of(latest.values_list("title", "description")[:SAMPLE].iterator(2000))
    made = TicketVocabulary.objects.create(documents=words.documents, counts=dict(words.counts), computed_at=at)
    TicketVocabulary.objects.filter(pk__lt=made.pk - 1).delete()  # the one before may be in use still
    return len(rows)


def measured(calendar: Calendar, until: datetime, *, weeks: int = WEEKS) -> dict[int | None, Usual]:
    """What was usual for every service and altogether in the weeks before `until`, counted from the record."""
    until = until.astimezone(timezone.get_fixed_timezone(0)).replace(minute=0, second=0, microsecond=0)
    since = until - timedelta(weeks=weeks)
    counts = hourly(since, until)
    began = Ticket.objects.order_by("reported_at").values_list("reported_at", flat=True).first()
    hours = hours_between(max(since, began) if began else until, until, calendar)
    services: Sequence[int] = list(Service.objects.filter(is_active=True).values_list("pk", flat=True))
    return {service: usual_of(counts.get(service, {}), hours) for service in (None, *services)}


def hourly(since: datetime, until: datetime) -> dict[int | None, dict[datetime, int]]:
    """Incident tickets and alerts by service and full hour (UTC), and under None those of all together.

    What belonged to a major incident is left out: an outage is not usual.
    """
    ordinary = Q(kind=TicketKind.INCIDENT, major_incident=None, reported_at__gte=since, reported_at__lt=until)
    utc = timezone.get_fixed_timezone(0)
    tickets = Ticket.objects.filter(ordinary).annotate(hour=TruncHour("reported_at", tzinfo=utc)).order_by()
    alerts = ArrivalCount.objects.filter(minute__gte=since, minute__lt=until, alerts__gt=0)
    alerts = alerts.annotate(hour=TruncHour("minute", tzinfo=utc)).order_by()
    found: dict[int | None, dict[datetime, int]] = {None: {}}
    for service, hour, number in [
        *tickets.values_list("service", "hour").annotate(number=Count("pk")),
        *alerts.values_list("service", "hour").annotate(number=Sum("alerts")),
    ]:
        together = found[None]
        together[hour] = together.get(hour, 0) + number
        if service is not None:
            own = found.setdefault(service, {})
            own[hour] = own.get(hour, 0) + number
    return found
