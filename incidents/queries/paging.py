"""Pages by key: the next page begins after the last row seen, so nothing is counted and nothing skipped."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from incidents.errors import Invalid

PAGE = 50


@dataclass(frozen=True)
class Page:
    """`next_cursor` is None on the last page."""

    rows: list[Any]
    next_cursor: str | None


def page_of(rows: QuerySet, order: Sequence[str], cursor: str = "", size: int = PAGE) -> Page:
    """One page in the order of fields (a minus for descending), the last of them unique. Raises Invalid for a cursor
    that is none. The fields must not be null."""
    rows = rows.order_by(*order)
    if cursor:
        rows = rows.filter(_after(order, _read(cursor, len(order))))
    found = list(rows[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    last = found[size - 1]
    values = [getattr(last, name.lstrip("-")) for name in order]
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values])
    return Page(found[:size], base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


def _read(cursor: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or len(values) != length or not all(_is_key(value) for value in values):
        raise Invalid(after="This page no longer exists. Begin at the first one.")
    return [(parse_datetime(value) or value) if isinstance(value, str) and "T" in value else value for value in values]


def _is_key(value: object) -> bool:
    if isinstance(value, str):
        return len(value) < 300 and "\x00" not in value
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """(a, b) after (x, y): a beyond x, or a is x and b beyond y."""
    condition, same = Q(pk__in=[]), Q()
    for name, value in zip(order, values, strict=True):
        field = name.lstrip("-")
        condition |= same & Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        same &= Q(**{field: value})
    return condition
