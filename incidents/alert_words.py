"""Alerts in plain words: titles, descriptions and reasons. Pure."""

from collections.abc import Sequence
from datetime import datetime
from heapq import nsmallest
from typing import Protocol

from incidents.alert_episodes import Episode

LISTED = 20
_HOST_LABELS = ("instance", "host", "hostname", "node")
_GRAVITY = {"critical": 0, "error": 1, "warning": 2, "info": 3}


class Named(Protocol):
    """A rule, a sender, a service: whatever has a name."""

    name: str


def time_of(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def title_of(episodes: Sequence[Episode]) -> str:
    """The gravest and earliest of them, in one line of at most 250 characters."""
    title = min(episodes, key=_order).title
    return title if len(title) <= 250 else f"{title[:249]}…"


def host_of(episodes: Sequence[Episode]) -> str:
    """The one machine they all speak of; "" when there are several, or none is named."""
    hosts = {_host(episode) for episode in episodes}
    return hosts.pop()[:200] if len(hosts) == 1 else ""


def described(rule: Named, episodes: Sequence[Episode], sender: Named) -> str:
    """What a ticket says about the alerts that opened it."""
    lines = [f"Opened by the rule “{rule.name}”. {sender.name} reports:", ""]
    listed = nsmallest(LISTED, episodes, key=_order)
    lines += [f"- {_line(episode)}" for episode in listed]
    if len(episodes) > len(listed):
        lines.append(f"- and {len(episodes) - len(listed):,} more")
    if body := listed[0].body:
        lines += ["", body[:4_000]]
    return "\n".join(lines)


def reasons(rule: Named, episodes: Sequence[Episode], sender: Named, service: Named | None) -> list[str]:
    """Why a candidate was raised: what fires, since when, and which rule said so."""
    first = min(episodes, key=_order)
    where = f" on {service.name}" if service else ""
    since = time_of(min(episode.started_at for episode in episodes))
    if len(episodes) == 1:
        fires = f"“{first.title[:300]}” ({first.severity}) fires{where} since {since}, says {sender.name}."
    else:
        hosts = len({_host(episode) for episode in episodes} - {""})
        across = f" from {hosts:,} machines" if hosts > 1 else ""
        fires = (
            f"{len(episodes):,} alerts fire{where}{across}, the first since {since}, says {sender.name}: "
            f"“{first.title[:300]}” ({first.severity}) and others."
        )
    return [fires, f"The rule “{rule.name}” proposes a major incident for this."]


def further(episodes: Sequence[Episode]) -> str:
    """What a record says when alerts join it."""
    first = min(episodes, key=_order)
    if len(episodes) == 1:
        return f"Another alert joined: “{first.title[:300]}” ({first.severity}) since {time_of(first.started_at)}."
    return f"{len(episodes):,} further alerts joined, among them “{first.title[:300]}” ({first.severity})."


def _order(episode: Episode) -> tuple[int, datetime, str]:
    return _GRAVITY.get(episode.severity, 9), episode.started_at, episode.key


def _line(episode: Episode) -> str:
    host = _host(episode)
    at = f" on {host[:100]}" if host and host not in episode.title else ""
    return f"{episode.severity}: {episode.title[:300]}{at}, since {time_of(episode.started_at)}"


def _host(episode: Episode) -> str:
    return next((episode.labels[name] for name in _HOST_LABELS if episode.labels.get(name)), "")
