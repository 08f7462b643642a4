"""What a key may be used for. What its person may do is asked of the rules of the process by each action."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from incidents.errors import NotAccountable
from incidents.models import ApiKey, Scope


class SignedInWithScope(BasePermission):
    """`read` for safe methods; otherwise one of the view's `write_scopes` (default `write`).

    Nobody signed in answers 401; a key without the scope answers 403 and names it. Scopes do not include
    each other: a key that only reads carries `read`, one that declares carries `declare`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        if not isinstance(request.auth, ApiKey):
            return True
        accepted = needed_scopes(request.method or "GET", view)
        if not set(accepted).intersection(request.auth.scopes):
            named = " or ".join(f"“{scope}”" for scope in accepted)
            raise NotAccountable(
                f"This key lacks the scope {named}. It carries {', '.join(request.auth.scopes) or 'none'}.",
                who_may=[],
                scope=accepted[0],
            )
        return True


def needed_scopes(method: str, view: Any) -> tuple[str, ...]:
    """The scopes of which a key needs one."""
    if method in SAFE_METHODS:
        return (Scope.READ.value,)
    return tuple(getattr(view, "write_scopes", (Scope.WRITE.value,)))
