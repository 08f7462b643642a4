"""A database made by the previous commit comes forward to this one, and ends up like a fresh one."""

import subprocess
import sys
from pathlib import Path

import pytest

from mim.embedded import throwaway
from mim.embedded.services import ROOT
from tests.platform.conftest import environment_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
MIGRATIONS = "*/migrations/*.py"


def git(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)


def previous_commit_with_other_migrations() -> str:
    if git("rev-parse", "--verify", "--quiet", "HEAD~1").returncode != 0:
        pytest.skip("there is no commit before this one here")
    if git("diff", "--quiet", "HEAD~1", "HEAD", "--", MIGRATIONS).returncode == 0:
        pytest.skip("the previous commit has the same migrations")
    if not git("ls-tree", "-r", "--name-only", "HEAD~1", "--", "incidents/migrations").stdout.strip():
        pytest.skip("the previous commit had no tables")
    return git("rev-parse", "HEAD~1").stdout.strip()


def migrate(code: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=code, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def schema(cluster) -> list[str]:
    dumped = subprocess.run(
        [cluster.programs.program("pg_dump"), "--schema-only", "--no-owner", f"--dbname={cluster.url}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(line.rstrip(",") for line in dumped.stdout.splitlines() if line and not line.startswith(("--", "\\")))


def test_the_previous_commits_database_comes_forward():
    before = previous_commit_with_other_migrations()
    with throwaway.folder() as home:
        old_code = home / "before"
        assert git("worktree", "add", "--detach", str(old_code), before).returncode == 0
        try:
            with throwaway.postgres(home / "a") as (upgraded, _), throwaway.postgres(home / "b") as (fresh, _):
                environment = environment_for(home, upgraded.url, "redis://127.0.0.1:1/0")
                migrate(old_code, environment)
                migrate(ROOT, environment)
                migrate(ROOT, environment | {"DATABASE_URL": fresh.url})
                assert schema(upgraded) == schema(fresh)
        finally:
            git("worktree", "remove", "--force", str(old_code))
