"""Tags about records: {% load records %}.

{% record_url incident %}            the address of a ticket, incident, candidate, problem, change, service; or ""
{% query request status="new" %}     the page's query string with some values set, empty ones left out
{% event_facts event as facts %}     what an entry of the record says, in short sentences
"""

from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

register = template.Library()
_NAMES = {
    "Ticket": "ticket",
    "MajorIncident": "war_room",
    "Candidate": "candidate",
    "Problem": "problem",
    "Change": "change",
}


@register.simple_tag
def record_url(record: Any) -> str:
    """Where a record is read; empty when this installation has no such page."""
    return address_of(record)


def address_of(record: Any) -> str:
    kind = type(record).__name__
    try:
        if kind == "Service":
            return reverse("service", args=[record.slug])
        if kind == "Document":
            return reverse("document", args=[record.incident_id])
        return reverse(_NAMES[kind], args=[record.pk])
    except (KeyError, NoReverseMatch):
        return ""


@register.simple_tag
def query(request: HttpRequest, **values: object) -> str:
    """`?a=b` of this page with some values changed; what becomes empty is left out, and so is the cursor."""
    asked = request.GET.copy()
    asked.pop("after", None)
    for name, value in values.items():
        if value in ("", None):
            asked.pop(name, None)
        else:
            asked[name] = str(value)
    return f"?{asked.urlencode()}" if asked else request.path


_LEFT_OUT = {
    *("text", "title", "html", "comment_id", "escalation_id", "attachment_id", "to_user_id", "public"),
    *("merge_id", "is_kept", "sender", "user_ids", "page_id", "told"),
}


@register.simple_tag
def event_facts(event: Any) -> list[str]:
    """An event's payload in words: "priority: P3 → P1", "assignee: Ada"; what has no words is left out."""
    payload = event.payload
    facts = []
    if "from" in payload and "to" in payload and payload["from"] != payload["to"]:
        facts.append(f"{_words(payload['from'])} → {_words(payload['to'])}")
    for name, pair in (payload.get("changes") or {}).items():
        if isinstance(pair, list) and len(pair) == 2:
            facts.append(f"{_words(name)}: {_short(pair[0])} → {_short(pair[1])}")
    for name, value in payload.items():
        if name in _LEFT_OUT | {"from", "to", "changes"} or value in (None, "", [], {}) or isinstance(value, dict):
            continue
        listed = ", ".join(map(str, value)) if isinstance(value, list) else value
        facts.append(f"{_words(name)}: {_short(listed)}")
    return facts


def _words(name: object) -> str:
    return str(name).replace("_", " ").capitalize()


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value) if value not in (None, "") else "nothing"
    return text if len(text) <= 120 else f"{text[:117]}…"


def number_of(text: str | None) -> int | None:
    """12 for "MI-12" or "12"; None for anything else."""
    number = (text or "").rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 15 else None
