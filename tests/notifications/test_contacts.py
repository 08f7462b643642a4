"""My messages: addresses verified by a code, their order, quiet hours, and who sees what of it."""

import re
from datetime import time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Invalid, ProcessError
from incidents.models import OnCallShift
from incidents.process import AccountRole
from notifications import contact_messages, contact_queries, contacts, phone_numbers, tasks
from notifications.models import ChannelAccount, ContactMessage, ContactPoint, ContactSettings, Delivery
from tests.notifications.conftest import declare, person
from tests.notifications.test_phones import provider  # noqa: F401 – the fixture
from tests.notifications.twilio import Call

pytestmark = pytest.mark.django_db
NUMBER = "+4915112345678"


@pytest.fixture
def dana(provider):  # noqa: F811
    return person("dana", AccountRole.TECHNICAL_STAFF)


def signed_in(user) -> Client:
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def point(user, channel="sms", address=NUMBER, **fields):
    values = {"verified_at": timezone.now(), "created_at": timezone.now(), "position": 1, **fields}
    return ContactPoint.objects.create(user=user, channel=channel, address=address, **values)


def code_of(text: str) -> str:
    return re.search(r"\b(\d{6})\b", text).group(1)


# --- Adding and verifying -------------------------------------------------------------------------
def test_a_number_is_verified_by_the_code_that_was_sent_to_it(dana, provider):  # noqa: F811
    browser = signed_in(dana)
    answer = browser.post(reverse("contact_add", args=["sms"]), {"number": "0049 (151) 123 456 78"})
    assert answer.status_code == 302, answer.content.decode()
    kept = ContactPoint.objects.get()
    assert (kept.address, kept.verified_at) == (NUMBER, None)
    contact_messages.send_due(at=timezone.now())
    code = code_of(provider.texts[0]["Body"])
    message = ContactMessage.objects.get()
    assert code not in kept.code_hash + message.sealed + message.answer and message.sealed == ""
    assert "+49 1511 2345678" in browser.get(answer["Location"]).content.decode()
    wrong = browser.post(answer["Location"], {"code": "000000" if code != "000000" else "111111"})
    assert wrong.status_code == 422 and "4 more tries" in wrong.content.decode()
    assert browser.post(answer["Location"], {"code": f"{code[:3]} {code[3:]}"}).status_code == 302
    kept.refresh_from_db()
    assert kept.verified_at and kept.code_hash == ""
    assert "Verified" in browser.get(reverse("message_settings")).content.decode()


def test_a_voice_number_is_told_its_code_digit_by_digit(dana, provider):  # noqa: F811
    added = contacts.add(dana, "voice", {"number": "+49 30 901820"}, at=timezone.now())
    contact_messages.send_due(at=timezone.now())
    heard = Call(provider.calls[0]).heard
    code = re.search(r"((?:\d, ){5}\d)", heard).group(1).replace(", ", "")
    contacts.verify(added.pk, dana, code, at=timezone.now())
    assert heard.count("Your code is") == 2
    assert ContactPoint.objects.get().verified_at


@pytest.mark.parametrize("why", ["old", "too_often", "replaced", "somebody_else"])
def test_a_code_that_must_not_work_does_not(dana, provider, why):  # noqa: F811
    now = timezone.now()
    added = contacts.add(dana, "sms", {"number": NUMBER}, at=now)
    contact_messages.send_due(at=now)
    code = code_of(provider.texts[0]["Body"])
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    said, at = "not the code", now
    if why == "old":
        at, said = now + timedelta(minutes=11), "older than ten minutes"
    elif why == "too_often":
        for _ in range(5):
            with pytest.raises(Invalid):
                contacts.verify(added.pk, dana, wrong, at=now)
        said = "5 wrong tries"
    elif why == "replaced":
        added.refresh_from_db()
        added.code_hash = contacts._hash(added, wrong)
        added.save()
    else:
        other = person("other", AccountRole.TECHNICAL_STAFF)
        assert signed_in(other).post(reverse("contact_verify", args=[added.pk]), {"code": code}).status_code == 404
        said, code = "not the code", wrong
    with pytest.raises(Invalid, match=said):
        contacts.verify(added.pk, dana, code, at=at)
    assert ContactPoint.objects.get().verified_at is None


