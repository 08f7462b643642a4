"""The monthly report for management: the figures of one month as PDF, mailed by schedule, each month once."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.urls import reverse

from incidents import permissions
from incidents.actions.input import clean_number
from incidents.errors import Invalid
from incidents.in_words import NOTHING, duration_words, money_words, percent_words
from incidents.models import Organisation, User, people_with_role
from incidents.process import AccountRole
from metrics import charts, kpis
from metrics.chart_parts import Chart
from metrics.dashboard import Asked, goal_of, value_of
from metrics.definitions import KPIS, MORE_IS_BETTER, Kpi, Unit
from metrics.kpis import Figures
from metrics.models import ReportSchedule, SentReport
from metrics.periods import Scope, month_start, start_of_day, zone_of
from metrics.savings import saved_by_the_process

_TEMPLATE = "report.typ"
MOST_ADDRESSES = 50
TREND_MONTHS = 12
TABLES = ("services", "tiers", "channels", "causes")


# --- What it says -------------------------------------------------------------------------------
def scope_of_month(month: str) -> Scope:
    """The month of the organisation's calendar, like 2026-03. Raises Invalid."""
    organisation = Organisation.current()
    zone = zone_of(organisation)
    try:
        first = date.fromisoformat(f"{month}-01")
        if not 1970 <= first.year < 2200:
            raise ValueError
    except ValueError:
        raise Invalid(month=f"“{month[:20]}” is not a month. Use one like 2026-03.") from None
    after = (first + timedelta(days=32)).replace(day=1)
    return Scope(start_of_day(first, zone), start_of_day(after, zone), zone, currency=organisation.currency)


def last_month(at: datetime) -> str:
    """The month before the one that `at` lies in, in the organisation's zone."""
    zone = zone_of(Organisation.current())
    return f"{month_start(at, zone, 1):%Y-%m}"


def said(kpi: Kpi, value: float | None, currency: str) -> str:
    """A figure as the page shows it."""
    if value is None:
        return NOTHING
    if kpi.unit == Unit.SECONDS:
        return duration_words(value)
    if kpi.unit == Unit.MONEY:
        return money_words(value, currency)
    return f"{value * 100:.0f} %" if kpi.unit == Unit.SHARE else f"{value:,.0f}"


def _figure(kpi: Kpi, now: Figures, before: Figures) -> dict[str, str]:
    value, n = value_of(kpi, now)
    earlier, _ = value_of(kpi, before)
    goal = goal_of(kpi, now)
    change = None if value is None or not earlier else (value - earlier) / earlier * 100
    bound = "at least" if kpi.key in MORE_IS_BETTER else "at most"
    met = {True: "met", False: "missed", None: NOTHING}[goal.is_met] if goal else ""
    return {
        "label": kpi.label,
        "value": said(kpi, value, now.scope.currency),
        "n": str(n),
        "before": said(kpi, earlier, now.scope.currency),
        "change": percent_words(change),
        "target": f"{bound} {said(kpi, goal.value, now.scope.currency)}: {met}" if goal else NOTHING,
    }


def _cell(value: Any, unit: str, currency: str) -> str:
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
            return f"{value * 100:.{3 if value > 0.9 else 0}f} %"
        case "change":
            return percent_words(value)
    return f"{value:,.0f}"


def _table(chart: Chart, currency: str, *, most: int = 40) -> dict[str, Any]:
    return {
        "title": chart.title,
        "sentence": chart.sentence,
        "columns": [column.title for column in chart.columns],
        "rows": [
            [_cell(cell, column.unit, currency) for cell, column in zip(row, chart.columns, strict=True)]
            for row in chart.rows[:most]
        ],
        "more": max(0, len(chart.rows) - most),
    }


def contents(scope: Scope, *, at: datetime) -> dict[str, Any]:
    """Everything the PDF prints, as texts. The figures are those of the dashboard for the same period."""
    organisation = Organisation.current()
    now, before = kpis.figures(scope, at=at), kpis.figures(scope.before(), at=at)
    trend_start = month_start(scope.start, scope.zone, TREND_MONTHS - 1)
    trend = kpis.figures(replace(scope, start=trend_start), at=at)
    asked = Asked()
    rows = kpis.incident_rows(scope, at=at)
    savings = saved_by_the_process(scope, at=at)
    saved = ""
    if savings.seconds is not None:
        words = "less" if savings.seconds >= 0 else "more"
        cost = f", {money_words(abs(savings.cost), scope.currency)}" if savings.cost is not None else ""
        saved = (
            f"{duration_words(abs(savings.seconds))} of downtime {words}{cost}, than if each of {savings.incidents}"
            f" outages had lasted the median of before ({duration_words(savings.before.median_seconds or 0)},"
            f" n {savings.before.n}). An estimate."
        )
    return {
        "organisation": organisation.name,
        "title": f"Major incidents: {scope.start.astimezone(scope.zone):%B %Y}",
        "note": f"Computed {at.astimezone(scope.zone):%Y-%m-%d %H:%M} {scope.zone.key}",
        "figures": [_figure(kpi, now, before) for kpi in KPIS],
        "definitions": [{"label": kpi.label, "formula": kpi.formula} for kpi in KPIS],
        "bars": [{"label": one.month, "value": one.count} for one in trend.months],
        "saved": saved,
        "tables": [_table(charts.monthly(trend, asked), scope.currency)]
        + [_table(charts.MAKERS[key](now, asked), scope.currency) for key in TABLES],
        "incidents": [
            {
                "ref": row["ref"], "title": row["title"], "severity": row["severity"],
                "services": ", ".join(row["services"]) or "not known",
                "downtime": said(KPIS[0], row["average_downtime"], scope.currency)
                + (" so far" if row["is_still_down"] else ""),
                "resolved": said(KPIS[0], row["mttr"], scope.currency),
                "cost": money_words(row["cost"], scope.currency),
            }
            for row in rows[:200]
        ],
        "more_incidents": max(0, len(rows) - 200),
    }  # fmt: skip


