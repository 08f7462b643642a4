"""`manage.py screenshots DIR`."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mim import screenshots


class Command(BaseCommand):
    help = "Take pictures of every screen of the running installation: wide, dark and on a phone."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where the pictures and index.html go")
        parser.add_argument("--only", default="", help="screens whose name contains one of these: “room,guest”")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"].absolute()
        complained = 0
        try:
            for screen, look, complaint in screenshots.take(folder, settings.PUBLIC_URL, only=options["only"]):
                complained += bool(complaint)
                if complaint or options["verbosity"] > 1:
                    self.stdout.write(f"{screen.name} {look} {screen.path} {complaint}")
        except ImportError:
            raise CommandError(
                "Playwright is not installed. `python3 manage.py test --version` installs the tests' tools."
            ) from None
        self.stdout.write(f"{folder / 'index.html'}: {complained} pictures with a complaint")
        if complained:
            raise SystemExit(1)
