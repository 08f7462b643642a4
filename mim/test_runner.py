"""Django's door to pytest."""

from typing import Any

PARALLEL = ["-n", "auto", "--maxprocesses", "8", "--dist", "loadfile", "--no-loadscope-reorder"]
PARALLEL += ["-m", "not long"]
"""For the whole suite: one process a core, each with its own database and broker; files stay together. What takes
longest has a run of its own, `manage.py test -m long`: the check of every change has a time limit."""


class PytestRunner:
    """What `TEST_RUNNER` names. `run_tests` returns pytest's exit code."""

    def __init__(self, **_: Any) -> None:
        pass

    def run_tests(self, arguments: list[str], **_: Any) -> int:
        """Runs pytest with these arguments; its own closing line is the last thing printed."""
        import pytest

        return int(pytest.main(arguments_for(arguments)))


def arguments_for(given: list[str]) -> list[str]:
    """The whole suite runs on all cores; named files, and whoever chose `-n` or a debugger, as asked."""
    chosen = any(word.startswith(("-n", "-p", "--pdb", "--trace", "--version", "--collect", "tests")) for word in given)
    return [*given] if chosen else [*PARALLEL, *given]
