"""Every way `up` cannot start is a sentence that says what to do."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mim.embedded import failures, postgres, supervisor, throwaway
from mim.embedded.accounts import server_account
from mim.embedded.binaries import locate_postgres
from mim.embedded.failures import CannotStart
from mim.embedded.installation import hold
from mim.embedded.ports import free_port, require_free
from mim.embedded.postgres import Cluster
from mim.embedded.services import ROOT
from tests.platform.conftest import environment_for


@pytest.fixture
def home():
    with throwaway.folder() as path:
        yield path


def cluster_in(home: Path) -> Cluster:
    account = server_account()
    programs = locate_postgres(account)
    return Cluster(programs, home / f"postgres-{programs.major}", home / "password", account, free_port(), True)


def test_a_taken_port_names_another_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} .* is taken .*--port"):
            require_free("127.0.0.1", port)


def test_an_address_of_another_machine_is_explained():
    with pytest.raises(CannotStart, match="not an address of this machine"):
        require_free("192.0.2.7", 8000)


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", ""])
def test_a_port_that_is_none_names_the_field(text, capsys):
    with pytest.raises(SystemExit):
        supervisor.main(["--port", text])
    assert "--port" in capsys.readouterr().err


def test_a_nearly_full_disk_says_how_much_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(failures, "LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(CannotStart, match=r"has only \d+ MB free"):
        failures.require_space(tmp_path)


def test_a_full_disk_met_while_writing_is_not_a_traceback(tmp_path):
    sentence = str(failures.from_os_error(OSError(errno.ENOSPC, "No space left on device"), tmp_path))
    assert "is full. Free some space" in sentence


def test_a_folder_that_may_not_be_written_says_so(tmp_path):
    sentence = str(failures.from_os_error(PermissionError(errno.EACCES, "Permission denied", "/x"), tmp_path))
    assert "may not write /x" in sentence and "MIM_VAR_DIR" in sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_account_names_both(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(CannotStart, match="belongs to user nobody, and this is root"):
        failures.require_own_folder(tmp_path, owner=0)


def test_a_second_start_in_the_same_folder_says_that_the_first_still_runs(tmp_path):
    with hold(tmp_path), pytest.raises(CannotStart, match="already running"), hold(tmp_path):
        pass


def test_a_data_folder_of_another_program_is_left_alone(home):
    cluster = cluster_in(home)
    cluster.data.mkdir()
    (cluster.data / "ibdata1").write_text("not ours")
    with pytest.raises(CannotStart, match="files of another program"):
        cluster.create()
    assert (cluster.data / "ibdata1").read_text() == "not ours"


def test_data_of_another_major_version_is_left_alone(home):
    cluster = cluster_in(home)
    cluster.data.mkdir()
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="made by PostgreSQL 9"):
        cluster.create()


def test_data_of_a_version_that_left_the_machine_is_not_replaced_by_an_empty_database(home):
    old = home / "postgres-9"
    old.mkdir()
    (old / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="PostgreSQL 9, which is not on this machine"):
        postgres.open_cluster(home, server_account(), free_port())


def test_data_whose_password_is_gone_says_where_it_was(home):
    cluster = cluster_in(home)
    cluster.create()
    cluster.password_file.unlink()
    with pytest.raises(CannotStart, match="password file .* is gone"):
        cluster.create()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_data_of_another_owner_is_left_alone(home):
    cluster = cluster_in(home)
    cluster.create()
    os.chown(cluster.data, 12345, 12345)
    with pytest.raises(CannotStart, match="belongs to another account"):
        cluster.create()


@pytest.mark.parametrize(("name", "address"), [("DATABASE_URL", "mysql://x/y"), ("REDIS_URL", "127.0.0.1:6379")])
def test_an_address_of_the_wrong_kind_shows_a_right_one(name, address, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MIM_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv(name, address)
    assert supervisor.main(["--port", str(free_port())]) == 1
    assert f"{name} must begin with" in capsys.readouterr().err


def test_a_command_without_any_database_says_how_to_get_one(tmp_path):
    environment = environment_for(tmp_path, "", "")
    refused = subprocess.run(
        [sys.executable, "manage.py", "migrate"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "manage.py up" in refused.stderr and "Traceback" not in refused.stderr
