"""The one-time link that makes the first administrator: a signed text, good for a day.

One use is enough: the page behind it works only while no administrator exists.
"""

from datetime import timedelta

from django.core import signing

_SALT = "mim.first-administrator"
VALID_FOR = timedelta(days=1)


def make_token() -> str:
    """A new token for the path of the link."""
    return signing.dumps("first-administrator", salt=_SALT)


def is_valid(token: str) -> bool:
    """True for a token made here within the last day."""
    try:
        return signing.loads(token, salt=_SALT, max_age=VALID_FOR) == "first-administrator"
    except signing.BadSignature:
        return False
