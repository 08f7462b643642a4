"""manage.py import_incidents FILE.csv|FILE.json"""

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from incidents.errors import Invalid
from metrics.history_import import RowResult, import_rows, read_csv, read_json

BAR = 30


class Command(BaseCommand):
    help = (
        "Import past major incidents. Good rows go in, running it twice changes nothing."
        " Exit code 1 when a row was rejected."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a .csv or .json file")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = self._read(options["file"])
        results = import_rows(
            rows,
            actor=None,
            at=timezone.now(),
            is_dry_run=options["dry_run"],
            progress=lambda done: self._progress(done, len(rows)),
        )
        self._report(results, is_dry_run=options["dry_run"])
        if any(result.status == "rejected" for result in results):
            sys.exit(1)

    def _read(self, path: Path) -> list[Any]:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as trouble:
            raise CommandError(f"{path}: {trouble.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
        readers = {".csv": read_csv, ".json": read_json}
        if path.suffix.lower() not in readers:
            raise CommandError(f"{path.name}: give a .csv or a .json file.")
        try:
            return readers[path.suffix.lower()](text)
        except Invalid as refusal:
            raise CommandError(refusal.message) from None

    def _progress(self, done: int, total: int) -> None:
        """A bar on a terminal, nothing where nobody watches."""
        if not self.stderr.isatty():
            return
        filled = BAR * done // max(total, 1)
        self.stderr.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}", ending="")
        if done >= total:
            self.stderr.write("")

    def _report(self, results: list[RowResult], *, is_dry_run: bool) -> None:
        for result in results:
            for name, sentences in result.errors.items():
                self.stderr.write(
                    f"row {result.row} ({result.external_id or 'no external_id'}): {name}: {' '.join(sentences)}"
                )
        counts = ", ".join(
            f"{sum(result.status == status for result in results)} {status}"
            for status in ("created", "updated", "unchanged", "rejected")
        )
        self.stdout.write(f"{'Would be: ' if is_dry_run else ''}{counts}")