def test_five_codes_an_hour_whether_the_address_is_removed_or_not(dana):
    now = timezone.now()
    for _ in range(5):
        added = contacts.add(dana, "sms", {"number": NUMBER}, at=now)
        contacts.remove(added, at=now)
    with pytest.raises(ProcessError, match="within an hour"):
        contacts.add(dana, "sms", {"number": NUMBER}, at=now)
    assert not ContactPoint.objects.exists(), "nothing is kept of what was refused"
    assert contacts.add(dana, "sms", {"number": NUMBER}, at=now + timedelta(minutes=61))
    other = person("other", AccountRole.TECHNICAL_STAFF)
    assert contacts.add(other, "sms", {"number": NUMBER}, at=now)


def test_a_code_that_the_provider_refuses_says_why(dana, provider):  # noqa: F811
    provider.answers.append((400, '{"code": 21211}', {}))
    added = contacts.add(dana, "sms", {"number": NUMBER}, at=timezone.now())
    contact_messages.send_due(at=timezone.now())
    page = signed_in(dana).get(reverse("contact_verify", args=[added.pk])).content.decode()
    assert "The code did not arrive: 21211 invalid number" in page
    assert "failed once: 21211 invalid number" in signed_in(dana).get(reverse("message_settings")).content.decode()


def test_a_code_waits_for_a_busy_provider_but_not_longer_than_it_works(dana, provider):  # noqa: F811
    provider.answers += [(500, "", {}), (500, "", {})]
    now = timezone.now()
    contacts.add(dana, "sms", {"number": NUMBER}, at=now)
    contact_messages.send_due(at=now)
    assert contact_messages.has_due(at=now + timedelta(seconds=30))
    contact_messages.send_due(at=now + timedelta(minutes=11))
    message = ContactMessage.objects.get()
    assert message.given_up_at and message.sealed == "" and provider.texts == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0151 12345678", "country code"),
        ("+49 151 12", "No number like this exists in DE"),
        ("+999 1234567", "No country has this code"),
        ("+call me", "not a telephone number"),
        ("+49 30 901820", "landline"),
        ("", "This field is required"),
    ],
    ids=["national", "too-short", "no-country", "words", "landline", "empty"],
)
def test_a_wrong_number_is_kept_as_typed_and_says_what_is_wrong(dana, given, said):
    answer = signed_in(dana).post(reverse("contact_add", args=["sms"]), {"number": given})
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page
    assert f'value="{given}"' in page or not given
    assert not ContactPoint.objects.exists()


def test_numbers_of_other_countries_are_normalised():
    assert phone_numbers.normalised("+1 (415) 555-2671") == "+14155552671"
    assert phone_numbers.normalised("0043 664 1234567") == "+436641234567"


def test_a_channel_that_is_off_is_not_offered(dana):
    ChannelAccount.objects.update(is_enabled=False)
    browser = signed_in(dana)
    assert "Voice call" not in browser.get(reverse("message_settings")).content.decode()
    assert browser.get(reverse("contact_add", args=["sms"])).status_code == 404


def test_the_worker_sends_codes_and_forgets_what_calls_said(dana, provider):  # noqa: F811
    added = contacts.add(dana, "voice", {"number": "+49 30 901820"}, at=timezone.now())
    assert tasks.sweep_contact_messages() == 1
    assert len(provider.calls) == 1 and ContactMessage.objects.get().sealed
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        tasks.forget_contact_messages()
    assert ContactMessage.objects.get().sealed == ""
    assert "Your code" not in Call(provider.calls[0]).heard
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        tasks.forget_contact_messages()
    assert not ContactMessage.objects.exists() and added.pk


# --- Order, wishes, quiet hours ---------------------------------------------------------------------
def test_the_order_is_the_persons_with_the_mail_of_the_account_in_it(dana):
    first, second = point(dana), point(dana, "voice", position=2)
    browser = signed_in(dana)
    browser.post(reverse("contact_do", args=[second.pk, "up"]))
    browser.post(reverse("contact_do_email", args=["down"]))
    assert [one.point for one in contacts.entries(dana)] == [second, None, first]
    browser.post(reverse("contact_do", args=[second.pk, "up"]))
    assert [one.point for one in contacts.entries(dana)] == [second, None, first], "the first stays the first"
    assert ContactSettings.objects.get(user=dana).email_position == 1


