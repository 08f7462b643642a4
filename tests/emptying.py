"""Emptying the database after a test that committed: only what holds rows, in one transaction.

Django's own flush truncates every table and makes all content types and permissions again, a second a test.
"""

from functools import cache
from typing import Any

from django.db import connections, transaction
from django.test import TransactionTestCase

_KEPT = {"django_content_type", "auth_permission"}
"""Made by the migrations, the same for ever."""
_flush = TransactionTestCase._fixture_teardown


def use() -> None:
    """For every transactional test of this process."""
    TransactionTestCase._fixture_teardown = _empty


def _empty(case: Any) -> None:
    connection = connections["default"]
    if not _may_skip_triggers():
        return _flush(case)
    with connection.cursor() as cursor:
        cursor.execute(_question())
        filled = [name for (name,) in cursor.fetchall()]
    with transaction.atomic(), connection.cursor() as cursor:
        # The record refuses to be deleted, and the order of the tables does not matter so.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in filled:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608
    return None


@cache
def _may_skip_triggers() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


@cache
def _question() -> str:
    connection = connections["default"]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quote = connection.ops.quote_name
    return " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quote(name)})"  # noqa: S608
        for name in names
        if name not in _KEPT
    )
