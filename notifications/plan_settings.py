"""Changing communication plans: what may be saved, what differs between two versions, and what one would do.

The rows belong to `incidents`, where a declaration keeps them; which channels and whom an escalation can mean is known
here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import TextChoices

from incidents.actions import plans as acts
from incidents.communication import LONGEST_CADENCE, SHORTEST_CADENCE, Moment, Telling, moments_of
from incidents.errors import Invalid
from incidents.models import BridgeProvider, PlanVersion, User
from incidents.permissions import require
from incidents.process import Audience
from notifications.escalation_policy import check_target
from notifications.models import ChannelKey

_KEYS = (
    "moments",
    "channels",
    "urgent_channels",
    "cadence_minutes",
    "acknowledge_within_minutes",
    "escalate_to",
    "silent_because",
)
_OVER = (Moment.RESTORED, Moment.RESOLVED, Moment.CLOSED)
LONGEST_WAIT_FOR_ANSWER = 24 * 60


def save_plan(
    before: PlanVersion,
    content: Mapping[str, Any],
    *,
    bridge: BridgeProvider | None = None,
    note: str = "",
    based_on: int | None = None,
    actor: User,
    at: datetime,
) -> PlanVersion:
    """Saves the next version of the plan of `before`. Raises Invalid naming audiences, Stale or NotAccountable."""
    require(actor, "configure_communication")
    return acts.keep_version(
        before.plan, clean_content(content), bridge=bridge, note=note, based_on=based_on, actor=actor, at=at
    )


def restore_plan(version: PlanVersion, *, based_on: int | None = None, actor: User, at: datetime) -> PlanVersion:
    """What an older version said becomes the next version."""
    note = f"Restores version {version.number}."
    return save_plan(version, version.content, bridge=version.bridge, note=note, based_on=based_on, actor=actor, at=at)


def clean_content(content: Any) -> dict[str, dict[str, Any]]:
    """The content in its stored form. Raises Invalid with every fault, by audience."""
    if not isinstance(content, Mapping):
        raise Invalid(content="Give the plan as an object: audience, then what it hears.")
    faults: dict[str, list[str]] = {
        str(name)[:40]: [f"This is not an audience. Known: {', '.join(Audience.values)}."]
        for name in content
        if name not in Audience.values
    }
    cleaned: dict[str, dict[str, Any]] = {}
    for audience in Audience:
        cleaned[audience.value], wrong = _Column(audience, content.get(audience.value)).clean()
        if wrong:
            faults[audience.value] = [f"{audience.label}: {sentence}" for sentence in wrong]
    if faults:
        raise Invalid(**faults)
    return cleaned


@dataclass
class _Column:
    """What one audience hears, being checked."""

    audience: Audience
    given: Any
    wrong: list[str] = field(default_factory=list)

    def clean(self) -> tuple[dict[str, Any], list[str]]:
        if not isinstance(self.given, Mapping):
            return {}, ["what it hears is missing."]
        if unknown := [str(key)[:40] for key in self.given if key not in _KEYS]:
            self.wrong.append(f"{', '.join(unknown)} cannot be set. Known: {', '.join(_KEYS)}.")
        moments = self._moments()
        because = self.given.get("silent_because") or ""
        if not isinstance(because, str) or len(because) > 500:
            self.wrong.append("the reason has at most 500 characters of text.")
            because = ""
        because = because.strip()
        self._check_silence(moments, because)
        cleaned = {
            "moments": moments,
            "channels": self._channels("channels"),
            "urgent_channels": self._channels("urgent_channels"),
            "cadence_minutes": self._minutes(
                "cadence_minutes", "updates come every", SHORTEST_CADENCE, LONGEST_CADENCE
            ),
            "acknowledge_within_minutes": self._minutes(
                "acknowledge_within_minutes", "an acknowledgement is chased after", 1, LONGEST_WAIT_FOR_ANSWER
            ),
            "escalate_to": self._target(),
            "silent_because": "" if Moment.DECLARED in moments else because,
        }
        return cleaned, self.wrong

    def _moments(self) -> dict[str, str]:
        given = self.given.get("moments")
        if not isinstance(given, Mapping):
            self.wrong.append("say of which moments it hears.")
            return {}
        can_hear = moments_of(self.audience)
        if unknown := [str(name)[:40] for name in given if name not in can_hear]:
            self.wrong.append(f"there are no words for {', '.join(unknown)}.")
        found: dict[str, str] = {}
        for moment in can_hear:
            telling = given.get(moment.value) or ""
            if telling and telling not in Telling.values:
                self.wrong.append(f"{moment.label} is told as one of: {', '.join(Telling.values)}.")
            elif telling:
                found[moment.value] = str(telling)
        return found

    def _check_silence(self, moments: dict[str, str], because: str) -> None:
        """Nobody is left in the dark by mistake."""
        if Moment.DECLARED not in moments:
            if not because:
                self.wrong.append(
                    "nobody of it would hear that an incident was declared. Tell it, or write why that is right."
                )
            return
        if not any(one in moments for one in _OVER):
            self.wrong.append(
                "it would hear that an incident began and never that it is over. Tell it one of: "
                f"{', '.join(str(one.label) for one in _OVER)}."
            )

    def _channels(self, name: str) -> list[str]:
        given = self.given.get(name)
        if given is None:
            return []
        if not isinstance(given, list | tuple):
            self.wrong.append("channels are a list.")
            return []
        if unknown := [str(key)[:40] for key in given if key not in ChannelKey.values]:
            self.wrong.append(f"{', '.join(unknown)} is no channel. Known: {', '.join(ChannelKey.values)}.")
        return [str(key) for key in dict.fromkeys(given) if key in ChannelKey.values]

    def _minutes(self, name: str, what: str, least: int, most: int) -> int:
        given = self.given.get(name)
        if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
            self.wrong.append(f"{what} {least} to {most:,} minutes.")
            return least
        return given

    def _target(self) -> str:
        word = self.given.get("escalate_to")
        try:
            check_target(word)
        except Invalid as refusal:
            self.wrong.append(f"it escalates to somebody who can be paged. {refusal.message}")
        return str(word or "")[:80]


# --- What differs -----------------------------------------------------------------------------
_SAID = {
    "channels": "channels",
    "urgent_channels": "channels when urgent",
    "cadence_minutes": "updates every",
    "acknowledge_within_minutes": "acknowledged within",
    "escalate_to": "escalates to",
    "silent_because": "not told of a declaration, because",
}


def differences(before: Mapping[str, Any], after: Mapping[str, Any], targets: Mapping[str, str]) -> list[str]:
    """A sentence for everything that differs, by audience. `targets` are the words of escalation targets."""
    found = []
    for audience in Audience:
        old, new = before.get(audience.value, {}), after.get(audience.value, {})
        for moment in Moment:
            was, now = (one.get("moments", {}).get(moment.value) for one in (old, new))
            if was != now:
                found.append(f"{audience.label}: {moment.label}, {_telling(was)} → {_telling(now)}")
        for key, said in _SAID.items():
            if old.get(key) != new.get(key):
                found.append(f"{audience.label}: {said} {_value(key, old, targets)} → {_value(key, new, targets)}")
    return found


def _telling(value: str | None) -> str:
    return str(Telling(value).label).lower() if value else "not told"


def _value(key: str, column: Mapping[str, Any], targets: Mapping[str, str]) -> str:
    value = column.get(key)
    if key.endswith("channels"):
        return channels_in_words(value or [])
    if key.endswith("minutes"):
        return f"{value} min"
    if key == "escalate_to":
        return targets.get(str(value), "somebody who is not here any more")
    return f"“{value}”" if value else "nothing"


def channels_in_words(keys: list[str] | tuple[str, ...]) -> str:
    known: type[TextChoices] = ChannelKey
    return ", ".join(str(known(key).label) for key in keys if key in known.values) or "as the person prefers"