def test_what_comes_to_an_address_is_chosen_there(dana):
    kept = point(dana)
    address = reverse("contact_edit", args=[kept.pk])
    refused = signed_in(dana).post(address, {"takes_messages": "on", "page_after_minutes": "61"})
    assert refused.status_code == 422 and "60" in refused.content.decode()
    assert signed_in(dana).post(address, {"takes_messages": "on", "page_after_minutes": "4"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.takes_messages, kept.page_after_minutes) == (True, 4)


def test_quiet_hours_have_both_ends_and_say_what_still_rings(dana):
    browser, address = signed_in(dana), reverse("message_settings")
    refused = browser.post(address, {"quiet_from": "22:00", "quiet_until": ""})
    assert refused.status_code == 422 and "Give both times" in refused.content.decode()
    assert 'value="22:00"' in refused.content.decode(), "what was typed is kept"
    assert browser.post(address, {"quiet_from": "22:00", "quiet_until": "07:00"}).status_code == 302
    chosen = ContactSettings.objects.get(user=dana)
    assert (chosen.quiet_from, chosen.quiet_until) == (time(22), time(7))
    assert "still rings for a SEV1" in browser.get(address).content.decode()
    browser.post(address, {"quiet_from": "", "quiet_until": ""})
    assert ContactSettings.objects.get(user=dana).quiet_from is None


def test_a_test_message_goes_to_oneself_and_only_to_a_verified_address(dana, provider):  # noqa: F811
    kept = point(dana, verified_at=None)
    browser, address = signed_in(dana), reverse("contact_do", args=[kept.pk, "test"])
    assert browser.post(address).status_code == 422
    ContactPoint.objects.update(verified_at=timezone.now())
    assert browser.post(address).status_code == 302
    contact_messages.send_due(at=timezone.now())
    assert "test message" in provider.texts[0]["Body"]
    assert "works, used" in browser.get(reverse("message_settings")).content.decode()


def test_a_message_that_waits_for_a_removed_address_goes_another_way(people, checkout, provider):  # noqa: F811
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=9)
    kept = point(director, takes_messages=True)
    declare(people["manager"], checkout)
    signed_in(director).post(reverse("contact_do", args=[kept.pk, "remove"]))
    row = Delivery.objects.get(channel="sms")
    assert (row.state, row.reason) == (
        "suppressed", "The address was removed before this left. Told by E-mail instead.",
    )  # fmt: skip
    assert Delivery.objects.filter(instead_of=row, channel="email").exists()


# --- Who sees what ----------------------------------------------------------------------------------
@pytest.mark.parametrize("act", ["up", "test", "send-code", "remove"])
def test_nobody_touches_anothers_address(dana, act):
    theirs = point(person("other", AccountRole.TECHNICAL_STAFF))
    assert signed_in(dana).post(reverse("contact_do", args=[theirs.pk, act])).status_code == 404
    assert signed_in(dana).get(reverse("contact_edit", args=[theirs.pk])).status_code == 404
    assert ContactPoint.objects.filter(pk=theirs.pk).exists()


def test_an_administrator_reads_how_a_person_is_reached_and_no_secret(dana):
    kept = point(dana, "web_push", "Chrome on Linux (ab12)", failures_in_row=3, last_failure="21610 unsubscribed")
    kept.keep_secrets({"subscription": "https://push.example/secret-path"})
    kept.save()
    address = reverse("person_contacts", args=[dana.pk])
    page = signed_in(person("admin", AccountRole.ADMINISTRATOR)).get(address).content.decode()
    assert "Chrome on Linux" in page and "failed 3 times: 21610 unsubscribed" in page
    assert "secret-path" not in page and "<form" not in page
    assert signed_in(dana).get(address).status_code == 403


def test_who_is_on_call_without_anything_that_rings_is_named(dana):
    lee = person("lee", AccountRole.TECHNICAL_STAFF)
    now = timezone.now()
    for one in (dana, lee):
        OnCallShift.objects.create(
            role=AccountRole.MAJOR_INCIDENT_MANAGER, person=one, starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=9),
        )  # fmt: skip
    point(lee)
    assert contact_queries.unreachable_on_call(at=now) == [dana]
    page = signed_in(dana).get(reverse("on_call_reach")).content.decode()
    assert "Dana" in page and "Lee" not in page


def test_the_page_costs_the_same_however_many_addresses(dana):
    browser, costs = signed_in(dana), []
    for count in (1, 6):
        for number in range(count):
            point(dana, address=f"+4915112345{count}{number:02}")
        with CaptureQueriesContext(connection) as found, time_machine.travel(timezone.now(), tick=False):
            browser.get(reverse("message_settings"))
        costs.append(len(found))
    assert costs[0] == costs[1], costs
