"""PURE: where a text blames people instead of describing what happened, and how to say it instead. No ORM."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HINTS = (
    (r"human error|user error|operator error|pilot error",
     "“Human error” ends the search. What made the slip easy, and what would have caught it?"),
    (r"should(?:n['’]t| not)? have|ought to have|could(?:n['’]t| not)? have known",
     "“Should have” judges with what is known today. What was known at that moment, and what made sense then?"),
    (r"careless\w*|negligen\w+|sloppy|stupid\w*|incompeten\w+|lazy|reckless\w*",
     "This word judges a person. Describe the situation they were in."),
    (r"(?:his|her|their|whose|\w+['’]s) (?:fault|mistake)|(?:is|are|was|were) to blame|blam(?:e|ed|ing)",
     "Nobody is looked for here. Which part of the system let it happen?"),
    (r"forgot|forgotten|failed to|neglected to|did(?:n['’]t| not) bother|refused to",
     "What reminded them, and who else would have noticed? A step that can be forgotten can be built in."),
    (r"(?:simply|just|obviously|clearly|of course) ",
     "What is obvious now was not obvious then. Leave the word out."),
)  # fmt: skip
_PATTERNS = [(re.compile(rf"\b(?:{pattern})", re.IGNORECASE), advice) for pattern, advice in _HINTS]
_DID = r"(?:did|made|broke|caused|deleted|forgot|ignored|missed|pushed|deployed|triggered|overlooked)"
MOST = 8


@dataclass(frozen=True)
class Hint:
    said: str
    advice: str


def hints(text: str, names: Iterable[str] = ()) -> list[Hint]:
    """Each phrase once, in the order of the text. `names` are people whose name beside an act is pointed at."""
    found: dict[str, tuple[int, Hint]] = {}
    for pattern, advice in _PATTERNS:
        for match in pattern.finditer(text):
            said = match[0].strip()
            found.setdefault(said.lower(), (match.start(), Hint(said, advice)))
    for name in names:
        parts = [re.escape(part) for part in {name, *name.split()} if len(part) > 2]
        acted = re.search(rf"\b(?:{'|'.join(parts)})\s+{_DID}\b", text, re.IGNORECASE) if parts else None
        if acted:
            advice = "Name the role or the step instead of the person: anybody in that place might have done the same."
            found.setdefault(acted[0].lower(), (acted.start(), Hint(acted[0], advice)))
    return [hint for _, hint in sorted(found.values(), key=lambda pair: pair[0])][:MOST]
