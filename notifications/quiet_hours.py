"""A person's quiet hours: wall-clock times in their own zone, over midnight if they like, right on days with a jump."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def end_of_quiet(now: datetime, zone: str, begins: time | None, ends: time | None) -> datetime | None:
    """When the quiet hours that `now` (aware) falls into end, in UTC; None outside them or without any.

    An end that the clocks skip in spring is when they jump; one that comes twice in autumn is the first.
    """
    if begins is None or ends is None or begins == ends:
        return None
    local = now.astimezone(ZoneInfo(zone))
    clock = local.time().replace(tzinfo=None)
    if begins < ends:
        is_quiet, next_day = begins <= clock < ends, False
    else:
        is_quiet, next_day = clock >= begins or clock < ends, clock >= begins
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if next_day else 0)
    end = datetime.combine(day, ends, tzinfo=local.tzinfo).astimezone(UTC)
    # In the repeated hour of autumn the first of two ends may have passed: then it is the second.
    return end if end > now else datetime.combine(day, ends, tzinfo=local.tzinfo).replace(fold=1).astimezone(UTC)
