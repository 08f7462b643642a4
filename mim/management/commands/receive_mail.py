"""The listener for e-mail in, as a program of its own."""

import argparse
import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.intake.email.listener import Listening, serve
from mim.env import env


class Command(BaseCommand):
    requires_system_checks = ()  # they load every view, which no mail needs
    help = "Take mail by SMTP or LMTP until stopped: mail to the desk's addresses is stored and becomes tickets."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=env.str("MIM_MAIL_IN_HOST", default="127.0.0.1"))
        parser.add_argument("--port", type=int, default=env.int("MIM_MAIL_IN_PORT", default=2526))
        parser.add_argument(
            "--lmtp",
            action="store_true",
            default=env.bool("MIM_MAIL_IN_LMTP", default=False),
            help="speak LMTP, for a mail server on this machine or network",
        )

    def handle(self, *args: Any, host: str, port: int, lmtp: bool, **options: Any) -> None:
        certificate = env.str("MIM_MAIL_IN_CERTIFICATE", default="")
        listening = Listening(host, port, lmtp, certificate, env.str("MIM_MAIL_IN_KEY", default=""))
        try:
            asyncio.run(serve(listening))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from error
