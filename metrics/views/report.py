"""The monthly report: when it leaves and to whom, what left, and the PDF of any month."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from incidents import permissions
from incidents.errors import Invalid
from incidents.forms.fields import DeskForm, long_text
from incidents.views.dialogs import dialog, sent
from incidents.views.gate import Request, page
from metrics import monthly_report
from metrics.models import ReportSchedule, SentReport


class ScheduleForm(DeskForm):
    is_on = forms.BooleanField(label="Send it every month", required=False)
    day = forms.IntegerField(label="Day of the month after", min_value=1, max_value=28)
    hour = forms.IntegerField(label="Hour", min_value=0, max_value=23, help_text="In the organisation’s zone.")
    to_management = forms.BooleanField(label="To everybody in management", required=False)
    addresses = long_text(
        label="Further addresses", required=False, rows=3, help_text="One a line, or with commas between them."
    )

    rows = (("is_on",), ("day", "hour"), ("to_management",), ("addresses",))

    def clean_addresses(self) -> list[str]:
        return [one.strip() for one in self.cleaned_data["addresses"].replace(",", "\n").splitlines() if one.strip()]


def _pdf(content: bytes, month: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="major-incidents-{month}.pdf"'
    return answer


@page("view_figures")
def monthly_reports(request: Request) -> HttpResponse:
    schedule = ReportSchedule.current()
    context = {
        "schedule": schedule,
        "recipients": monthly_report.recipients(schedule),
        "sent": SentReport.objects.defer("pdf")[:60],
        "last_month": monthly_report.last_month(timezone.now()),
        "may_set": permissions.can(request.user, "configure_figures"),
    }
    return render(request, "metrics/reports.html", context)


@page("view_figures")
def report_pdf(request: Request) -> HttpResponse:
    """The report of the month asked for, computed now."""
    month = request.GET.get("month", "") or monthly_report.last_month(timezone.now())
    try:
        scope = monthly_report.scope_of_month(month)
    except Invalid as refusal:
        return render(
            request, "incidents/desk_kit/refused.html",
            {"title": "No report", "sentence": refusal.message, "back": reverse("monthly_reports")}, status=422,
        )  # fmt: skip
    return _pdf(monthly_report.as_pdf(scope, at=timezone.now()), month)


@page("view_figures")
def sent_report(request: Request, pk: int) -> HttpResponse:
    """The report exactly as it was mailed."""
    found = get_object_or_404(SentReport, pk=pk)
    return _pdf(bytes(found.pdf), found.month)


@page("configure_figures")
def report_schedule(request: Request) -> HttpResponse:
    now = ReportSchedule.current()
    shown = {name: getattr(now, name) for name in ("is_on", "day", "hour", "to_management")}
    form = ScheduleForm(sent(request), initial=shown | {"addresses": "\n".join(now.addresses)})
    return dialog(
        request, form,
        lambda given: monthly_report.set_schedule(**given, actor=request.user, at=timezone.now()),
        title="Monthly report", text="The figures of the past month as PDF, each month once.",
        back=reverse("monthly_reports"), said="The schedule is saved.",
    )  # fmt: skip
