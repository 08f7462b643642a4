"""How `manage.py test` hands its arguments to pytest, and how parallel workers keep apart."""

import os
import subprocess
import sys

import pytest

from mim.embedded.bootstrap import ROOT
from mim.test_runner import PARALLEL, arguments_for


def test_the_whole_suite_runs_on_all_cores():
    assert arguments_for([]) == PARALLEL
    assert arguments_for(["-m", "not browser"]) == [*PARALLEL, "-m", "not browser"]


@pytest.mark.parametrize("given", [["tests/incidents"], ["-n", "0"], ["-n4"], ["--pdb"], ["--version"]])
def test_what_was_asked_for_is_run_as_asked(given):
    assert arguments_for(given) == given


@pytest.mark.parametrize(
    ("worker", "given", "own"),
    [
        ("", "redis://127.0.0.1:6379/9", "redis://127.0.0.1:6379/9"),
        ("gw0", "redis://127.0.0.1:6379/9", "redis://127.0.0.1:6379/10"),
        ("gw1", "redis://127.0.0.1:6379/9", "redis://127.0.0.1:6379/11"),
        ("gw7", "redis://127.0.0.1:6379/9", "redis://127.0.0.1:6379/1"),
        ("gw1", "redis://127.0.0.1:6379", "redis://127.0.0.1:6379/2"),
    ],
)
def test_each_worker_has_a_broker_of_its_own(worker, given, own):
    code = "import os, tests.parallel; print(os.environ['REDIS_URL'])"
    environment = {**os.environ, "REDIS_URL": given, "PYTEST_XDIST_WORKER": worker}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert said.stdout.strip() == own
