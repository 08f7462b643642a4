"""A secret that was just made, kept until the next page shows it, once. Sealed: sessions stand in the database."""

import json

from django.http import HttpRequest

from incidents.sealed import SealBroken, seal, unseal


def keep(request: HttpRequest, what: str, pk: int, secret: str) -> None:
    """`what` names the kind of record, `pk` which one."""
    request.session[f"new_{what}"] = seal(json.dumps({"pk": pk, "secret": secret}))


def take(request: HttpRequest, what: str, pk: int) -> str:
    """The secret that was just made for this record, the first time it is asked for; "" when there is none."""
    try:
        kept = json.loads(unseal(request.session.pop(f"new_{what}", "")) or "{}")
    except SealBroken:
        return ""
    return kept["secret"] if kept.get("pk") == pk else ""
