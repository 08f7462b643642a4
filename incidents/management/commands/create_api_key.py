"""Issues an API key from the command line and prints only the key."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, NoReturn

from django.core.management.base import BaseCommand
from django.utils import timezone

from incidents.actions import access
from incidents.errors import ProcessError
from incidents.models import Scope, User


class Command(BaseCommand):
    help = "Issue an API key for a person. Prints the key, which cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose key it is")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument("--scopes", default=Scope.READ, help=f"comma-separated: {','.join(Scope.values)}")
        parser.add_argument("--days", type=int, help="days until it expires; never when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["user"].strip()).first()
        if user is None:
            self._refuse(f"Nobody has the address {options['user']}. Invite the person first.")
        now = timezone.now()
        days = options["days"]
        if days is not None and not 1 <= days <= 36_500:
            self._refuse("--days must be between 1 and 36500.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            _, secret = access.issue_key(
                user,
                name=options["name"],
                scopes=scopes,
                expires_at=now + timedelta(days=days) if days else None,
                actor=None,
                at=now,
            )
        except ProcessError as refusal:
            self._refuse(refusal.message)
        self.stdout.write(secret)

    def _refuse(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)
