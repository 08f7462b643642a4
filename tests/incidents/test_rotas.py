"""Rotas as people keep them: layers, who is on call by role and team, standing in, swapping, notes."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import rotas, stand_ins
from incidents.errors import Duplicate, Invalid, NotAccountable
from incidents.models import LayerMember, RotaOverride, TimelineEvent, User
from incidents.on_call import on_call, on_call_team
from incidents.process import EventKind
from incidents.queries.rotas import duties, shifts_of
from incidents.rota import midnight
from tests import factories

pytestmark = pytest.mark.django_db
MIM = "major_incident_manager"
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=BERLIN)


@pytest.fixture
def rota(administrator):
    changes = {"name": "Managers", "role": MIM, "time_zone": "Europe/Berlin"}
    return rotas.save_rota(changes=changes, actor=administrator, at=MONDAY)


def layer(rota, actor, *people, **fields):
    plain = {"name": "Primary", "people": people, "starts_on": date(2026, 3, 2), "handover_weekday": 0}
    return rotas.save_layer(rota_id=rota.pk, changes={**plain, **fields}, actor=actor, at=MONDAY)


@pytest.fixture
def primary(rota, administrator, manager, deputy):
    """Manager and deputy take weeks from Monday nine o'clock on; the manager begins."""
    return layer(rota, administrator, manager, deputy)


def test_the_rota_says_who_is_on_call(primary, manager, deputy):
    assert on_call(MIM, MONDAY - timedelta(seconds=1)) == []
    assert on_call(MIM, MONDAY) == [manager]
    assert on_call(MIM, MONDAY + timedelta(days=7, seconds=-1)) == [manager]
    assert on_call(MIM, MONDAY + timedelta(days=7)) == [deputy]


def test_backups_come_after_the_first_and_nobody_is_named_twice(primary, rota, administrator, manager, deputy):
    layer(rota, administrator, deputy, manager, name="Backup", rank=2)
    assert on_call(MIM, MONDAY) == [manager, deputy]
    layer(rota, administrator, manager, name="Third", rank=3)
    assert on_call(MIM, MONDAY) == [manager, deputy]


def test_single_shifts_count_besides_the_rota_before_turns_of_the_same_rank(primary, administrator, manager, deputy):
    rotas.add_shift(
        role=MIM, person=deputy, starts_at=MONDAY, ends_at=MONDAY + timedelta(hours=1), actor=administrator, at=MONDAY
    )
    assert on_call(MIM, MONDAY) == [deputy, manager]
    assert on_call(MIM, MONDAY + timedelta(hours=1)) == [manager]


def test_a_team_has_a_rota_and_shifts_of_its_own(administrator, engineer, technician):
    team = factories.team("Network")
    made = rotas.save_rota(
        changes={"name": "Network", "team": team, "time_zone": "UTC"}, actor=administrator, at=MONDAY
    )
    layer(made, administrator, engineer)
    assert on_call_team(team, MONDAY + timedelta(hours=2)) == [engineer]
    span = {"starts_at": MONDAY, "ends_at": MONDAY + timedelta(days=1)}
    rotas.add_shift(team=team, person=technician, **span, rank=2, actor=administrator, at=MONDAY)
    assert on_call_team(team, MONDAY + timedelta(hours=2)) == [engineer, technician]
    assert on_call("technical_staff", MONDAY + timedelta(hours=2)) == []


def test_who_has_left_or_lost_the_role_is_a_gap_and_nobody_elses_turn_moves(primary, manager, deputy):
    User.objects.filter(pk=manager.pk).update(is_active=False)
    assert on_call(MIM, MONDAY) == []
    assert on_call(MIM, MONDAY + timedelta(days=7)) == [deputy]
    deputy.role_rows.all().delete()
    assert on_call(MIM, MONDAY + timedelta(days=7)) == []
    duty = duties(MONDAY)[0]
    assert sum(gap.seconds for gap in duty.gaps) == 14 * 86_400


