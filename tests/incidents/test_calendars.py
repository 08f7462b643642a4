"""Calendars out, parsed back; calendars in, looked at first, the same file twice changing nothing."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from incidents import calendars
from incidents.actions import feeds, rota_import, rotas, stand_ins
from incidents.errors import Invalid, NotAccountable
from incidents.models import CalendarFeed, OnCallShift, RotaOverride, User
from incidents.on_call import on_call

pytestmark = pytest.mark.django_db
MIM = "major_incident_manager"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def primary(administrator, manager, deputy, time_machine_at):
    rota = rotas.save_rota(
        changes={"name": "Managers", "role": MIM, "time_zone": "Europe/Berlin"}, actor=administrator, at=NOW
    )
    changes = {"name": "Primary", "people": [manager, deputy], "starts_on": date(2026, 3, 2), "handover_weekday": 0}
    return rotas.save_layer(rota_id=rota.pk, changes=changes, actor=administrator, at=NOW)


@pytest.fixture
def time_machine_at():
    import time_machine

    with time_machine.travel(NOW, tick=False):
        yield


def events_of(address: str) -> list:
    answer = Client().get(address)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/calendar")
    calendar = Calendar.from_ical(answer.content)
    return calendar.walk("VEVENT")


# --- Out --------------------------------------------------------------------------------------
def test_a_feed_of_a_rota_says_who_when_in_local_time_over_the_clock_change(primary, manager, deputy):
    _, secret = feeds.make_feed(rota=primary.rota, actor=manager, at=NOW)
    address = reverse("calendar_feed", args=[secret])
    assert [str(zone["tzid"]) for zone in Calendar.from_ical(Client().get(address).content).walk("VTIMEZONE")] == [
        "Europe/Berlin"
    ]
    events = events_of(address)
    first, *_, last = events
    assert first.decoded("dtstart") == datetime(2026, 3, 2, 9, tzinfo=BERLIN)
    assert str(first["attendee"]) == f"mailto:{manager.email}"
    assert {event.decoded("dtstart").astimezone(BERLIN).strftime("%a %H:%M") for event in events} == {"Mon 09:00"}
    assert len({str(event["uid"]) for event in events}) == len(events) > 20
    assert last.decoded("dtend") > NOW + timedelta(days=170)


def test_the_same_shift_keeps_its_uid_as_time_goes_by(primary, manager):
    import time_machine

    _, secret = feeds.make_feed(actor=manager, at=NOW)
    address = reverse("calendar_feed", args=[secret])
    before = {str(event["uid"]): event.decoded("dtstart") for event in events_of(address)}
    with time_machine.travel(NOW + timedelta(days=24, hours=5), tick=False):
        after = {str(event["uid"]): event.decoded("dtstart") for event in events_of(address)}
    common = before.keys() & after.keys()
    assert len(common) >= 12 and all(before[uid] == after[uid] for uid in common)


def test_a_feed_of_a_person_has_stand_ins_too(primary, manager, deputy, administrator):
    span = datetime(2026, 3, 3, 0, tzinfo=BERLIN), datetime(2026, 3, 4, 0, tzinfo=BERLIN)
    stand_ins.stand_in(primary.pk, person=deputy, starts_at=span[0], ends_at=span[1], actor=administrator, at=NOW)
    _, secret = feeds.make_feed(actor=deputy, at=NOW)
    events = events_of(reverse("calendar_feed", args=[secret]))
    assert (events[0].decoded("dtstart"), events[0].decoded("dtend")) == span


def test_an_address_stops_when_it_is_revoked_or_its_owner_leaves(primary, manager, deputy, administrator):
    feed, secret = feeds.make_feed(rota=primary.rota, actor=manager, at=NOW)
    address = reverse("calendar_feed", args=[secret])
    assert secret not in str(CalendarFeed.objects.values())
    with pytest.raises(NotAccountable):
        feeds.revoke_feed(feed.pk, actor=deputy, at=NOW)
    feeds.revoke_feed(feed.pk, actor=administrator, at=NOW)
    assert Client().get(address).status_code == 404
    _, secret = feeds.make_feed(actor=manager, at=NOW)
    User.objects.filter(pk=manager.pk).update(is_active=False)
    assert Client().get(reverse("calendar_feed", args=[secret])).status_code == 404
    assert Client().get(reverse("calendar_feed", args=["x" * 32])).status_code == 404


def test_a_shift_that_begins_in_the_second_of_two_equal_hours_is_written_in_utc():
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    shift = calendars.Shift("a", second, second + timedelta(hours=4), "x", "X", "x@example.org")
    written = calendars.written("t", [shift], zone="Europe/Berlin", at=second)
    [event] = Calendar.from_ical(written).walk("VEVENT")
    assert event.decoded("dtstart") == second


# --- In ---------------------------------------------------------------------------------------
def file(*entries: str, head: str = "") -> str:
    events = "".join(f"BEGIN:VEVENT\r\n{entry}\r\nEND:VEVENT\r\n" for entry in entries)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{head}{events}END:VCALENDAR\r\n"


TENTH, ELEVENTH = "DTSTART;TZID=Europe/Berlin:20260310T090000", "DTEND;TZID=Europe/Berlin:20260311T090000"


def entry(uid="a@x", starts=TENTH, ends=ELEVENTH, who="ATTENDEE:mailto:deputy@example.org", more="") -> str:
    return "\r\n".join(filter(None, [f"UID:{uid}" if uid else "", starts, ends, who, more]))


def states(planned) -> list[str]:
    return [one.state for one in planned]


def test_entries_become_overrides_once_and_follow_the_file(primary, administrator, manager, deputy):
    target, by = rota_import.Target(layer=primary), {"actor": administrator, "at": NOW}
    text = file(
        entry(), entry("b@x", "DTSTART;VALUE=DATE:20260312", "DTEND;VALUE=DATE:20260313", "SUMMARY:On call Manager")
    )
    assert states(rota_import.plan(text, target, **by)) == ["new", "new"]
    assert not RotaOverride.objects.exists()
    rota_import.carry_out(text, target, **by)
    assert states(rota_import.carry_out(text, target, **by)) == ["unchanged", "unchanged"]
    whole_day = RotaOverride.objects.get(uid="b@x")
    assert (whole_day.person, whole_day.starts_at) == (manager, datetime(2026, 3, 12, 0, tzinfo=BERLIN))
    assert whole_day.ends_at == datetime(2026, 3, 13, 0, tzinfo=BERLIN)
    moved = file(entry(ends="DTEND;TZID=Europe/Berlin:20260311T120000"), entry("b@x", more="STATUS:CANCELLED"))
    assert states(rota_import.carry_out(moved, target, **by)) == ["changed", "removed"]
    assert RotaOverride.objects.get().ends_at == datetime(2026, 3, 11, 12, tzinfo=BERLIN)


def test_entries_become_single_shifts_of_a_role(administrator, deputy, time_machine_at):
    target = rota_import.Target(role=MIM, rank=2)
    rota_import.carry_out(file(entry()), target, actor=administrator, at=NOW)
    rota_import.carry_out(file(entry()), target, actor=administrator, at=NOW)
    shift = OnCallShift.objects.get()
    assert (shift.rank, shift.person, on_call(MIM, shift.starts_at)) == (2, deputy, [deputy])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (entry(uid=""), "no UID"),
        (entry(ends="DTEND;TZID=Europe/Berlin:20260309T090000"), "ends before it begins"),
        (entry(ends=""), "does not say when it ends"),
        (entry(starts=""), "does not say when it begins"),
        (entry(starts="DTSTART;TZID=Moon/Base:20260310T090000"), "time zone “Moon/Base” is not known"),
        (entry(starts="DTSTART:20261399T990000"), "times cannot be read"),
        (entry(who="ATTENDEE:mailto:nobody@example.org"), "Nobody here is"),
        (entry(who="SUMMARY:Somebody unknown"), "Nobody here is"),
        (entry(who="ATTENDEE:mailto:technician@example.org"), "does not hold this role"),
        (entry(more="RRULE:FREQ=SOMETIMES"), "repeats"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why_and_the_others_go_in(
    primary, administrator, deputy, technician, bad, words
):
    target, by = rota_import.Target(layer=primary), {"actor": administrator, "at": NOW}
    planned = rota_import.carry_out(file(bad, entry("good@x")), target, **by)
    assert states(planned) == ["wrong", "new"] and words in planned[0].sentence
    assert RotaOverride.objects.get().uid == "good@x"


def test_what_repeats_is_written_out_at_its_local_time(primary, administrator, deputy):
    weekly = entry(more="RRULE:FREQ=WEEKLY;COUNT=5\r\nEXDATE;TZID=Europe/Berlin:20260317T090000")
    rota_import.carry_out(file(weekly), rota_import.Target(layer=primary), actor=administrator, at=NOW)
    starts = [row.starts_at.astimezone(BERLIN) for row in RotaOverride.objects.order_by("starts_at")]
    assert [at.strftime("%d.%m. %H:%M") for at in starts] == [
        "10.03. 09:00",
        "24.03. 09:00",
        "31.03. 09:00",
        "07.04. 09:00",
    ]
    assert (
        states(rota_import.carry_out(file(weekly), rota_import.Target(layer=primary), actor=administrator, at=NOW))
        == ["unchanged"] * 4
    )


def test_one_moved_repetition_replaces_its_own(primary, administrator, deputy):
    weekly = entry(more="RRULE:FREQ=WEEKLY;COUNT=2")
    moved = entry(starts="DTSTART;TZID=Europe/Berlin:20260318T090000", ends="DTEND;TZID=Europe/Berlin:20260319T090000",
                  more="RECURRENCE-ID;TZID=Europe/Berlin:20260317T090000")  # fmt: skip
    rota_import.carry_out(file(weekly, moved), rota_import.Target(layer=primary), actor=administrator, at=NOW)
    days = [row.starts_at.astimezone(BERLIN).day for row in RotaOverride.objects.order_by("starts_at")]
    assert days == [10, 18]


@pytest.mark.parametrize(
    "text", ["", "hello", "BEGIN:VCALENDAR\r\nEND:VCALENDAR", "BEGIN:VEVENT\r\nEND:VCALENDAR", "\x00"]
)
def test_what_is_no_calendar_is_refused_at_its_field(primary, administrator, text):
    with pytest.raises(Invalid) as refusal:
        rota_import.plan(text, rota_import.Target(layer=primary), actor=administrator, at=NOW)
    assert refusal.value.errors.keys() == {"file"}


def test_our_own_feed_is_read_back_as_the_same_shifts(primary, administrator, manager):
    _, secret = feeds.make_feed(rota=primary.rota, actor=manager, at=NOW)
    text = Client().get(reverse("calendar_feed", args=[secret])).content.decode()
    read = calendars.read(text, zone="UTC", at=NOW)
    assert not [one.problem for one in read if one.problem]
    assert read[0].starts_at == datetime(2026, 3, 2, 9, tzinfo=BERLIN) and read[0].emails == (manager.email,)
