"""The status page as files, written whenever something public changed.

Files need no database to be read: the page stays up when everything behind it is down. Each is replaced at once by
`rename`, and only when its content changed, so that readers never see half a page and caches keep what is true still.
"""

import os
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from incidents.models import Organisation
from notifications.status import feeds, history, public

TEMPLATES = "notifications/status"


def folder() -> Path:
    return Path(settings.STATUS_DIR)


def base_address() -> str:
    return f"{settings.PUBLIC_URL}/status/"


def write(at: datetime) -> list[str]:
    """Writes what changed, returns the names of those files. Safe to run twice and by several at once."""
    made = render(at)
    return [name for name, content in made.items() if _replace(folder() / name, content)]


def render(at: datetime) -> dict[str, bytes]:
    """Every public file by its path, as of `at`: times are shown in the organisation's zone with UTC beside them."""
    organisation = Organisation.current()
    status = public.read(at)
    zone = ZoneInfo(organisation.time_zone)
    base, title = base_address(), f"Status of {organisation.name}"
    with timezone.override(zone):
        context: dict[str, object] = {"status": status, "organisation": organisation, "base": base}
        rows = list(zip(status.services, history.of_services(at, zone), strict=True))
        months = history.by_month(zone, at)
        files = {
            "index.html": _page("index", context | {"rows": rows, "days": history.DAYS}),
            "history/index.html": _page("history", context | {"months": months}),
            "feed.atom": feeds.atom(status, title=title, base=base, at=_stable(status, at)),
            "planned.ics": feeds.calendar(status, title=f"{title}: planned work", base=base),
            "status.json": feeds.as_json(status, base=base),
        }
        listed = {row.key: row for month in months for row in month.incidents}
        for row in [*listed.values(), *status.now, *status.lately]:
            files[f"incidents/{row.key}/index.html"] = _page("incident", context | {"incident": row})
    return files


def _stable(status: public.PublicStatus, at: datetime) -> datetime:
    """When an empty feed last changed: the beginning of the day, so that it does not change with every look."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _page(name: str, context: dict[str, object]) -> bytes:
    return render_to_string(f"{TEMPLATES}/{name}.html", context).encode()


def _replace(path: Path, content: bytes) -> bool:
    """True when the file was new or different."""
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
    return True
