"""Mailboxes polled over IMAP: stored first, marked afterwards, nothing lost, and every trouble in words."""

import ssl
import threading
from datetime import timedelta

import pytest
import trustme
from django.utils import timezone

from incidents import imap
from incidents.actions import mail_settings
from incidents.errors import Duplicate, Invalid
from incidents.imap import MailboxTrouble
from incidents.intake.email import polling
from incidents.intake.email.process import process_due
from incidents.models import InboundMail, Mailbox, Ticket
from tests.incidents.mail.imap_server import PASSWORD, Server
from tests.incidents.mail.mails import mail
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings):
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    settings.OUTGOING_HTTP = True


@pytest.fixture
def server():
    found = Server()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def mailbox(server, administrator):
    return save(server, administrator)


def save(server, administrator, mailbox_id=None, **changes) -> Mailbox:
    given = {"name": "Helpdesk", "host": "127.0.0.1", "port": server.port, "security": "none", "username": "desk",
             "password": PASSWORD, "folder": "INBOX", "afterwards": "seen", "move_to": ""}  # fmt: skip
    changes = changes if mailbox_id else given | changes
    return mail_settings.save_mailbox(mailbox_id, changes=changes, actor=administrator, at=timezone.now())


def poll() -> int:
    Mailbox.objects.update(next_poll_at=timezone.now())
    return polling.poll_due()


def row() -> Mailbox:
    return Mailbox.objects.get()


def test_unread_mail_is_stored_marked_and_becomes_a_ticket(server, mailbox, checkout, administrator):
    save(server, administrator, mailbox.pk, service=checkout)
    raw = mail(Subject="By mailbox", body="Größer\n.\n")
    server.add(raw)
    server.add(mail(Subject="Read long ago"), "\\Seen")
    assert poll() == 1
    kept = InboundMail.objects.get()
    assert bytes(kept.raw) == raw and (kept.via, kept.uid, kept.uid_validity) == ("imap", 1, 77)
    assert server.flags() == {1: {"\\Seen"}, 2: {"\\Seen"}}
    process_due(at=timezone.now())
    assert Ticket.objects.get().service == checkout and row().last_error == "" and row().last_polled_at


def test_nothing_is_marked_before_it_is_stored(server, mailbox, monkeypatch):
    server.add(mail())

    def breaks(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(polling, "keep", breaks)
    poll()
    assert server.flags() == {1: set()} and "disk full" in row().last_error
    monkeypatch.undo()
    assert poll() == 1 and server.flags() == {1: {"\\Seen"}}


def test_a_poll_that_dies_before_marking_stores_nothing_twice(server, mailbox):
    server.add(mail())
    server.deny = "UID STORE"
    poll()
    assert InboundMail.objects.count() == 1
    assert "not today" in row().last_error and server.flags() == {1: set()}
    server.deny = ""
    assert poll() == 0
    assert InboundMail.objects.count() == 1 and server.flags() == {1: {"\\Seen"}} and row().last_error == ""


def test_what_somebody_reads_before_the_poll_comes_is_not_missed(server, mailbox):
    server.add(mail(Message_ID="<1@x>"))
    poll()
    server.add(mail(Message_ID="<2@x>"), "\\Seen")
    assert poll() == 1 and InboundMail.objects.count() == 2
    assert poll() == 0


def test_equal_mails_without_message_id_are_each_kept(server, mailbox):
    server.add(mail())
    server.add(mail())
    assert poll() == 2


def test_a_mailbox_that_numbers_anew_is_read_anew(server, mailbox):
    server.add(mail(Message_ID="<1@x>"))
    poll()
    server.validity = 78
    server.folders["INBOX"].clear()
    server.next_uid = 1
    server.add(mail(Message_ID="<2@x>"))
    assert poll() == 1
    assert row().uid_validity == 78 and InboundMail.objects.count() == 2


def test_mail_is_moved_when_that_is_wanted(server, mailbox, administrator):
    save(server, administrator, mailbox.pk, afterwards="move", move_to="Done")
    server.add(mail(Message_ID="<1@x>"), "\\Seen")
    server.add(mail(Message_ID="<2@x>"))
    assert poll() == 2
    assert server.folders["INBOX"] == [] and [one.uid for one in server.folders["Done"]] == [1, 2]


def test_a_mail_over_the_limit_stays_there_and_says_so(server, mailbox, settings):
    settings.MAIL_MAX_BYTES = 5000
    server.add(mail(body="x" * 10_000))
    assert poll() == 1
    kept = InboundMail.objects.get()
    assert kept.state == "quarantined" and "Only its headers are here" in kept.reason and kept.subject == "Cannot pay"
    assert kept.size < 1000


def test_a_thousand_mails_are_fetched_in_portions(server, mailbox, monkeypatch):
    monkeypatch.setattr(polling, "MOST_AT_ONCE", 10)
    for number in range(35):
        server.add(mail(Message_ID=f"<{number}@x>"))
    assert poll() == 35  # one sweep goes on as long as there is more


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "refused the sign-in of desk. Check user name and password"),
        ({"folder": "Nowhere"}, "The folder “Nowhere” cannot be opened"),
        ({"port": 1, "password": PASSWORD}, "Nothing listens on port 1"),
        ({"security": "tls", "password": PASSWORD}, "The encrypted connection to 127.0.0.1"),
    ],
)
def test_every_trouble_stands_on_the_mailbox_with_the_way_out(server, mailbox, administrator, change, words):
    save(server, administrator, mailbox.pk, **change)
    poll()
    assert words in row().last_error and row().failures == 1
    save(server, administrator, mailbox.pk, password=PASSWORD, port=server.port, security="none", folder="INBOX")
    poll()
    assert (row().last_error, row().failures) == ("", 0)


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE"])
def test_a_server_that_hangs_up_anywhere_loses_nothing(server, mailbox, command):
    server.add(mail())
    server.die_after = command
    poll()
    assert row().last_error
    server.die_after = ""
    poll()
    assert InboundMail.objects.count() == 1 and server.flags() == {1: {"\\Seen"}} and row().last_error == ""