def test_asking_who_is_on_call_costs_the_same_with_many_layers(
    primary, rota, administrator, manager, deputy, django_assert_max_num_queries
):
    for number in range(5):
        layer(rota, administrator, manager, deputy, name=f"Layer {number}")
    with django_assert_max_num_queries(3):
        on_call(MIM, MONDAY)
    with django_assert_max_num_queries(4):
        duties(MONDAY)


# --- Keeping it -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"length": 0}, "length"),
        ({"length": 400, "unit": "day"}, "length"),
        ({"unit": "month"}, "unit"),
        ({"handover_weekday": 7}, "handover_weekday"),
        ({"starts_on": "tomorrow"}, "starts_on"),
        ({"ends_on": date(2026, 3, 1)}, "ends_on"),
        ({"people": []}, "people"),
        ({"windows": [{"weekdays": [], "begins": "09:00", "ends": "17:00"}]}, "windows"),
        ({"windows": [{"weekdays": [1], "begins": "nine", "ends": "17:00"}]}, "windows"),
        ({"windows": "always"}, "windows"),
        ({"handover_at": "09:00"}, "handover_at"),
    ],
)
def test_a_layer_that_cannot_be_is_refused_by_field(rota, administrator, manager, fields, wrong):
    with pytest.raises(Invalid) as refusal:
        layer(rota, administrator, *fields.pop("people", [manager]), **fields)
    assert refusal.value.errors.keys() == {wrong}
    assert not LayerMember.objects.exists()


def test_only_holders_of_the_role_stand_on_its_rota(rota, administrator, technician, consultant):
    for person in (technician, consultant):
        with pytest.raises(Invalid):
            layer(rota, administrator, person)


def test_a_rota_is_for_a_role_or_a_team(administrator):
    team = factories.team()
    for duty in ({}, {"role": MIM, "team": team}):
        with pytest.raises(Invalid):
            rotas.save_rota(changes={"name": "x", "time_zone": "UTC", **duty}, actor=administrator, at=MONDAY)
    with pytest.raises(Invalid):
        rotas.save_rota(changes={"name": "x", "time_zone": "Mars", "role": MIM}, actor=administrator, at=MONDAY)


def test_two_rotas_do_not_share_a_name(rota, administrator):
    with pytest.raises(Duplicate):
        rotas.save_rota(changes={"name": "Managers", "role": MIM, "time_zone": "UTC"}, actor=administrator, at=MONDAY)


def test_whoever_does_not_keep_the_rota_changes_nothing(rota, primary, manager):
    for act in (
        lambda: rotas.save_rota(rota.pk, changes={"name": "Mine"}, actor=manager, at=MONDAY),
        lambda: rotas.save_layer(primary.pk, changes={"rank": 9}, actor=manager, at=MONDAY),
        lambda: rotas.remove_layer(primary.pk, actor=manager, at=MONDAY),
        lambda: rotas.remove_rota(rota.pk, actor=manager, at=MONDAY),
    ):
        with pytest.raises(NotAccountable):
            act()


# --- Standing in ------------------------------------------------------------------------------
def stand_in(primary, person, actor, starts_at, ends_at, at=MONDAY):
    return stand_ins.stand_in(primary.pk, person=person, starts_at=starts_at, ends_at=ends_at, actor=actor, at=at)


def test_one_gives_away_own_time_and_takes_over_somebody_elses_but_never_decides_for_two_others(
    primary, manager, deputy, administrator
):
    spare = factories.person(MIM, name="Spare")
    day = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    stand_in(primary, deputy, manager, *day)
    assert on_call(MIM, day[0]) == [deputy]
    stand_in(primary, spare, spare, *day)
    assert on_call(MIM, day[0]) == [spare]
    with pytest.raises(NotAccountable):
        stand_in(primary, deputy, manager, *day)  # not the manager's time any more
    stand_in(primary, manager, administrator, *day)
    assert on_call(MIM, day[0]) == [manager]


