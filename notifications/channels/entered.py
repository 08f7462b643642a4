"""What people enter about channels, checked where they enter it: each refusal names the field and the way out."""

import re
from collections.abc import Callable, Mapping

from incidents import outgoing
from incidents.actions.input import clean_text
from incidents.errors import Invalid
from incidents.outgoing import OutgoingFailed, OutgoingRefused
from notifications.channels import apprise, ntfy
from notifications.channels.kinds import Setting
from notifications.channels.remote import NotSetUp
from notifications.models import ChannelKey

LONGEST = 1000


def _fits(pattern: str, sentence: str) -> Callable[[str], None]:
    compiled = re.compile(pattern)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise ValueError(sentence)

    return check


def _topic(value: str) -> None:
    try:
        _, topic = ntfy.parts_of(value)
    except NotSetUp as missing:
        raise ValueError(str(missing)) from None
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", topic):
        raise ValueError("A topic has letters, digits, - and _ only, at most 64 of them.")


_SLACK_CHANNEL = "Use the ID of the channel, like C0123456789: its name → About, at the bottom."
_CHECKS: dict[tuple[str, str], Callable[[str], None]] = {
    (ChannelKey.SLACK, "bot_token"): _fits(r"xoxb-[\w-]+", "A bot token begins with xoxb-."),
    (ChannelKey.SLACK, "channel"): _fits(r"[CG][A-Z0-9]{7,}", _SLACK_CHANNEL),
    (ChannelKey.SLACK, "member"): _fits(r"[UW][A-Z0-9]{7,}", "Use the member ID, like U0123456789."),
    (ChannelKey.MATRIX, "room"): _fits(r"![^\s:]+(:\S+)?", "Use the room ID, like !abcdef:example.org, not its #name."),
    (ChannelKey.TELEGRAM, "bot_token"): _fits(r"\d+:[\w-]{20,}", "A bot token looks like 123456:ABC-DEF…"),
    (ChannelKey.TELEGRAM, "chat"): _fits(
        r"-?\d{1,20}|@\w{4,64}", "Use the chat ID, like -1001234567890, or @its_name."
    ),
    (ChannelKey.NTFY, "url"): _topic,
    (ChannelKey.APPRISE, "url"): apprise.check,
}


def clean_settings(
    channel: str, settings: tuple[Setting, ...], given: Mapping[str, object], *, known: Mapping[str, str]
) -> dict[str, str]:
    """Every setting with its value: the given one, or the `known` one where none or an empty secret was given.

    Resolves names, so call it outside of a transaction. Raises Invalid naming each field at fault.
    """
    errors: dict[str, str | list[str]] = dict.fromkeys(
        set(given) - {one.name for one in settings}, "This channel has no such setting."
    )
    values: dict[str, str] = {}
    for one in settings:
        try:
            values[one.name] = _value(channel, one, given, known.get(one.name, ""))
        except Invalid as refusal:
            errors |= {name: list(sentences) for name, sentences in refusal.errors.items()}
    if errors:
        raise Invalid(**errors)
    return values


def _value(channel: str, setting: Setting, given: Mapping[str, object], known: str) -> str:
    name = setting.name
    if name not in given:
        value = known or setting.default
    else:
        value = clean_text(name, given[name], LONGEST)
        value = "" if setting.kind == "lines" and not value else value
        if not value:
            value = known if setting.is_secret else setting.default
    if not value:
        if setting.is_required:
            raise Invalid(**{name: "This is needed."})
        return ""
    if setting.kind != "lines" and re.search(r"\s", value) and setting.kind != "phone":
        raise Invalid(**{name: "Leave out the blanks and line breaks."})
    return _checked(channel, setting, value, is_known=value in (known, setting.default))


def _checked(channel: str, setting: Setting, value: str, *, is_known: bool) -> str:
    if setting.kind == "phone":
        value = re.sub(r"[\s()./-]", "", value)
        if not re.fullmatch(r"\+[1-9]\d{6,14}", value):
            raise Invalid(**{setting.name: "Give the number with its country code, like +49 151 23456789."})
        return value
    try:
        if setting.kind == "url":
            # One that is there already is checked again whenever something is sent to it.
            (outgoing.check_url if is_known else outgoing.check_destination)(value)
            value = value.rstrip("/") if setting.name == "base_url" else value
    except (OutgoingRefused, OutgoingFailed) as refusal:
        raise Invalid(**{setting.name: str(refusal)}) from None
    check_form(channel, setting, value)
    return value


def check_form(channel: str, setting: Setting, value: str) -> None:
    """Whether it looks like what this channel takes. Raises Invalid at the setting."""
    check = _CHECKS.get((channel, setting.name))
    try:
        if check is not None:
            check(value)
    except (OutgoingRefused, OutgoingFailed, ValueError) as refusal:
        raise Invalid(**{setting.name: str(refusal)}) from None
