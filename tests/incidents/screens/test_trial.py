"""Trying an integration out: the example goes the whole way and makes no noise; fields are mapped on a real body."""

import html
import json

import pytest
from django.urls import reverse

from incidents.intake.monitoring import processing, registry, trial
from incidents.models import Alert, Candidate, Payload, Ticket
from tests.incidents.screens.monitoring import payload, sender

pytestmark = pytest.mark.django_db
KINDS = [kind for kind in registry.adapters() if kind not in trial.UNTRIED]


@pytest.fixture
def at_work(signed_in, service_desk_manager):
    return signed_in(service_desk_manager, htmx=True)


def text_of(response) -> str:
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_each_kind_becomes_an_alert_nobody_is_called_for(at_work, service_desk_manager, kind):
    row = sender(kind, actor=service_desk_manager)
    waiting = at_work.post(reverse("integration_test", args=[row.pk]))
    assert "It is stored" in text_of(waiting) and "load delay:1s" in text_of(waiting)
    kept = Payload.objects.get()
    processing.process(row.pk)
    alert = Alert.objects.get()
    outcome = text_of(at_work.get(reverse("test_outcome", args=[kept.pk])))
    assert "marked as a test" in outcome and "load delay" not in outcome
    assert (alert.is_drill, alert.status) == (True, "firing")
    assert not Ticket.objects.exists() and not Candidate.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_a_test_ends_its_alert(at_work, service_desk_manager, kind):
    row = sender(kind, actor=service_desk_manager)
    for says in ("firing", "resolved"):
        at_work.post(reverse("integration_test", args=[row.pk]), {"says": says})
        processing.process(row.pk)
    assert not Alert.objects.filter(ended_at__isnull=True).exists()


def test_a_test_of_what_is_off_or_not_tried_says_so(at_work, service_desk_manager):
    off = sender(actor=service_desk_manager, is_active=False)
    refused = at_work.post(reverse("integration_test", args=[off.pk]))
    assert refused.status_code == 422 and "Switch it on first" in text_of(refused)
    beat = sender("heartbeat", actor=service_desk_manager)
    assert at_work.post(reverse("integration_test", args=[beat.pk])).status_code == 422
    assert "Send a test" not in text_of(at_work.get(reverse("integration", args=[beat.pk])))
    assert not Payload.objects.exists()


BODY = json.dumps({"what": {"name": "Disk"}, "host": "db-3", "prio": "1", "s": "bad", "tags": {"env": "prod"}}).encode()
MAPPING = {
    "title": "what.name", "key": "host, what.name", "state_path": "s", "state_firing": "bad, worse",
    "state_resolved": "ok", "severity_path": "prio", "severity_critical": "1", "labels": "env=tags.env",
}  # fmt: skip


@pytest.fixture
def old_box(service_desk_manager):
    return sender("generic", actor=service_desk_manager, settings={"signature_header": "x-signature"})


def test_a_mapping_is_tried_on_the_newest_real_body_before_it_is_saved(at_work, old_box):
    kept = payload(old_box, BODY)
    shown = at_work.post(reverse("mapping_preview", args=[old_box.pk]), {**MAPPING, "payload": kept.pk})
    (signal,) = shown.context["signals"]
    assert (signal.title, signal.key, signal.says, signal.severity) == ("Disk", "db-3/Disk", "firing", "critical")
    assert signal.labels == {"env": "prod"}
    old_box.refresh_from_db()
    assert old_box.settings == {"signature_header": "x-signature"}


def test_a_saved_mapping_shows_again_as_it_was_typed_and_leaves_other_settings(at_work, old_box):
    page = reverse("integration_mapping", args=[old_box.pk])
    at_work.post(page, MAPPING)
    old_box.refresh_from_db()
    assert old_box.settings == {
        "signature_header": "x-signature", "title": "what.name", "key": ["host", "what.name"],
        "state": {"path": "s", "firing": ["bad", "worse"], "resolved": ["ok"]},
        "severity": {"path": "prio", "critical": ["1"]}, "labels": {"env": "tags.env"},
    }  # fmt: skip
    initial = at_work.get(page).context["form"].initial
    assert {name: initial[name] for name in MAPPING} == MAPPING


def test_a_path_that_leads_nowhere_is_named_in_the_preview(at_work, old_box):
    kept = payload(old_box, BODY)
    given = {"key": "nowhere", "payload": kept.pk}
    assert "There is nothing at “nowhere”" in text_of(
        at_work.post(reverse("mapping_preview", args=[old_box.pk]), given)
    )


def test_words_of_a_state_need_the_place_of_the_state(at_work, old_box):
    refused = at_work.post(reverse("integration_mapping", args=[old_box.pk]), {"state_resolved": "ok"})
    assert refused.status_code == 422 and "Say where the field is" in text_of(refused)
    hostile = {"title": "[[[[..]", "items": "$." * 200, "payload": "9" * 15}
    assert at_work.post(reverse("mapping_preview", args=[old_box.pk]), hostile).status_code == 200


def test_without_a_body_the_preview_shows_an_example(at_work, old_box):
    assert "An example: nothing came yet" in text_of(at_work.get(reverse("integration_mapping", args=[old_box.pk])))
