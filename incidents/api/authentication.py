"""Who asks: a Bearer key, or the browser's session with its CSRF token."""

from datetime import timedelta
from functools import cache

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from incidents.models import ApiKey, User
from incidents.models.access import digest
from incidents.models.people import RoleHeld
from incidents.one_row import Columns, one_row

_USE_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`. One query finds the key, its user and the user's roles."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        word, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if not word:
            return None
        if word.lower() != "bearer" or not secret.strip():
            raise AuthenticationFailed("Send “Authorization: Bearer <key>”.")
        return self._checked(_find(digest(secret.strip())))

    def _checked(self, key: ApiKey | None) -> tuple[User, ApiKey]:
        now = timezone.now()
        if key is None or key.revoked_at is not None:
            raise AuthenticationFailed("This key is unknown or was revoked. Make a new one.")
        if not key.is_usable(now):
            raise AuthenticationFailed("This key has expired. Make a new one.")
        user = key.user
        if not user.is_active or (user.access_expires_at and user.access_expires_at <= now):
            raise AuthenticationFailed("The account of this key is disabled.")
        if key.last_used_at is None or key.last_used_at < now - _USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


_KEY, _USER = Columns(ApiKey, "k"), Columns(User, "u")


@cache
def _statement() -> str:
    key, user, role = (model._meta.db_table for model in (ApiKey, User, RoleHeld))
    return (
        f"SELECT {_KEY.sql}, {_USER.sql}, ARRAY(SELECT role FROM {role} WHERE user_id = u.id) "  # noqa: S608
        f"FROM {key} AS k JOIN {user} AS u ON u.id = k.user_id WHERE k.sha256 = %s"
    )


def _find(sha256: str) -> ApiKey | None:
    """The key with its user, who knows their roles; None for an unknown one."""
    row = one_row(_statement(), [sha256])
    if row is None:
        return None
    key = _KEY.instance(row[: len(_KEY.fields)])
    key.user = _USER.instance(row[len(_KEY.fields) : -1])
    key.user.account_roles = frozenset(row[-1])
    return key


class BrowserSession(SessionAuthentication):
    """The session of the pages. An unsafe method needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = getattr(request._request, "user", None)
        ends_at = user.access_expires_at if user is not None and user.is_authenticated else None
        if ends_at and ends_at <= timezone.now():
            raise AuthenticationFailed("Your access has ended. Ask whoever invited you.")
        return super().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
