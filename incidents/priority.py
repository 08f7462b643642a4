"""Impact and urgency to priority and severity. Pure data.

Sum 2-3 is P1, 4 is P2, 5-6 is P3, 7-8 is P4. The organisation may edit the 4 x 4 table
(`Organisation.priority_table`); what is here is the default.
"""

from collections.abc import Mapping

from django.db.models import IntegerChoices, TextChoices


class Level(IntegerChoices):
    HIGHEST = 1, "1 – highest"
    HIGH = 2, "2 – high"
    MEDIUM = 3, "3 – medium"
    LOW = 4, "4 – low"


class Priority(TextChoices):
    P1 = "P1", "P1"
    P2 = "P2", "P2"
    P3 = "P3", "P3"
    P4 = "P4", "P4"


class Severity(TextChoices):
    SEV1 = "SEV1", "SEV1"
    SEV2 = "SEV2", "SEV2"
    SEV3 = "SEV3", "SEV3"


_BY_SUM = {2: "P1", 3: "P1", 4: "P2", 5: "P3", 6: "P3", 7: "P4", 8: "P4"}

DEFAULT_TABLE: dict[str, str] = {f"{i}/{u}": _BY_SUM[i + u] for i in range(1, 5) for u in range(1, 5)}


def priority_for(impact: int, urgency: int, table: Mapping[str, str] | None = None) -> str:
    """`P1` to `P4`; `table` maps "impact/urgency" to a priority and falls back to the default."""
    return {**DEFAULT_TABLE, **(table or {})}[f"{impact}/{urgency}"]


def severity_for(impact: int, urgency: int) -> str:
    """1/1 is SEV1, 1/2 and 2/1 are SEV2, anything else SEV3; a person may override it."""
    return {2: "SEV1", 3: "SEV2"}.get(impact + urgency, "SEV3")


def suggests_major(impact: int, urgency: int) -> bool:
    """Both at their top two levels. Only a suggestion: a person decides."""
    return impact <= 2 and urgency <= 2
