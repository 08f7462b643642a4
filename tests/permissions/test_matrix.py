"""Every view and endpoint, asked by everybody: each answer is the one its row says, and no route is without a row."""

from collections import Counter
from collections.abc import Iterable
from zlib import crc32

import pytest

from tests.permissions.matrix import ROWS, acts_of
from tests.permissions.notation import ACTORS, OTHERS, OUTSIDE, ROLES, Row
from tests.permissions.page import COMMAND, PAGE, written
from tests.permissions.routes import all_routes

pytestmark = [pytest.mark.django_db, pytest.mark.broad, pytest.mark.timeout(600)]  # the whole world is built once


def asked_always(row: Row) -> list[str]:
    """Nobody signed in, somebody without a role, and of those with one somebody for each answer: other people from
    row to row."""
    expected, turn = row.expected(), crc32(str(row).encode())
    without = [actor for actor in (*OTHERS, *OUTSIDE) if actor != "nobody"]
    chosen = ["nobody", without[turn % len(without)]]
    for answer in sorted(set(expected.values())):
        same = [role for role in ROLES if expected[role] == answer]
        chosen += [same[turn % len(same)]] if same else []
    return chosen


def wrong_answers(asking, row: Row, method: str, actors: Iterable[str]) -> dict[str, str]:
    expected = row.expected()
    answers = {actor: asking.answer(row, method, actor) for actor in actors}
    return {actor: f"{said}, not {expected[actor]}" for actor, said in answers.items() if said != expected[actor]}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_answer_is_the_one_the_matrix_says(asking, row: Row):
    for method in row.methods:
        wrong = wrong_answers(asking, row, method, asked_always(row))
        assert not wrong, f"{method} {asking.address(row)}: {wrong}"


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_the_answer_the_matrix_says(asking, row: Row):
    for method in row.methods:
        wrong = wrong_answers(asking, row, method, ACTORS)
        assert not wrong, f"{method} {asking.address(row)}: {wrong}"


def test_all_rows_together_ask_everybody_often():
    asked = Counter(actor for row in ROWS for actor in asked_always(row))
    assert min(asked[actor] for actor in ACTORS) > 40


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
