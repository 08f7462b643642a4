"""Channels and places as pages and API show them: their state in words, and never a secret."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from incidents.sealed import SealBroken
from notifications import channel_settings
from notifications.channels import registry
from notifications.channels.kinds import KINDS
from notifications.messages import absolute
from notifications.models import ChannelAccount, ChannelChange, ChannelKey, Destination, Health

ICONS: Mapping[str, str] = {
    ChannelKey.EMAIL: "mail",
    ChannelKey.IN_APP: "bell",
    ChannelKey.SMS: "device-desktop",
    ChannelKey.VOICE: "phone",
    ChannelKey.WEB_PUSH: "world",
    ChannelKey.SLACK: "messages",
    ChannelKey.TEAMS: "users",
    ChannelKey.MATTERMOST: "message-2",
    ChannelKey.MATRIX: "table",
    ChannelKey.TELEGRAM: "send",
    ChannelKey.NTFY: "broadcast",
    ChannelKey.APPRISE: "apps",
}
LINES: Mapping[str, str] = {
    ChannelKey.EMAIL: "To everybody, by the mail server of this installation.",
    ChannelKey.IN_APP: "The bell of every page. Always on.",
    ChannelKey.SMS: "Pages and messages to mobile numbers.",
    ChannelKey.VOICE: "Pages that ring and are answered by a key press. Uses the account of SMS.",
    ChannelKey.WEB_PUSH: "Notices of the browser, also while no page is open.",
    ChannelKey.SLACK: "A message per incident that stays up to date, its thread, and a button to acknowledge.",
    ChannelKey.TEAMS: "A card per moment in a Teams channel.",
    ChannelKey.MATTERMOST: "A message per moment in a Mattermost channel.",
    ChannelKey.MATRIX: "A thread per incident in a room.",
    ChannelKey.TELEGRAM: "Messages to groups and people, by a bot of your own.",
    ChannelKey.NTFY: "Push to telephones by topic, at ntfy.sh or your own server.",
    ChannelKey.APPRISE: "Pushover, Discord, Webex and other services through apprise.",
}
CHANGES_SHOWN = 20


@dataclass(frozen=True)
class ChannelShown:
    """`state` is not_set_up, off, failing, unsteady, ok or unknown (never used)."""

    key: str
    state: str
    row: ChannelAccount | None
    places: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    secrets_set: tuple[str, ...] = ()
    is_sealed_off: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return str(ChannelKey(self.key).label)

    @property
    def icon(self) -> str:
        return ICONS[self.key]

    @property
    def line(self) -> str:
        return LINES[self.key]

    @property
    def health(self) -> Health | None:
        return self.row

    @property
    def is_enabled(self) -> bool:
        return self.state not in ("off", "not_set_up")

    @property
    def asks(self) -> bool:
        return bool(KINDS[self.key].account)

    @property
    def has_places(self) -> bool:
        return bool(KINDS[self.key].place)

    @property
    def is_switched(self) -> bool:
        """Whether it can be switched off; what shares an account goes with it."""
        return self.key not in channel_settings.ALWAYS_ON and not KINDS[self.key].shares

    @property
    def may_be_tried(self) -> bool:
        return bool(channel_settings.test_settings(self.key))

    @property
    def guide(self) -> str:
        return f"notifications/channels/guides/{self.key}.html"


def channels_shown() -> list[ChannelShown]:
    """Every channel this installation can send by. Two queries."""
    accounts = {row.channel: row for row in ChannelAccount.objects.select_related("changed_by")}
    counts: dict[str, int] = {}
    for key in Destination.objects.filter(is_enabled=True).values_list("channel", flat=True):
        counts[key] = counts.get(key, 0) + 1
    return [_shown(key, accounts, counts) for key in registry_order()]


def channel_shown(key: str) -> ChannelShown | None:
    """None for a channel nobody knows."""
    return next((one for one in channels_shown() if one.key == key), None)


def registry_order() -> list[str]:
    """As the choices name them, without those nothing here can send by."""
    able = registry()
    return [key for key in ChannelKey.values if key in able]


def _shown(key: str, accounts: Mapping[str, ChannelAccount], counts: Mapping[str, int]) -> ChannelShown:
    kind = KINDS[key]
    row = accounts.get(kind.account_key)
    if key == ChannelKey.EMAIL:
        return ChannelShown(key, row.health if row else "unknown", row, facts=mail_facts())
    if key == ChannelKey.IN_APP:
        return ChannelShown(key, "ok", None)
    state = _state(row, needs_account=kind.needs_account)
    known, secrets, is_broken = _values(row)
    asked = KINDS[kind.account_key].account
    facts = tuple((one.label, known.get(one.name) or one.default or "–") for one in asked if not one.is_secret)
    return ChannelShown(
        key,
        state,
        row,
        places=counts.get(key, 0),
        facts=facts if row else (),
        secrets_set=tuple(one.name for one in asked if one.is_secret and secrets.get(one.name)),
        is_sealed_off=is_broken,
        settings=known,
    )


def _state(row: ChannelAccount | None, *, needs_account: bool) -> str:
    if row is None:
        return "not_set_up" if needs_account else "unknown"
    return row.health if row.is_enabled else "off"


def _values(row: ChannelAccount | None) -> tuple[dict[str, str], dict[str, str], bool]:
    """What may be read, what is secret, and whether the seal no longer opens."""
    if row is None:
        return {}, {}, False
    try:
        return dict(row.settings), row.secrets, False
    except SealBroken:
        return dict(row.settings), {}, True


def mail_facts() -> tuple[tuple[str, str], ...]:
    """Where mail is handed over, without the password."""
    how = "smtp+ssl" if settings.EMAIL_USE_SSL else "smtp+tls" if settings.EMAIL_USE_TLS else "smtp"
    user = f"{settings.EMAIL_HOST_USER}@" if settings.EMAIL_HOST_USER else ""
    return (
        ("MIM_EMAIL_URL", f"{how}://{user}{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"),
        ("Password", "set" if settings.EMAIL_HOST_PASSWORD else "none"),
        ("Sender", settings.DEFAULT_FROM_EMAIL),
    )


def places() -> QuerySet[Destination]:
    """Ready to be shown: with services and whoever added them."""
    return Destination.objects.select_related("added_by").prefetch_related("services")


def places_of(channels: Iterable[ChannelShown], *, channel: str = "") -> list[Destination]:
    """Places with `channel_state`, the state of their channel: where that is off, nothing is told there."""
    states = {one.key: one.state for one in channels}
    found = list(places().filter(channel=channel) if channel else places())
    for one in found:
        one.channel_state = states.get(one.channel, "not_set_up")  # type: ignore[attr-defined]
    return found


def changes() -> list[ChannelChange]:
    return list(ChannelChange.objects.select_related("actor")[:CHANGES_SHOWN])


def reply_address() -> str:
    """Where the provider of SMS is to send answers."""
    return absolute(reverse("phone_reply"))


def button_address() -> str:
    """Where Slack is to send presses of buttons."""
    return absolute(reverse("slack_interactions"))
