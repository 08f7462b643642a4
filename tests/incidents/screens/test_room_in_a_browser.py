"""The team's side of the war room in a real browser: a guest on a phone, a handover, and the room seen otherwise."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from incidents import seat_links
from incidents.actions import bridges, major_incidents, response, seats, updates
from incidents.models import Seat, User
from incidents.queries.room_people import open_handover
from tests import factories
from tests.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "Checkout answers 502 for one in three customers since the gateway release of this morning in all regions"


@pytest.fixture
def browse(chromium, settings, live_server):
    """A tab of somebody signed in; None is somebody who is not."""
    contexts = []

    def tab(person, *, width=1280, height=800):
        context = chromium.new_context(
            base_url=live_server.url, reduced_motion="reduce", viewport={"width": width, "height": height}
        )
        contexts.append(context)
        if person is not None:
            client = Client()
            client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        return context.new_page()

    yield tab
    for context in contexts:
        context.close()


@pytest.fixture
def crowded(manager, deputy, engineer, management, checkout):
    """A room with a bridge, a guest asked an hour ago, tasks, an update and a question to management."""
    now = timezone.now()
    by = {"actor": manager, "at": now}
    incident = major_incidents.declare(title=LONG, services=[checkout], impact=1, urgency=1, users_affected=1200, **by)
    pk = incident.pk
    User.objects.filter(pk=engineer.pk).update(phone="+49 30 555 01")
    seat = seats.invite(pk, role="technical_staff", user=engineer, **by)
    seats.accept(seat.pk, actor=engineer, at=now)
    factories.person("technical_staff", name="Kay Kafka", skills=["checkout"])
    response.set_bridge(pk, join_url="https://meet.example.org/mi-1-9f2c", dial_in="+49 30 1234567, code 42", **by)
    response.open_war_room(pk, location="Room 4", **by)
    response.enter_war_room(pk, **by)
    response.set_situation(
        pk, conditions="One in three payments fails.", actions_summary="Draining node 4.", needs="The vendor.",
        seen_at=None, **by,
    )  # fmt: skip
    response.add_task(pk, title="Drain node 4 and watch the queue", assignee=engineer, **by)
    response.add_task(pk, title="Call the payment provider", **by)
    told = {"management": "We are rolling back. Payments recover within the hour."}
    updates.publish_update(pk, texts=told, audiences=["management"], next_update_at=None, **by)
    updates.ask_approval(pk, question="May we fail over to the other region?", approver=management, **by)
    seats.invite(pk, role="external_consultant", guest_email="dana@vendor.example", message="Your gateway", **by)
    return incident


def test_a_guest_comes_in_from_a_phone_and_the_room_says_so(browse, crowded, manager):
    seat = Seat.objects.get(user__email="dana@vendor.example")
    phone = browse(None, width=360, height=780)
    phone.goto(seat_links.address(seat))
    check(phone, name="guest-link")
    phone.get_by_label("Your name and company").fill("Dana Diaz, Vendor")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")  # on "Accept and come in"
    expect(phone.get_by_role("heading", name=LONG)).to_be_visible()
    phone.get_by_role("tab", name="People and context").click()
    expect(phone.get_by_text("1 from outside reads along")).to_be_visible()
    check(phone, "dark", name="guest-room-phone")
    room = browse(manager)
    room.goto(reverse("war_room", args=[crowded.ref]))
    expect(room.locator("#people").get_by_text("Dana Diaz, Vendor (guest)").first).to_be_visible()
    expect(room.get_by_text("knows checkout")).to_be_visible()
    expect(room.get_by_role("heading", name="Roll-call")).to_be_visible()
    check(room, name="room-team")
    room.get_by_role("button", name="Acts on the seat of Dana Diaz, Vendor (guest)").click()
    room.get_by_role("link", name="What they saw and did").click()
    expect(room.locator("#dialog")).to_contain_text("Guest came in by link")
    check(room, "dark", name="guest-record")
    room.keyboard.press("Escape")
    room.get_by_role("button", name="Acts on the seat of Dana Diaz, Vendor (guest)").click()
    room.get_by_role("link", name="Release").click()
    room.locator("#dialog").get_by_role("button", name="Release").click()
    expect(room.get_by_text("1 from outside reads along")).to_have_count(0)
    phone.reload()
    expect(phone.get_by_role("heading", name="This link does not work any more")).to_be_visible()


def test_command_is_handed_over_and_the_room_is_seen_otherwise(browse, crowded, manager, deputy, engineer, management):
    giver, taker = browse(manager), browse(deputy, width=360, height=780)
    giver.goto(reverse("war_room", args=[crowded.ref]))
    giver.get_by_role("button", name=f"More for {crowded.ref}").click()
    giver.get_by_role("link", name="Hand over command").click()
    summary = giver.get_by_label("Summary")
    expect(summary).to_have_value(re.compile("Drain node 4"))
    giver.get_by_label("To", exact=True).select_option(str(deputy.pk))
    check(giver, name="handover")
    giver.get_by_role("button", name="Offer command").click()
    expect(giver.get_by_text("Command is offered to Deputy")).to_be_visible()
    assert open_handover(crowded).taker == deputy
    taker.goto(reverse("war_room", args=[crowded.ref]))
    taker.get_by_role("tab", name="People and context").click()
    check(taker, name="handover-taker-phone", axe=False)
    taker.get_by_role("button", name="Confirm, I command").click()
    expect(taker.get_by_text("You are in command.")).to_be_visible()
    for name, person, words, width in (
        ("room_wall", manager, "One in three payments fails.", 1920),
        ("room_executive", management, "Checkout does not work as it should for customers and employees.", 1280),
        ("room_phone", engineer, "Drain node 4 and watch the queue", 360),
    ):
        seen = browse(person, width=width)
        seen.goto(reverse(name, args=[crowded.ref]))
        expect(seen.get_by_text(words).first).to_be_visible()
        check(seen, name=name, axe=name == "room_executive")
        seen.set_viewport_size({"width": 360, "height": 780})
        check(seen, "dark", name=f"{name}-phone", axe=name != "room_executive")
    seen.get_by_role("button", name="Done").click()
    expect(seen.get_by_text("Nothing waits for you.")).to_be_visible()
    answer = giver.request.get(reverse("room_packet", args=[crowded.ref]))
    assert answer.status == 200 and answer.body()[:5] == b"%PDF-"


def test_bridges_are_set_up_where_one_sees_what_they_make(browse, administrator):
    tab = browse(administrator)
    tab.goto(reverse("bridges"))
    check(tab, name="bridges-empty")
    tab.get_by_role("link", name="Add the first").click()
    tab.get_by_label("Name").fill("Jitsi")
    tab.get_by_label("Link").fill("https://meet.example.org/{incident}")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator("#dialog")).to_contain_text("{incident} is not known here. Known: {ref}")
    tab.get_by_label("Link").fill("https://meet.example.org/{ref}-{secret}")
    check(tab, name="bridge-new")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_text("https://meet.example.org/MI-12-9f2c4e81d07ab356")).to_be_visible()
    bridges.save_provider(
        None, changes={"name": "Teams", "kind": "teams", "join_pattern": "https://teams.example.org/l/one-room"},
        actor=administrator, at=timezone.now(),
    )  # fmt: skip
    tab.reload()
    expect(tab.get_by_text("The same link for every incident")).to_be_visible()
    check(tab, "dark", name="bridges")
