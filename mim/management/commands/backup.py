"""`manage.py backup FILE`."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mim import backup


class Command(BaseCommand):
    help = "Write the database and the attachments into one file."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="file to make; it must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["file"].absolute()
        try:
            made = backup.write(target, at=timezone.now())
        except backup.BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(f"{target} could not be written: {error.strerror}.") from None
        self.stdout.write(f"{target}: {made.files} files, {made.size_bytes / 1024 / 1024:.1f} MB")
