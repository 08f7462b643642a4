"""What a figure is asked for: a period in the organisation's zone, services, a severity."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Min, Q
from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_date, parse_datetime

from incidents.errors import Invalid
from incidents.models import MajorIncident, Organisation, Service
from incidents.priority import Severity

EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
_WAY_OUT = "Use a day like 2026-03-01 or a moment like 2026-03-01T08:00:00Z."


@dataclass(frozen=True)
class Scope:
    """Incidents from `start` (inclusive) to `end` (exclusive), both aware; empty filters mean all of them."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    services: tuple[int, ...] = ()
    severities: tuple[str, ...] = ()
    currency: str = "EUR"
    incident_ids: tuple[int, ...] | None = None
    only_counted: bool = True
    """Drills, stood-down and merged incidents are left out; only the row of one incident by itself needs them."""

    def months(self) -> list[str]:
        """`2026-03` and so on: every month of the organisation's calendar that the period touches."""
        first, last = self.start.astimezone(self.zone), (self.end - timedelta(microseconds=1)).astimezone(self.zone)
        return [f"{day:%Y-%m}" for day in _month_starts(first.date(), last.date())]


def _month_starts(first: date, last: date) -> Iterator[date]:
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = (day + timedelta(days=32)).replace(day=1)


def zone_of(organisation: Organisation) -> ZoneInfo:
    return ZoneInfo(organisation.time_zone)


def month_start(moment: datetime, zone: ZoneInfo, back: int = 0) -> datetime:
    """Midnight of the first of the month, `back` months earlier, in that zone."""
    day = moment.astimezone(zone).date().replace(day=1)
    for _ in range(back):
        day = (day - timedelta(days=1)).replace(day=1)
    return start_of_day(day, zone)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def read_moment(field_name: str, text: str, zone: ZoneInfo) -> datetime:
    """A day (its first moment in the organisation's zone) or an RFC 3339 moment. Raises Invalid naming the field."""
    text = text.strip()
    try:
        if day := parse_date(text):
            moment = start_of_day(day, zone)
        else:
            # A plus sign in an unescaped query string arrives as a space.
            found = parse_datetime(text[:10] + text[10:].replace(" ", "+"))
            if found is None:
                raise ValueError
            if found.tzinfo is None:
                raise Invalid(**{field_name: f"“{text}” has no time zone. {_WAY_OUT}"})
            moment = found
        if not EARLIEST <= moment.date() < LATEST:
            raise ValueError
    except (ValueError, OverflowError):
        raise Invalid(**{field_name: f"“{text}” is not a day or moment. {_WAY_OUT}"}) from None
    return moment


def _read_services(names: list[str]) -> tuple[tuple[int, ...], str]:
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not wanted:
        return (), ""
    known: dict[str, int] = {}
    askable = [name for name in wanted if name.isprintable()]
    for service in Service.objects.filter(Q(slug__in=askable) | Q(name__in=askable)):
        known[service.slug] = known[service.name] = service.pk
    if unknown := [name for name in wanted if name not in known]:
        return (), f"No service is called {', '.join(f'“{name}”' for name in unknown)}."
    return tuple(known[name] for name in wanted), ""


def read_scope(
    *, start: str = "", end: str = "", services: list[str] | None = None, severities: list[str] | None = None,
    at: datetime, default_months: int | None = None,
) -> Scope:  # fmt: skip
    """The scope that texts from a query string ask for. Raises Invalid with every bad field at once.

    Without `start` the period begins with the first incident, or `default_months` before this month;
    without `end` it ends now. One query for the organisation, one more for each of the two that is given.
    """
    organisation = Organisation.current()
    zone = zone_of(organisation)
    errors: dict[str, list[str]] = {}
    moments: dict[str, datetime] = {}
    for name, text in (("from", start), ("to", end)):
        if text.strip():
            try:
                moments[name] = read_moment(name, text, zone)
            except Invalid as refusal:
                errors.update(refusal.errors)
    picked, trouble = _read_services(services or [])
    if trouble:
        errors["service"] = [trouble]
    levels = tuple(level.strip().upper() for level in severities or [] if level.strip())
    if unknown := [level for level in levels if level not in Severity.values]:
        errors["severity"] = [f"“{unknown[0]}” is not a severity. Use one of {', '.join(Severity.values)}."]
    if not errors:
        last = moments.get("to", at)
        first = moments.get("from") or _default_start(min(last, at), zone, default_months)
        if first >= last:
            errors["to" if "to" in moments else "from"] = ["The period must end after it begins."]
    if errors:
        raise Invalid(**errors)
    return Scope(first, last, zone, picked, levels, organisation.currency)


def _default_start(before: datetime, zone: ZoneInfo, default_months: int | None) -> datetime:
    if default_months is not None:
        return month_start(before, zone, default_months - 1)
    first = MajorIncident.objects.aggregate(first=Min(Coalesce("declared_at", "reported_at")))["first"]
    return month_start(first, zone) if first and first < before else month_start(before, zone, 11)
