"""PURE: the risk of a change from a short questionnaire, as data. Six questions, each answered with points. No ORM."""

from collections.abc import Mapping
from dataclasses import dataclass

HIGH_FROM, MEDIUM_FROM = 9, 5


@dataclass(frozen=True)
class Question:
    """`answers` from harmless to grave: the place of an answer is its points."""

    key: str
    text: str
    answers: tuple[str, ...]


QUESTIONS = (
    Question("reach", "Who notices when it fails?", ("nobody", "one team", "a department", "customers, everybody")),
    Question("services", "What does it touch?", ("one service", "several services", "what other services need")),
    Question("way_back", "How do you get back?", ("at once", "within the window", "with effort", "not at all")),
    Question("known", "How often was it done here?", ("often", "a few times", "never")),
    Question("tested", "Was it tried beforehand?", ("where everything is the same", "in parts", "not at all")),
    Question("outage", "Is the service down meanwhile?", ("no", "briefly", "longer than ten minutes")),
)  # fmt: skip
BY_KEY = {question.key: question for question in QUESTIONS}


def points_of(answers: Mapping[str, int]) -> int:
    """The sum. Raises KeyError for an unknown question and ValueError for an answer it does not have."""
    for key, points in answers.items():
        is_number = isinstance(points, int) and not isinstance(points, bool)
        if not is_number or not 0 <= points < len(BY_KEY[key].answers):
            raise ValueError(key)
    return sum(answers.values())


def risk_of(answers: Mapping[str, int]) -> str | None:
    """`low`, `medium` or `high`; None until every question is answered. No way back and customers are high alone."""
    if set(answers) != set(BY_KEY):
        return None
    points = points_of(answers)
    if points >= HIGH_FROM or (answers["way_back"] == 3 and answers["reach"] == 3):
        return "high"
    return "medium" if points >= MEDIUM_FROM else "low"


def in_words(answers: Mapping[str, int]) -> list[tuple[str, str]]:
    """Each answered question with the words of its answer, in the order of the questionnaire."""
    return [(one.text, one.answers[answers[one.key]]) for one in QUESTIONS if one.key in answers]
