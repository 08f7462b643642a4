#!/usr/bin/env python3
"""The one door: `up` runs the product, `test` runs its tests, everything else is a Django command.

This file must parse on any Python, so that an old one gets a sentence instead of a SyntaxError.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "MIM needs Python 3.11 or newer, and this is Python {}.{} ({}).\n"
        "Start it with a newer one, for example: python3.11 manage.py {}\n"
        "On Debian and Ubuntu: sudo apt-get install python3.11 python3.11-venv".format(
            sys.version_info[0], sys.version_info[1], sys.executable, " ".join(sys.argv[1:])
        )
    )

import os

from mim.embedded import bootstrap


def main(argv):
    command = argv[1] if len(argv) > 1 else ""
    bootstrap.make_ready(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")
    if command == "up" and not {"-h", "--help"} & set(argv):
        from mim.embedded.supervisor import main as up

        return up(argv[2:])
    if command == "test":
        from mim.embedded.throwaway import servers_where_unset

        with servers_where_unset():
            return run_django(argv)
    from mim.embedded.services import adopt_running_services

    adopt_running_services()
    return run_django(argv)


def run_django(argv):
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(argv)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) is not None:
            raise  # the database answered; this is something else
        sys.stderr.write(no_database(str(error)))
        return 1
    return 0


def no_database(reason):
    from django.conf import settings

    given = settings.DATABASES["default"]
    if given["PORT"] == 1:
        advice = (
            "No database is configured. Start one with `python3 manage.py up` in another shell, or set DATABASE_URL."
        )
    else:
        advice = "The database at {}:{} does not let us in. Check DATABASE_URL.".format(given["HOST"], given["PORT"])
    return "{}\n{}\n".format(advice, reason.strip().splitlines()[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
