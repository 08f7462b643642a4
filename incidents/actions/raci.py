"""The RACI matrix of the organisation: every saving is a new version, and incidents keep theirs."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from incidents import permissions
from incidents.actions.input import clean_text
from incidents.errors import Invalid, Stale
from incidents.models import RaciMatrix, User
from incidents.process import ROLE_ABBREVIATIONS, SINGLE_HOLDER_ROLES, STEP_BY_KEY, STEPS, Role

_LETTERS = "RACI"


def save_matrix(
    cells: Mapping[str, Mapping[str, str]], *, note: str = "", actor: User, at: datetime, based_on: int | None = None
) -> RaciMatrix:
    """Saves a whole matrix as the next version. `cells` is {step: {role: "R/A"}}; an empty cell is "".

    Every row needs exactly one A, in one of the three roles with a single holder, and at least one R; all faults
    are named at once, by step. `based_on` is the version that was edited: Stale when there is a newer one.
    """
    permissions.require(actor, "configure")
    checked = check_cells(cells)
    said = clean_text("note", note, 2_000)
    try:
        with transaction.atomic():
            newest = RaciMatrix.objects.aggregate(newest=Max("version"))["newest"] or 0
            if based_on is not None and based_on != newest:
                raise Stale(f"Version {newest} was saved in the meantime. Look at it before saving yours.")
            return RaciMatrix.objects.create(version=newest + 1, cells=checked, note=said, created_by=actor)
    except IntegrityError:
        raise Stale("Somebody saved another version at this moment. Look at it before saving yours.") from None


def check_cells(cells: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The matrix in its stored form, R before A. Raises Invalid with a sentence for every wrong row."""
    if not isinstance(cells, Mapping):
        raise Invalid(cells="Give the matrix as an object: step, then role, then letters.")
    faults: dict[str, str | list[str]] = {}
    for key in cells:
        if key not in STEP_BY_KEY:
            faults[str(key)[:60]] = ["This is not a step of the process."]
    checked: dict[str, dict[str, str]] = {}
    for step in STEPS:
        row = cells.get(step.key)
        if not isinstance(row, Mapping):
            faults[step.key] = [f"The row “{step.title}” is missing."]
            continue
        checked[step.key], wrong = _check_row(row)
        if wrong:
            faults[step.key] = [f"{step.title}: {sentence}" for sentence in wrong]
    if faults:
        raise Invalid(**faults)
    return checked


def _check_row(row: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    wrong = [f"“{str(role)[:40]}” is not a role." for role in row if role not in Role.values]
    stored: dict[str, str] = {}
    for role in Role:
        given = row.get(role.value) or ""
        letters = (
            [part.strip().upper() for part in given.split("/") if part.strip()] if isinstance(given, str) else ["?"]
        )
        if len(set(letters)) != len(letters) or any(letter not in set(_LETTERS) for letter in letters):
            wrong.append(f"{ROLE_ABBREVIATIONS[role]} may carry R, A, C or I, or two like R/A.")
            letters = []
        stored[role.value] = "/".join(sorted(letters, key=_LETTERS.index))
    accountable = [role for role in Role if "A" in stored[role.value].split("/")]
    if len(accountable) != 1:
        wrong.append(f"needs exactly one A, and has {len(accountable)}.")
    if barred := [ROLE_ABBREVIATIONS[role] for role in accountable if role not in SINGLE_HOLDER_ROLES]:
        allowed = ", ".join(ROLE_ABBREVIATIONS[role] for role in SINGLE_HOLDER_ROLES)
        wrong.append(f"{', '.join(barred)} cannot carry A; only {allowed} can, which have one holder each.")
    if not any("R" in letters.split("/") for letters in stored.values()):
        wrong.append("needs at least one R.")
    return stored, wrong
