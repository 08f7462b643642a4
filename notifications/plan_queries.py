"""What pages show of plans: one version as a table, and the versions with what each changed."""

from dataclasses import dataclass
from typing import Any

from incidents.communication import Moment, Telling, moments_of
from incidents.models import PlanVersion
from incidents.process import Audience
from incidents.queries.plans import versions_of
from notifications.page_queries import target_words
from notifications.plan_settings import channels_in_words, differences

VERSIONS_SHOWN = 50
SYMBOLS = {"told": "check", "urgent": "bolt", "acknowledge": "checks", "": ""}


@dataclass(frozen=True)
class Cell:
    """`value` is the telling of a moment ("" not told); None where the audience has no words for it."""

    words: str
    value: str | None = ""
    is_changed: bool = False

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.value or "", "")


@dataclass(frozen=True)
class Row:
    label: str
    cells: list[Cell]


def moment_rows(version: PlanVersion, before: PlanVersion | None = None) -> list[Row]:
    return [Row(str(moment.label), [_told(version, before, moment, one) for one in Audience]) for moment in Moment]


def _told(version: PlanVersion, before: PlanVersion | None, moment: Moment, audience: Audience) -> Cell:
    if moment not in moments_of(audience):
        return Cell("", None)
    value = _moment(version, moment, audience)
    label = str(Telling(value).label) if value else "not told"
    return Cell(label, value, before is not None and _moment(before, moment, audience) != value)


def _moment(version: PlanVersion, moment: str, audience: str) -> str:
    return str(version.content[audience]["moments"].get(moment, ""))


def how_rows(version: PlanVersion, before: PlanVersion | None = None) -> list[Row]:
    """Cadence, channels, acknowledgement and whom it escalates to."""
    targets = dict(target_words())

    def row(label: str, words: Any, *names: str) -> Row:
        cells = []
        for audience in Audience:
            column = version.content[audience.value]
            old = before.content[audience.value] if before else column
            cells.append(Cell(words(column), is_changed=any(column.get(name) != old.get(name) for name in names)))
        return Row(label, cells)

    found = [
        row("Updates", lambda one: f"every {one['cadence_minutes']} min", "cadence_minutes"),
        row("Channels", lambda one: channels_in_words(one["channels"]), "channels"),
        row("When urgent", lambda one: channels_in_words(one["urgent_channels"]), "urgent_channels"),
        row("Acknowledgement", lambda one: _chased(one, targets), "acknowledge_within_minutes", "escalate_to"),
    ]
    if any(version.content[audience.value]["silent_because"] for audience in Audience):
        found.append(row("Not told of a declaration", lambda one: one["silent_because"] or "–", "silent_because"))
    return found


def _chased(column: dict[str, Any], targets: dict[str, str]) -> str:
    if Telling.ACKNOWLEDGE not in column["moments"].values():
        return "not asked"
    whom = targets.get(column["escalate_to"], "somebody who is not here any more")
    return f"within {column['acknowledge_within_minutes']} min, else {whom}"


@dataclass(frozen=True)
class VersionShown:
    version: PlanVersion
    incidents: int
    open_incidents: int
    changes: list[str]


def history(version: PlanVersion) -> list[VersionShown]:
    """The versions of its plan, newest first, each with what it changed. Two queries, and those of the targets."""
    rows: list[Any] = list(versions_of(version.plan)[: VERSIONS_SHOWN + 1]) if version.plan.pk else []
    targets = dict(target_words()) if len(rows) > 1 else {}
    return [
        VersionShown(
            row,
            row.incidents,
            row.open_incidents,
            differences(older.content, row.content, targets) if older else [],
        )
        for row, older in zip(rows[:VERSIONS_SHOWN], [*rows[1:], None], strict=False)
    ]
