"""Files of a report: several, judged by content, kept while something else is put right, refused by name."""

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents import tasks
from incidents.actions import kept_files
from incidents.models import Attachment, KeptFile, Ticket
from tests import factories

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def at_portal(signed_in, requester):
    return signed_in(requester)


def file(name, content=PNG):
    return SimpleUploadedFile(name, content)


def report(client, *files, title="Cannot pay", kept=()):
    given = {"title": title, "impact": "4", "urgency": "2", "attachments": list(files), "kept": list(kept)}
    return client.post(reverse("portal"), given)


def test_several_files_go_with_a_report(at_portal):
    report(at_portal, file("one.png"), file("two.txt", b"it says 502"))
    found = Ticket.objects.get().attachments.all()
    assert [(row.filename, row.content_type) for row in found] == [("one.png", "image/png"), ("two.txt", "text/plain")]
    assert found[1].file.read() == b"it says 502"
    assert not KeptFile.objects.exists()


def test_a_good_file_is_kept_while_the_title_is_put_right(at_portal):
    refused = report(at_portal, file("one.png"), title="")
    page = refused.content.decode()
    kept = KeptFile.objects.get()
    assert refused.status_code == 422 and "one.png" in page and str(kept.uuid) in page
    report(at_portal, kept=[kept.uuid])
    assert Ticket.objects.get().attachments.get().filename == "one.png"


def test_a_refused_file_is_named_and_the_good_one_and_the_text_stay(at_portal):
    answer = report(at_portal, file("good.png"), file("run.exe", b"MZ\x00\x01"), title="Cannot pay at all")
    page = answer.content.decode()
    assert answer.status_code == 422 and "run.exe: Programs" in page and "Cannot pay at all" in page
    assert not Ticket.objects.exists() and KeptFile.objects.get().filename == "good.png"


def test_a_kept_file_that_is_unticked_does_not_go(at_portal):
    report(at_portal, file("one.png"), title="")
    report(at_portal)
    assert not Ticket.objects.get().attachments.exists()


def test_nobody_attaches_what_somebody_else_kept(at_portal, signed_in):
    report(at_portal, file("mine.png"), title="")
    thief = signed_in(factories.person("requester"))
    report(thief, kept=[KeptFile.objects.get().uuid, "nonsense", "\x00"])
    assert not Attachment.objects.exists() and KeptFile.objects.exists()


def test_a_kept_file_is_sent_once(at_portal):
    report(at_portal, file("one.png"), title="")
    key = KeptFile.objects.get().uuid
    report(at_portal, kept=[key])
    report(at_portal, kept=[key])
    assert Attachment.objects.count() == 1 and Ticket.objects.count() == 2


def test_the_eleventh_file_is_refused_by_name(at_portal):
    page = report(at_portal, *(file(f"{n}.png") for n in range(11))).content.decode()
    assert "10.png: at most 10 files" in page and "9.png: at most" not in page
    assert KeptFile.objects.count() == 10


def test_a_file_over_the_limit_is_refused_by_name_and_size(at_portal, settings):
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    page = report(at_portal, file("big.png", PNG + bytes(1024 * 1024))).content.decode()
    assert "big.png: At most 1 MiB; this file has 1.0 MiB." in page


def test_what_was_never_sent_is_forgotten_after_a_day(at_portal, requester):
    report(at_portal, file("one.png"), title="")
    stored = KeptFile.objects.get().file.name
    tasks.forget_kept_files()
    assert KeptFile.objects.exists() and default_storage.exists(stored)


@pytest.mark.django_db(transaction=True)
def test_the_stored_file_goes_with_its_row(at_portal):
    report(at_portal, file("one.png"), title="")
    stored = KeptFile.objects.get().file.name
    with time_machine.travel(timezone.now() + kept_files.KEPT_FOR * 1.1, tick=False):
        tasks.forget_kept_files()
        tasks.forget_kept_files()
    assert not KeptFile.objects.exists() and not default_storage.exists(stored)
