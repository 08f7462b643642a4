"""Secrets in the database: sealed, opened again, and useless under another key."""

import pytest
from django.utils import timezone

from incidents.sealed import SealBroken, seal, sealed_at, unseal


def test_what_was_sealed_opens_and_cannot_be_read():
    sealed = seal("pässwort")
    assert "pässwort" not in sealed and sealed.isascii()
    assert unseal(sealed) == "pässwort"


def test_nothing_stays_nothing():
    assert seal("") == "" and unseal("") == ""


def test_another_key_opens_nothing_and_says_what_to_do(settings):
    sealed = seal("token")
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(SealBroken, match="Enter the secret again"):
        unseal(sealed)


def test_a_changed_text_is_refused():
    with pytest.raises(SealBroken):
        unseal(seal("token")[:-6] + "AAAAAA")


def test_when_it_was_sealed_is_known_only_with_the_key(settings):
    sealed = seal("token")
    assert abs((timezone.now() - sealed_at(sealed)).total_seconds()) < 5
    settings.SECRET_KEY = "another" * 10
    assert sealed_at(sealed) is None
