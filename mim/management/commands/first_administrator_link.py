"""`manage.py first_administrator_link`: for installations that `up` does not run."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from mim.first_administrator import administrator_exists
from mim.first_administrator_token import make_token


class Command(BaseCommand):
    help = "Print a link, good once and for a day, that makes the first administrator."

    def handle(self, *args: Any, **options: Any) -> None:
        if administrator_exists():
            raise CommandError("There is an administrator already; that person invites the others.")
        self.stdout.write(settings.PUBLIC_URL + reverse("first_administrator", args=[make_token()]))
