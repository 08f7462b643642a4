"""Reading the RACI matrix: one version as the table of the process, and the history of versions."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from incidents.models import MajorIncident, RaciMatrix, default_cells
from incidents.process import OPEN_STAGES, ROLE_ABBREVIATIONS, STEPS, Role, Stage

COLUMNS = [{"role": role.value, "short": ROLE_ABBREVIATIONS[role], "words": role.label} for role in Role]


@dataclass(frozen=True)
class MatrixRow:
    """One step. `stage` is set on the first row of a stage, with how many rows it has; `cells` are (letters, whether
    they differ from the version before) in column order."""

    key: str
    title: str
    stage: str
    span: int
    cells: list[tuple[str, bool]]


def newest_matrix() -> RaciMatrix:
    """The version new incidents get; the shipped one, unsaved and numbered 0, before anything was saved."""
    return RaciMatrix.objects.select_related("created_by").first() or RaciMatrix(version=0, cells=default_cells())


def matrix_version(version: int) -> RaciMatrix | None:
    return RaciMatrix.objects.select_related("created_by").filter(version=version).first()


def matrix_before(matrix: RaciMatrix) -> RaciMatrix | None:
    return RaciMatrix.objects.filter(version__lt=matrix.version).first()


def stage_spans() -> dict[str, tuple[str, int]]:
    """Title and number of rows of each stage, by the key of its first step."""
    found: dict[str, tuple[str, int]] = {}
    for step in STEPS:
        if not any(step.stage == other.stage for other in STEPS[: STEPS.index(step)]):
            found[step.key] = (Stage(step.stage).label, sum(step.stage == other.stage for other in STEPS))
    return found


def matrix_rows(matrix: RaciMatrix, before: RaciMatrix | None = None) -> list[MatrixRow]:
    spans = stage_spans()
    rows = []
    for step in STEPS:
        row = matrix.cells.get(step.key, {})
        old = before.cells.get(step.key, {}) if before else row
        cells = [(row.get(role, ""), row.get(role, "") != old.get(role, "")) for role in Role.values]
        rows.append(MatrixRow(step.key, step.title, *spans.get(step.key, ("", 0)), cells))
    return rows


def versions() -> QuerySet[RaciMatrix]:
    return RaciMatrix.objects.select_related("created_by").order_by("-version")[:50]


def incidents_by_version() -> dict[int, dict[str, Any]]:
    """How many major incidents run under each version, all and open ones, by the version's id. One query."""
    rows = MajorIncident.objects.order_by().values("matrix").annotate(total=Count("pk"))
    found = {row["matrix"]: {"total": row["total"], "open": 0} for row in rows}
    live = MajorIncident.objects.order_by().filter(stage__in=OPEN_STAGES).values("matrix").annotate(total=Count("pk"))
    for row in live:
        found[row["matrix"]]["open"] = row["total"]
    return found
