"""The status for programs: Atom, iCalendar of planned work, JSON."""

import json
from datetime import UTC, datetime
from html import unescape
from typing import Any
from xml.etree import ElementTree

from django.utils.html import strip_tags
from icalendar import Calendar, Event

from notifications.status.public import PublicIncident, PublicStatus

ATOM = "http://www.w3.org/2005/Atom"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(markup: str) -> str:
    return unescape(strip_tags(markup)).strip()


def atom(status: PublicStatus, *, title: str, base: str, at: datetime) -> bytes:
    """One entry for each public update, the newest first. `base` is the address of the status page."""
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed")

    def add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        made = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        made.text = text or None
        return made

    entries = [
        (update.published_at, update.html, incident)
        for incident in [*status.now, *status.lately]
        for update in incident.updates
    ]
    add(feed, "id", base)
    add(feed, "title", title)
    add(feed, "updated", _iso(max((published for published, _, _ in entries), default=at)))
    add(feed, "link", href=base)
    add(feed, "link", rel="self", href=f"{base}feed.atom")
    for published, html, incident in sorted(entries, key=lambda entry: entry[0], reverse=True)[:100]:
        entry = add(feed, "entry")
        address = address_of(incident, base)
        add(entry, "id", f"{address}#{_iso(published)}")
        add(entry, "title", f"{incident.heading}: {incident.state}")
        add(entry, "updated", _iso(published))
        add(entry, "link", href=address)
        add(add(entry, "author"), "name", title)
        add(entry, "content", html, type="html")
    return ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)


def address_of(incident: PublicIncident, base: str) -> str:
    return f"{base}incidents/{incident.key}/"


def calendar(status: PublicStatus, *, title: str, base: str) -> bytes:
    """Planned work, in UTC. Nothing in it depends on when it is written, so an unchanged plan is an unchanged file."""
    made = Calendar()
    made.add("prodid", "-//MIM//Status page//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", title)
    for work in status.planned:
        event = Event()
        event.add("uid", f"{work.key}@status")
        event.add("dtstamp", work.starts_at.astimezone(UTC))
        event.add("dtstart", work.starts_at.astimezone(UTC))
        event.add("dtend", work.ends_at.astimezone(UTC))
        event.add("summary", f"{work.title} ({', '.join(work.services)})")
        event.add("url", base)
        made.add_component(event)
    return bytes(made.to_ical())


def as_json(status: PublicStatus, *, base: str) -> bytes:
    """The same facts for programs. Times are RFC 3339 UTC."""

    def incident(row: PublicIncident) -> dict[str, Any]:
        return {
            "id": row.key,
            "url": address_of(row, base),
            "title": row.heading,
            "services": row.services,
            "state": row.state,
            "began_at": row.began_at and _iso(row.began_at),
            "restored_at": row.restored_at and _iso(row.restored_at),
            "next_update_at": row.next_update_at and _iso(row.next_update_at),
            "updates": [
                {
                    "published_at": _iso(one.published_at),
                    "text": _plain(one.html),
                    "html": one.html,
                    "corrects": one.corrects and _iso(one.corrects),
                    "corrected_at": one.corrected_at and _iso(one.corrected_at),
                }
                for one in row.updates
            ],
        }

    said = {
        "is_calm": status.is_calm,
        "services": [{"slug": one.slug, "name": one.name, "state": one.state} for one in status.services],
        "open": [incident(row) for row in status.now],
        "recent": [incident(row) for row in status.lately],
        "planned": [
            {
                "title": work.title,
                "services": work.services,
                "starts_at": _iso(work.starts_at),
                "ends_at": _iso(work.ends_at),
            }
            for work in status.planned
        ],
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode()
