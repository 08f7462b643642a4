"""Times and durations as messages say them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template

register = template.Library()


@register.filter
def clock(value: datetime | None, zone: str = "UTC") -> str:
    """`14:07 CET`, for messages that must be short; `unknown` for None."""
    return f"{value.astimezone(ZoneInfo(zone or 'UTC')):%H:%M %Z}" if value else "unknown"


@register.filter
def zoned(value: datetime | None, zone: str = "UTC") -> str:
    """`Mon 23 Nov 14:07 CET (13:07 UTC)`; the UTC part only where it differs, `unknown` for None."""
    if value is None:
        return "unknown"
    utc = value.astimezone(UTC)
    local = value.astimezone(ZoneInfo(zone or "UTC"))
    said = f"{local:%a} {local.day} {local:%b %H:%M %Z}"
    return said if local.utcoffset() == utc.utcoffset() else f"{said} ({utc:%H:%M} UTC)"
