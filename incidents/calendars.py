"""iCalendar text: shifts written for calendar programs, and entries of calendars read. Pure: no ORM, no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event, vCalAddress, vText

from incidents.rota import instant

PRODUCT = "-//MIM//On call//EN"
ENTRIES, REPEATS = 2_000, 500
REPEATS_AHEAD = timedelta(days=366)
_BROKEN = "This is no calendar file. Export it again as iCalendar (.ics)."


class Unreadable(ValueError):
    """The text is no calendar; the sentence says what to do."""


# --- Out --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Shift:
    """One entry to write. `uid` stays the same as long as it is the same shift."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    summary: str
    name: str
    email: str
    text: str = ""


def written(title: str, shifts: Iterable[Shift], *, zone: str, at: datetime) -> bytes:
    """The calendar file: times in `zone` with its rules (VTIMEZONE), so that every program shows the same moment."""
    calendar = Calendar()
    for name, value in (("prodid", PRODUCT), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    for name, value in (("x-wr-calname", title), ("x-wr-timezone", zone), ("x-published-ttl", "PT15M")):
        calendar.add(name, vText(value))
    local, ends = ZoneInfo(zone), at
    for shift in shifts:
        calendar.add_component(_event(shift, local, at))
        ends = max(ends, shift.ends_at)
    calendar.add_missing_timezones(
        first_date=(at - timedelta(days=400)).date(), last_date=(ends + timedelta(days=400)).date()
    )
    return calendar.to_ical()


def _event(shift: Shift, zone: ZoneInfo, at: datetime) -> Event:
    event = Event()
    event.add("uid", shift.uid)
    event.add("dtstamp", at.astimezone(UTC))
    event.add("dtstart", _shown(shift.starts_at, zone))
    event.add("dtend", _shown(shift.ends_at, zone))
    event.add("summary", shift.summary)
    event.add("transp", "TRANSPARENT")
    if shift.text:
        event.add("description", shift.text)
    attendee = vCalAddress(f"mailto:{shift.email}")
    attendee.params["cn"] = vText(shift.name)
    event.add("attendee", attendee, encode=False)
    return event


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    """In local time; in UTC within an hour that happens twice, because the format cannot say which of both."""
    local = at.astimezone(zone)
    return local if instant(local.replace(tzinfo=None), zone) == at else at.astimezone(UTC)


# --- In ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Entry:
    """One entry that was read. `problem` says why it cannot be used, else "". A repetition has a uid of its own."""

    uid: str
    summary: str
    emails: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_cancelled: bool = False
    problem: str = ""


def read(text: str, *, zone: str, at: datetime) -> list[Entry]:
    """Entries of a calendar in their order; times without a zone, and whole days, are of `zone`.

    Repeating entries are written out, a year ahead of `at`. Raises Unreadable.
    """
    try:
        calendars = [one for one in Calendar.from_ical(text, multiple=True) if one.name == "VCALENDAR"]
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise Unreadable(_BROKEN) from None
    if not calendars:
        raise Unreadable(_BROKEN)
    if len(events) > ENTRIES:
        raise Unreadable(f"At most {ENTRIES:,} entries; this has {len(events):,}. Export a shorter time.")
    moved = {
        (str(event.get("UID", "")), _moment(event["RECURRENCE-ID"].dt, ZoneInfo(zone)))
        for event in events
        if "RECURRENCE-ID" in event and hasattr(event["RECURRENCE-ID"], "dt")
    }
    found: list[Entry] = []
    for event in events:
        found.extend(_entries(event, ZoneInfo(zone), at, moved))
    return found


def _entries(event: Any, zone: ZoneInfo, at: datetime, moved: set[tuple[str, datetime]]) -> Iterator[Entry]:
    uid, summary = str(event.get("UID", ""))[:250], " ".join(str(event.get("SUMMARY", "")).split())[:200]
    if not uid:
        yield Entry("", summary, problem="It has no UID, so a second import could not know it again.")
        return
    try:
        begins, ends = _span(event, zone)
        known: dict[str, Any] = {
            "summary": summary, "emails": _emails(event), "is_cancelled": _is_cancelled(event),
        }  # fmt: skip
        if "RRULE" in event:
            for starts_at, ends_at in _repeated(event, zone, at):
                if (uid, starts_at) not in moved:
                    yield Entry(f"{uid}/{starts_at:%Y%m%dT%H%MZ}", starts_at=starts_at, ends_at=ends_at, **known)
            return
    except _Problem as problem:
        yield Entry(uid, summary, problem=str(problem))
        return
    if "RECURRENCE-ID" in event:
        uid = f"{uid}/{_moment(event['RECURRENCE-ID'].dt, zone):%Y%m%dT%H%MZ}"
    yield Entry(uid, starts_at=begins, ends_at=ends, **known)


class _Problem(ValueError):
    """Why one entry cannot be used."""


def _span(event: Any, zone: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        begins, ends = _ends_of(event)
        found = _moment(begins, zone), _moment(ends, zone)
    except _Problem:
        raise
    except (ValueError, TypeError, AttributeError, OverflowError, KeyError):
        raise _Problem("Its times cannot be read.") from None
    if found[1] <= found[0]:
        raise _Problem("It ends before it begins.")
    return found


def _ends_of(event: Any) -> tuple[date, date]:
    """Beginning and end as written: dates, or times with or without a zone."""
    if "DTSTART" not in event:
        raise _Problem("It does not say when it begins.")
    for name in ("DTSTART", "DTEND"):
        if name in event and (tzid := event[name].params.get("TZID")) and _is_floating(event[name].dt):
            raise _Problem(f"Its time zone “{str(tzid)[:60]}” is not known.")
    begins: date = event["DTSTART"].dt
    if "DTEND" in event:
        return begins, event["DTEND"].dt
    if "DURATION" in event:
        return begins, begins + event["DURATION"].dt
    if isinstance(begins, datetime):
        raise _Problem("It does not say when it ends.")
    return begins, begins + timedelta(days=1)


def _is_floating(value: date) -> bool:
    return isinstance(value, datetime) and value.tzinfo is None


def _moment(value: Any, zone: ZoneInfo) -> datetime:
    """UTC; a date is the midnight at which it begins."""
    if not isinstance(value, datetime):
        return instant(datetime.combine(value, time.min), zone)
    if value.tzinfo is None:
        return instant(value, zone)
    return value.astimezone(UTC)


def _repeated(event: Any, zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each repetition at its local time, as long in local time as the first."""
    begins, ends = _ends_of(event)
    home = begins.tzinfo if isinstance(begins, datetime) and isinstance(begins.tzinfo, ZoneInfo) else zone
    first, lasts = _local(begins, home), _local(ends, home) - _local(begins, home)
    skipped = {_local(one.dt, home) for one in _dates_left_out(event)}
    rule = event["RRULE"].to_ical().decode()
    try:
        turns = rrulestr(_local_until(rule, home), dtstart=first)
        horizon = (at + REPEATS_AHEAD).astimezone(home).replace(tzinfo=None)
        for number, local in enumerate(turns):
            if local > horizon or number >= REPEATS:
                return
            if local not in skipped:
                yield instant(local, home), instant(local + lasts, home)
    except (ValueError, TypeError, OverflowError, AttributeError):
        raise _Problem("How it repeats cannot be read.") from None


def _dates_left_out(event: Any) -> list[Any]:
    given = event.get("EXDATE", [])
    listed = given if isinstance(given, list) else [given]
    return [one for dates in listed for one in getattr(dates, "dts", [])]


def _local(value: date, zone: Any) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time.min)
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value


def _local_until(rule: str, zone: Any) -> str:
    """UNTIL in UTC as local time: turns are counted without a zone."""
    parts = []
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name.upper() == "UNTIL" and value.endswith("Z"):
            local = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
            part = f"UNTIL={local:%Y%m%dT%H%M%S}"
        parts.append(part)
    return ";".join(parts)


def _emails(event: Any) -> tuple[str, ...]:
    given = event.get("ATTENDEE", [])
    listed = given if isinstance(given, list) else [given]
    found = [str(one).strip().lower().removeprefix("mailto:") for one in listed]
    return tuple(dict.fromkeys(one for one in found if "@" in one))


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"
