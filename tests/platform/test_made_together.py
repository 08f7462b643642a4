"""A database made in one step is the one that grew step by step, to the last index."""

import psycopg2
import pytest

from mim.embedded import throwaway
from tests.platform.conftest import Installation, environment_for

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(400)]

STEP_BY_STEP = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
executor.loader.replace_migrations = False
executor.loader.build_graph()
executor.migrate([node for node in executor.loader.graph.leaf_nodes() if "_squashed_" not in node[1]])
"""
DESCRIBED = (
    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid), CASE WHEN contype IN ('f', 'p') THEN ''"
    " ELSE conname END FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "SELECT row_to_json(rule)::jsonb - 'id' - 'created_at' FROM incidents_alertrule rule",
)


def described(url: str) -> list[list[tuple]]:
    """Columns, constraints, indexes, triggers, functions and the rules every desk begins with, in a fixed order."""
    found = []
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        for query in DESCRIBED:
            cursor.execute(query)
            found.append(sorted(cursor.fetchall(), key=repr))
    return found


def test_one_step_makes_what_many_steps_make():
    with throwaway.folder() as home, throwaway.postgres(home) as (cluster, server):
        grown, made = f"{cluster.url}_grown", f"{cluster.url}_made"
        connection = psycopg2.connect(cluster.url)
        connection.autocommit = True
        for url in (grown, made):
            connection.cursor().execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
        connection.close()
        product = Installation(home, cluster, server, None, environment_for(home, grown, "redis://127.0.0.1:1/0"))
        done = product.manage("shell", "-c", STEP_BY_STEP)
        assert done.returncode == 0, done.stderr
        done = product.manage("migrate", DATABASE_URL=made)
        assert done.returncode == 0 and "_squashed_" in done.stdout, done.stderr
        for before, after in zip(described(grown), described(made), strict=True):
            assert before == after and before
        assert product.manage("migrate", "--check").returncode == 0
