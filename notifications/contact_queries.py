"""What pages show about where people are reached."""

import re
from datetime import datetime

from incidents.models import Organisation, User
from incidents.queries.rotas import duties
from notifications.channels.kinds import KINDS
from notifications.models import ChannelAccount, ContactMessage, ContactPoint
from notifications.routing import is_on

_BROWSERS = (("Firefox", "Firefox/"), ("Edge", "Edg"), ("Opera", "OPR/"), ("Chrome", "Chrom"), ("Safari", "Safari/"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("macOS", "Mac OS"),
    ("Linux", "Linux"),
)  # fmt: skip


def browser_name(user_agent: str) -> str:
    """`Chrome on Linux`: enough for its owner to know which one it is."""
    browser = next((name for name, mark in _BROWSERS if mark in user_agent), "Browser")
    system = next((name for name, mark in _SYSTEMS if re.search(mark, user_agent)), "")
    return f"{browser} on {system}" if system else browser


def zone_of(user: User) -> str:
    return user.time_zone or Organisation.current().time_zone


def last_message(point: ContactPoint) -> ContactMessage | None:
    """The last code or test to an address."""
    return ContactMessage.objects.filter(contact=point).order_by("-id").first()


def unreachable_on_call(*, at: datetime) -> list[User]:
    """People on call now, for a role or a team, who are told by e-mail and in the product only. Nothing of it rings."""
    found = {one.person.pk: one.person for duty in duties(at) for one in duty.now}
    if not found:
        return []
    accounts = {row.channel: row for row in ChannelAccount.objects.all()}
    ringing = [key for key, kind in KINDS.items() if kind.is_noisy and is_on(key, accounts)]
    rung = ContactPoint.objects.filter(user__in=found, verified_at__isnull=False, channel__in=ringing)
    reached = set(rung.values_list("user", flat=True))
    return sorted((person for pk, person in found.items() if pk not in reached), key=lambda one: one.display_name)
