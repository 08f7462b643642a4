"""Where a mail goes: a new report, a conversation, a war room, or nowhere."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents import mail_reference
from incidents.actions import mail as mail_acts
from incidents.actions import mail_settings, seats, tickets
from incidents.models import InboundMail, ReceivingAddress, Ticket, TicketComment
from notifications.models import Delivery
from tests import factories
from tests.factories import again
from tests.incidents.mail.conftest import DESK
from tests.incidents.mail.mails import mail, multipart, report

pytestmark = pytest.mark.django_db


def signed(ticket: Ticket, address: str) -> str:
    return mail_reference.reply_to(ticket.ref, address).partition("<")[2].rstrip(">")


def answer(by_mail, ticket, *, sender="rita@customer.example", token_of=None, **headers):
    """A reply to the address our mail asked it to be sent to."""
    to = signed(ticket, token_of or sender)
    headers = {"From": sender, "Subject": f"Re: {ticket.ref} received", "To": to, **headers}
    return by_mail(to=to, envelope=sender, **headers)


@pytest.fixture
def reported(by_mail):
    """Rita, who has no account, reported something by mail."""
    return by_mail(Message_ID="<first@customer.example>").ticket


# --- New reports -----------------------------------------------------------------------------------
def test_a_mail_becomes_a_ticket_of_its_sender(by_mail, requester):
    row = by_mail(
        From=f"Rita <{requester.email.upper()}>", Subject="Cannot pay", body="Since nine.\n\nThe page is white."
    )
    ticket = row.ticket
    assert (row.state, ticket.title, ticket.channel, ticket.requester) == ("ticket", "Cannot pay", "email", requester)
    assert ticket.description == "Since nine.\n\nThe page is white."
    assert ticket.acknowledged_at is None and ticket.created_by is None and ticket.status == "new"


def test_a_sender_without_account_is_kept_by_address_and_acknowledged(reported):
    assert (reported.requester, reported.requester_email) == (None, "rita@customer.example")
    assert Delivery.objects.get(moment="ticket_opened").address == "rita@customer.example"
    assert InboundMail.objects.get().is_answered


def test_the_address_decides_service_and_team(by_mail, checkout, administrator):
    team = factories.team("Payments")
    change = {"address": "Payments-Help@shop.example", "service": checkout, "team": team}
    mail_settings.save_address(changes=change, actor=administrator, at=timezone.now())
    ticket = by_mail(to="payments-help+vip@shop.example", To="payments-help@shop.example").ticket
    assert (ticket.service, ticket.team, ticket.status) == (checkout, team, "new")
    assert by_mail(Subject="Other").ticket.service is None


def test_a_service_that_is_no_longer_offered_does_not_stop_its_address(by_mail, checkout):
    ReceivingAddress.objects.create(address="pay@shop.example", service=checkout, created_at=timezone.now())
    type(checkout).objects.update(is_active=False)
    assert by_mail(to="pay@shop.example").ticket.service is None


def test_files_are_kept_and_programs_are_named_in_a_note(by_mail, requester):
    raw = multipart(
        "mixed", "Content-Type: text/plain\n\nSee the picture.",
        "Content-Type: image/png; name=\"a/../shot.png\"\nContent-Transfer-Encoding: base64\n\niVBORw0KGgoAAAA=",
        "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=run.exe\n\nMZ this runs",
        From=requester.email,
    )  # fmt: skip
    row = by_mail(raw)
    assert [(one.filename, one.content_type) for one in row.ticket.attachments.all()] == [("shot.png", "image/png")]
    note = row.ticket.comments.get()
    assert not note.public and "run.exe: Programs and scripts cannot be attached" in note.text
    assert row.ticket.attachments.get().uploaded_by == requester


def test_a_file_over_the_limit_stays_in_the_source_alone(by_mail, settings):
    settings.ATTACHMENT_MAX_BYTES = 100
    raw = multipart(
        "mixed", "Content-Type: text/plain\n\nHello", "Content-Type: text/csv; name=big.csv\n\n" + "x" * 200
    )
    row = by_mail(raw)
    assert row.ticket.attachments.count() == 0 and "big.csv" in row.ticket.comments.get().text


def test_an_overlong_text_is_cut_with_a_word_about_the_rest(by_mail):
    ticket = by_mail(body="long " * 9000, Subject="s" * 900).ticket
    assert len(ticket.description) <= 20_000 and ticket.description.endswith("its source has all of it.")
    assert len(ticket.title) == 250


# --- Answers ---------------------------------------------------------------------------------------
def test_an_answer_to_our_mail_lands_on_its_ticket_without_what_it_quotes(by_mail, reported):
    row = answer(by_mail, reported, body="Still broken.\n\nOn Monday Desk wrote:\n> We read it\n> and write to you")
    comment = reported.comments.get()
    assert (row.state, row.ticket, row.comment) == ("comment", reported, comment)
    assert (comment.text, comment.public, comment.author) == ("Still broken.", True, None)
    assert row.is_signed and not row.is_from_other and Ticket.objects.count() == 1


def test_nobody_is_sent_their_own_words(by_mail, reported):
    answer(by_mail, reported)
    assert not Delivery.objects.filter(moment="ticket_commented").exists()


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_the_thread_alone_is_enough(by_mail, reported, header):
    root = mail_reference.thread_root(reported.ref, "rita@customer.example")
    row = by_mail(**{header: f"<other@x> {root}" if header == "References" else root, "Subject": "Re: something else"})
    assert row.ticket == reported and row.is_signed


def test_the_message_id_of_every_mail_we_send_bears_the_reference(by_mail, reported):
    sent = Delivery.objects.get(moment="ticket_opened").message_id
    row = by_mail(In_Reply_To=sent, Subject="Re: whatever")
    assert row.ticket == reported and row.is_signed


def test_a_mark_in_the_subject_is_enough_where_addresses_hold_no_plus(by_mail, reported, settings):
    settings.MAIL_PLUS_ADDRESSES = False
    mark = mail_reference.subject_mark(reported.ref, "rita@customer.example")
    assert "+" not in mail_reference.reply_to(reported.ref, "rita@customer.example")
    assert by_mail(Subject=f"RE: Received{mark.upper()}").ticket == reported


def test_a_stranger_with_somebody_elses_reference_writes_a_marked_note_for_the_desk(by_mail, reported):
    row = answer(by_mail, reported, sender="mallory@elsewhere.example", token_of="rita@customer.example")
    comment = reported.comments.get()
    assert row.is_from_other and not comment.public and comment.author is None
    assert not Delivery.objects.filter(moment="ticket_commented").exists()


def test_a_stranger_with_only_the_number_opens_a_ticket_of_their_own(by_mail, reported):
    row = by_mail(From="mallory@elsewhere.example", Subject=f"Re: {reported.ref} received")
    assert row.state == "ticket" and row.ticket != reported and reported.comments.count() == 0


@pytest.mark.parametrize("forged", ["a" * 20, "q7w2e5rtyuiopasdfghj"])
def test_a_forged_reference_counts_as_none(by_mail, reported, forged):
    to = f"servicedesk+inc-{reported.pk}-{forged}@localhost"
    row = by_mail(to=to, To=to, From="mallory@elsewhere.example")
    assert row.ticket != reported and not row.is_signed


def test_a_reference_of_one_ticket_does_not_open_another(by_mail, reported):
    other = by_mail(Subject="Other").ticket
    to = signed(reported, "rita@customer.example").replace(f"inc-{reported.pk}", f"inc-{other.pk}")
    row = by_mail(to=to, To=to, From="mallory@elsewhere.example")
    assert not row.is_signed and row.state == "ticket"


def test_the_requester_may_answer_with_the_number_alone(by_mail, reported):
    row = by_mail(Subject=f"{reported.ref}: one more thing")
    assert row.ticket == reported and not row.is_signed and "without our reference" in row.reason


def test_not_when_their_domain_disowns_the_mail(by_mail, reported):
    row = by_mail(
        Subject=f"{reported.ref}: pay me", Authentication_Results="mx; dmarc=fail header.from=customer.example"
    )
    assert row.ticket != reported


def test_a_watcher_and_the_desk_may_answer_and_the_desk_stays_inside(by_mail, reported, technician, requester):
    tickets.watch(reported.pk, user=requester, actor=technician, at=timezone.now())
    watching = answer(by_mail, reported, sender=requester.email)
    inside = answer(by_mail, reported, sender=technician.email)
    assert (watching.comment.author, watching.comment.public) == (requester, True)
    assert (inside.comment.author, inside.comment.public) == (technician, False)


def test_a_technician_is_not_believed_by_the_name_alone(by_mail, reported, technician):
    row = by_mail(From=technician.email, Subject=f"Re: {reported.ref}")
    assert row.comment.author is None and not row.comment.public


def test_a_reply_to_their_own_first_mail_continues_it(by_mail, reported):
    row = by_mail(In_Reply_To="<first@customer.example>", Subject="Re: Cannot pay", body="P.S.")
    assert row.ticket == reported
    stranger = by_mail(From="mallory@elsewhere.example", In_Reply_To="<first@customer.example>")
    assert stranger.ticket != reported


# --- Resolved, closed --------------------------------------------------------------------------------
@pytest.fixture
def resolved(reported, technician):
    return tickets.resolve(reported.pk, resolution="Restarted.", actor=technician, at=timezone.now())


def test_an_answer_to_the_solution_reopens_the_ticket(by_mail, resolved):
    row = answer(by_mail, resolved, body="No, the page is still white.")
    assert again(resolved).status == "in_progress" and "is open again" in row.reason
    assert resolved.comments.get().text == "No, the page is still white."


@pytest.mark.parametrize(
    "words", ["Thanks!", "Danke, geht wieder.", "Great, it works now. Thank you", "Merci beaucoup"]
)
def test_thanks_reopen_nothing(by_mail, resolved, words):
    answer(by_mail, resolved, body=words)
    assert again(resolved).status == "resolved" and resolved.comments.get().text == words


@pytest.mark.parametrize("words", ["It works not", "ok but the other page fails", "not working again", "geht nicht"])
def test_what_is_no_thanks_reopens(by_mail, resolved, words):
    answer(by_mail, resolved, body=words)
    assert again(resolved).status == "in_progress"


def test_somebody_elses_answer_reopens_nothing(by_mail, resolved):
    answer(by_mail, resolved, sender="mallory@elsewhere.example", token_of="rita@customer.example")
    assert again(resolved).status == "resolved"


def test_it_counts_as_still_broken_for_the_incident(by_mail, resolving, engineer, manager, checkout):
    from incidents.actions import cascades, downtime, major_incidents
    from incidents.queries.observations import still_broken_people
    from tests.incidents.conftest import fix

    now = timezone.now()
    child = by_mail().ticket
    tickets.link([child.pk], incident_id=resolving.pk, actor=manager, at=now)
    fix(resolving, engineer, at=now)
    downtime.restore(resolving.pk, actor=manager, at=now)
    incident = major_incidents.confirm_resolution(resolving.pk, actor=manager, at=now)
    cascades.run_waiting(at=now)
    answer(by_mail, again(child), body="It is as broken as before.")
    assert still_broken_people(again(incident)) == {"rita@customer.example"}


def test_an_answer_to_a_closed_report_is_a_new_one_that_names_it(by_mail, resolved, technician):
    tickets.close(resolved.pk, actor=technician, at=timezone.now())
    row = answer(by_mail, resolved, body="It is back.")
    assert row.state == "ticket" and row.ticket != resolved
    assert row.ticket.description == f"It follows {resolved.ref}, which is closed.\n\nIt is back."


# --- Answers to what incidents say -----------------------------------------------------------------
def about(incident, address: str) -> str:
    return mail_reference.reply_to(incident.ref, address).partition("<")[2].rstrip(">")


def test_an_answer_to_an_update_lands_on_the_senders_own_linked_ticket(by_mail, declared, manager):
    child = by_mail().ticket
    tickets.link([child.pk], incident_id=declared.pk, actor=manager, at=timezone.now())
    to = about(declared, "rita@customer.example")
    row = by_mail(to=to, To=to, Subject="Re: Update", body="How long?")
    assert row.ticket == child and child.comments.get().public


def test_without_a_report_of_their_own_it_becomes_one_linked_to_the_incident(by_mail, declared):
    to = about(declared, "rita@customer.example")
    row = by_mail(to=to, To=to, Subject="Re: Update", body="We too.")
    assert row.state == "ticket" and row.ticket.major_incident == declared


def test_somebody_seated_answers_into_the_war_room(by_mail, declared, manager, engineer):
    at = timezone.now()
    seat = seats.invite(declared.pk, role="technical_staff", user=engineer, actor=manager, at=at)
    seats.accept(seat.pk, actor=engineer, at=at)
    to = about(declared, engineer.email)
    row = by_mail(to=to, To=to, From=engineer.email, Subject="Re: Update", body="The deploy is the cause.")
    assert row.state == "comment" and row.ticket is None
    assert declared.events.filter(kind="note", actor=engineer, text="The deploy is the cause.").exists()


def test_nobody_speaks_in_the_war_room_by_a_forged_name(by_mail, declared, manager):
    to = about(declared, "rita@customer.example")
    row = by_mail(to=to, To=to, From=manager.email, body="Stand down.")
    assert row.state == "ticket" and not declared.events.filter(kind="note").exists()


# --- Automatic mail ----------------------------------------------------------------------------------
def test_an_automatic_reply_changes_nothing_and_is_not_answered(by_mail, resolved):
    row = answer(by_mail, resolved, Auto_Submitted="auto-replied", body="I am away.")
    assert (row.state, row.automatic, row.ticket) == ("ignored", "reply", resolved)
    assert again(resolved).status == "resolved" and resolved.comments.count() == 0
    assert Ticket.objects.count() == 1


def test_a_bounce_of_our_mail_is_noted_on_the_ticket_for_the_desk(by_mail, reported):
    to = signed(reported, "rita@customer.example")
    for number in range(5):
        raw = report("Status: 5.1.1", sender="MAILER-DAEMON@mx.example", subject="Undelivered", To=to,
                     Message_ID=f"<{number}@mx>")  # fmt: skip
        row = by_mail(raw, to=to, envelope="")
    notes = reported.comments.all()
    assert len(notes) == 3 and not any(note.public for note in notes)
    assert "could not be delivered" in notes[0].text and row.state == "ignored"


def test_the_returned_headers_say_which_ticket_a_bounce_is_about(by_mail, reported):
    returned = f"Message-ID: {Delivery.objects.get(moment='ticket_opened').message_id}"
    row = by_mail(report("Status: 5.1.1", returned, sender="MAILER-DAEMON@mx", subject="Undelivered"), envelope="")
    assert row.state == "comment" and row.ticket == reported


def test_what_a_program_sends_of_its_own_accord_opens_a_ticket_without_an_answer(by_mail, administrator):
    row = by_mail(From="nagios@mon.example", Subject="DISK CRITICAL", Auto_Submitted="auto-generated")
    assert row.state == "ticket" and row.automatic == "generated" and row.ticket.requester_email == ""
    assert not Delivery.objects.filter(channel="email").exists()
    mail_settings.save_rules(changes={"automatic_opens_ticket": False}, actor=administrator, at=timezone.now())
    assert by_mail(From="nagios@mon.example", Subject="OK", Auto_Submitted="auto-generated").state == "ignored"


# --- Limits ---------------------------------------------------------------------------------------------
def test_the_eleventh_ticket_within_an_hour_is_parked_and_can_be_released(by_mail, service_desk_manager):
    rows = [by_mail(Subject=f"Report {number}", Message_ID=f"<{number}@x>") for number in range(12)]
    assert [row.state for row in rows] == ["ticket"] * 10 + ["parked"] * 2
    assert "10 tickets within the hour" in rows[-1].reason
    assert by_mail(From="other@customer.example").state == "ticket"
    mail_acts.release(rows[-1].pk, actor=service_desk_manager, at=timezone.now())
    from incidents.intake.email.process import process_due

    process_due(at=timezone.now())
    row = InboundMail.objects.get(pk=rows[-1].pk)
    assert row.state == "ticket" and row.ticket.title == "Report 11" and not row.is_answered


def test_an_hour_later_the_sender_may_report_again(by_mail):
    at = timezone.now()
    for number in range(11):
        by_mail(at=at, Message_ID=f"<{number}@x>")
    assert by_mail(at=at + timedelta(minutes=61), Message_ID="<later@x>").state == "ticket"


def test_a_sender_gets_five_acknowledgements_a_day(by_mail):
    at = timezone.now()
    rows = [by_mail(at=at, Message_ID=f"<{number}@x>") for number in range(7)]
    assert [row.is_answered for row in rows] == [True] * 5 + [False] * 2
    assert Delivery.objects.filter(moment="ticket_opened").count() == 5
    assert by_mail(at=at + timedelta(hours=25), Message_ID="<tomorrow@x>").is_answered


# --- Twice ------------------------------------------------------------------------------------------------
def test_the_same_bytes_are_one_mail(by_mail):
    raw = mail(Message_ID="<same@x>")
    assert by_mail(raw).pk == by_mail(raw).pk
    assert by_mail(mail()).pk == by_mail(mail()).pk  # without a Message-ID: within the hour
    assert Ticket.objects.count() == 2


def test_two_copies_by_different_ways_are_one_ticket(by_mail):
    first = by_mail(mail("Received: from a", Message_ID="<same@x>"))
    second = by_mail(mail("Received: from b; by c", Message_ID="<same@x>"))
    assert first.pk != second.pk and second.state == "ignored" and second.ticket == first.ticket


def test_a_broken_program_that_reuses_its_message_id_loses_nothing(by_mail):
    first = by_mail(Message_ID="<always@scanner>", body="Page one")
    second = by_mail(Message_ID="<always@scanner>", body="Page two")
    assert first.ticket != second.ticket


def test_nobody_can_take_anothers_message_id_in_advance(by_mail):
    by_mail(From="mallory@elsewhere.example", Message_ID="<guessed@x>")
    assert by_mail(Message_ID="<guessed@x>").state == "ticket"


# --- What breaks ---------------------------------------------------------------------------------------------
def test_a_mail_that_breaks_the_processing_is_tried_again_and_then_left_for_a_person(by_mail, monkeypatch):
    from incidents.intake.email import process

    def breaks(*args, **kwargs):
        raise ValueError("unforeseen")

    at = timezone.now()
    monkeypatch.setattr(process.decide, "look_at", breaks)
    row = by_mail(at=at)
    assert row.state == "waiting" and row.attempts == 1 and row.next_attempt_at > at
    for _ in range(4):
        row = InboundMail.objects.get(pk=row.pk)
        process.process_due(at=row.next_attempt_at)
    row = InboundMail.objects.get(pk=row.pk)
    assert row.state == "failed" and "ValueError: unforeseen" in row.reason
    monkeypatch.undo()
    person = factories.person("administrator")
    mail_acts.try_again(row.pk, actor=person, at=at)
    process.process_due(at=at)
    assert InboundMail.objects.get(pk=row.pk).state == "ticket"


def test_spam_and_empty_mail_wait_in_quarantine(by_mail):
    assert by_mail(X_Spam_Flag="YES").state == "quarantined"
    assert by_mail(Subject="", body="").state == "quarantined"
    assert Ticket.objects.count() == 0


def test_processing_twice_changes_nothing(by_mail, reported):
    from incidents.intake.email.process import process_one

    row = InboundMail.objects.get()
    assert process_one(row.pk, at=timezone.now()) is False
    assert TicketComment.objects.count() == 0 and Ticket.objects.count() == 1


def test_the_desks_own_address_always_receives(by_mail, settings):
    from incidents.queries.mail import accepted_addresses

    assert accepted_addresses() == {DESK}
    settings.DEFAULT_FROM_EMAIL = "Help <Help+noise@shop.example>"
    assert accepted_addresses() == {"help@shop.example"}
