"""How long a provider asks to be left alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone


def pause_asked(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """Of the `Retry-After` header: seconds, or a date. None when there is none, or nothing one can read."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 8:
        return timedelta(seconds=int(said))
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    if timezone.is_naive(until):
        return None
    return max(until - (now or timezone.now()), timedelta())
