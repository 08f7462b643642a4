"""History through the browser: recognised, mapped, tried, brought in; twice changes nothing, bad rows are named."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.models import MajorIncident
from metrics import tasks, uploads
from metrics.import_sources import level, moment
from metrics.models import HistoryUpload
from tests.metrics.histories import set_zone, utc

pytestmark = pytest.mark.django_db
EXPORTS = Path(__file__).parent / "exports"


@pytest.fixture
def browser(service_desk_manager):
    client = Client()
    client.force_login(service_desk_manager)
    return client


def sent(browser, name: str, content: bytes) -> HistoryUpload:
    answer = browser.post(reverse("history_imports"), {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()[-600:]
    return HistoryUpload.objects.latest("pk")


def done(browser, row: HistoryUpload, act: str) -> HistoryUpload:
    assert browser.post(reverse("history_import_do", args=[row.pk, act])).status_code == 302
    tasks.sweep_history_uploads()
    row.refresh_from_db()
    assert row.state == "done", row.reason
    return row


@pytest.mark.parametrize("tool", ["servicenow", "jira", "pagerduty"])
def test_the_export_of_another_tool_comes_in_as_it_is(browser, tool):
    set_zone("Europe/Berlin")
    row = sent(browser, f"{tool}.csv", (EXPORTS / f"{tool}.csv").read_bytes())
    assert row.source == tool
    page = browser.get(reverse("history_import", args=[row.pk])).content.decode()
    assert "Checkout down for everybody" in page
    tried = done(browser, row, "try")
    assert (tried.counts, MajorIncident.objects.count()) == ({"created": 2}, 0), tried.errors
    assert done(browser, row, "run").counts == {"created": 2}
    first, second = MajorIncident.objects.order_by("reported_at")
    hours = 0 if tool == "pagerduty" else 2  # its moments say their zone; the others mean Berlin's summer time
    assert (first.reported_at, first.resolved_at) == (utc(2026, 5, 4, 10 - hours, 3), utc(2026, 5, 4, 11 - hours, 30))
    assert second.resolved_at == utc(2026, 5, 11, 9 - hours, 30)
    assert (first.priority, first.severity) == (("P1", "SEV2") if tool == "pagerduty" else ("P1", "SEV1"))
    names = {"jira": ["Checkout", "Payments"]}.get(tool, ["Checkout"])
    assert sorted(first.services.values_list("name", flat=True)) == names
    if tool == "pagerduty":
        assert first.acknowledged_at == utc(2026, 5, 4, 10, 8)
    assert HistoryUpload.objects.get().rows == []  # forgotten, it is all in
    again = sent(browser, f"{tool}.csv", (EXPORTS / f"{tool}.csv").read_bytes())
    assert done(browser, again, "run").counts == {"unchanged": 2}


def test_a_file_of_ones_own_is_mapped_by_hand_and_bad_rows_are_named_while_good_ones_come_in(browser):
    content = "no;what;when;grade\nA1;Shop down;03/04/2026 10:00;1\nA2;;03/04/2026 11:00;1\nA3;Late;soon;2\n"
    row = sent(browser, "own.csv", content.encode())
    assert (row.source, row.columns) == ("", ["no", "what", "when", "grade"])
    address = reverse("history_import", args=[row.pk])
    refused = browser.post(address, {"title": "what", "zone": "UTC"})
    assert refused.status_code == 422
    assert "choose the column that holds it" in refused.content.decode()
    assert browser.post(address, {"external_id": "no", "title": "what", "zone": "Nowhere"}).status_code == 422
    chosen = {"external_id": "no", "title": "what", "reported_at": "when", "priority": "grade", "zone": "UTC"}
    assert browser.post(address, chosen | {"day_first": "1"}).status_code == 302
    row = done(browser, row, "run")
    assert row.counts == {"created": 1, "rejected": 2}
    assert [(one["row"], list(one["errors"])) for one in row.errors] == [(2, ["title"]), (3, ["reported_at"])]
    assert MajorIncident.objects.get().reported_at == utc(2026, 4, 3, 10)
    page = browser.get(address).content.decode()
    assert "“soon” is not a moment" in page
    assert browser.post(reverse("history_import_do", args=[row.pk, "discard"])).status_code == 302
    assert (HistoryUpload.objects.count(), MajorIncident.objects.count()) == (0, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.csv", b"a,b\n"), ("a.json", b"{"), ("a.json", b"[3]"),
     ("a.csv", "a,b\n\xff".encode("latin-1")),
     ("a.csv", b"a,b\n\x00,1"), ("a.csv", b'a,b\n"x')],
)  # fmt: skip
def test_a_file_that_is_none_is_a_sentence_and_nothing_is_kept(browser, name, content):
    answer = browser.post(reverse("history_imports"), {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 422
    assert not HistoryUpload.objects.exists()
    assert browser.post(reverse("history_imports")).status_code == 422


def test_an_import_left_by_a_dead_worker_is_done_by_the_next(browser):
    row = sent(browser, "pagerduty.csv", (EXPORTS / "pagerduty.csv").read_bytes())
    browser.post(reverse("history_import_do", args=[row.pk, "run"]))
    HistoryUpload.objects.update(state="running", claimed_at=timezone.now())
    assert uploads.waiting(at=timezone.now()) == []
    assert not uploads.run(row.pk)
    HistoryUpload.objects.update(claimed_at=timezone.now() - uploads.LEASE * 2)
    tasks.sweep_history_uploads()
    assert MajorIncident.objects.count() == 2


def test_words_of_other_tools():
    zone = utc(2026, 1, 1).tzinfo
    assert [level(one) for one in ("1 - High", "P5", "Extensive / Widespread", "low", "?", None, 2)] == [
        1, 4, 1, 4, None, None, 2,
    ]  # fmt: skip
    assert moment("04/05/2026 10:00", zone, day_first=True) == utc(2026, 5, 4, 10)
    assert moment("04/05/2026 10:00", zone, day_first=False) == utc(2026, 4, 5, 10)
    assert moment("2026-13-01", zone, day_first=True) is None
