"""Integrations: connected in two steps, the key seen once, what came by them shown as text and nothing else."""

import html

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.models import Integration, Payload
from incidents.models.access import digest
from incidents.sealed import unseal
from tests.incidents.screens.monitoring import alert, payload, sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_work(signed_in, service_desk_manager):
    return signed_in(service_desk_manager)


@pytest.fixture
def connected(service_desk_manager):
    return sender(actor=service_desk_manager, name="Prometheus")


def text_of(response) -> str:
    return html.unescape(response.content.decode())


def test_without_any_the_page_says_what_to_connect_first(at_work):
    assert "Begin with the tool that wakes people today" in text_of(at_work.get(reverse("integrations")))


def test_a_kind_is_chosen_from_tiles_then_named_and_the_key_is_shown_on_one_page_once(at_work, settings):
    tiles = text_of(at_work.get(reverse("integration_new")))
    assert "?kind=alertmanager" in tiles and "?kind=heartbeat" in tiles and "?kind=api" not in tiles
    answer = at_work.post(reverse("integration_new") + "?kind=alertmanager", {"name": "Prometheus"})
    row = Integration.objects.get()
    assert answer["Location"] == reverse("integration_key", args=[row.pk])
    kept = at_work.session["new_integration_key"]
    page = at_work.get(answer["Location"])
    key = unseal(kept).partition('"secret": "')[2].partition('"')[0]
    assert digest(key) == row.key_sha256
    assert key not in kept
    assert f"{settings.PUBLIC_URL}/in/alertmanager/{key}" in text_of(page)
    assert page["Cache-Control"] == "no-store"
    again = at_work.get(answer["Location"], follow=True)
    assert again.redirect_chain[0][0] == reverse("integration", args=[row.pk])
    assert key not in text_of(again)


def test_a_name_that_is_taken_is_said_and_nothing_typed_is_lost(at_work, connected):
    answer = at_work.post(reverse("integration_new") + "?kind=grafana", {"name": connected.name})
    assert answer.status_code == 422
    assert "There is an integration called “Prometheus” already." in text_of(answer)
    assert 'value="Prometheus"' in text_of(answer)


def test_a_heartbeat_is_asked_for_its_rhythm_in_minutes(at_work):
    given = {"name": "Backup", "every_minutes": "1.5", "grace_minutes": "2"}
    at_work.post(reverse("integration_new") + "?kind=heartbeat", given)
    row = Integration.objects.get()
    assert (row.expected_every_seconds, row.grace_seconds) == (90, 120)
    at_work.post(reverse("integration_edit", args=[row.pk]), {**given, "every_minutes": "60"})
    row.refresh_from_db()
    assert (row.expected_every_seconds, row.grace_seconds) == (3600, 120)


def test_settings_nobody_is_asked_for_stay_when_others_are_changed(at_work, service_desk_manager):
    row = sender("zabbix", actor=service_desk_manager, settings={"own": 1, "time_zone": "UTC"})
    at_work.post(
        reverse("integration_edit", args=[row.pk]),
        {"name": row.name, "time_zone": "Europe/Berlin", "flapping_changes": "4", "flapping_seconds": ""},
    )
    row.refresh_from_db()
    assert row.settings == {"own": 1, "time_zone": "Europe/Berlin", "flapping_changes": 4}


def test_a_new_key_takes_the_place_of_the_old_one(at_work, connected):
    before = connected.key_sha256
    answer = at_work.post(reverse("integration_rotate", args=[connected.pk]), follow=True)
    connected.refresh_from_db()
    assert connected.key_sha256 != before
    assert f"/in/alertmanager/{connected.key_prefix}" in text_of(answer)


