"""What a figure is asked for: a period in the organisation's zone, services, a severity."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Min, TextChoices
from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_date, parse_datetime

from incidents.errors import Invalid
from incidents.models import CauseCategory, Channel, MajorIncident, Organisation, Service, ServiceDependency
from incidents.priority import Severity

EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
_WAY_OUT = "Use a day like 2026-03-01 or a moment like 2026-03-01T08:00:00Z."


class Grain(TextChoices):
    """How a period is cut for a trend."""

    MONTH = "month", "By month"
    WEEK = "week", "By week"
    DAY = "day", "By day"


GRAIN_FORMATS = {Grain.MONTH: "YYYY-MM", Grain.WEEK: 'IYYY-"W"IW', Grain.DAY: "YYYY-MM-DD"}
MOST_PIECES = 800
"""More pieces than a chart can show; the refusal names the next coarser grain."""
NO_CAUSE = NO_CHANNEL = "none"


@dataclass(frozen=True)
class Scope:
    """Incidents from `start` (inclusive) to `end` (exclusive), both aware; empty filters mean all of them."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    services: tuple[int, ...] = ()
    severities: tuple[str, ...] = ()
    currency: str = "EUR"
    causes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    grain: Grain = Grain.MONTH
    use_kept: bool = True
    """Rows computed before are taken as they are; False computes everything from the records, as a check."""
    incident_ids: tuple[int, ...] | None = None
    only_counted: bool = True
    """Drills, stood-down and merged incidents are left out; only the row of one incident by itself needs them."""

    @property
    def is_of_services(self) -> bool:
        """Whether kept months say how the services did: they know no filter but the services themselves."""
        is_filtered = bool(self.severities or self.causes or self.channels) or self.incident_ids is not None
        return self.use_kept and self.only_counted and not is_filtered and self.start < self.end

    @property
    def is_of_months(self) -> bool:
        """Whether the figures can be united from kept months and the days between them."""
        return self.is_of_services and not self.services and self.grain == Grain.MONTH

    def pieces(self) -> list[tuple[str, date, date]]:
        """Name, first day and the day after of every month (week, day) of the organisation's calendar that the period
        touches: `2026-03`, `2026-W09`, `2026-03-01`."""
        first, last = self.start.astimezone(self.zone), (self.end - timedelta(microseconds=1)).astimezone(self.zone)
        days = list(_piece_starts(first.date(), last.date(), self.grain))
        return [(piece_name(day, self.grain), day, _next_piece(day, self.grain)) for day in days]

    def months(self) -> list[str]:
        """The names of the pieces."""
        return [name for name, _, _ in self.pieces()]

    def length_in_months(self) -> float:
        """How many months of average length the period has; whole months count as they are."""
        first, last = self.start.astimezone(self.zone), self.end.astimezone(self.zone)
        if first.day == 1 and last.day == 1 and first.time() == last.time() == time.min:
            return (last.year - first.year) * 12 + last.month - first.month
        return (self.end - self.start).total_seconds() / (365.2425 / 12 * 86400)

    def before(self) -> "Scope":
        """The period of the same length right before this one: whole months before whole months, else the same days."""
        first, last = self.start.astimezone(self.zone), self.end.astimezone(self.zone)
        if first.day == 1 and last.day == 1 and first.time() == last.time() == time.min:
            months = (last.year - first.year) * 12 + last.month - first.month
            return replace(self, start=month_start(self.start, self.zone, months), end=self.start)
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    def year_before(self) -> "Scope":
        """The same days a year earlier; 29 February becomes the 28th."""
        return replace(self, start=_a_year_earlier(self.start, self.zone), end=_a_year_earlier(self.end, self.zone))


def _a_year_earlier(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    try:
        return local.replace(year=local.year - 1)
    except ValueError:
        return local.replace(year=local.year - 1, day=28)


def piece_name(day: date, grain: Grain) -> str:
    """As the database names it."""
    if grain == Grain.WEEK:
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return f"{day:%Y-%m}" if grain == Grain.MONTH else f"{day:%Y-%m-%d}"


def _next_piece(day: date, grain: Grain) -> date:
    if grain == Grain.MONTH:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if grain == Grain.WEEK else 1)


def _piece_starts(first: date, last: date, grain: Grain) -> Iterator[date]:
    day = first.replace(day=1) if grain == Grain.MONTH else first
    if grain == Grain.WEEK:
        day -= timedelta(days=day.weekday())
    while day <= last:
        yield day
        day = _next_piece(day, grain)


def zone_of(organisation: Organisation) -> ZoneInfo:
    return ZoneInfo(organisation.time_zone)


def month_start(moment: datetime, zone: ZoneInfo, back: int = 0) -> datetime:
    """Midnight of the first of the month, `back` months earlier, in that zone."""
    day = moment.astimezone(zone).date().replace(day=1)
    for _ in range(back):
        day = (day - timedelta(days=1)).replace(day=1)
    return start_of_day(day, zone)


def month_starts(first: datetime, last: datetime, zone: ZoneInfo) -> list[datetime]:
    """The first moment of the month of `first`, of every month after it, up to that of `last`, in that zone."""
    edge, found = month_start(first, zone), []
    while edge <= last:
        found.append(edge)
        edge = start_of_day(_next_piece(edge.astimezone(zone).date(), Grain.MONTH), zone)
    return found


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


