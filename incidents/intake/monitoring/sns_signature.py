"""Whether Amazon SNS really sent a message: its signature over ordered fields, by a certificate of amazonaws.com."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from incidents import outgoing
from incidents.intake.monitoring.reading import moment, text
from incidents.intake.monitoring.shape import Malformed

MAX_AGE = timedelta(hours=1)
"""Amazon retries for up to an hour; what is older is a replay."""
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HOST = re.compile(r"sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?")
_KEPT_FOR = timedelta(hours=24)
_KEPT = 32
_certificates: OrderedDict[str, tuple[datetime, x509.Certificate]] = OrderedDict()
_lock = Lock()


def require_signed(message: dict[str, Any], *, now: datetime) -> None:
    """Raises Malformed: 403 when Amazon did not sign this, or long ago; 503 when its certificate cannot be had now."""
    sent = moment(message.get("Timestamp"))
    if sent is None or abs(now - sent) > MAX_AGE:
        raise Malformed("Timestamp is missing or more than an hour off: a replay?", field="Timestamp", status=403)
    algorithm = _algorithm(message)
    key = _certificate(message, now).public_key()
    if not isinstance(key, RSAPublicKey):
        raise Malformed("The signing certificate holds no RSA key.", field="SigningCertURL", status=403)
    try:
        signature = b64decode(text(message.get("Signature")), validate=True)
        key.verify(signature, signed_text(message).encode("utf-8", "replace"), PKCS1v15(), algorithm)
    except (InvalidSignature, NotBase64, ValueError):
        raise Malformed("The signature does not fit the message.", field="Signature", status=403) from None


def signed_text(message: dict[str, Any]) -> str:
    """What Amazon signs: names and values in order, each with a line end; a subject only when there is one."""
    names = _NOTIFICATION if message.get("Type") == "Notification" else _CONFIRMATION
    present = (name for name in names if name != "Subject" or message.get(name) is not None)
    return "".join(f"{name}\n{message.get(name, '')}\n" for name in present)


def is_amazon(url: str) -> bool:
    """Whether an address is one of SNS itself: https, no port, no credentials, host under amazonaws.com."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(_HOST.fullmatch(parts.netloc))
    except ValueError:
        return False


def forget_certificates() -> None:
    """Empties the cache of this process."""
    with _lock:
        _certificates.clear()


def _algorithm(message: dict[str, Any]) -> HashAlgorithm:
    version = text(message.get("SignatureVersion"))
    if version == "2":
        return SHA256()
    if version == "1":
        return SHA1()  # noqa: S303 - what Amazon signs with unless the topic is set to version 2
    raise Malformed("SignatureVersion must be 1 or 2.", field="SignatureVersion", status=403)


def _certificate(message: dict[str, Any], now: datetime) -> x509.Certificate:
    url = text(message.get("SigningCertURL") or message.get("SigningCertUrl"))
    if not is_amazon(url) or not urlsplit(url).path.endswith(".pem"):
        raise Malformed(
            "SigningCertURL must be a certificate of SNS under amazonaws.com.", field="SigningCertURL", status=403
        )
    with _lock:
        kept = _certificates.get(url)
    if kept is None or kept[0] < now:
        kept = (now + _KEPT_FOR, _fetched(url))
        with _lock:
            _certificates[url] = kept
            while len(_certificates) > _KEPT:
                _certificates.popitem(last=False)
    certificate = kept[1]
    if not certificate.not_valid_before_utc <= now.astimezone(UTC) <= certificate.not_valid_after_utc:
        raise Malformed("The signing certificate is not valid now.", field="SigningCertURL", status=403)
    return certificate


def _fetched(url: str) -> x509.Certificate:
    try:
        reply = outgoing.request("GET", url)
    except (outgoing.OutgoingFailed, outgoing.OutgoingRefused) as error:
        raise Malformed(f"The certificate of SNS cannot be had now: {error}", status=503) from None
    if reply.status != 200:
        raise Malformed(f"The certificate of SNS cannot be had now: answer {reply.status}.", status=503)
    try:
        return x509.load_pem_x509_certificate(reply.body)
    except ValueError:
        raise Malformed(
            "What stands at SigningCertURL is no certificate.", field="SigningCertURL", status=403
        ) from None
