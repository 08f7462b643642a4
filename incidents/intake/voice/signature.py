"""X-Twilio-Signature: HMAC-SHA1 over the address and the sorted fields of the form, under the account's token."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from contextlib import suppress

from django.http import QueryDict

from incidents.sealed import SealBroken, unseal


def signature_of(url: str, fields: QueryDict, token: str) -> str:
    """What the provider writes in the header. Of a field sent several times each distinct value counts, sorted."""
    said = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields.getlist(name))))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def is_signed(url: str, fields: QueryDict, given: str, sealed_tokens: Iterable[str]) -> bool:
    """Whether one of the live tokens made the signature; False without any token, or when none can be opened."""
    tokens = []
    for sealed in sealed_tokens:
        with suppress(SealBroken):
            tokens.append(unseal(sealed))
    return fits(url, fields, given, tokens)


def fits(url: str, fields: QueryDict, given: str, tokens: Iterable[str]) -> bool:
    """Whether one of the tokens made the signature; compared in constant time."""
    right = False
    for token in filter(None, tokens):
        for address in _addresses(url):
            right |= hmac.compare_digest(signature_of(address, fields, token).encode(), given.encode())
    return right


def _addresses(url: str) -> list[str]:
    """The address as it is and with the port of its scheme, which some providers write out."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    port = {"https": "443", "http": "80"}.get(scheme, "")
    return [url] if ":" in host or not port else [url, f"{scheme}://{host}:{port}{slash}{path}"]
