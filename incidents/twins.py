"""PURE: whether two pieces of work are the same one, so that nobody does it twice. No ORM."""

import re
from collections.abc import Iterable

from incidents.alike import words_of

SAME_WORDS = 0.6
"""Share of all words of both that both have, from which on they say the same."""
_TOKEN = re.compile(r"[^\W_]+", re.UNICODE)
_MEANS = {
    **dict.fromkeys(("reboot", "bounce", "restarting", "rebooting", "cycle"), "restart"),
    **dict.fromkeys(("revert", "rollback", "undo", "reverting", "rolling"), "roll"),
    **dict.fromkeys(("verify", "inspect", "look", "investigate", "checking", "examine"), "check"),
    **dict.fromkeys(("phone", "ring", "calling", "contact", "ask"), "call"),
    **dict.fromkeys(("switch", "fail", "failing", "failover"), "failover"),
    **dict.fromkeys(("disable", "stop", "stopping", "kill"), "stop"),
}
"""Words people use for one another in the heat of the moment."""


def names_in(text: str) -> frozenset[str]:
    """What names one thing among several: words with a digit, and single letters ("db-3" gives {"3"})."""
    return frozenset(word for word in _TOKEN.findall(text.lower()) if len(word) == 1 or any(map(str.isdigit, word)))


def _said(text: str) -> frozenset[str]:
    words = (_MEANS.get(word, word) for word in words_of(text))
    return frozenset(word for word in words if not any(map(str.isdigit, word)))


def _plain(target: str) -> str:
    return "".join(_TOKEN.findall(target.lower()))


def is_twin(title: str, target: str, other_title: str, other_target: str) -> bool:
    """The same target, or the same action in other words. Two different targets are never the same work."""
    here, there = _plain(target), _plain(other_target)
    if here and there:
        return here == there
    if here and here in _plain(other_title) or there and there in _plain(title):
        return True
    if names_in(f"{title} {target}") != names_in(f"{other_title} {other_target}"):
        return False
    one, other = _said(title), _said(other_title)
    if not one or not other:
        return " ".join(title.lower().split()) == " ".join(other_title.lower().split())
    return len(one & other) / len(one | other) >= SAME_WORDS


def first_twin(title: str, target: str, others: Iterable[tuple[int, str, str]]) -> int | None:
    """The number of the first of `others` (number, title, target) that is the same work; None when none is."""
    return next((pk for pk, name, thing in others if is_twin(title, target, name, thing)), None)
