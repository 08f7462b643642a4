"""How an incident stands now, as the head message of a place shows it: in the words its readers may read."""

from dataclasses import dataclass
from datetime import datetime

from incidents.models import MajorIncident, Organisation
from incidents.process import OPEN_STAGES, Audience
from notifications.messages import Facts, absolute
from notifications.models import Destination, Message
from notifications.templatetags.message_times import zoned


@dataclass(frozen=True)
class Card:
    """`facts` are labels with a text or a moment (aware UTC). `tone` is bad, warn or good."""

    title: str
    facts: tuple[tuple[str, str | datetime], ...]
    url: str
    link_label: str
    tone: str
    is_open: bool

    def in_words(self, zone: str) -> list[tuple[str, str]]:
        """The facts with moments written out, for services that cannot show the reader's own time."""
        return [(label, zoned(said, zone) if isinstance(said, datetime) else said) for label, said in self.facts]


def voice_of(place: Destination) -> str:
    """The audience with the most detailed words among those that read the place."""
    return next((name for name in Audience.values if name in place.audiences), Audience.USERS.value)


def card_of(incident: MajorIncident, audience: str) -> Card:
    """Reads the incident as it is now. Users are told what the status page says, and nothing else."""
    facts = Facts.of(incident)
    is_open = incident.stage in OPEN_STAGES
    tone = "good" if facts.restored_at or not is_open else "warn" if facts.contained_at else "bad"
    if audience == Audience.USERS:
        return _public(facts, tone, is_open)
    is_internal = audience != Audience.KEY_STAKEHOLDERS
    title = f"{facts.ref} {facts.severity}: {facts.title}" if is_internal else _disruption(facts)
    said: list[tuple[str, str | datetime]] = [("Severity", facts.severity), ("Stage", facts.stage)]
    said += [("Affected", facts.services_in_words)]
    if facts.started_at:
        said += [("Impact since", facts.started_at)]
    if facts.users_affected:
        said += [("People affected", str(facts.users_affected))]
    if facts.restored_at:
        said += [("Working again since", facts.restored_at)]
    if is_internal and facts.manager:
        said += [("Led by", facts.manager)]
    if is_open and facts.next_update_at:
        said += [("Next update", facts.next_update_at)]
    return Card(title, tuple(said), facts.url, "Open the war room", tone, is_open)


def _public(facts: Facts, tone: str, is_open: bool) -> Card:
    said: list[tuple[str, str | datetime]] = []
    if facts.started_at:
        said += [("Since", facts.started_at)]
    if facts.restored_at:
        said += [("Working again since", facts.restored_at)]
    else:
        said += [("State", "We are working on it" if is_open else "Over")]
    if is_open and not facts.restored_at and facts.next_update_at:
        said += [("Next update", facts.next_update_at)]
    return Card(_disruption(facts), tuple(said), absolute("/status/"), "See the current status", tone, is_open)


def _disruption(facts: Facts) -> str:
    return f"{'Working again' if facts.restored_at else 'Disruption'}: {facts.services_in_words}"


def zone() -> str:
    """The organisation's time zone, for readers nobody knows."""
    return Organisation.current().time_zone


def severity_of(incident: MajorIncident | None) -> str:
    return incident.severity if incident is not None else ""


def link_of(message: Message) -> str:
    """Where the message leads; "" when it has no address a service would take."""
    return message.url if message.url.startswith(("https://", "http://")) else ""