def test_everybody_whose_time_changes_is_told_but_not_who_did_it(primary, manager, deputy, administrator):
    stand_in(primary, deputy, administrator, MONDAY + timedelta(days=1), MONDAY + timedelta(days=2))
    event = TimelineEvent.objects.get(kind=EventKind.ON_CALL_CHANGED)
    assert event.payload["told"] == sorted([manager.pk, deputy.pk])
    stand_ins.remove_override(RotaOverride.objects.get().pk, actor=deputy, at=MONDAY)
    assert TimelineEvent.objects.order_by("-pk")[0].payload["told"] == [manager.pk]
    assert on_call(MIM, MONDAY + timedelta(days=1)) == [manager]


def test_what_lies_in_the_past_or_ends_before_it_begins_is_refused(primary, manager):
    with pytest.raises(Invalid):
        stand_in(primary, manager, manager, MONDAY - timedelta(days=2), MONDAY - timedelta(days=1))
    with pytest.raises(Invalid):
        stand_in(primary, manager, manager, MONDAY + timedelta(days=2), MONDAY + timedelta(days=1))


def test_two_swap_their_shifts_or_nothing_changes(primary, manager, deputy):
    week = timedelta(days=7)
    mine, theirs = (MONDAY, MONDAY + week), (MONDAY + week, MONDAY + 2 * week)
    stand_ins.swap(layer_id=primary.pk, mine=mine, theirs=theirs, other=deputy, actor=manager, at=MONDAY)
    assert (on_call(MIM, MONDAY), on_call(MIM, MONDAY + week)) == ([deputy], [manager])
    with pytest.raises(Invalid):  # not theirs any more
        stand_ins.swap(layer_id=primary.pk, mine=mine, theirs=theirs, other=deputy, actor=manager, at=MONDAY)
    assert RotaOverride.objects.count() == 2


def test_my_shifts_are_whole_and_without_what_somebody_else_took(primary, manager, deputy):
    stand_in(primary, deputy, manager, MONDAY + timedelta(days=1), MONDAY + timedelta(days=2))
    held = shifts_of(manager, MONDAY + timedelta(hours=5), MONDAY + timedelta(days=16))
    assert [(one.starts_at, one.ends_at) for one in held] == [
        (MONDAY, MONDAY + timedelta(days=1)),
        (MONDAY + timedelta(days=2), MONDAY + timedelta(days=7)),
        (MONDAY + timedelta(days=14), MONDAY + timedelta(days=21)),
    ] or held[-1].ends_at == MONDAY + timedelta(days=16)


def test_a_note_is_shown_until_the_next_person_takes_it(rota, manager, deputy):
    note = rotas.write_note(rota.pk, text="Node 2 is shaky", actor=manager, at=MONDAY)
    taken = rotas.take_note(note.pk, actor=deputy, at=MONDAY)
    assert (taken.seen_by, rotas.take_note(note.pk, actor=manager, at=MONDAY).seen_by) == (deputy, deputy)


# --- Any rota ---------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    unit=st.sampled_from(["hour", "day", "week"]),
    length=st.integers(1, 5),
    hour=st.integers(0, 23),
    day=st.sampled_from([date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 25), date(2028, 2, 29)]),
    minutes=st.lists(st.integers(-2000, 2000), min_size=1, max_size=6),
)
def test_an_override_of_a_day_holds_from_midnight_to_midnight_on_any_rota(
    manager, deputy, administrator, zone, unit, length, hour, day, minutes
):
    from incidents.models import Rota

    Rota.objects.all().delete()
    made = rotas.save_rota(changes={"name": "Any", "role": MIM, "time_zone": zone}, actor=administrator, at=MONDAY)
    row = layer(
        made,
        administrator,
        manager,
        unit=unit,
        length=length,
        handover_at=time(hour),
        starts_on=day - timedelta(days=9),
    )
    begins, ends = midnight(day, ZoneInfo(zone)), midnight(day + timedelta(days=1), ZoneInfo(zone))
    stand_in(row, deputy, administrator, begins, ends)
    for edge in (begins, ends):
        for number in minutes:
            at = edge + timedelta(minutes=number)
            assert on_call(MIM, at) == [deputy if begins <= at < ends else manager]
