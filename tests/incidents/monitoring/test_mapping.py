"""The generic adapter: mapped by the user, guessed where nothing is mapped."""

import json

import pytest

from incidents.intake.monitoring.generic import preview
from incidents.intake.monitoring.mapping import faults, look_up
from incidents.intake.monitoring.shape import Grade, Malformed, Says

BODY = {
    "group": {"name": "disks", "url": "https://x.example.com"},
    "list": [
        {"id": 7, "a.b": "dotted", "tags": {"service": "Shop"}, "st": "KO"},
        {"id": 8, "a.b": "", "tags": {}, "st": "Fine"},
    ],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("group.name", "disks"),
        ("list[0].id", 7),
        ("list.1.id", 8),
        ('list[0]["a.b"]', "dotted"),
        ("list[0].a.b", None),
        ("list[9].id", None),
        ("group.name.more", None),
        ("nothing", None),
        ("", {**BODY}),
    ],
)
def test_a_path_leads_into_the_body(path, found):
    assert look_up(BODY, path) == found


def test_several_alerts_of_one_body_may_use_what_stands_around_them():
    settings = {
        "items": "list",
        "key": ["$.group.name", "id"],
        "title": ["$.group.name", "id"],
        "service": "tags.service",
        "link": "$.group.url",
        "state": {"path": "st", "resolved": ["fine"], "otherwise": "firing"},
        "severity": {"path": "st", "map": {"KO": "critical"}, "otherwise": "info"},
    }
    first, second = preview(settings, json.dumps(BODY).encode())
    assert (first.key, first.title, first.service, first.says) == ("disks/7", "disks 7", "Shop", Says.FIRING)
    assert (first.link, first.severity) == ("https://x.example.com", Grade.CRITICAL)
    assert (second.key, second.says, second.severity) == ("disks/8", Says.RESOLVED, Grade.INFO)


def test_a_path_of_the_key_that_leads_nowhere_names_the_item():
    with pytest.raises(Malformed) as refusal:
        preview({"items": "list", "key": "a.b"}, json.dumps(BODY).encode())
    assert refusal.value.sentence.startswith("item 2: ")


@pytest.mark.parametrize(
    ("body", "key", "says", "title"),
    [
        ({"id": 1, "title": "T", "status": "ok"}, "1", Says.RESOLVED, "T"),
        ({"alert": {"id": "a", "name": "N"}, "event": "recovery"}, "a", Says.RESOLVED, "N"),
        ({"host": "h", "service": "s", "state": "ack", "message": "M"}, "h/s", Says.ACKNOWLEDGED, "M"),
        ({"message": "only this"}, "only this", Says.FIRING, "only this"),
        ({"fingerprint": "f", "resolved": True}, "f", Says.RESOLVED, "f"),
        ({"monitorID": "m", "type": "test"}, "m", Says.INFO, "m"),
    ],
)
def test_good_guesses_need_no_mapping(body, key, says, title):
    (signal,) = preview({}, json.dumps(body).encode())
    assert (signal.key, signal.says, signal.title) == (key, says, title)


def test_a_list_of_alerts_is_found_without_a_mapping():
    body = {"version": 1, "alerts": [{"id": 1, "title": "a"}, {"id": 2, "title": "b"}]}
    assert [signal.key for signal in preview({}, json.dumps(body).encode())] == ["1", "2"]


def test_the_mapping_page_is_told_what_is_wrong_with_a_mapping():
    wrong = {"title": 3, "state": {"resolved": ["ok"]}, "severity": {"path": "a", "otherwise": "bad"}, "labels": [1]}
    assert set(faults(wrong)) == {"title", "state", "severity", "labels"}
    assert faults({"title": "a", "state": "b", "severity": {"path": "c"}, "labels": {"x": "y"}, "items": "l"}) == {}


def test_a_form_and_a_form_with_json_in_its_only_field_are_read():
    assert preview({}, b"id=7&title=Disk+full&state=resolved")[0].says is Says.RESOLVED
    assert preview({}, b"payload=%7B%22id%22%3A7%2C%22title%22%3A%22x%22%7D")[0].key == "7"
