"""Nobody acknowledges: the backup, then the service desk manager, then anybody; and when paging stops."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from incidents.actions import candidates, major_incidents, rotas, seats, stand_ins
from incidents.models import Candidate, Rota, TimelineEvent
from incidents.process import AccountRole, EventKind
from incidents.rota import midnight
from notifications import escalation
from notifications.escalation_policy import save_policy
from notifications.models import Delivery, Page, PageCall
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db
MIM, SDM = AccountRole.MAJOR_INCIDENT_MANAGER, AccountRole.SERVICE_DESK_MANAGER
NIGHT = datetime(2026, 2, 3, 2, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def admin(db):
    return person("admin", AccountRole.ADMINISTRATOR)


@pytest.fixture
def desk(db):
    return person("desk", SDM)


@pytest.fixture
def crew(admin, desk):
    """Dana and Lee take turns of weeks from 2 February 2026 on, the other one is backup; desk is on call alone."""
    dana, lee, spare = person("dana", MIM), person("lee", MIM), person("spare", MIM)
    for role, layers in (
        (MIM, [("Primary", 1, [dana, lee]), ("Backup", 2, [lee, dana])]),
        (SDM, [("Desk", 1, [desk])]),
    ):
        rota = rotas.save_rota(
            changes={"name": role, "role": role, "time_zone": "Europe/Berlin"}, actor=admin, at=NIGHT
        )
        for name, rank, people in layers:
            changes = {"name": name, "rank": rank, "people": people, "starts_on": date(2026, 2, 2),
                       "handover_weekday": 0}  # fmt: skip
            rotas.save_layer(rota_id=rota.pk, changes=changes, actor=admin, at=NIGHT)
    return {"dana": dana, "lee": lee, "spare": spare, "desk": desk, "admin": admin}


@pytest.fixture
def clock():
    """Simulated time; `clock.move_to` and `clock.shift` let it pass."""
    with time_machine.travel(NIGHT, tick=False) as traveller:
        yield traveller


def raised(source: str = "influx", cluster: str = "checkout", **fields) -> Candidate:
    return candidates.gather(
        title="Nobody can pay", source=source, cluster=cluster, reasons=["14 tickets in 12 minutes"],
        actor=fields.pop("actor", None), at=timezone.now(), **fields,
    )  # fmt: skip


def pass_time(clock, minutes: float) -> None:
    """As it goes by in production: a sweep every five seconds."""
    for _ in range(int(minutes * 12)):
        clock.shift(5)
        escalation.sweep(now=timezone.now())


def called() -> list[tuple[str, float]]:
    """Who was called, and after how many minutes."""
    rows = PageCall.objects.select_related("person", "page").order_by("id")
    return [
        (row.person.email.split("@")[0], (row.called_at - row.page.started_at).total_seconds() / 60) for row in rows
    ]


def test_nobody_acknowledges_then_backup_service_desk_manager_and_everybody(crew, clock):
    raised()
    assert called() == [("dana", 0)]
    pass_time(clock, 4.9)
    assert called() == [("dana", 0)]
    pass_time(clock, 15.2)
    assert called() == [("dana", 0), ("lee", 5), ("desk", 10), ("spare", 15)]


def test_it_begins_again_as_often_as_the_policy_says_and_then_says_that_nobody_answered(crew, clock):
    candidate = raised()
    pass_time(clock, 90)
    names = [name for name, _ in called()]
    assert names == ["dana", "lee", "desk", "spare"] * 3
    page = Page.objects.get()
    assert (page.state, page.due_at) == ("unanswered", None)
    told = Delivery.objects.filter(moment="page_unanswered", channel="email").values_list("address", flat=True)
    assert {"admin@shop.example", "desk@shop.example"} <= set(told)
    assert candidate.events.filter(kind=EventKind.PAGE_UNANSWERED).count() == 1


def test_more_evidence_for_a_candidate_nobody_answered_pages_again(crew, clock):
    raised()
    pass_time(clock, 90)
    before = len(called())
    candidates.gather(
        title="x", source="influx", cluster="checkout", reasons=["20 more tickets"], actor=None, at=timezone.now()
    )
    assert len(called()) == before + 1


def test_the_page_is_a_mail_that_says_why_and_how_to_answer(crew, clock, smtp):
    raised()
    deliver()
    [mail] = smtp.to("dana@shop.example")
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"].startswith("Page: CAN-")
    assert "paged on call as major incident manager, first in line" in text
    assert "14 tickets in 12 minutes" in text
    assert "/page/" in text and "link-of-the-recipient" not in text
    assert not smtp.to("lee@shop.example") or "Page:" not in smtp.to("lee@shop.example")[0]["Subject"]


def test_an_acknowledgement_stops_it_and_what_waits_does_not_leave(crew, clock, smtp):
    candidate = raised()
    candidates.acknowledge(candidate.pk, actor=crew["spare"], at=timezone.now())
    deliver()
    row = Delivery.objects.get(moment="page", channel="email")
    assert (row.state, row.reason) == ("suppressed", "Spare acknowledged it before this left.")
    assert not [mail for mail in smtp.to("dana@shop.example") if mail["Subject"].startswith("Page:")]
    pass_time(clock, 30)
    assert called() == [("dana", 0)]
    page = Page.objects.get()
    assert (page.state, page.answered_by) == ("answered", crew["spare"])


@pytest.mark.parametrize("verdict", ["declare", "link", "dismiss"])
def test_a_verdict_stops_it(crew, clock, verdict):
    lee = crew["lee"]
    incident = declare(lee) if verdict == "link" else None
    candidate = raised()
    by = {"actor": lee, "at": timezone.now()}
    if verdict == "declare":
        major_incidents.declare(title="x", services=[], impact=1, urgency=1, candidate=candidate, **by)
    elif verdict == "link":
        candidates.link(candidate.pk, incident_id=incident.pk, **by)
    else:
        candidates.dismiss(candidate.pk, reason="nothing", **by)
    pass_time(clock, 30)
    assert called() == [("dana", 0)]
    assert Page.objects.get().state == "ended"


def test_whoever_raised_it_knows_and_is_not_paged_but_the_next_waits_as_long(crew, clock, smtp):
    raised(source="proposed", actor=crew["dana"])
    call = PageCall.objects.get()
    assert (call.person, call.state, call.event) == (crew["dana"], "knows", None)
    pass_time(clock, 5.1)
    assert called() == [("dana", 0), ("lee", 5)]


def test_passing_it_on_calls_the_next_at_once_and_never_the_same_person_again(crew, clock):
    raised()
    page = Page.objects.get()
    assert escalation.pass_on(page.pk, actor=crew["dana"], at=timezone.now())
    pass_time(clock, 0.1)
    assert called()[1][0] == "lee"
    pass_time(clock, 60)
    assert [name for name, _ in called()].count("dana") == 1
    assert escalation.pass_on(page.pk, actor=crew["admin"], at=timezone.now()) is False


def test_the_policy_is_frozen_when_the_page_begins(crew, clock, admin):
    raised()
    steps = [{"who": [f"person:{admin.pk}"], "wait_seconds": 60}]
    save_policy("candidate", steps=steps, repeat=0, actor=admin, at=timezone.now())
    pass_time(clock, 10.2)
    assert called() == [("dana", 0), ("lee", 5), ("desk", 10)]
    raised(cluster="another")
    assert PageCall.objects.order_by("-id")[0].person == admin


def test_the_hotline_has_a_policy_of_its_own(crew, clock, admin):
    steps = [{"who": [f"on_call:{SDM}:1"], "wait_seconds": 60}]
    save_policy("hotline", steps=steps, repeat=0, actor=admin, at=timezone.now())
    raised(source="hotline")
    assert called() == [("desk", 0)]


def test_without_anybody_on_call_the_fallbacks_of_the_process_are_paged(db, clock):
    admin = person("admin", AccountRole.ADMINISTRATOR)
    raised()
    call = PageCall.objects.get()
    assert (call.person, call.why) == (admin, "as an administrator, because nobody else was found")


def test_a_handover_between_two_steps_does_not_page_the_same_person_twice(crew, clock):
    """At five to nine on Monday Dana is first; at nine Lee is, and Dana is the backup."""
    clock.move_to(datetime(2026, 2, 9, 8, 57, tzinfo=BERLIN))
    raised()
    pass_time(clock, 5.1)
    assert [name for name, _ in called()] == ["dana", "lee"]


def test_the_right_person_in_the_night_of_the_clock_change(crew, clock):
    rota = Rota.objects.get(role=MIM)
    primary = rota.layers.get(rank=1)
    day = date(2026, 3, 29)  # Dana's week; the clock jumps from 02:00 to 03:00
    stand_ins.stand_in(
        primary.pk, person=crew["spare"], starts_at=midnight(day, BERLIN),
        ends_at=midnight(day + timedelta(days=1), BERLIN), actor=crew["admin"], at=timezone.now(),
    )  # fmt: skip
    expected = [
        (datetime(2026, 3, 28, 23, 59, tzinfo=BERLIN), "lee"),
        (datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN), "spare"),
        (datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN), "spare"),
        (datetime(2026, 3, 29, 23, 59, tzinfo=BERLIN), "spare"),
        (datetime(2026, 3, 30, 0, 0, tzinfo=BERLIN), "lee"),  # ends at midnight, an hour earlier in UTC
        (datetime(2026, 3, 30, 9, 0, tzinfo=BERLIN), "dana"),
    ]
    found = []
    for number, (at, _) in enumerate(expected):
        clock.move_to(at)
        raised(cluster=f"outage {number}")
        found.append(PageCall.objects.order_by("-id")[0].person.email.split("@")[0])
    assert found == [name for _, name in expected]


# --- Command of an incident -------------------------------------------------------------------
def test_a_manager_who_leaves_without_a_successor_has_somebody_paged_who_takes_command(crew, clock):
    incident = declare(crew["spare"])
    seat = incident.seats.get(role=MIM)
    seats.release(seat.pk, actor=crew["spare"], at=timezone.now())
    pass_time(clock, 0.1)
    page = Page.objects.get()
    assert (page.occasion, page.incident, [name for name, _ in called()]) == ("command", incident, ["dana"])
    escalation.answer(page.calls.get(), at=timezone.now())
    assert incident.seats.get(role=MIM, state="accepted").user == crew["dana"]
    assert Page.objects.get().state == "answered"


def test_handing_over_command_pages_nobody(crew, clock):
    incident = declare(crew["spare"])
    seats.take_command(incident.pk, actor=crew["lee"], at=timezone.now())
    pass_time(clock, 1)
    assert not Page.objects.exists()


def test_a_major_incident_declared_automatically_pages_the_manager_it_seats(crew, clock):
    incident = major_incidents.declare(
        title="Rule 7 declared", services=[], impact=1, urgency=1, actor=None, at=timezone.now()
    )
    pass_time(clock, 0.1)
    assert [name for name, _ in called()] == ["dana"]
    call = PageCall.objects.select_related("page", "person").get()
    escalation.answer(call, at=timezone.now())
    assert incident.events.filter(kind=EventKind.PAGE_ANSWERED, actor=crew["dana"]).exists()
    pass_time(clock, 20)
    assert [name for name, _ in called()] == ["dana"]


def test_many_pages_that_are_due_at_once_are_taken_together(crew, clock, django_assert_max_num_queries):
    for number in range(20):
        raised(cluster=f"c{number}")
    clock.shift(301)
    with django_assert_max_num_queries(20 * 4 + 20):
        assert escalation.sweep(now=timezone.now()) == 20
    assert [name for name, _ in called()] == ["dana"] * 20 + ["lee"] * 20
    assert set(Page.objects.values_list("step", "state")) == {(2, "paging")}


# --- Races ------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_sweeps_in_parallel_page_each_step_once(crew):
    for number in range(5):
        raised(cluster=f"c{number}")
    Page.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    start = threading.Barrier(6)

    def sweep() -> None:
        try:
            start.wait(10)
            escalation.sweep(now=timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert PageCall.objects.count() == 10
    assert TimelineEvent.objects.filter(kind=EventKind.PAGED).count() == 10


@pytest.mark.django_db(transaction=True)
def test_an_acknowledgement_at_the_same_moment_wins_or_the_step_was_first_but_never_after(crew):
    for number in range(8):
        candidate = raised(cluster=f"c{number}")
        Page.objects.filter(candidate=candidate).update(due_at=timezone.now() - timedelta(seconds=1))
        start = threading.Barrier(2)

        def sweep(start=start) -> None:
            try:
                start.wait(10)
                escalation.sweep(now=timezone.now())
            finally:
                connection.close()

        thread = threading.Thread(target=sweep)
        thread.start()
        start.wait(10)
        candidates.acknowledge(candidate.pk, actor=crew["spare"], at=timezone.now())
        thread.join(30)
        acknowledged = candidate.events.get(kind=EventKind.CANDIDATE_ACKNOWLEDGED)
        assert not candidate.events.filter(kind=EventKind.PAGED, pk__gt=acknowledged.pk).exists()
        assert Page.objects.get(candidate=candidate).state == "answered"
