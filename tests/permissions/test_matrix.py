"""Every view and endpoint, asked by everybody: each answer is the one its row says, and no route is without a row."""

from collections import Counter

import pytest

from tests.permissions.matrix import ROWS, acts_of
from tests.permissions.notation import ACTORS, OK, Row
from tests.permissions.page import COMMAND, PAGE, written
from tests.permissions.routes import all_routes

pytestmark = [pytest.mark.django_db, pytest.mark.broad, pytest.mark.timeout(600)]  # the whole world is built once


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_answer_is_the_one_the_matrix_says(asking, row: Row):
    expected = row.expected()
    allowed = [actor for actor in ACTORS if expected[actor] == OK]
    for method in row.methods:
        wrong = {}
        for actor in ACTORS:
            # Who may do the most and who may do the least of those allowed have the page drawn as well.
            answer = asking.answer(row, method, actor, is_drawn=actor in (*allowed[:1], *allowed[-1:]))
            if answer != expected[actor]:
                wrong[actor] = f"{answer}, not {expected[actor]}"
        assert not wrong, f"{method} {asking.address(row)}: {wrong}"


def test_no_route_is_without_a_row():
    asked = {(row.route, method) for row in ROWS for method in row.methods}
    there = {(route, method) for route, methods in all_routes().items() for method in methods}
    assert not there - asked, "Give each of these a row in tests/permissions/matrix.py."
    assert not asked - there, "These rows ask what no route answers any more."


def test_no_act_of_a_route_is_without_a_row():
    for route, acts in acts_of().items():
        asked = {row.act for row in ROWS if row.route == route}
        assert asked == set(acts), f"rows of {route}"


def test_what_has_an_own_and_a_foreign_record_is_asked_for_both():
    asked: dict[tuple[str, str, str], set[str]] = {}
    for row in ROWS:
        for method in row.methods:
            kind, _, whose = row.on.partition(" ")
            if whose.startswith(("own", "foreign")):
                asked.setdefault((row.route, row.act, f"{method} {kind}"), set()).add(whose.split()[0])
    alone = [key for key, whose in asked.items() if whose != {"own", "foreign"}]
    assert not alone


def test_no_question_is_asked_twice():
    counted = Counter((row.route, method, row.on, row.act) for row in ROWS for method in row.methods)
    assert not [question for question, times in counted.items() if times > 1]


def test_the_page_in_the_docs_is_this_matrix():
    assert PAGE.read_text() == written(), f"Write it again: {COMMAND}"