def test_two_secrets_are_good_at_a_time_and_none_is_ever_shown(at_work, service_desk_manager):
    row = sender("grafana", actor=service_desk_manager)
    add = reverse("secret_new", args=[row.pk])
    for secret in ("first secret", "second secret"):
        assert at_work.post(add, {"secret": secret}).status_code == 302
    refused = at_work.post(add, {"secret": "third secret"})
    assert refused.status_code == 422 and "Two secrets are good already" in text_of(refused)
    row.refresh_from_db()
    assert [unseal(one) for one in row.signing_secrets] == ["second secret", "first secret"]
    page = text_of(at_work.get(reverse("integration", args=[row.pk])))
    assert "first secret" not in page
    names = [name for name, _ in at_work.get(reverse("integration", args=[row.pk])).context["secrets"]]
    at_work.post(reverse("secret_remove", args=[row.pk, names[1]]))
    row.refresh_from_db()
    assert [unseal(one) for one in row.signing_secrets] == ["second secret"]


def test_what_was_used_is_switched_off_and_not_deleted(at_work, connected):
    payload(connected)
    refused = at_work.post(reverse("integration_delete", args=[connected.pk]))
    assert refused.status_code == 422 and "Switch it off instead" in text_of(refused)
    at_work.post(reverse("integration_switch", args=[connected.pk]), {"on": "no"})
    connected.refresh_from_db()
    assert connected.is_active is False
    Payload.objects.all().delete()
    at_work.post(reverse("integration_delete", args=[connected.pk]))
    assert not Integration.objects.exists()


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "silent"),
        ({"payload": "done"}, "ok"),
        ({"payload": "refused"}, "failing"),
        ({"is_active": False}, "off"),
    ],
)
def test_the_list_says_how_each_does(at_work, connected, change, state):
    if kept := change.pop("payload", None):
        payload(connected, state=kept)
    Integration.objects.filter(pk=connected.pk).update(**change)
    ((row, _, health),) = at_work.get(reverse("integrations")).context["rows"]
    assert (row, health.state) == (connected, state)


def test_a_heartbeat_that_is_overdue_is_late(at_work, service_desk_manager):
    row = sender("heartbeat", actor=service_desk_manager)
    past = timezone.now() - timezone.timedelta(hours=1)
    Integration.objects.filter(pk=row.pk).update(last_beat_at=past, beat_due_at=past)
    ((_, _, health),) = at_work.get(reverse("integrations")).context["rows"]
    assert (health.state, health.is_late) == ("late", True)


def test_a_body_is_shown_as_text_whatever_it_holds(at_work, connected):
    hostile = b'<script>alert(1)</script>\x00\xff{"a": "</pre><img src=x onerror=alert(1)>"}'
    kept = payload(connected, hostile, headers={"user-agent": "<b>x</b>"}, state="refused", reason="Not <JSON>.")
    page = at_work.get(reverse("payload", args=[kept.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;␀\ufffd" in page
    assert "<script>alert" not in page and "<img src=x" not in page and "<b>x</b>" not in page
    assert "Not &lt;JSON&gt;." in page


def test_what_failed_is_replayed_one_by_one_or_all_at_once(at_work, connected):
    one, two, three = (payload(connected, state="failed", reason="Broke") for _ in range(3))
    at_work.post(reverse("payload_replay", args=[one.pk]))
    assert Payload.objects.filter(state="waiting").count() == 1
    answer = at_work.post(reverse("payloads_replay", args=[connected.pk]), follow=True)
    assert "2 are processed again." in text_of(answer)
    assert not Payload.objects.filter(state="failed").exists()


def test_a_technician_is_told_whose_it_is(at_desk, connected):
    for name, arguments in (("integrations", []), ("integration", [connected.pk]), ("integration_new", [])):
        refused = at_desk.get(reverse(name, args=arguments))
        assert refused.status_code == 403
        assert "an administrator or a service desk manager" in text_of(refused)


@pytest.mark.parametrize("count", [1, 10, 100])
def test_pages_of_integrations_keep_their_budget(at_work, service_desk_manager, count, django_assert_max_num_queries):
    for _ in range(count):
        row = sender(actor=service_desk_manager)
        alert(row)
        kept = payload(row, state="refused")
    for number in range(count):
        payload(row, state="failed" if number % 2 else "done")
    with django_assert_max_num_queries(9):
        at_work.get(reverse("integrations"))
    with django_assert_max_num_queries(11):
        at_work.get(reverse("integration", args=[row.pk]))
    with django_assert_max_num_queries(6):
        at_work.get(reverse("payload", args=[kept.pk]))
