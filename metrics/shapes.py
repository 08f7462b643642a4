"""What the API answers: shapes only, nothing saves here."""

from typing import Any

from rest_framework import serializers

from incidents.api.fields import Moment
from metrics.dashboard import goal_of
from metrics.definitions import DURATIONS, KPI_BY_KEY, KPIS, RATES
from metrics.kpis import Figures, Month, ServiceFigures, Statistic, Summary


class StatisticOut(serializers.Serializer):
    mean_seconds = serializers.FloatField(allow_null=True)
    median_seconds = serializers.FloatField(allow_null=True)
    p90_seconds = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(help_text="Incidents that have both clocks.")


class CauseOut(serializers.Serializer):
    cause = serializers.CharField(allow_null=True, help_text="Null: no problem is linked.")
    count = serializers.IntegerField()


class TargetOut(serializers.Serializer):
    kpi = serializers.CharField()
    target = serializers.FloatField(help_text="At most; at least for mtbf and rates. Counts and cost: a month.")
    is_met = serializers.BooleanField(allow_null=True)


class DowntimeOut(StatisticOut):
    still_open = serializers.IntegerField(help_text="Incidents still down: counted up to now.")


class BetweenFailuresOut(serializers.Serializer):
    mean_seconds = serializers.FloatField(allow_null=True)
    failures = serializers.IntegerField()
    uptime_seconds = serializers.FloatField()
    start_to_start_seconds = serializers.FloatField(allow_null=True)


class EffortOut(serializers.Serializer):
    total_seconds = serializers.FloatField(allow_null=True, help_text="Time people held a seat, added up.")
    n = serializers.IntegerField(help_text="Incidents with anybody seated.")


class CountOut(serializers.Serializer):
    count = serializers.IntegerField()


class RateOut(serializers.Serializer):
    value = serializers.FloatField(allow_null=True, help_text="A share of 1; for cost, an amount of money.")
    n = serializers.IntegerField()


class ChannelOut(serializers.Serializer):
    channel = serializers.CharField(allow_null=True, help_text="Null: no ticket is linked.")
    count = serializers.IntegerField()


def _summary_fields() -> dict[str, serializers.Field]:
    fields: dict[str, serializers.Field] = {kpi.key: StatisticOut(help_text=kpi.formula) for kpi in DURATIONS}
    fields["average_downtime"] = DowntimeOut(help_text=KPI_BY_KEY["average_downtime"].formula)
    fields["cost"] = RateOut(help_text=KPI_BY_KEY["cost"].formula)
    return fields | {kpi.key: RateOut(help_text=kpi.formula) for kpi in RATES}


class KpisOut(serializers.Serializer):
    """Every figure of the period. Means, medians and percentiles are null when nothing qualifies."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "from": Moment(help_text="First moment of the period."),
            "to": Moment(help_text="First moment after it."),
            "time_zone": serializers.CharField(),
            "currency": serializers.CharField(),
            **_summary_fields(),
            "mtbf": BetweenFailuresOut(help_text=KPI_BY_KEY["mtbf"].formula),
            "major_incidents": CountOut(help_text=KPI_BY_KEY["major_incidents"].formula),
            "detection_by_channel": ChannelOut(many=True),
            "causes": CauseOut(many=True),
            "response_effort": EffortOut(),
            "targets": TargetOut(many=True),
        }


class MonthOut(serializers.Serializer):
    """One month of the organisation's calendar."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "month": serializers.CharField(help_text="Like 2019-07."),
            "count": serializers.IntegerField(),
            "change_percent": serializers.FloatField(
                allow_null=True, help_text="Against the first month of the range; null when that one has none."
            ),
            "change_previous_percent": serializers.FloatField(
                allow_null=True, help_text="Against the month before; null for the first, and when that one has none."
            ),
            **_summary_fields(),
        }


