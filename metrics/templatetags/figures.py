"""Figures in words: shares, changes, days of a period, and links that keep the question.

{{ value|percent }}  {{ change|signed_percent }}  {{ moment|day:zone }}  {{ moment|day_before:zone }}
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from html import escape as escape_text
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe

from incidents.in_words import NOTHING, duration_words, money_words, percent_words
from metrics.chart_parts import Chart
from metrics.dashboard import Asked
from metrics.definitions import Kpi, Unit
from metrics.uploads import as_text

register = template.Library()
register.filter("intcomma", intcomma)


@register.filter
def percent(share: float | None, places: int = 0) -> str:
    """A share of 1 as per cent; a dash for None."""
    return NOTHING if share is None else f"{share * 100:.{places}f} %"


@register.filter
def signed_percent(change: float | None) -> str:
    """A change in per cent with its sign; a dash for None."""
    return percent_words(change)


@register.filter
def day(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment in the organisation's zone."""
    return date_format(moment.astimezone(zone), "j M Y")


@register.filter
def day_before(moment: datetime, zone: ZoneInfo) -> str:
    """The last day of a period that ends before the moment."""
    return day(moment - timedelta(microseconds=1), zone)


@register.simple_tag
def figure_value(value: Any, unit: str, currency: str = "") -> str:
    """One number of a figure or a cell as people read it; text as it is; a dash for None, never 0."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    match unit:
        case "seconds":
            return duration_words(value)
        case "money":
            return money_words(value, currency)
        case "share":
            return percent(value, 3 if value > 0.9 else 0)
        case "change":
            return signed_percent(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


@register.simple_tag
def chart_rows(chart: Chart, currency: str = "") -> SafeString:
    """The rows of a chart's table. Ten years have thousands of cells: made here at a tenth of a template's cost."""
    units = tuple(column.unit for column in chart.columns)
    rows = [_chart_row(tuple(row), units, link, currency) for row, link in chart.linked_rows]
    return mark_safe("\n".join(rows))  # noqa: S308 (every part is escaped below)


_NUMBER = ' class="num"'


@lru_cache(maxsize=4096)
def _chart_row(row: tuple[Any, ...], units: tuple[str, ...], link: str, currency: str) -> str:
    """Made once for all that is in it: months that are over say the same to everybody until they are corrected."""
    head = escape_text(str(row[0]))
    if link:
        head = f'<a href="{escape_text(link)}">{head}</a>'
    cells = "".join(
        f"<td{_NUMBER if unit else ''}>{escape_text(str(figure_value(cell, unit, currency)))}</td>"
        for cell, unit in zip(row[1:], units[1:], strict=True)
    )
    return f'<tr><th scope="row">{head}</th>{cells}</tr>'


@register.simple_tag
def kpi_value(value: float | None, kpi: Kpi, currency: str = "") -> str:
    """A figure in its unit; shares without decimals."""
    return percent(value) if kpi.unit == Unit.SHARE else figure_value(value, str(kpi.unit), currency)


@register.simple_tag
def service_question(asked: Asked, slug: str) -> str:
    """The query string of the same question for one service."""
    return asked.query(service=slug)


@register.simple_tag
def incident_url(pk: int) -> str:
    """Where the incident is shown; empty where this installation has no such page."""
    try:
        return reverse("war_room", args=[pk])
    except NoReverseMatch:
        return ""


@register.filter
def beside(first: Sequence[Any], second: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pairs of two rows."""
    return list(zip(first, second, strict=False))


@register.filter
def cell(row: dict[str, Any], name: str) -> str:
    """One value of an imported row as text; a dash where it is unknown."""
    value = row.get(name)
    return NOTHING if value is None else as_text(value)
