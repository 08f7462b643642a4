"""Django's door to pytest."""

from typing import Any


class PytestRunner:
    """What `TEST_RUNNER` names. `run_tests` returns pytest's exit code."""

    def __init__(self, **_: Any) -> None:
        pass

    def run_tests(self, arguments: list[str], **_: Any) -> int:
        """Runs pytest with these arguments; its own closing line is the last thing printed."""
        import pytest

        return int(pytest.main(list(arguments)))
