"""HMAC signatures of senders: over the body, or over a timestamp and the body, compared in constant time.

Adapters whose senders sign have a `verify`, which the registry asks once, in the request: a secret may be taken back
later, and the worker must still read what was accepted.
"""

import hmac
from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256

from incidents.intake.monitoring.reading import moment
from incidents.intake.monitoring.shape import Malformed, Received

WINDOW = timedelta(minutes=5)
"""How far the time a sender signed may be from the time it reached us."""


def require_hmac(received: Received, *, header: str, timestamp_header: str = "", window: timedelta = WINDOW) -> None:
    """Nothing when the integration has no signing secret. Raises Malformed (401) unless one of them signed this body.

    With a timestamp header the text `timestamp:body` is signed, and the time must be within `window` of the arrival.
    The signature is hex or base64, alone or after `sha256=`. A secret that is "" (it cannot be opened any more) fits
    nothing.
    """
    secrets = received.settings.get("signing_secrets") or []
    if not secrets:
        return
    given = received.headers.get(header.lower(), "").strip()
    if not given:
        raise Malformed(f"The signature is missing: send it in the header {header}.", field=header, status=401)
    signed = received.body
    if timestamp_header:
        stamp = received.headers.get(timestamp_header.lower(), "").strip()
        _require_fresh(moment(stamp), received.received_at, timestamp_header, window)
        signed = stamp.encode("utf-8", "replace") + b":" + received.body
    if not sum(_matches(secret, signed, given) for secret in secrets if secret):  # a sum: every one is compared
        raise Malformed(
            "The signature does not fit the body and any signing secret of this integration.", field=header, status=401
        )


def _require_fresh(stamp: datetime | None, now: datetime | None, header: str, window: timedelta) -> None:
    if stamp is None or now is None or abs(now - stamp) > window:
        raise Malformed(
            f"The signed time is missing or more than {window.total_seconds() / 60:g} minutes off: check {header} "
            "and the clock of the sender.",
            field=header,
            status=401,
        )


def _matches(secret: str, signed: bytes, given: str) -> bool:
    digest = hmac.new(secret.encode(), signed, sha256).digest()
    bare = given.removeprefix("sha256=").encode("utf-8", "replace")
    return hmac.compare_digest(digest.hex().encode(), bare.lower()) | hmac.compare_digest(b64encode(digest), bare)
