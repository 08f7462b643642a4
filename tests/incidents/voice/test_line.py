"""The telephone line, spoken to as the provider does: signed forms in its order, answers read as TwiML."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from incidents.actions import phone_calls, tickets, updates
from incidents.intake.voice import signature
from incidents.models import CallState, Candidate, Integration, PhoneCall, RecordingState, Ticket, User
from incidents.sealed import seal
from notifications.models import Delivery
from tests.factories import minute
from tests.incidents.voice.provider import ACCOUNT, CALLER, KEY, TOKEN, Provider, signed, spoken, the_call


# --- signatures
def test_the_signature_is_the_one_of_the_providers_documentation():
    fields = QueryDict(mutable=True)
    for name, value in {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }.items():  # fmt: skip
        fields[name] = value
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature.signature_of(url, fields, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_forged_changed_and_unsigned_requests_are_refused_and_leave_nothing(line):
    call = Provider()
    right = signed(f"{call.base}/in/voice/{KEY}", call.fields)
    assert call.post(token="another-token").status_code == 403
    assert call.post(signature="").status_code == 403
    assert call.post(signature="ü").status_code == 403
    assert call.post(signature=right, From="+4930666").status_code == 403
    assert call.post("/menu", signature=right).status_code == 403
    assert not PhoneCall.objects.exists()


def test_a_token_that_follows_another_is_good_beside_it(line):
    Integration.objects.update(signing_secrets=[seal("the-next-one"), seal(TOKEN)])
    assert Provider().post(token="the-next-one").status_code == 200
    assert Provider().post(token=TOKEN).status_code == 200
    Integration.objects.update(signing_secrets=[])
    assert Provider().post(token="").status_code == 403


def test_an_address_with_its_port_written_out_is_the_same(line):
    call = Provider()
    signature = signed(f"https://desk.example.org:443/in/voice/{KEY}", call.fields)
    assert call.post(signature=signature).status_code == 200


def test_an_unknown_key_is_not_found_and_a_get_is_refused(line, client):
    assert Provider(key="x" * 32).post().status_code == 404
    assert client.get(f"/in/voice/{KEY}").status_code == 405


@pytest.mark.parametrize("fields", [{"CallSid": ""}, {"CallSid": "x" * 500}, {"From": "a\x00b"}])
def test_a_request_that_cannot_be_right_is_refused_in_words(line, fields):
    answer = Provider().post(**fields)
    assert answer.status_code == 400 and answer.content


@pytest.mark.parametrize("size", [65 * 1024, 13 * 1024 * 1024])
def test_a_form_that_is_too_large_is_refused_in_words_whatever_its_size(line, size):
    answer = Provider().post(SpeechResult="a" * size)
    assert (answer.status_code, answer.content) == (413, b"At most 64 KiB.\n")


def test_a_line_that_is_switched_off_says_so(line):
    Integration.objects.update(is_active=False)
    assert "not in service" in spoken(Provider().asked())
    assert not PhoneCall.objects.exists()


# --- the conversation
def test_the_greeting_names_us_and_the_keys(line):
    root = Provider().asked()
    assert "Northwind" in spoken(root) and "press 1" in spoken(root) and "know of the following" not in spoken(root)
    gather = root.find("Gather")
    assert gather.get("action") == f"https://desk.example.org/in/voice/{KEY}/menu" and gather.get("numDigits") == "1"
    assert root.find("Redirect").text == gather.get("action")


def test_known_outages_are_spoken_first_in_public_words(line, declared, manager):
    updates.publish_update(
        declared.pk, texts={"users": "Paying **fails** & we work on it.", "technical": "Pool <full>"},
        audiences=["users", "technical"], next_update_at=None, actor=manager, at=minute(12),
    )  # fmt: skip
    said = spoken(Provider().asked())
    assert said.index("Disruption of Checkout. Paying fails & we work on it.") < said.index("press 1")
    assert "Pool" not in said and declared.title not in said
    assert "Disruption of Checkout" in spoken(Provider().asked("/menu", Digits="2"))


def test_without_an_outage_key_2_says_so(line):
    assert "no disruption" in spoken(Provider().asked("/menu", Digits="2"))


def test_a_wrong_key_asks_again(line):
    assert Provider().asked("/menu", Digits="9").find("Gather") is not None


@pytest.mark.parametrize("pressed", [{"Digits": "1"}, {}])
def test_a_spoken_report_becomes_a_ticket_with_the_number_to_call_back(line, checkout, pressed):
    Integration.objects.update(service=checkout)
    call = Provider()
    call.asked()
    record = call.asked("/menu", **pressed).find("Record")
    assert record.get("transcribe") == "true" and record.get("maxLength") == "180"
    said = spoken(call.record())
    ticket = Ticket.objects.get()
    assert f"I N C, {' '.join(str(ticket.pk))}" in said
    assert (ticket.channel, ticket.service, ticket.callback_number) == ("hotline", checkout, "+49301234567")
    assert "1234567" not in ticket.callback_sealed and "1234567" not in the_call().caller_sealed
    assert "1234567" not in ticket.title
    assert the_call().state == CallState.REPORTED


def test_whose_number_we_know_is_the_requester(line, requester):
    User.objects.filter(pk=requester.pk).update(phone="(030) 12 34-567")
    call = Provider()
    call.asked()
    call.record()
    assert Ticket.objects.get().requester == requester


def test_a_number_of_two_people_is_nobodys(line, requester, technician):
    User.objects.filter(pk__in=[requester.pk, technician.pk]).update(phone=CALLER)
    call = Provider()
    call.asked()
    call.record()
    assert Ticket.objects.get().requester is None


def test_a_withheld_number_is_no_reason_to_lose_the_call(line):
    call = Provider(number="anonymous")
    call.asked()
    call.record()
    assert Ticket.objects.get().callback_number == ""


def test_the_transcription_becomes_the_description_and_the_title(line):
    call = Provider()
    call.record()
    text = "Hello, the checkout shows an error page. Since nine o'clock."
    assert call.post("/transcribed", TranscriptionText=text, TranscriptionStatus="completed").status_code == 204
    ticket = Ticket.objects.get()
    assert ticket.title == "Hello, the checkout shows an error page." and ticket.description == text


def test_a_transcription_that_comes_before_the_recording_is_not_lost(line):
    call = Provider()
    call.post("/transcribed", TranscriptionText="The printer burns.", TranscriptionStatus="completed")
    call.record()
    assert Ticket.objects.get().description == "The printer burns."


def test_a_transcription_does_not_overwrite_what_a_technician_wrote(line, technician):
    call = Provider()
    call.record()
    changes = {"title": "Printer on fire", "description": "Called back."}
    tickets.edit_ticket(Ticket.objects.get().pk, changes=changes, actor=technician, at=timezone.now())
    call.post("/transcribed", TranscriptionText="The printer burns.", TranscriptionStatus="completed")
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.description) == ("Printer on fire", "Called back.")
    assert "The printer burns." in ticket.comments.get().text and not ticket.comments.get().public


def test_a_transcription_that_failed_changes_nothing(line):
    call = Provider()
    call.record()
    call.post("/transcribed", TranscriptionText="garbage", TranscriptionStatus="failed")
    assert Ticket.objects.get().description == ""


def test_every_request_may_come_twice(line, on_call_manager):
    call = Provider()
    for _ in range(2):
        call.asked()
        call.asked("/menu", Digits="3")
        call.asked("/dialled", DialCallStatus="no-answer")
        call.record()
        call.post("/transcribed", TranscriptionText="Nobody can pay.", TranscriptionStatus="completed")
        call.post("/status", CallStatus="completed")
    assert (Ticket.objects.count(), Candidate.objects.count(), PhoneCall.objects.count()) == (1, 1, 1)
    assert Ticket.objects.get().comments.count() == 0


# --- suspected major
def test_key_3_raises_a_candidate_before_the_manager_is_rung(line, on_call_manager):
    call = Provider()
    call.asked()
    root = call.asked("/menu", Digits="3")
    candidate = Candidate.objects.get()
    assert candidate.source == "hotline" and "pressed 3" in candidate.reasons[0]
    assert candidate.tickets.get().callback_number == "+49301234567"
    dial = root.find("Dial")
    assert dial.find("Number").text == "+491707654321"
    assert dial.get("action").endswith("/dialled") and dial.get("callerId") is None


def test_the_caller_id_of_the_settings_is_shown_to_the_manager(line, on_call_manager):
    Integration.objects.update(settings={"account_sid": ACCOUNT, "caller_id": "+4930999"})
    assert Provider().asked("/menu", Digits="3").find("Dial").get("callerId") == "+4930999"


def test_when_the_manager_does_not_answer_there_is_a_message(line, on_call_manager):
    call = Provider()
    call.asked("/menu", Digits="3")
    assert call.asked("/dialled", DialCallStatus="no-answer").find("Record") is not None
    call.record()
    assert Ticket.objects.count() == 1
    assert the_call().recording_state == RecordingState.WAITING
    assert Provider(sid="CA2").asked("/dialled", DialCallStatus="completed").find("Hangup") is not None


def test_without_anybody_on_call_the_candidate_is_raised_and_a_message_taken(line):
    root = Provider().asked("/menu", Digits="3")
    assert root.find("Record") is not None and root.find("Dial") is None
    assert Candidate.objects.count() == 1


def test_two_callers_who_fear_the_same_join_one_candidate(line):
    Provider(sid="CA1").asked("/menu", Digits="3")
    Provider(sid="CA2", number="+49401111111").asked("/menu", Digits="3")
    assert Candidate.objects.get().tickets.count() == 2


# --- hanging up
def test_who_hangs_up_in_the_menu_is_written_down_with_the_number(line):
    call = Provider()
    call.asked()
    call.post("/status", CallStatus="completed", CallDuration="3")
    ticket = Ticket.objects.get()
    assert ticket.title.startswith("Caller hung up") and ticket.callback_number == "+49301234567"
    assert the_call().state == CallState.HUNG_UP


def test_who_hangs_up_after_hearing_the_outages_is_a_row_and_no_ticket(line, declared):
    call = Provider()
    call.asked()
    call.post("/status", CallStatus="completed")
    assert the_call().state == CallState.INFORMED and not Ticket.objects.exists()


def test_who_hangs_up_while_speaking_gets_a_moment_then_a_ticket(line):
    call = Provider()
    call.asked("/menu", Digits="1")
    call.post("/status", CallStatus="completed")
    assert not Ticket.objects.exists()
    assert phone_calls.settle_due(at=timezone.now()) == 0
    assert phone_calls.settle_due(at=timezone.now() + timedelta(minutes=3)) == 1
    assert phone_calls.settle_due(at=timezone.now() + timedelta(minutes=3)) == 0
    assert the_call().state == CallState.HUNG_UP
    call.record()
    assert Ticket.objects.count() == 1 and the_call().state == CallState.REPORTED
    assert Ticket.objects.get().title.startswith("Call of")


def test_a_call_whose_end_nobody_told_us_is_settled_by_the_sweep(line):
    Provider().asked()
    assert phone_calls.settle_due(at=timezone.now()) == 0
    assert phone_calls.settle_due(at=timezone.now() + phone_calls.SETTLES_AFTER * 1.1) == 1
    assert Ticket.objects.count() == 1


def test_a_status_along_the_way_ends_nothing(line):
    call = Provider()
    call.asked()
    call.post("/status", CallStatus="in-progress")
    assert the_call().ended_at is None


# --- words
def test_every_sentence_can_be_the_organisations_own(line):
    own = {"account_sid": ACCOUNT, "language": "de-DE", "voice": "Polly.Vicki",
           "greeting": "Hier ist {organisation} <&>.",
           "menu": "Drücken Sie 1.", "longest_recording_seconds": 60, "transcribe": False}  # fmt: skip
    Integration.objects.update(settings=own)
    root = Provider().asked()
    assert "Hier ist Northwind <&>." in spoken(root) and "Drücken Sie 1." in spoken(root)
    assert next(root.iter("Say")).get("language") == "de-DE"
    record = Provider().asked("/menu", Digits="1").find("Record")
    assert record.get("maxLength") == "60" and record.get("transcribe") is None


def test_settings_that_make_no_sense_count_as_not_given(line):
    odd = {"greeting": 7, "menu": "", "longest_recording_seconds": "long", "caller_id": "<x>", "language": ["de"]}
    Integration.objects.update(settings=odd)
    assert "Welcome" in spoken(Provider().asked())
    assert Provider().asked("/menu").find("Record").get("maxLength") == "180"


def test_the_manager_is_told_of_the_candidate(line, on_call_manager):
    Provider().asked("/menu", Digits="3")
    assert Delivery.objects.filter(moment="page", recipient=on_call_manager).exists()


def test_the_hotline_page_lists_the_calls(line, client, technician):
    call = Provider()
    call.asked()
    call.record()
    client.force_login(technician)
    page = client.get("/hotline/").content.decode()
    assert "+49301234567" in page and Ticket.objects.get().ref in page
