"""The pages of e-mail in: mails with their reasons, where they come in, and what a person decides."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import mail_settings
from incidents.intake.email.process import process_due
from incidents.models import InboundMail, Mailbox, MailRules, ReceivingAddress
from tests.incidents.mail.conftest import bring
from tests.incidents.mail.imap_server import PASSWORD, Server
from tests.incidents.mail.mails import mail

pytestmark = pytest.mark.django_db
SETTINGS = {
    "name": "Helpdesk", "host": "imap.example.org", "port": "993", "security": "tls", "username": "desk",
    "password": PASSWORD, "folder": "INBOX", "afterwards": "seen", "move_to": "", "is_active": "on",
}  # fmt: skip


@pytest.fixture
def admin(signed_in, administrator):
    return signed_in(administrator)


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_page_says_what_to_do_while_nothing_has_come(admin):
    page = words(admin.get("/mail-in/"))
    assert "No mail yet" in page and "It has never run." in page and "servicedesk@localhost" in page


def test_it_shows_the_listener_while_it_shows_itself(admin):
    mail_settings.note_listener("smtp://127.0.0.1:2526", at=timezone.now())
    assert "smtp://127.0.0.1:2526" in words(admin.get("/mail-in/"))
    MailRules.objects.update(listener_seen_at=timezone.now() - timedelta(minutes=5))
    assert "It last showed itself" in words(admin.get("/mail-in/"))


def test_mails_are_listed_with_reason_and_filtered(admin):
    kept = bring(Subject="Cannot pay")
    bring(Subject="You won", X_Spam_Flag="YES", From="spam@evil.example")
    page = words(admin.get("/mail-in/"))
    assert (
        "Cannot pay" in page and kept.ticket.ref in page and "marked it as spam" in page and "1 in quarantine" in page
    )
    assert "Cannot pay" not in words(admin.get("/mail-in/?state=quarantined"))
    assert "You won" not in words(admin.get("/mail-in/?q=rita"))
    assert "No mail is like that" in words(admin.get("/mail-in/?q=nobody"))


@pytest.mark.parametrize("odd", ["?after=nonsense", "?state=none", "?q=%00"])
def test_an_odd_address_is_never_an_error_of_ours(admin, odd):
    assert admin.get(f"/mail-in/{odd}").status_code in (200, 422)


def test_one_mail_shows_headers_words_and_reason_and_its_source_is_a_download(admin):
    raw = mail("X-Odd: <script>alert(1)</script>", Subject="<b>Bold</b>", body="<script>alert(2)</script>")
    row = bring(raw)
    page = words(admin.get(f"/mail-in/{row.pk}/"))
    assert "X-Odd" in page and "A new report." in page and "<script>alert" not in page and "<b>Bold" not in page
    answer = admin.get(f"/mail-in/{row.pk}/source/")
    assert answer.content == raw and answer["Content-Disposition"] == f'attachment; filename="mail-{row.pk}.eml"'
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]


def test_a_technician_reads_the_source_from_the_ticket_and_only_of_tickets(at_desk):
    row = bring()
    page = words(at_desk.get(f"/tickets/{row.ticket.ref}/"))
    assert reverse("inbound_mail", args=[row.pk]) in page
    assert at_desk.get(f"/mail-in/{row.pk}/source/").status_code == 200
    spam = bring(X_Spam_Flag="YES", Message_ID="<spam@x>")
    assert at_desk.get(f"/mail-in/{spam.pk}/").status_code == 404


def test_who_wrote_a_comment_by_mail_is_named_and_doubts_are_shown(at_desk, signed_in, requester):
    row = bring(From=f"Rita <{requester.email}>")
    bring(From=f"Rita <{requester.email}>", Subject=f"{row.ticket.ref} again", Message_ID="<2@x>", body="Second words")
    page = words(at_desk.get(f"/tickets/{row.ticket.ref}/"))
    assert "Second words" in page and "Sender not proved" in page
    theirs = words(signed_in(requester).get(f"/tickets/{row.ticket.ref}/"))
    assert "Second words" in theirs and "not proved" not in theirs and "/mail-in/" not in theirs


def test_a_mail_in_quarantine_is_released_into_a_ticket(admin):
    row = bring(X_Spam_Flag="YES")
    assert "Release" in words(admin.get(f"/mail-in/{row.pk}/"))
    assert admin.post(f"/mail-in/{row.pk}/release/").status_code == 302
    process_due(at=timezone.now())
    released = InboundMail.objects.get(pk=row.pk)
    assert released.state == "ticket" and "released by Administrator" in released.reason
    assert admin.post(f"/mail-in/{row.pk}/release/").status_code == 422


def test_a_mail_is_put_aside(admin):
    row = bring(X_Spam_Flag="YES")
    admin.post(f"/mail-in/{row.pk}/aside/")
    assert InboundMail.objects.get().state == "ignored"
    assert admin.post(f"/mail-in/{row.pk}/burn/").status_code == 404


# --- Addresses ------------------------------------------------------------------------------------------------
def test_an_address_is_added_corrected_and_removed(admin, checkout):
    admin.post("/mail-in/addresses/new/", {"address": "Pay@shop.example", "service": checkout.pk, "is_active": "on"})
    row = ReceivingAddress.objects.get()
    assert (row.address, row.service, row.is_active) == ("pay@shop.example", checkout, True)
    assert "pay@shop.example" in words(admin.get("/mail-in/"))
    admin.post(f"/mail-in/addresses/{row.pk}/", {"address": "pay@shop.example", "service": ""})
    row.refresh_from_db()
    assert (row.service, row.is_active) == (None, False)
    admin.post(f"/mail-in/addresses/{row.pk}/remove/")
    assert not ReceivingAddress.objects.exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nonsense", "valid email"),
        ("pay+vip@shop.example", "Leave out the plus"),
        ("ServiceDesk@localhost", "always receives"),
        ("pay@shop.example", "is a receiving address already"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_what_was_typed(admin, address, sentence):
    ReceivingAddress.objects.create(address="pay@shop.example", created_at=timezone.now())
    answer = admin.post("/mail-in/addresses/new/", {"address": address})
    assert answer.status_code == 422 and address in words(answer) and sentence in words(answer)


def test_the_rules_are_saved(admin):
    admin.post("/mail-in/rules/", {"tickets_per_hour": 3, "answers_per_day": 0})
    rules = MailRules.current()
    assert (rules.tickets_per_hour, rules.answers_per_day, rules.automatic_opens_ticket) == (3, 0, False)
    assert admin.post("/mail-in/rules/", {"tickets_per_hour": 0, "answers_per_day": 0}).status_code == 422


# --- Mailboxes --------------------------------------------------------------------------------------------------
def test_a_mailbox_is_added_and_its_password_never_shown_again(admin):
    assert admin.post("/mail-in/mailboxes/new/", SETTINGS).status_code == 302
    row = Mailbox.objects.get()
    for address in ("/mail-in/", f"/mail-in/mailboxes/{row.pk}/"):
        assert PASSWORD not in words(admin.get(address)) and row.sealed_password not in words(admin.get(address))
    admin.post(f"/mail-in/mailboxes/{row.pk}/", {**SETTINGS, "password": "", "name": "Other"})
    row.refresh_from_db()
    assert row.name == "Other"


def test_a_refused_mailbox_keeps_what_was_typed_besides_the_password(admin):
    answer = admin.post("/mail-in/mailboxes/new/", {**SETTINGS, "host": "https://imap.example.org/"})
    assert answer.status_code == 422 and "https://imap.example.org/" in words(answer) and PASSWORD not in words(answer)


def test_the_test_button_says_whether_it_works(admin, settings, administrator):
    settings.OUTGOING_NETWORKS, settings.OUTGOING_HTTP = ["127.0.0.0/8"], True
    server = Server()
    try:
        given = {**SETTINGS, "host": "127.0.0.1", "port": server.port, "security": "none"}
        admin.post("/mail-in/mailboxes/new/", given)
        row = Mailbox.objects.get()
        tested = admin.post(f"/mail-in/mailboxes/{row.pk}/test/", follow=True)
        assert "“Helpdesk” works. It has the folders INBOX, Done." in words(tested)
        settings.OUTGOING_NETWORKS = []
        refused = admin.post(f"/mail-in/mailboxes/{row.pk}/test/", follow=True)
        assert "does not work" in words(refused) and "MIM_OUTGOING_NETWORKS" in words(refused)
    finally:
        server.shutdown()
        server.server_close()


def test_a_failing_mailbox_says_why_on_the_page(admin):
    admin.post("/mail-in/mailboxes/new/", SETTINGS)
    lease = mail_settings.lease_mailbox(at=timezone.now())
    mail_settings.settle_poll(lease, error="imap.example.org refused the sign-in of desk.", at=timezone.now())
    page = words(admin.get("/mail-in/"))
    assert "refused the sign-in of desk" in page and "fails 1×" in page


def test_a_service_desk_manager_sees_to_mail_but_does_not_configure(signed_in, service_desk_manager):
    browser = signed_in(service_desk_manager)
    row = bring(X_Spam_Flag="YES")
    page = words(browser.get("/mail-in/"))
    assert "E-mail in" in page and "/mail-in/mailboxes/new/" not in page
    assert browser.post(f"/mail-in/{row.pk}/release/").status_code == 302
    assert browser.get("/mail-in/rules/").status_code == 403


def test_the_list_asks_the_database_as_often_for_fifty_mails_as_for_one(admin, queries_of):
    bring()
    few = queries_of(admin, "/mail-in/")
    for number in range(30):
        bring(Message_ID=f"<{number}@x>", From=f"r{number}@customer.example")
    assert queries_of(admin, "/mail-in/") == few <= 16