def as_pdf(scope: Scope, *, at: datetime) -> bytes:
    """Tagged PDF. What people wrote reaches Typst as data, so none of it can act as markup."""
    import typst  # 6 MiB in every process, and few make a PDF

    folder = settings.BASE_DIR / "templates" / "metrics"
    return typst.compile(
        folder / _TEMPLATE, root=folder, format="pdf", ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(contents(scope, at=at))},
    )  # fmt: skip


# --- When it leaves -----------------------------------------------------------------------------
def _addresses(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Invalid(addresses="Give a list of e-mail addresses.")
    found = list(dict.fromkeys(one.strip().lower() for one in given if one.strip()))
    for one in found:
        try:
            validate_email(one)
        except ValidationError:
            raise Invalid(addresses=f"“{one[:80]}” is not an e-mail address.") from None
    if len(found) > MOST_ADDRESSES:
        raise Invalid(addresses=f"At most {MOST_ADDRESSES} addresses. Use a mailing list for more.")
    return found


@transaction.atomic
def set_schedule(
    *, is_on: bool, day: int, hour: int, to_management: bool, addresses: list[str], actor: User, at: datetime
) -> ReportSchedule:
    """Raises Invalid naming the field."""
    permissions.require(actor, "configure_figures")
    row = ReportSchedule(
        pk=1, is_on=is_on, day=clean_number("day", day, least=1, most=28), hour=clean_number("hour", hour, most=23),
        to_management=to_management, addresses=_addresses(addresses),
    )  # fmt: skip
    if is_on and not to_management and not row.addresses:
        raise Invalid(addresses="Somebody must receive it: name an address, or choose management.")
    row.save()
    return row


def recipients(schedule: ReportSchedule) -> list[str]:
    """Addresses of everybody in management, and those named besides; each once."""
    people = people_with_role(AccountRole.MANAGEMENT) if schedule.to_management else []
    own = [one.email.lower() for one in people if one.email]
    return list(dict.fromkeys([*own, *schedule.addresses]))


def due_month(schedule: ReportSchedule, *, at: datetime) -> str | None:
    """The month whose report should have left by now and has not; None otherwise."""
    local = at.astimezone(zone_of(Organisation.current()))
    if not schedule.is_on or (local.day, local.hour) < (schedule.day, schedule.hour):
        return None
    month = last_month(at)
    return None if SentReport.objects.filter(month=month).exists() else month


def send_due(*, at: datetime) -> str | None:
    """Queues last month's report when it is due; the month, or None. Safe to run twice and in parallel.

    The PDF is made first and outside of the transaction; the month's row, which can be there only once, and the mails
    are written together.
    """
    schedule = ReportSchedule.current()
    month = due_month(schedule, at=at)
    if month is None or not (to := recipients(schedule)):
        return None
    return month if send(month, to, at=at) else None


def send(month: str, to: list[str], *, at: datetime) -> bool:
    """Queues the report of a month; False when it was queued already."""
    scope = scope_of_month(month)
    pdf = as_pdf(scope, at=at)
    organisation = Organisation.current()
    address = f"{settings.PUBLIC_URL}{reverse('kpi_dashboard')}?from={scope.start:%Y-%m-%d}&to={scope.end:%Y-%m-%d}"
    text = (
        f"The figures of major incidents at {organisation.name} in {scope.start:%B %Y} are attached.\n\n"
        f"The same figures, each with the incidents behind it: {address}\n"
    )
    try:
        with transaction.atomic():
            SentReport.objects.create(month=month, queued_at=at, recipients=to, pdf=pdf)
            for one in to:
                mail = EmailMessage(f"Major incidents: {scope.start:%B %Y}", text, to=[one])
                mail.extra_headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
                mail.attach(f"major-incidents-{month}.pdf", pdf, "application/pdf")
                mail.send()
    except IntegrityError:
        return False
    return True
