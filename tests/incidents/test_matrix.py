"""The default matrix equals the published table, cell by cell."""

import pytest

from incidents.models import default_cells
from incidents.process import ROLE_ABBREVIATIONS, SINGLE_HOLDER_ROLES, STEPS, Role

PUBLISHED = """
identification | declare  | C | A   | R | C | I | I | I
identification | inform   | C | A   | R | I | I | I | I
containment    | assemble | I | R/A | C | C | I | C | I
containment    | bridge   | I | A   | R | C | I | C | I
containment    | war_room | I | A   | R | I | I | C | I
containment    | problem  | I | A   | R | C | I | I | I
resolution     | change   | I | I   | I | R | A | C | C
maintenance    | review   | I | C   | I | R | A | C | I
maintenance    | document | C | A   | R | C | C | C | C
maintenance    | measure  | I | A   | R | I | I | I | C
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in PUBLISHED.strip().splitlines()]


@pytest.mark.parametrize(("row", "step"), list(zip(ROWS, STEPS, strict=True)), ids=[row[1] for row in ROWS])
def test_each_row_is_as_published(row, step):
    stage, key, *cells = row
    assert (step.stage, step.key) == (stage, key)
    assert list(default_cells()[key].values()) == cells
    assert list(default_cells()[key]) == list(Role.values)


def test_columns_stand_in_the_published_order():
    assert list(ROLE_ABBREVIATIONS.values()) == ["SDT", "MIM", "MIT", "Tech", "ChgM", "PrbM", "Ext"]


def test_each_row_has_exactly_one_accountable_in_a_single_holder_column():
    for step in STEPS:
        accountable = [role for role, letters in step.letters.items() if "A" in letters]
        assert len(accountable) == 1
        assert accountable[0] in SINGLE_HOLDER_ROLES
        assert any("R" in letters for letters in step.letters.values())
