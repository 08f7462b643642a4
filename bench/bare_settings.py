"""Settings of the bare application that `create_tickets` measures the product against: the same database, no more."""

from mim.settings import *  # noqa: F403

MIDDLEWARE: list[str] = []
INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith("allauth")]  # noqa: F405 (it wants its middleware)
ROOT_URLCONF = "bench.bare"
DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}  # noqa: F405