class ServiceOut(serializers.Serializer):
    service = serializers.CharField(help_text="Its slug.")
    name = serializers.CharField()
    tier = serializers.IntegerField()
    mtbf = BetweenFailuresOut()
    downtime_seconds = serializers.FloatField(help_text="Union of its downtime within the period.")
    cost = serializers.FloatField()
    availability = serializers.FloatField(allow_null=True)
    is_still_down = serializers.BooleanField()


class DowntimeIn(serializers.Serializer):
    service = serializers.CharField(allow_null=True, required=False)
    started_at = Moment()
    ended_at = Moment(allow_null=True, required=False)


class RowResultOut(serializers.Serializer):
    row = serializers.IntegerField(help_text="Counted from 1.")
    external_id = serializers.CharField()
    ref = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(["created", "unchanged", "updated", "rejected"])
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField())
    )


class ImportOut(serializers.Serializer):
    results = RowResultOut(many=True)


class PastIncidentIn(serializers.Serializer):
    """One past major incident. A clock that is null or absent is unknown."""

    def get_fields(self) -> dict[str, serializers.Field]:
        from incidents.models import Affects
        from incidents.priority import Severity
        from incidents.process import CLOCKS

        text: dict[str, Any] = {"required": False, "allow_blank": True}
        return {
            "external_id": serializers.CharField(max_length=120),
            "title": serializers.CharField(max_length=250),
            "description": serializers.CharField(**text),
            "services": serializers.ListField(child=serializers.CharField(max_length=120), required=False),
            "impact": serializers.IntegerField(min_value=1, max_value=4),
            "urgency": serializers.IntegerField(min_value=1, max_value=4),
            "severity": serializers.ChoiceField(Severity.values, required=False),
            "affects": serializers.ChoiceField(Affects.values, required=False),
            "users_affected": serializers.IntegerField(min_value=0, required=False, allow_null=True),
            "revenue_impact": serializers.CharField(**text),
            "reputation_impact": serializers.CharField(**text),
            **{clock: Moment(required=False, allow_null=True) for clock in CLOCKS},
            "downtime": DowntimeIn(
                many=True, required=False, allow_null=True,
                help_text="Absent or null: every service was down from started_at (else detected_at) to restored_at.",
            ),
        }  # fmt: skip


# --- Figures as the shapes above read them --------------------------------------------------------
def _statistic(one: Statistic) -> dict[str, Any]:
    return {
        "mean_seconds": one.mean_seconds,
        "median_seconds": one.median_seconds,
        "p90_seconds": one.p90_seconds,
        "n": one.n,
        "still_open": one.still_open,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    found: dict[str, Any] = {key: _statistic(one) for key, one in summary.statistics.items()}
    for key, rate in {**summary.rates, "cost": summary.cost}.items():
        found[key] = {"value": rate.value, "n": rate.n}
    return found


def kpis(figures: Figures) -> dict[str, Any]:
    return {
        "from": figures.scope.start,
        "to": figures.scope.end,
        "time_zone": figures.scope.zone.key,
        "currency": figures.scope.currency,
        **_summary(figures.whole),
        "mtbf": vars(figures.mtbf),
        "major_incidents": {"count": figures.whole.count},
        "detection_by_channel": [
            {"channel": channel or None, "count": count}
            for channel, count in figures.whole.detection_by_channel.items()
        ],
        "causes": [{"cause": cause or None, "count": count} for cause, count in figures.whole.causes.items()],
        "response_effort": {"total_seconds": figures.whole.effort.value, "n": figures.whole.effort.n},
        "targets": [
            {"kpi": kpi.key, "target": goal.value, "is_met": goal.is_met}
            for kpi in KPIS
            if (goal := goal_of(kpi, figures))
        ],
    }


def month(one: Month) -> dict[str, Any]:
    return {
        "month": one.month,
        "count": one.count,
        "change_percent": one.change_percent,
        "change_previous_percent": one.change_previous_percent,
        **_summary(one.summary),
    }


def service(one: ServiceFigures) -> dict[str, Any]:
    return {**vars(one), "service": one.slug, "mtbf": vars(one.mtbf)}
