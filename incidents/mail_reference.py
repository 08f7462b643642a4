"""Signed references in mail: which conversation a mail belongs to, and whom we had written to.

A reference stands in the Reply-To (`desk+inc-12-TOKEN@…`), in our Message-IDs and in the root of their thread
(`<inc-12.TOKEN@…>`), and in the subject (`[INC-12 TOKEN]`) where an address may hold no plus. The token is made for
one record and one address, so that an answer by somebody else is known for what it is.
"""

import re
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_WHO, _PROOF = 6, 14
_FORM = re.compile(rf"(?<![a-z0-9])(inc|mi)-(\d{{1,15}})[-. ]([a-z2-7]{{{_WHO + _PROOF}}})(?![a-z0-9])", re.IGNORECASE)
_OWN_ID = re.compile(r"<?[0-9a-f]{24,40}(?:\.(?:inc|mi)-\d{1,15}\.[a-z2-7]{20})?@([^@<>\s]+)>?", re.IGNORECASE)
LONGEST_LOCAL_PART = 64


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference whose signature is ours. `kind` is "INC" or "MI"."""

    kind: str
    number: int
    token: str

    @property
    def ref(self) -> str:
        return f"{self.kind}-{self.number}"

    def was_made_for(self, address: str) -> bool:
        """Whether it was sent to this address, whatever its case."""
        return constant_time_compare(self.token[:_WHO], _who(address))


@lru_cache(maxsize=256)
def token(ref: str, address: str) -> str:
    """Twenty letters that only this installation can make for this record and address."""
    who = _who(address)
    return who + _letters(f"{ref.upper()}|{who}", "proof", _PROOF)


@lru_cache(maxsize=256)
def _who(address: str) -> str:
    return _letters(address.strip().lower(), "address", _WHO)


def _letters(value: str, purpose: str, length: int) -> str:
    digest = salted_hmac(f"mim mail reference {purpose}", value, algorithm="sha256").digest()
    return "".join(_ALPHABET[byte & 31] for byte in digest[:length])


def find(text: str) -> list[Reference]:
    """Every reference in the text whose signature is ours, in its order; others count as not there."""
    found = []
    for kind, number, given in _FORM.findall(text[:50_000]):
        ref, lower = f"{kind.upper()}-{int(number)}", given.lower()
        if constant_time_compare(lower[_WHO:], _letters(f"{ref}|{lower[:_WHO]}", "proof", _PROOF)):
            found.append(Reference(kind.upper(), int(number), lower))
    return found


def own_host() -> str:
    """The right side of our Message-IDs."""
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"


def is_own_message_id(value: str) -> bool:
    """Whether a Message-ID has the form of ours."""
    found = _OWN_ID.fullmatch(value.strip())
    return found is not None and found[1].lower() == own_host().lower()


@lru_cache(maxsize=8)
def _mailbox(text: str) -> tuple[str, str]:
    """Name and address of a setting; asked several times for every mail."""
    return parseaddr(text)


def desk_address() -> str:
    """The address the desk writes from, lower-case; mail to it is always accepted."""
    return _mailbox(settings.DEFAULT_FROM_EMAIL)[1].lower()


def reply_to(ref: str, address: str) -> str:
    """Where an answer to our mail goes: the desk's address with the reference in it, where it may hold one."""
    name, base = _mailbox(settings.MAIL_REPLY_TO or settings.DEFAULT_FROM_EMAIL)
    return formataddr((name, _with_reference(base, ref, address) if ref else base))


def _with_reference(base: str, ref: str, address: str) -> str:
    local, _, host = base.rpartition("@")
    longer = f"{local}+{ref.lower()}-{token(ref, address)}"
    return f"{longer}@{host}" if settings.MAIL_PLUS_ADDRESSES and len(longer) <= LONGEST_LOCAL_PART else base


def subject_mark(ref: str, address: str) -> str:
    """What the subject has to carry because the Reply-To cannot; "" when it can."""
    base = _mailbox(settings.MAIL_REPLY_TO or settings.DEFAULT_FROM_EMAIL)[1]
    return "" if _with_reference(base, ref, address) != base else f" [{ref} {token(ref, address)}]"


def thread_root(ref: str, address: str) -> str:
    """The Message-ID all our mails about a record to one address refer to."""
    return f"<{ref.lower()}.{token(ref, address)}@{own_host()}>"


def without_reference(address: str) -> str:
    """`desk@host` for `desk+anything@host`, lower-case: plus-tags never change which mailbox is meant."""
    local, at, host = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{host}"