def test_a_server_that_says_nothing_is_given_up(server, mailbox, monkeypatch):
    monkeypatch.setattr(imap, "SECONDS_PER_ANSWER", 0.2)
    server.silent = True
    poll()
    assert "did not answer in time" in row().last_error


def test_pauses_grow_while_it_fails_and_never_beyond_a_quarter_of_an_hour(server, mailbox):
    server.deny = "LOGIN"
    pauses = []
    for _ in range(7):
        poll()
        pauses.append(round((row().next_poll_at - row().last_polled_at).total_seconds()))
    assert pauses == [60, 120, 240, 480, 900, 900, 900]


def test_private_hosts_are_refused_unless_an_administrator_allows_them(server, mailbox, settings):
    settings.OUTGOING_NETWORKS = []
    server.add(mail())
    poll()
    assert "not a public address" in row().last_error and server.commands == []


def test_over_tls_the_certificate_has_to_be_for_the_name(administrator, tmp_path, monkeypatch):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = Server(tls=context)
    try:
        save(server, administrator, security="tls", host="localhost")
        server.add(mail())
        poll()
        assert "certificate" in row().last_error
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert poll() == 1 and row().last_error == ""
        save(server, administrator, row().pk, host="127.0.0.1", password=PASSWORD)
        poll()
        assert "The encrypted connection" in row().last_error
    finally:
        server.shutdown()
        server.server_close()


def test_a_disabled_mailbox_is_left_alone(server, mailbox, administrator):
    save(server, administrator, mailbox.pk, is_active=False)
    server.add(mail())
    assert poll() == 0 and server.commands == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_poll_the_same_mailbox(server, administrator):
    save(server, administrator)
    for number in range(20):
        server.add(mail(Message_ID=f"<{number}@x>"))
    found = race(polling.poll_due, times=4)
    assert sorted(found) == [0, 0, 0, 20] and InboundMail.objects.count() == 20
    assert sum(command.startswith("LOGIN") for command in server.commands) == 1


def test_the_lease_of_a_worker_that_died_ends(server, mailbox):
    at = timezone.now()
    assert mail_settings.lease_mailbox(at=at) == mailbox
    assert mail_settings.lease_mailbox(at=at + timedelta(minutes=2)) is None
    assert mail_settings.lease_mailbox(at=at + timedelta(minutes=4)) == mailbox


def test_a_worker_that_lost_its_lease_writes_nothing(server, mailbox):
    Mailbox.objects.update(next_poll_at=timezone.now() - timedelta(hours=1))
    late = mail_settings.lease_mailbox(at=timezone.now() - timedelta(minutes=5))
    mail_settings.lease_mailbox(at=timezone.now())
    mail_settings.settle_poll(late, error="too late", at=timezone.now())
    assert row().last_error == "" and row().lease is not None


# --- Saving --------------------------------------------------------------------------------------------------
def test_the_password_is_sealed_and_asked_again_when_the_server_changes(server, mailbox, administrator):
    assert PASSWORD not in row().sealed_password
    save(server, administrator, mailbox.pk, name="Other name")
    with pytest.raises(Invalid) as refusal:
        save(server, administrator, mailbox.pk, host="evil.example")
    assert "Enter the password again" in refusal.value.errors["password"][0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": ""}, "host"), ({"host": "https://imap.example"}, "host"), ({"port": 0}, "port"),
        ({"security": "rot13"}, "security"), ({"username": ""}, "username"), ({"afterwards": "move"}, "move_to"),
        ({"afterwards": "move", "move_to": "INBOX"}, "move_to"), ({"password": ""}, "password"),
        ({"name": " "}, "name"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field(server, administrator, change, field):
    with pytest.raises(Invalid) as refusal:
        save(server, administrator, **change)
    assert list(refusal.value.errors) == [field]


def test_an_unencrypted_connection_needs_the_administrators_switch(server, administrator, settings):
    settings.OUTGOING_HTTP = False
    with pytest.raises(Invalid) as refusal:
        save(server, administrator)
    assert "MIM_OUTGOING_HTTP=1" in refusal.value.errors["security"][0]


def test_names_are_unique(server, mailbox, administrator):
    with pytest.raises(Duplicate):
        save(server, administrator)


def test_the_test_button_lists_the_folders_and_misses_those_that_are_not_there(server, mailbox, administrator):
    assert imap.folders(row()) == ["INBOX", "Done"]
    save(server, administrator, mailbox.pk, afterwards="move", move_to="Archive")
    with pytest.raises(MailboxTrouble, match="There is no folder “Archive” there. It has: INBOX, Done"):
        imap.folders(row())


def test_no_thread_is_left_behind(server, mailbox):
    poll()
    alarms = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    assert not [one for one in alarms if not one.finished.is_set()]
