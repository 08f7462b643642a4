"""Fetches what callers said from the provider, with the account's credentials, one recording at a time."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from incidents import outgoing
from incidents.actions import phone_calls
from incidents.errands import after_commit
from incidents.models import PhoneCall
from incidents.outgoing import OutgoingFailed, OutgoingRefused
from incidents.sealed import SealBroken, unseal

USUAL_HOSTS = ("api.twilio.com",)
"""Who gets the credentials, unless the integration's settings name others (`recording_hosts`)."""
FORMAT = ".mp3"


def wake_up() -> None:
    """After the commit, asks a worker to look; what is lost the sweep finds."""
    after_commit("fetch recordings", _call)


def _call() -> None:
    from incidents.intake.voice.tasks import sweep_recordings  # the task imports what wakes it

    sweep_recordings.apply_async(ignore_result=True, retry=False, expires=60)


def fetch_due(*, at: datetime, most: int = 8) -> int:
    """Fetches recordings that are due; counts those it tried. Safe to run twice, or at once. Never in a transaction.

    `most` keeps one run, at ten seconds each, within the time limit of a task.
    """
    for count in range(most):
        call = phone_calls.claim_recording(at=at)
        if call is None:
            return count
        _fetch(call, at)
    return most


def _fetch(call: PhoneCall, at: datetime) -> None:
    try:
        content = _read(call)
    except _NeverWill as reason:
        phone_calls.put_off_recording(call.pk, why=str(reason), is_final=True, at=at)
    except (OutgoingFailed, _NotNow) as reason:
        phone_calls.put_off_recording(call.pk, why=str(reason), at=at)
    else:
        phone_calls.keep_recording(call.pk, content=content, at=at)


class _NotNow(Exception):
    """Says why it may work later."""


class _NeverWill(Exception):
    """Says why it will not work later either."""


def _read(call: PhoneCall) -> bytes:
    account, token = _credentials(call)
    hosts = call.integration.settings.get("recording_hosts")
    if urlsplit(call.recording_url).hostname not in (hosts if isinstance(hosts, list) and hosts else USUAL_HOSTS):
        raise _NeverWill("It lies on a host that is not the provider's; the credentials were not sent there.")
    limit = settings.ATTACHMENT_MAX_BYTES
    try:
        reply = outgoing.request("GET", call.recording_url + FORMAT, auth=(account, token), most_bytes=limit + 1)
    except OutgoingRefused as refusal:
        raise _NeverWill(str(refusal)) from None
    if reply.status in (401, 403):
        raise _NotNow(f"The provider refused the account's credentials ({reply.status}).")
    if reply.status != 200:
        raise _NotNow(f"The provider answered {reply.status}.")
    if len(reply.body) > limit:
        raise _NeverWill(f"It is larger than {limit // 1024 // 1024} MiB.")
    expected = reply.headers.get("content-length", "")
    if expected.isdigit() and len(reply.body) < int(expected):
        raise _NotNow("It broke off.")
    return reply.body


def _credentials(call: PhoneCall) -> tuple[str, str]:
    account = call.integration.settings.get("account_sid")
    secrets = call.integration.signing_secrets
    if not isinstance(account, str) or not account or not secrets:
        raise _NotNow("The integration has no account_sid or no token.")
    try:
        return account, unseal(secrets[0])
    except SealBroken as broken:
        raise _NotNow(str(broken)) from None
