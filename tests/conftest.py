"""The people every story needs."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Browser, expect, sync_playwright

from incidents.models import Organisation, User
from mim.watchman import Watchman
from notifications.webhooks import outbox
from tests import emptying, factories

# Playwright keeps an event loop in the process that drove a browser; tests after it still use the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


expect.set_options(timeout=15_000)  # a loaded machine answers late; what never comes fails all the same

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


emptying.use()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a process: Playwright starts only once in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _files_of_tests_stay_away(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(scope="session", autouse=True)
def _assets_by_their_own_names():
    """No collectstatic before tests: pages name their assets without the hash. For the whole run: between two tests
    a late request of a browser would find the storage of a real installation, and keep it."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(autouse=True)
def _updates_leave_at_once(monkeypatch):
    """Stories about the waiting time set it; the others read what they published."""
    monkeypatch.setattr(Organisation._meta.get_field("update_hold_seconds"), "_get_default", lambda: 0)


@pytest.fixture(autouse=True)
def _nobody_watches(monkeypatch):
    """No worker beats in the process of the tests: what a watchman there said would stand on everybody's pages."""
    monkeypatch.setattr(Watchman, "start", lambda _self: None)


@pytest.fixture(autouse=True)
def _nobody_listens():
    """What webhooks want is remembered by the process; what a test made is not there in the next one."""
    outbox.listeners.know((), 3600)


@pytest.fixture
def minute():
    """A fixed moment (aware, UTC) plus n minutes."""
    return factories.minute


@pytest.fixture
def organisation(db):
    return factories.organisation()


@pytest.fixture
def checkout(organisation):
    return factories.service("Checkout", tier=1, cost_per_hour=12_000)


def _person(role: str, name: str):
    @pytest.fixture(name=name)
    def fixture(organisation) -> User:
        return factories.person(*([role] if role else []), name=name.replace("_", " ").title())

    return fixture


technician = _person("service_desk_technician", "technician")
manager = _person("major_incident_manager", "manager")
deputy = _person("major_incident_manager", "deputy")
engineer = _person("technical_staff", "engineer")
change_manager = _person("change_manager", "change_manager")
problem_manager = _person("problem_manager", "problem_manager")
management = _person("management", "management")
stakeholder = _person("key_stakeholder", "stakeholder")
service_desk_manager = _person("service_desk_manager", "service_desk_manager")
requester = _person("requester", "requester")
administrator = _person("administrator", "administrator")
outsider = _person("", "outsider")


@pytest.fixture
def consultant(organisation) -> User:
    return factories.person("external_consultant", name="Consultant", is_guest=True)
