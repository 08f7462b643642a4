"""Everything that must be done before a start, safe to run from several machines at once."""

import argparse
import threading
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import connection

from notifications.demo import tell_the_past

# Any constant works; every process of one installation must use the same.
ADVISORY_LOCK = 7_263_541


class Command(BaseCommand):
    help = "Bring the database to this version, collect the static files, and with --demo load the demo organisation."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo organisation into an empty database")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        files = threading.Thread(target=collect_static, name="static files")
        files.start()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
            if options["demo"] and "load_demo" in get_commands() and not get_user_model().objects.exists():
                self.stdout.write("Loading the demo organisation …")
                self.stdout.flush()
                call_command("load_demo", stdout=StringIO())  # `up` says how to sign in
                tell_the_past()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
            files.join()
        if not (settings.STATIC_ROOT / "staticfiles.json").exists():
            raise SystemExit(1)


def collect_static() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
