"""`manage.py test`: pytest, with every argument handed through as it was typed."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.test.utils import get_runner


class Command(BaseCommand):
    help = "Run the tests: every argument goes to pytest, for example `manage.py test tests/incidents -k declare`."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Takes the arguments before Django's own parser, which would refuse pytest's."""
        raise SystemExit(get_runner(settings)().run_tests(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit(get_runner(settings)().run_tests([str(arg) for arg in args]))
