"""Secrets in the database are sealed with a key derived from `SECRET_KEY`: a copy of the database opens none."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SealBroken(Exception):
    """The text was sealed under another `SECRET_KEY`, or changed since. Enter the secret again."""


@lru_cache(maxsize=4)
def _box(secret_key: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mim sealed fields").derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(key))


def seal(text: str) -> str:
    """The text as ASCII that only this installation can open; "" stays ""."""
    return _box(settings.SECRET_KEY).encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """What was sealed; "" for "". Raises SealBroken."""
    if not sealed:
        return ""
    try:
        return _box(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken(
            "A stored secret cannot be opened: MIM_SECRET_KEY has changed. Enter the secret again."
        ) from None


def sealed_at(sealed: str) -> datetime | None:
    """When it was sealed (aware, UTC); None when it was sealed under another key. What it says stays closed."""
    try:
        return datetime.fromtimestamp(_box(settings.SECRET_KEY).extract_timestamp(sealed), UTC)
    except InvalidToken:
        return None


def readable(sealed: str) -> str:
    """What was sealed, for a page; words instead when it cannot be opened any more."""
    try:
        return unseal(sealed)
    except SealBroken:
        return "(cannot be read: the secret key has changed)"
