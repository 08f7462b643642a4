import pytest

from incidents.actions import raci
from incidents.errors import Invalid, NotAccountable, Stale
from incidents.models import RaciMatrix, default_cells
from tests.factories import minute
from tests.racing import race

pytestmark = pytest.mark.django_db


def save(actor, cells, **more):
    return raci.save_matrix(cells, actor=actor, at=minute(0), **more)


def with_cell(step, role, letters):
    cells = default_cells()
    cells[step][role] = letters
    return cells


def test_every_saving_is_a_new_version(administrator):
    first = save(administrator, default_cells(), note="As shipped")
    second = save(administrator, with_cell("inform", "technical_staff", "R"))
    assert (first.version, second.version) == (1, 2)
    assert second.letters("inform", "technical_staff") == {"R"}
    assert first.letters("inform", "technical_staff") == {"I"}


def test_an_incident_keeps_the_version_it_was_declared_under(declared, administrator):
    save(administrator, with_cell("inform", "technical_staff", "R"))
    declared.matrix.refresh_from_db()
    assert declared.matrix.letters("inform", "technical_staff") == {"I"}


@pytest.mark.parametrize(
    ("step", "role", "letters", "words"),
    [
        ("inform", "major_incident_manager", "R", "exactly one A"),
        ("inform", "change_manager", "A", "exactly one A"),
        ("inform", "mit", "C", "at least one R"),
        ("inform", "mit", "X", "may carry"),
        ("inform", "mit", "R/R", "may carry"),
        ("inform", "mit", "A/R", "cannot carry A"),
        ("inform", "porter", "I", "not a role"),
    ],
)
def test_a_row_that_cannot_work_is_refused_by_name(administrator, step, role, letters, words):
    with pytest.raises(Invalid) as refusal:
        save(administrator, with_cell(step, role, letters))
    assert list(refusal.value.errors) == [step]
    assert any(words in sentence for sentence in refusal.value.errors[step])
    assert not RaciMatrix.objects.exists()


def test_missing_and_unknown_rows_are_all_named(administrator):
    cells = default_cells()
    del cells["change"]
    cells["party"] = {}
    with pytest.raises(Invalid) as refusal:
        save(administrator, cells)
    assert set(refusal.value.errors) == {"change", "party"}


def test_letters_are_kept_r_before_a(administrator):
    assert (
        save(administrator, with_cell("assemble", "major_incident_manager", "a/r")).cells["assemble"][
            "major_incident_manager"
        ]
        == "R/A"
    )


def test_only_an_administrator_edits_it(manager, outsider):
    for somebody in (manager, outsider):
        with pytest.raises(NotAccountable):
            save(somebody, default_cells())


def test_saving_over_a_newer_version_is_refused(administrator):
    save(administrator, default_cells())
    save(administrator, default_cells(), based_on=1)
    with pytest.raises(Stale):
        save(administrator, default_cells(), based_on=1)


@pytest.mark.django_db(transaction=True)
def test_two_savings_at_once_never_share_a_version(administrator):
    results = race(lambda: save(administrator, default_cells()), times=3)
    versions = [result.version for result in results if isinstance(result, RaciMatrix)]
    assert len(versions) == len(set(versions)) == RaciMatrix.objects.count()
    assert all(isinstance(result, RaciMatrix | Stale) for result in results)