KnownService = tuple[int, str, str, str | None, str | None]
"""Id, slug and name of a service, slug and name of its team."""


def _read_services(
    names: list[str],
    teams: list[str],
    *,
    with_tree: bool,
    errors: dict[str, list[str]],
    known_services: list[KnownService] | None = None,
) -> tuple[int, ...]:
    """Ids of the services named (and, with the tree, all they need to work), of the teams' services, or of both.

    Empty means all; a team without services is an error, because it would mean all as well. One query, two more for
    the tree.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    owners = list(dict.fromkeys(name.strip() for name in teams if name.strip()))
    if not wanted and not owners:
        return ()
    rows = known_services
    if rows is None:
        rows = list(Service.objects.values_list("id", "slug", "name", "team__slug", "team__name"))
    known = {key: pk for pk, slug, name, _, _ in rows for key in (name, slug)}
    if unknown := [name for name in wanted if name not in known]:
        errors["service"] = [f"No service is called {', '.join(f'“{name}”' for name in unknown)}."]
    owned = {pk for pk, _, _, slug, name in rows if slug in owners or name in owners}
    missing = [one for one in owners if not any(one in (slug, name) for _, _, _, slug, name in rows)]
    if missing:
        errors["team"] = [f"No team called {', '.join(f'“{name}”' for name in missing)} has a service."]
    if errors:
        return ()
    picked = {known[name] for name in wanted}
    if with_tree and picked:
        picked = _with_needs(picked)
    if owners and picked and not picked & owned:
        errors["team"] = ["None of these services belongs to that team. Choose one of the two."]
    return tuple(sorted(picked & owned if owners and picked else picked or owned))


def _with_needs(picked: set[int]) -> set[int]:
    needs: dict[int, set[int]] = {}
    for service, needed in ServiceDependency.objects.values_list("service", "needs"):
        needs.setdefault(service, set()).add(needed)
    found, waiting = set(picked), list(picked)
    while waiting:
        more = needs.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found


def _read_words(
    field_name: str, given: list[str] | None, allowed: list[str], errors: dict[str, list[str]]
) -> list[str]:
    words = [word.strip().lower() for word in given or [] if word.strip()]
    if unknown := [word for word in words if word not in allowed]:
        errors[field_name] = [f"“{unknown[0][:60]}” is not possible here. Use one of {', '.join(allowed)}."]
    return words


CAUSES = [*CauseCategory.values, NO_CAUSE]
CHANNELS = [*Channel.values, NO_CHANNEL]


def read_scope(
    *, start: str = "", end: str = "", services: list[str] | None = None, severities: list[str] | None = None,
    teams: list[str] | None = None, with_tree: bool = False, causes: list[str] | None = None,
    channels: list[str] | None = None, grain: str = "", at: datetime, default_months: int | None = None,
    known: list[KnownService] | None = None,
) -> Scope:  # fmt: skip
    """The scope that texts from a query string ask for. Raises Invalid with every bad field at once.

    Without `start` the period begins with the first incident, or `default_months` before this month;
    without `end` it ends now. One query for the organisation, one more for each of start and services that is given.
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
    trouble: dict[str, list[str]] = {}
    picked = _read_services(services or [], teams or [], with_tree=with_tree, errors=trouble, known_services=known)
    errors |= trouble
    levels = tuple(level.strip().upper() for level in severities or [] if level.strip())
    if unknown := [level for level in levels if level not in Severity.values]:
        errors["severity"] = [f"“{unknown[0]}” is not a severity. Use one of {', '.join(Severity.values)}."]
    why = _read_words("cause", causes, CAUSES, errors)
    how = _read_words("channel", channels, CHANNELS, errors)
    by = _read_words("by", [grain or Grain.MONTH], Grain.values, errors)
    if errors:
        raise Invalid(**errors)
    last = moments.get("to", at)
    first = moments.get("from") or _default_start(min(last, at), zone, default_months)
    if first >= last:
        raise Invalid(**{"to" if "to" in moments else "from": "The period must end after it begins."})
    found = Scope(
        first, last, zone, picked, levels, organisation.currency, grain=Grain(by[0]),
        causes=tuple("" if word == NO_CAUSE else word for word in why),
        channels=tuple("" if word == NO_CHANNEL else word for word in how),
    )  # fmt: skip
    days = (last - first).days / {Grain.MONTH: 30, Grain.WEEK: 7, Grain.DAY: 1}[found.grain]
    if found.grain != Grain.MONTH and days > MOST_PIECES:
        raise Invalid(by=f"This period has more than {MOST_PIECES} {found.grain}s. Choose a shorter one, or months.")
    return found


def _default_start(before: datetime, zone: ZoneInfo, default_months: int | None) -> datetime:
    if default_months is not None:
        return month_start(before, zone, default_months - 1)
    first = MajorIncident.objects.aggregate(first=Min(Coalesce("declared_at", "reported_at")))["first"]
    return month_start(first, zone) if first and first < before else month_start(before, zone, 11)
