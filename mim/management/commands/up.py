"""Starts the whole product."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from mim.embedded import supervisor


class Command(BaseCommand):
    help = "Start the whole product: PostgreSQL and Valkey where none is configured, web, live stream, worker, mail."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        supervisor.arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit("Start it as `python3 manage.py up`, so that the servers are up before Django is.")
