"""ntfy, at ntfy.sh or a server of one's own: a title, a priority by severity, and where a tap leads."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from incidents import outgoing
from notifications import routing
from notifications.channels import Outcome, Outgoing
from notifications.channels.card import link_of, severity_of
from notifications.channels.remote import NotSetUp, RemoteChannel, Values, judged, words
from notifications.models import ChannelKey

LONGEST_TITLE, LONGEST_TEXT = 250, 3800
"""ntfy turns a longer text than 4,096 bytes into a file."""
_PRIORITY = {"SEV1": 5, "SEV2": 4}
USUAL_PRIORITY = 3


class NtfyChannel(RemoteChannel):
    key = ChannelKey.NTFY.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        server, topic = parts_of(values.place["url"])
        return judged(outgoing.request("POST", server, json={"topic": topic, **body_of(one)}))


def parts_of(url: str) -> tuple[str, str]:
    """The address of the server and the topic. Raises NotSetUp."""
    parts = urlsplit(url)
    path, _, topic = parts.path.rstrip("/").rpartition("/")
    if not topic:
        raise NotSetUp("The address names no topic. Use one like https://ntfy.sh/your-topic.")
    return urlunsplit((parts.scheme, parts.netloc, f"{path}/", parts.query, "")), topic


def body_of(one: Outgoing) -> dict[str, Any]:
    row, url = one.delivery, link_of(one.message)
    is_page = row.moment in routing.PAGES
    severity = severity_of(row.incident)
    said: dict[str, Any] = {
        "title": _short(one.message.subject, LONGEST_TITLE),
        "message": _short(words(one), LONGEST_TEXT),
        "priority": 5 if is_page else _PRIORITY.get(severity, USUAL_PRIORITY),
        "tags": ["rotating_light" if is_page or severity == "SEV1" else "information_source"],
    }
    if url:
        said |= {"click": url, "actions": [{"action": "view", "label": "Answer" if is_page else "Open", "url": url}]}
    return said


def _short(text: str, most: int) -> str:
    """At most so many bytes, without half a character."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 3].decode(errors="ignore").rstrip() + "…"
