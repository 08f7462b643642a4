"""The ticket that opens a live stream: signed, short-lived, naming a person and the allowed topics.

The stream server has no session and no database; the ticket is all it believes.
"""

import re
from typing import Any

from django.conf import settings
from django.core import signing

_SALT = "mim.live"
CONNECT_WITHIN = 60  # seconds; a page that reconnects later asks for a new ticket
MOST_TOPICS = 50
TOPIC = re.compile(r"[A-Za-z]{2,10}(-[0-9]{1,12})?\Z")


def asked_topics(text: str) -> list[str]:
    """Well-formed topics of a comma separated list, each once, in order."""
    topics = dict.fromkeys(part.strip() for part in text.split(","))
    return [topic for topic in topics if TOPIC.match(topic)][:MOST_TOPICS]


def issue(user_id: int, topics: list[str]) -> str:
    """A ticket for these topics, whose permission the caller has checked."""
    return signing.dumps({"user": user_id, "topics": topics}, salt=_SALT, compress=True)


def read(ticket: str) -> dict[str, Any] | None:
    """What a ticket says; None when it is forged or too old."""
    try:
        content = signing.loads(ticket, salt=_SALT, max_age=CONNECT_WITHIN)
    except signing.BadSignature:
        return None
    return content if isinstance(content, dict) and isinstance(content.get("topics"), list) else None


def stream_address() -> str:
    """Where the page opens its stream: the stream server's own origin under `up`, the same origin behind a proxy."""
    return f"{settings.STREAM_ORIGIN}/live/"
