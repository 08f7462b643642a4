"""`manage.py restore FILE`."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mim import backup


class Command(BaseCommand):
    help = "Put the content of a backup in the place of the database and the attachments."
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file made by `manage.py backup`")
        parser.add_argument("--replace", action="store_true", help="throw the present content away")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = backup.restore(options["file"].absolute(), replace=options["replace"])
        except backup.BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(f"Restoring failed: {error.strerror} ({error.filename}).") from None
        self.stdout.write(f"Restored {found.files} files, as they were at {found.made_at}.")
