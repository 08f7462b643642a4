"""manage.py export_everything FILE.zip"""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.full_export import archive


class Command(BaseCommand):
    help = (
        "Write every record of the desk as JSON lines and CSV into one ZIP, without passwords, keys and other secrets."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the .zip to write; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("xb") as file:
                for piece in archive():
                    file.write(piece)
        except FileExistsError:
            raise CommandError(f"{path} exists already. Choose another name.") from None
        except OSError as trouble:
            raise CommandError(f"{path}: {trouble.strerror}.") from None
        self.stdout.write(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
