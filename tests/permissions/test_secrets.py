"""What answers hold: nobody reads in one what another part keeps from them, and public pages hold public text only."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.models import User
from tests.permissions.matrix import ROWS
from tests.permissions.notation import row
from tests.permissions.world import SECRETS

pytestmark = [pytest.mark.django_db, pytest.mark.broad, pytest.mark.timeout(600)]  # the whole world is built once

MAY_READ = {
    "stakeholder": ("own", "foreign"),
    "requester": (),
    "consultant": (),
    "no_role": (),
    "nobody": (),
    "guest": ("own",),
    "other_guest": ("foreign",),
}
"""Whoever is not named here is staff and reads everything."""
PUBLIC = ("/", "/status/", "/healthz", "/readyz", "/api/v1/health", "/api/v1/ready", "/accounts/login/",
          "/accounts/password/reset/", "/api/v1/schema", "/api/v1/docs")  # fmt: skip
BEARER = ("page_answer",)
"""Opened by a signed link out of the message of whoever was paged: it shows what that message says."""
READS = [one for one in ROWS if "GET" in one.methods and one.route not in BEARER]


@pytest.mark.parametrize("actor", MAY_READ)
def test_no_page_shows_what_the_person_may_not_read(asking, actor):
    kept = [secret.encode() for name, secret in SECRETS.items() if name not in MAY_READ[actor]]
    for one in READS:
        if one.expected()[actor] != "ok":
            continue
        response = asking.response(one, "GET", actor)
        shown = b"".join(response) if response.streaming else response.content
        assert not [secret for secret in kept if secret in shown], f"{one} tells {actor}"


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_tells_nobody_a_name_or_an_address_of_a_person(asking, path):
    shown = asking.response(row(path, "GET"), "GET", "nobody").content
    for person in User.objects.all():
        assert person.email.encode() not in shown, f"{path} names {person.email}"


def test_the_status_page_holds_what_was_written_for_users(asking):
    shown = asking.response(row("/status/", "GET"), "GET", "nobody").content.decode()
    assert "Shop" in shown and "We are on it." in shown
    assert "MI-" not in shown and "SEV" not in shown and "meet.example.org" not in shown


def test_the_health_pages_say_no_more_than_their_checks(asking):
    said = json.loads(asking.response(row("/readyz", "GET"), "GET", "nobody").content)
    assert set(said) == {"status", "checks"}
    assert set(said["checks"]) == {"database", "broker", "worker", "beat", "sweeps", "outbox", "intake", "paging"}
    allowed = {"ok", "milliseconds", "reason", "age_seconds", "oldest_unsent_seconds", "oldest_waiting_seconds"}
    allowed |= {"late_pages", "late_seconds"}
    assert {key for check in said["checks"].values() for key in check} <= allowed


def test_whose_access_ends_while_signed_in_is_told_so_at_the_sign_in_page(asking):
    guest = asking.world.people["guest"]
    page = row("war_room", "GET", "MI own")
    assert asking.answer(page, "GET", "guest") == "ok"
    ends_at = guest.access_expires_at
    User.objects.filter(pk=guest.pk).update(access_expires_at=timezone.now() - timedelta(seconds=1))
    assert asking.answer(page, "GET", "guest") == "sign in"
    User.objects.filter(pk=guest.pk).update(access_expires_at=ends_at)
