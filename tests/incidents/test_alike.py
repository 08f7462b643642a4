"""How alike texts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alike import Cluster, Vocabulary, likeness, nearest, shared_words, terms_of, words_of

ORDINARY = Vocabulary.of(
    (f"{what} {how}", "It worked yesterday.")
    for what in ("Printer", "Scanner", "Mouse", "Screen", "Payslip", "Invoice")
    for how in ("does not work", "is slow", "shows an error", "is missing")
)


def vector(text):
    return ORDINARY.vector(terms_of(text))


def test_words_are_taken_without_case_plural_and_filler():
    assert words_of("The Payments are NOT working, please help!") == ["payment", "working", "help"]


def test_terms_are_words_and_pairs_and_the_title_says_more():
    found = terms_of("Card declined", "card")
    assert found == {"card": 3.0, "declined": 2.0, "card declined": 2.0}


def test_rare_words_make_texts_alike_and_ordinary_ones_do_not():
    same = likeness(vector("VPN shows an error"), vector("Error in the VPN"))
    other = likeness(vector("Printer shows an error"), vector("Invoice shows an error"))
    assert same > 0.5 > other
    assert shared_words(vector("VPN shows an error"), vector("Error in the VPN"))[0] == "vpn"


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_lies_between_nothing_and_the_same_and_does_not_ask_who_comes_first(one, other):
    a, b = vector(one), vector(other)
    assert -1e-9 <= likeness(a, b) <= 1 + 1e-9
    assert likeness(a, b) == pytest.approx(likeness(b, a))
    assert not a or likeness(a, a) == pytest.approx(1)


def test_a_group_knows_its_words_its_service_and_how_usual_it_is():
    group = Cluster()
    for service in (3, 3, None, 4):
        group.take(vector("VPN does not connect"), service)
    assert group.words() == ["connect", "vpn"]
    assert group.service() == 3
    assert group.usual_share(ORDINARY) < 0.03
    assert Cluster().usual_share(ORDINARY) == 1


def test_a_mixed_group_is_as_usual_as_everything():
    group = Cluster()
    for text in ("Printer is slow", "Payslip is missing", "Mouse does not work"):
        group.take(vector(text))
    assert group.usual_share(ORDINARY) == 1


def test_the_nearest_group_is_found():
    groups = [Cluster(), Cluster()]
    groups[0].take(vector("VPN does not connect"))
    groups[1].take(vector("Payslip is missing"))
    found, alike = nearest(vector("Cannot connect with VPN"), groups)
    assert found is groups[0] and alike > 0.4
    assert nearest(vector("x"), []) == (None, 0.0)


def test_a_group_does_not_grow_without_end():
    group = Cluster()
    for number in range(200):
        group.take(vector(" ".join(f"word{number}x{n}" for n in range(30))))
    assert len(group.weights) <= 180 and group.members == 200
