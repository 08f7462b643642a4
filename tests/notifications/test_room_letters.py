"""From the message into the room: an invitation answered in one tap, a guest's own door, the bridge in calendars."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from incidents import permissions, seat_links
from incidents.actions import bridges, guests, major_incidents, plans, response, seats
from incidents.errors import Invalid, WrongStage
from incidents.models import Bridge, BridgeProvider, GuestView, Seat, TimelineEvent, User
from incidents.process import EventKind
from notifications import plan_settings
from notifications.models import Message
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db
GUEST = "dana@vendor.example"


def link(mails) -> str:
    """The newest link of a seat in these mails."""
    texts = [mail.get_body(("plain",)).get_content() for mail in mails]
    return [found for text in texts for found in re.findall(r"https?://[^/\s]+(/seats/[^/\s]+/)", text)][-1]


@pytest.fixture
def incident(people, checkout, smtp):
    return declare(people["manager"], checkout)


@pytest.fixture
def invited(incident, people, smtp):
    """A guest invited for an hour, and the link of the mail."""
    seats.invite(
        incident.pk, role="external_consultant", guest_email=GUEST, access_hours=1, actor=people["manager"],
        at=timezone.now(),
    )  # fmt: skip
    deliver()
    return link(smtp.to(GUEST))


def come_in(address: str) -> Client:
    browser = Client()
    answer = browser.post(address, {"act": "accept", "name": "Dana Diaz, Vendor"})
    assert answer.status_code == 302
    return browser


def test_an_invitation_is_answered_from_the_mail_and_by_no_scanner(incident, people, smtp):
    for name in ("engineer", "director"):
        seats.invite(incident.pk, role="mit", user=people[name], actor=people["manager"], at=timezone.now())
    deliver()
    yes, no = (link(smtp.to(f"{name}@shop.example")) for name in ("engineer", "director"))
    browser = Client()
    shown = browser.get(f"{yes}?answer=accept")
    assert incident.title in shown.content.decode() and shown["Referrer-Policy"] == "same-origin"
    assert browser.head(yes).status_code == 200
    assert set(Seat.objects.filter(role="mit").values_list("state", flat=True)) == {"invited"}
    assert browser.post(yes, {"act": "accept"}).status_code == 200
    assert browser.post(no, {"act": "decline", "reason": "On a train"}).status_code == 200
    assert browser.post(no, {"act": "accept"}).status_code == 422  # its answer stands
    states = dict(Seat.objects.filter(role="mit").values_list("user__email", "state"))
    assert states == {"engineer@shop.example": "accepted", "director@shop.example": "declined"}
    assert TimelineEvent.objects.get(kind=EventKind.SEAT_DECLINED).text == "On a train"
    assert "_auth_user_id" not in browser.session  # it answers, and signs nobody in
    secret = yes.split("/")[2]
    assert not any(secret in kept.text + kept.html + kept.short for kept in Message.objects.all())


def test_a_guest_comes_in_by_the_link_to_this_room_and_nowhere_else(incident, invited, people):
    other = major_incidents.declare(
        title="Payroll is late", impact=1, urgency=1, actor=people["manager"], at=timezone.now()
    )
    browser = come_in(invited)
    room = browser.get(reverse("war_room", args=[incident.ref]))
    assert room.status_code == 200 and "Dana Diaz, Vendor (guest)" in room.content.decode()
    assert "1 from outside" in room.content.decode() and other.ref not in room.content.decode()
    for closed in (
        reverse("war_room", args=[other.ref]), reverse("my_work"), reverse("inbox"), reverse("major_incident_list"),
        reverse("search") + "?q=payroll", "/api/v1/major-incidents", f"/api/v1/major-incidents/{incident.ref}",
        reverse("my_settings"), reverse("people"), reverse("desk"),
    ):  # fmt: skip
        assert browser.get(closed).status_code in (403, 404), closed
    assert browser.get("/")["Location"] == reverse("war_room", args=[incident.pk])
    note = browser.post(reverse("act", args=[incident.ref, "note"]), {"text": "Our side is fine"})
    assert note.status_code == 302
    entry = TimelineEvent.objects.get(kind=EventKind.NOTE)
    assert entry.actor.display_name == "Dana Diaz, Vendor (guest)"
    held = Seat.objects.get(user__email=GUEST).guest_pass
    assert GuestView.objects.filter(guest_pass=held, path=room.wsgi_request.path).exists()
    assert held.seen_seq > 0
    browser = Client()
    browser.force_login(people["manager"], backend="allauth.account.auth_backends.AuthenticationBackend")
    record = browser.get(reverse("guest_record", args=[incident.ref, held.seat_id])).content.decode()
    assert "Our side is fine" in record and room.wsgi_request.path in record
    browser.force_login(people["engineer"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get(reverse("guest_record", args=[incident.ref, held.seat_id])).status_code == 403


def test_nobody_is_in_the_room_before_the_invitation_is_accepted(incident, invited):
    browser = Client()
    refused = browser.post(invited, {"act": "enter", "name": "Dana"})
    assert refused.status_code == 422 and "Accept the invitation first" in refused.content.decode()
    assert "_auth_user_id" not in browser.session
    assert not TimelineEvent.objects.filter(kind=EventKind.GUEST_ENTERED).exists()


def test_invited_to_two_rooms_each_link_opens_its_own(incident, invited, people, smtp):
    other = major_incidents.declare(
        title="Payroll is late", impact=1, urgency=1, actor=people["manager"], at=timezone.now()
    )
    seats.invite(other.pk, role="external_consultant", guest_email=GUEST, actor=people["manager"], at=timezone.now())
    browser = come_in(invited)
    assert browser.get(reverse("war_room", args=[incident.ref])).status_code == 200
    assert browser.get(reverse("war_room", args=[other.ref])).status_code == 404


def test_the_link_ends_and_is_revoked_at_once(incident, invited, people):
    room = reverse("war_room", args=[incident.ref])
    browser = come_in(invited)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert browser.get(room).status_code == 302  # signed out
        assert Client().get(invited).status_code == 410
    browser = come_in_again(invited)
    seat = Seat.objects.get(user__email=GUEST)
    seats.release(seat.pk, actor=people["manager"], at=timezone.now())
    for part in ("war_room_timeline", "war_room_header"):  # the parts of a page come at once, with the same cookie
        told = browser.get(reverse(part, args=[incident.ref]), headers={"HX-Request": "true"})
        assert told.status_code == 204
        assert "Ask whoever invited you" in browser.get(told["HX-Redirect"]).content.decode()
    assert browser.get(room)["Location"] == told["HX-Redirect"]  # and is not in by another way
    assert "_auth_user_id" not in browser.session
    assert browser.get("/accounts/login/").status_code == 200  # whoever has an account may sign in
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert browser.get(room)["Location"].startswith("/accounts/login/")
    assert Client().post(invited, {"act": "enter"}).status_code == 410
    assert not permissions.visible_incidents(User.objects.get(email=GUEST)).exists()


def come_in_again(address: str) -> Client:
    browser = Client()
    assert browser.post(address, {"act": "enter"}).status_code == 302
    return browser


def test_a_new_link_makes_the_old_one_worthless(incident, invited, people, smtp):
    browser = come_in(invited)
    seat = Seat.objects.get(user__email=GUEST)
    with pytest.raises(Invalid):
        guests.change_access(seat.pk, hours=10_000, actor=people["manager"], at=timezone.now())
    guests.change_access(seat.pk, hours=4, new_link=True, actor=people["manager"], at=timezone.now())
    assert browser.get(reverse("war_room", args=[incident.ref])).status_code == 302
    assert Client().get(invited).status_code == 410
    deliver()
    come_in_again(link(smtp.to(GUEST)))


def test_a_link_cannot_be_guessed(incident, invited):
    seat = Seat.objects.get(user__email=GUEST)
    token = invited.split("/")[2]
    salt = seat_links._SALT
    forged = (
        signing.dumps([seat.pk, "0" * 32], salt=salt),
        signing.dumps([seat.pk, ""], salt=salt),
        signing.dumps([seat.pk, seat.guest_pass.nonce], salt="another"),
        signing.dumps("x", salt=salt),
    )
    for wrong in (token[:-1], f"{token}x", "x", *forged):
        assert Client().post(reverse("seat_answer", args=[wrong]), {"act": "accept"}).status_code == 410
    assert Seat.objects.get(pk=seat.pk).state == "invited"


# --- The bridge -------------------------------------------------------------------------------
def entry(mails):
    """Method and event of the newest mail that has a calendar entry."""
    with_entry = [mail for mail in mails if any(one.get_content_type() == "text/calendar" for one in mail.walk())]
    mail = with_entry[-1]
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert len(parts) == 1
    calendar = Calendar.from_ical(parts[0].get_content())
    assert parts[0].get_param("method") == calendar["METHOD"]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["bridge.ics"]
    return str(calendar["METHOD"]), calendar.walk("VEVENT")[0]


def test_the_plan_makes_the_bridge_and_calendars_follow_it_to_its_end(people, checkout, smtp):
    manager, engineer = people["manager"], people["engineer"]
    administrator = person("admin", "administrator")
    pattern = {"name": "Jitsi", "kind": "jitsi", "join_pattern": "https://meet.example/{ref}-{secret}"}
    provider = bridges.save_provider(None, changes=pattern, actor=administrator, at=timezone.now())
    now = plans.current_version("SEV1", [], at=timezone.now())
    plan_settings.save_plan(now, now.content, bridge=provider, actor=administrator, at=timezone.now())
    incident = declare(manager, checkout)
    bridge = Bridge.objects.get(incident=incident)
    assert re.fullmatch(rf"https://meet\.example/{incident.ref}-[0-9a-f]{{16}}", bridge.join_url)
    seat = seats.invite(incident.pk, role="technical_staff", user=engineer, actor=manager, at=timezone.now())
    seats.accept(seat.pk, actor=engineer, at=timezone.now())
    deliver()
    method, made = entry(smtp.to(engineer.email))
    assert (method, made["LOCATION"], made["UID"][:9]) == ("REQUEST", bridge.join_url, "bridge-mi")
    assert made["ATTENDEE"] == f"mailto:{engineer.email}"
    response.set_bridge(incident.pk, dial_in="+49 30 1234, code 7", actor=manager, at=timezone.now())
    deliver()
    changed = entry(smtp.to(engineer.email))[1]
    assert changed["UID"] == made["UID"] and changed["SEQUENCE"] > made["SEQUENCE"]
    assert changed["LOCATION"] == "+49 30 1234, code 7"
    seats.release(seat.pk, actor=manager, at=timezone.now())
    deliver()
    assert entry(smtp.to(engineer.email))[0] == "CANCEL"
    major_incidents.stand_down(incident.pk, reason="A test rule", actor=manager, at=timezone.now())
    deliver()
    cancelled = [mail for mail in smtp.to(manager.email) if "bridge is over" in mail["Subject"]]
    method, gone = entry(cancelled)
    assert (method, gone["STATUS"], gone["UID"]) == ("CANCEL", "CANCELLED", made["UID"])
    with pytest.raises(WrongStage):
        bridges.remove_provider(provider.pk, actor=administrator, at=timezone.now())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"join_pattern": "http://meet.example/{ref}"}, "join_pattern"),
        ({"join_pattern": "https://{ref}.example/"}, "join_pattern"),
        ({"join_pattern": "https://meet.example/{incident}"}, "join_pattern"),
        ({"join_pattern": "https://meet.example/{ref"}, "join_pattern"),
        ({"join_pattern": "", "dial_in": ""}, "join_pattern"),
        ({"join_pattern": "", "dial_in": "+49 30 1", "kind": "zoom"}, "join_pattern"),
        ({"name": ""}, "name"),
        ({"kind": "skype"}, "kind"),
    ],
)
def test_a_pattern_that_makes_no_link_is_refused_by_its_field(db, changes, field):
    good = {"name": "Jitsi", "kind": "jitsi", "join_pattern": "https://meet.example/{ref}"}
    with pytest.raises(Invalid) as refusal:
        bridges.save_provider(None, changes=good | changes, actor=person("admin", "administrator"), at=timezone.now())
    assert list(refusal.value.errors) == [field]
    assert not BridgeProvider.objects.exists()
