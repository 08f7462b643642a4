"""manage.py load_demo"""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from metrics.demo import load
from metrics.demo.organisation import MAIL_DOMAIN, NAME


class Command(BaseCommand):
    help = "Load the demo organisation with eighteen months of history. Does nothing when it is there already."

    def handle(self, *args: Any, **options: Any) -> None:
        if load.is_loaded():
            self.stdout.write(f"{NAME} is loaded already. The password is in {load.password_file()}.")
            return
        done = load.load(at=timezone.now())
        names = ", ".join(f"{name}@{MAIL_DOMAIN}" for name in load.SIGN_IN_NAMES)
        self.stdout.write(
            f"{NAME}: {done.ticket_count} tickets, {done.incident_count} past major incidents,"
            f" {done.candidate.ref} open.\n"
            f"Sign in as one of {names}\n"
            f"with the password {done.password} (kept in {load.password_file()})."
        )
