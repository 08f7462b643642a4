"""One world for the whole matrix; what a request changes is rolled back."""

import pytest
from django.db import transaction
from django.test import override_settings

from tests.permissions.asking import Asking
from tests.permissions.world import build


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, media):
    """Built once: two outages, their people, a browser and a key for each."""
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), transaction.atomic():
        yield Asking(build())
        transaction.set_rollback(True)


@pytest.fixture
def asking(world, media, settings):
    """Asks one request of the matrix. The files of the world stay where they were put."""
    settings.MEDIA_ROOT = media
    settings.ACCOUNT_RATE_LIMITS = False  # everybody here asks from one address
    return world
