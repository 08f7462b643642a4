"""Every figure as data: its name, the two clocks behind it, its unit, and its definition in words. No ORM."""

from dataclasses import dataclass

from django.db.models import TextChoices


class Unit(TextChoices):
    SECONDS = "seconds", "Duration"
    COUNT = "count", "Count"
    SHARE = "share", "Share of 1"
    MONEY = "money", "Money"


@dataclass(frozen=True)
class Kpi:
    """One figure. `start` and `end` are the clocks it lies between, empty where it is not made of two clocks."""

    key: str
    label: str
    short: str
    start: str
    end: str
    unit: Unit
    formula: str
    source: str = "Process, KPIs"

    @property
    def is_duration_between_clocks(self) -> bool:
        return bool(self.start and self.end)


def _between(key: str, label: str, short: str, start: str, end: str, formula: str) -> Kpi:
    return Kpi(key, label, short, start, end, Unit.SECONDS, formula)


DURATIONS = (
    _between("mttd", "Mean time to detect", "MTTD", "started_at", "detected_at",
             "Mean of detected − started: how long the impact went unnoticed."),
    _between("mtta", "Mean time to acknowledge", "MTTA", "reported_at", "acknowledged_at",
             "Mean of acknowledged − reported: how long until a person took it."),
    _between("mttr", "Mean time to resolve", "MTTR", "reported_at", "resolved_at",
             "Mean of resolved − reported, resolved incidents only."),
    _between("time_to_declare", "Time to declare", "Declare", "detected_at", "declared_at",
             "Mean of declared − detected: from the first signal to the declaration."),
    _between("time_to_contain", "Time to contain", "Contain", "detected_at", "contained_at",
             "Mean of contained − detected: from the first signal until the spread was stopped."),
    _between("time_to_restore", "Time to restore", "Restore", "reported_at", "restored_at",
             "Mean of restored − reported: from the first report until the service was back."),
)  # fmt: skip
"""What lies between two clocks of one incident. A clock that is unknown leaves the incident out of that figure."""

AVERAGE_DOWNTIME = Kpi(
    "average_downtime", "Average downtime", "Downtime", "", "", Unit.SECONDS,
    "Mean over incidents of the union of the incident’s downtime intervals, not cut at the period; "
    "an interval that is still open counts up to now. Maintenance windows are not downtime.",
)  # fmt: skip
MTBF = Kpi(
    "mtbf", "Mean time between failures", "MTBF", "", "", Unit.SECONDS,
    "Total uptime ÷ number of failures. Uptime is the period (up to now) minus the union of a service’s downtime; "
    "failures are downtime intervals that begin in the period. Several services: sum of uptimes ÷ sum of failures.",
)  # fmt: skip
MAJOR_INCIDENTS = Kpi(
    "major_incidents", "Major incidents", "Count", "", "", Unit.COUNT,
    "Incidents whose declaration (else first report) lies in the period.",
)  # fmt: skip
COST = Kpi(
    "cost", "Cost of downtime", "Cost", "", "", Unit.MONEY,
    "Sum over incidents and their services of downtime × the service’s cost per hour; time outside the service hours "
    "counts with the service’s share for it. With a service filter only the chosen services cost.",
)  # fmt: skip
RATES = (
    Kpi("raci_conformance", "RACI conformance", "RACI", "", "", Unit.SHARE,
        "Steps done by a seated R or A, without fallback or waiver ÷ steps opened.", "Process, The RACI matrix"),
    Kpi("promise_kept_rate", "Promises kept", "Promises", "", "", Unit.SHARE,
        "Next updates that went out in time ÷ promises settled.", "Process, Telling people"),
    Kpi("pir_rate", "Closed with a review", "PIR", "", "", Unit.SHARE,
        "Closed incidents with a completed post-implementation review ÷ closed incidents."),
    Kpi("problem_rate", "With a problem", "Problem", "", "", Unit.SHARE,
        "Incidents with a linked problem ÷ incidents."),
)  # fmt: skip

KPIS = (*DURATIONS, AVERAGE_DOWNTIME, MTBF, MAJOR_INCIDENTS, COST, *RATES)
KPI_BY_KEY = {kpi.key: kpi for kpi in KPIS}
MORE_IS_BETTER = frozenset({"mtbf", *(kpi.key for kpi in RATES)})
"""Elsewhere less is better."""


@dataclass(frozen=True)
class OtherDefinition:
    """How others count the same thing: between other clocks. Shown beside ours, so that figures can be compared."""

    label: str
    start: str
    end: str


OTHERS: dict[str, tuple[OtherDefinition, ...]] = {
    "mttd": (
        OtherDefinition("Start to first report", "started_at", "reported_at"),
        OtherDefinition("Start to declaration", "started_at", "declared_at"),
    ),
    "mtta": (
        OtherDefinition("Detection to acknowledgement", "detected_at", "acknowledged_at"),
        OtherDefinition("Start to acknowledgement", "started_at", "acknowledged_at"),
    ),
    "mttr": (
        OtherDefinition("Report to service restored", "reported_at", "restored_at"),
        OtherDefinition("Detection to resolution", "detected_at", "resolved_at"),
        OtherDefinition("Start to resolution", "started_at", "resolved_at"),
    ),
    "time_to_declare": (OtherDefinition("Report to declaration", "reported_at", "declared_at"),),
    "time_to_contain": (OtherDefinition("Declaration to containment", "declared_at", "contained_at"),),
    "time_to_restore": (
        OtherDefinition("Detection to service restored", "detected_at", "restored_at"),
        OtherDefinition("Start to service restored", "started_at", "restored_at"),
        OtherDefinition("Report to resolution", "reported_at", "resolved_at"),
    ),
}

STATISTICS = (*DURATIONS, AVERAGE_DOWNTIME)
"""Figures with a mean, a median, a 90th percentile and a sample size."""
