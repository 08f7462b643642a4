"""SMS and calls: against a provider that speaks the real protocol, from the page to the key that answers it."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.actions import candidates
from incidents.models import OnCallShift
from incidents.process import AccountRole
from notifications import delivery, escalation
from notifications.channels.phone import SmsChannel
from notifications.models import (
    ChannelAccount,
    ContactPoint,
    ContactSettings,
    Delivery,
    Page,
    PageCall,
    TextReply,
)
from tests.notifications.conftest import declare, person
from tests.notifications.twilio import ACCOUNT, CALLER, DESK, SENDER, TOKEN, Call, Provider, signed

pytestmark = pytest.mark.django_db
MIM = AccountRole.MAJOR_INCIDENT_MANAGER
NUMBER, OTHER = "+4915112345678", "+4915112345679"


@pytest.fixture
def provider(settings, db):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = DESK, ["testserver"]
    running = Provider()
    account = ChannelAccount(channel="sms", changed_at=timezone.now())
    account.settings = {"base_url": running.url, "account_sid": ACCOUNT, "from_number": SENDER, "voice_number": CALLER}
    account.keep_secrets({"auth_token": TOKEN})
    account.save()
    yield running
    running.stop()
    assert running.wrong == []


def point(user, channel="sms", address=NUMBER, **fields):
    values = {"verified_at": timezone.now(), "created_at": timezone.now(), **fields}
    return ContactPoint.objects.create(user=user, channel=channel, address=address, **values)


def send(*channels) -> int:
    return delivery.deliver_due(seconds=20, only=channels)


@pytest.fixture
def crew(provider):
    now = timezone.now()
    found = [person("dana", MIM), person("lee", MIM)]
    for rank, one in enumerate(found, 1):
        OnCallShift.objects.create(
            role=MIM, person=one, rank=rank, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=9)
        )
    point(found[0])
    point(found[0], "voice", page_after_minutes=3)
    return found


def paged(title="Nobody can pay", cluster="pay"):
    return candidates.gather(
        title=title, source="influx", cluster=cluster, reasons=["14 tickets"], actor=None, at=timezone.now()
    )


@pytest.fixture
def ringing(crew, provider):
    """A page whose call rings: the SMS left at once, the call three minutes later."""
    paged()
    send("sms", "voice")
    assert (len(provider.texts), len(provider.calls)) == (1, 0)
    later = timezone.now() + timedelta(minutes=4)
    with time_machine.travel(later):
        send("sms", "voice")
    return provider.calls[0]


# --- A page, from the SMS to the key ---------------------------------------------------------------
def test_a_page_is_an_sms_at_once_with_the_link_that_answers_it(crew, provider):
    paged()
    send("sms", "voice")
    sent = provider.texts[0]
    assert (sent["To"], sent["From"]) == (NUMBER, SENDER)
    assert sent["StatusCallback"] == f"{DESK}/phone/status/sms/"
    assert "Nobody can pay" in sent["Body"] and len(sent["Body"]) <= 300
    link = sent["Body"].rpartition(" ")[2]
    assert Client().post(link.removeprefix(DESK), {"act": "acknowledge"}).status_code == 200
    assert PageCall.objects.get().state == "answered"
    row = Delivery.objects.get(channel="sms")
    assert (row.state, row.provider_id) == ("delivered", sent["Sid"])


def test_a_call_after_three_minutes_is_answered_by_key_1_and_nothing_rings_any_more(ringing, crew, provider):
    assert (ringing["To"], ringing["From"]) == (NUMBER, CALLER)
    call = Call(ringing)
    assert call.heard.count("Nobody can pay") == 2 and "press 1" in call.heard
    assert Page.objects.get().state == "paging", "somebody, or a mailbox, picked up"
    assert "You have it" in call.press("1").heard
    assert (Page.objects.get().state, Page.objects.get().answered_by) == ("answered", crew[0])
    assert "You need not do anything" in Call(ringing).heard
    escalation.sweep(now=timezone.now() + timedelta(hours=1))
    send("sms", "voice")
    assert (len(provider.texts), len(provider.calls)) == (1, 1)


def test_key_2_passes_it_on_and_another_key_explains_itself(ringing, crew):
    call = Call(ringing)
    assert "press 1" in call.press("7").heard
    assert "next person" in call.press("2").heard
    escalation.sweep(now=timezone.now())
    assert [one.person for one in PageCall.objects.order_by("id")] == crew


def test_the_same_key_again_changes_nothing(ringing):
    call = Call(ringing)
    action = call.action
    call.press("1")
    again = signed(action, CallSid=call.sid, Digits="2")
    assert "You have it already" in again.content.decode()
    assert PageCall.objects.get().state == "answered"


def test_a_key_of_another_call_answers_nothing(ringing):
    action = Call(ringing).action
    answer = signed(action, CallSid="CA" + "9" * 32, Digits="1")
    assert "This call is over" in answer.content.decode()
    assert Page.objects.get().state == "paging"


@pytest.mark.parametrize("what", ["wrong token", "no signature", "another field", "forged address", "old address"])
def test_what_the_provider_did_not_sign_is_refused(ringing, what):
    action = Call(ringing).action
    given = {"CallSid": ringing["Sid"], "Digits": "1"}
    if what == "wrong token":
        answer = signed(action, token="another", **given)
    elif what == "no signature":
        answer = Client().post(action.removeprefix(DESK), given)
    elif what == "another field":
        signature = signed(action, **{**given, "Digits": "7"}).wsgi_request.headers["X-Twilio-Signature"]
        answer = Client().post(action.removeprefix(DESK), given, headers={"X-Twilio-Signature": signature})
    else:
        address = action if what == "old address" else action.replace("/key/", "x/key/")
        with time_machine.travel(timezone.now() + timedelta(hours=13 if what == "old address" else 0)):
            answer = signed(address, **given)
    is_signed = what.endswith("address")
    assert answer.status_code == (200 if is_signed else 403)
    assert not is_signed or "This call is over" in answer.content.decode()
    assert Page.objects.get().state == "paging"


def test_another_message_is_heard_and_acknowledged_by_key(people, checkout, provider):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=9)
    point(director, "voice", takes_messages=True)
    declare(people["manager"], checkout)
    send("voice")
    call = Call(provider.calls[0])
    assert "that you heard it" in call.press("1").heard
    assert "Acknowledged" in Delivery.objects.get(channel="voice").answer


# --- What the provider answers -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "state", "said", "blamed"),
    [
        ((400, '{"code": 21211, "message": "x"}', {}), "failed", "21211 invalid number", "address"),
        ((400, '{"code": 21610, "message": "x"}', {}), "failed", "21610 unsubscribed", "address"),
        ((400, '{"code": 21606, "message": "x"}', {}), "failed", "21606 the sender", "provider"),
        ((401, '{"code": 20003, "message": "x"}', {}), "queued", "20003 the provider refused", "provider"),
        ((429, '{"code": 20429}', {"Retry-After": "90"}), "queued", "20429 too many", "provider"),
        ((500, "<html>oops</html>", {}), "queued", "The provider answered 500", "provider"),
        ((302, "", {"Location": "http://169.254.169.254/"}), "failed", "The provider answered 302", "provider"),
    ],
    ids=["wrong-number", "unsubscribed", "wrong-sender", "refused-account", "too-many", "broken", "redirect"],
)
def test_a_refusal_is_told_in_words_and_blames_whose_fault_it_is(crew, provider, answer, state, said, blamed):
    provider.answers.append(answer)
    paged()
    send("sms")
    row = Delivery.objects.get(channel="sms")
    assert row.state == state and row.reason.startswith(said), row.reason
    account = ChannelAccount.objects.get(channel="sms")
    assert (account.failures_in_row, row.contact.failures_in_row) == (0 if blamed == "address" else 1, 1)
    if "Retry-After" in answer[2]:
        assert row.next_attempt_at > timezone.now() + timedelta(seconds=80)


def test_a_provider_that_is_away_leaves_the_message_waiting(crew, provider):
    ChannelAccount.objects.update(settings={"base_url": "http://127.0.0.1:9", "account_sid": "x", "from_number": "1"})
    paged()
    send("sms")
    row = Delivery.objects.get(channel="sms")
    assert row.state == "queued" and "127.0.0.1" in row.answer
    assert ChannelAccount.objects.get(channel="sms").failures_in_row == 1


def test_a_private_address_of_a_provider_is_not_asked(crew, provider, settings):
    settings.OUTGOING_NETWORKS = []
    paged()
    send("sms")
    assert provider.texts == []
    assert "not a public address" in Delivery.objects.get(channel="sms").answer


def test_twenty_people_do_not_wait_for_each_other_and_one_number_keeps_its_order(people, checkout, provider):
    provider.seconds = 0.3
    for number in range(20):
        one = person(f"chief{number}", AccountRole.MANAGEMENT)
        ContactSettings.objects.create(user=one, email_position=9)
        point(one, address=f"+49151123450{number:02}", takes_messages=True)
    declare(people["manager"], checkout, title="First")
    declare(people["manager"], title="Second")
    began = time.monotonic()
    send("sms")
    took = time.monotonic() - began
    assert len(provider.texts) == 40
    assert provider.most_at_once >= 5
    assert took < 40 * 0.3, f"{took:.1f} s for 40 messages of 0.3 s"
    for number in range(20):
        mine = [one["Body"] for one in provider.texts if one["To"] == f"+49151123450{number:02}"]
        assert ["First" in mine[0], "Second" in mine[1]] == [True, True]


def test_a_worker_killed_before_it_settled_repeats_the_one_message_and_no_more(crew, provider, monkeypatch):
    paged()

    def dies(group, lease):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(delivery, "_settle", dies)
        with pytest.raises(KeyboardInterrupt):
            send("sms")
    send("sms")
    assert len(provider.texts) == 1, "the lease of the dead one holds"
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        send("sms")
        send("sms")
    assert len(provider.texts) == 2
    assert Delivery.objects.get(channel="sms").state == "delivered"


# --- What it reports later ----------------------------------------------------------------------
def test_an_sms_that_does_not_arrive_is_told_on_the_next_channel_once(people, checkout, provider):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=9)
    theirs = point(director, takes_messages=True)
    declare(people["manager"], checkout)
    send("sms")
    sid = provider.texts[0]["Sid"]
    for _ in range(2):
        answer = signed(f"{DESK}/phone/status/sms/", MessageSid=sid, MessageStatus="undelivered", ErrorCode="30005")
        assert answer.status_code == 204
    row = Delivery.objects.get(channel="sms")
    assert (row.state, row.reason) == (
        "failed",
        "Accepted, but not delivered: 30005 the number does not exist. Told by E-mail instead.",
    )
    assert Delivery.objects.filter(instead_of=row, channel="email").count() == 1
    theirs.refresh_from_db()
    assert theirs.failures_in_row == 1


@pytest.mark.parametrize(
    ("status", "state", "said"), [("no-answer", "failed", "Nobody picked up"), ("completed", "delivered", "Picked up")]
)
def test_a_call_that_nobody_picks_up_is_told_and_blames_nobody(ringing, crew, status, state, said):
    signed(f"{DESK}/phone/status/voice/", CallSid=ringing["Sid"], CallStatus=status, CallDuration="12")
    row = Delivery.objects.get(channel="voice")
    assert row.state == state and said in row.answer
    assert ContactPoint.objects.get(channel="voice").failures_in_row == 0
    assert Page.objects.get().state == "paging"


# --- An SMS that comes back ---------------------------------------------------------------------
def reply(text, number=NUMBER, sid="SM1"):
    return signed(f"{DESK}/phone/replies/", MessageSid=sid, From=number, To=SENDER, Body=text).content.decode()


@pytest.mark.parametrize("word", ["1", " Ack. ", "ACKNOWLEDGE"])
def test_an_sms_in_return_takes_the_last_page(crew, word):
    raised = paged()
    assert f"{raised.ref}: You have it" in reply(word)
    assert Page.objects.get().answered_by == crew[0]


def test_the_same_sms_again_takes_no_later_page(crew):
    paged()
    reply("1")
    paged(title="Another", cluster="x")
    assert "You have it" in reply("1")
    assert sorted(Page.objects.values_list("state", flat=True)) == ["answered", "paging"]


@pytest.mark.parametrize(
    ("text", "number", "hours", "said"),
    [
        ("1", OTHER, 0, "nobody has verified this number"),
        ("1", NUMBER, 13, "No page waits for you"),
        ("who is this?", NUMBER, 0, "Reply 1 to take the last page"),
    ],
    ids=["stranger", "too-late", "other-words"],
)
def test_anything_else_gets_a_helpful_answer(crew, text, number, hours, said):
    paged()
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        assert said in reply(text, number)
    assert Page.objects.get().state != "answered"


def test_stop_ends_sms_to_this_number_until_it_is_verified_again(crew, provider):
    assert "Message" not in reply("STOP")
    stopped = ContactPoint.objects.get(channel="sms")
    assert stopped.stopped_at and stopped.verified_at is None
    paged()
    send("sms")
    assert provider.texts == []


def test_nobody_is_asked_to_reply_before_a_reply_was_ever_heard(crew, provider):
    paged()
    send("sms")
    TextReply.objects.create(provider_id="SM9", number=NUMBER, received_at=timezone.now())
    paged(title="Another", cluster="x")
    send("sms")
    assert ["Reply 1" in one["Body"] for one in provider.texts] == [False, True]


def test_replies_that_are_not_signed_do_nothing(crew):
    paged()
    answer = Client().post(reverse("phone_reply"), {"MessageSid": "SM1", "From": NUMBER, "Body": "1"})
    assert answer.status_code == 403 and not TextReply.objects.exists()


def test_in_quiet_hours_a_minor_page_waits_and_a_sev1_rings(provider, checkout):
    manager = person("manager", MIM)
    manager.time_zone = "UTC"
    manager.save()
    now = timezone.now()
    begins, ends = (now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time()
    ContactSettings.objects.create(user=manager, quiet_from=begins, quiet_until=ends)
    point(manager)
    from incidents.actions import major_incidents

    for title, impact, severity in (("Printer", 3, "SEV3"), ("Checkout", 1, "SEV1")):
        major_incidents.declare(
            title=title, impact=impact, urgency=impact, severity=severity, services=[], actor=None, at=timezone.now()
        )
    escalation.sweep(now=timezone.now())
    send("sms")
    assert ["Checkout" in one["Body"] for one in provider.texts] == [True]
    held = Delivery.objects.get(channel="sms", state="queued", moment="page")
    assert "Quiet hours until" in held.reason


def test_an_account_without_a_token_says_what_is_missing(crew, provider):
    ChannelAccount.objects.update(sealed="")
    paged()
    send("sms")
    row = Delivery.objects.get(channel="sms")
    assert (row.state, row.reason) == ("failed", "The account SID or the token of the provider is missing.")
    assert SmsChannel.one_at_a_time


def test_what_is_on_its_way_is_not_given_back_to_a_more_urgent_message(people, checkout, provider, monkeypatch):
    monkeypatch.setattr(delivery, "LOOK_FOR_URGENT_EVERY", timedelta(0))
    provider.seconds = 0.2
    for number in range(12):
        one = person(f"chief{number}", AccountRole.MANAGEMENT)
        ContactSettings.objects.create(user=one, email_position=9)
        point(one, address=f"+49151123450{number:02}", takes_messages=True)
    declare(people["manager"], checkout)
    rows = Delivery.objects.filter(channel="sms").order_by("id")
    looks = iter([False] * 4 + [True])

    def appears(row, now):
        return next(looks, False)

    monkeypatch.setattr(delivery, "_something_more_urgent_waits", appears)
    send("sms")
    assert sorted(one["To"] for one in provider.texts) == sorted(rows.values_list("address", flat=True))
    assert set(rows.values_list("state", "attempts")) == {("delivered", 1)}
