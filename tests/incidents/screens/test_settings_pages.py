"""The RACI editor, the organisation, audiences, on call, knowledge."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.actions import raci
from incidents.actions.rotas import add_shift
from incidents.models import AudienceMembership, Holiday, OnCallShift, Organisation, RaciMatrix, Team, default_cells
from incidents.priority import DEFAULT_TABLE
from incidents.queries.rotas import duties
from tests import factories


@pytest.fixture
def as_administrator(signed_in, administrator):
    return signed_in(administrator)


def typed(based_on=0, note="", **changes):
    """What the editor sends: the shipped cells with some changed, named step__role."""
    cells = {f"{step}.{role}": letters for step, row in default_cells().items() for role, letters in row.items()}
    return cells | {name.replace("__", "."): letters for name, letters in changes.items()} | {
        "based_on": based_on, "note": note
    }  # fmt: skip


# --- RACI -------------------------------------------------------------------------------------
def test_everybody_in_staff_reads_the_matrix(signed_in, technician, management):
    for person in (technician, management):
        page = signed_in(person).get(reverse("raci")).content.decode()
        assert "Setting up a conference bridge" in page and "Edit the matrix" not in page


def test_the_matrix_is_not_for_people_outside_the_staff(signed_in, requester, outsider, consultant):
    for person in (requester, outsider, consultant):
        assert signed_in(person).get(reverse("raci")).status_code == 403


def test_saving_makes_a_version_that_stays_readable(as_administrator):
    answer = as_administrator.post(
        reverse("raci_edit"), typed(inform__technical_staff="R", note="The engineers tell users")
    )
    assert answer.status_code == 302
    as_administrator.post(reverse("raci_edit"), typed(based_on=1))
    page = as_administrator.get(reverse("raci"), {"version": 1}).content.decode()
    assert "The engineers tell users" in page and "no longer in force" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bridge__major_incident_manager": "I"}, "exactly one A"),
        ({"bridge__change_manager": "A"}, "exactly one A"),
        ({"bridge__mit": "I"}, "at least one R"),
        ({"bridge__mit": "R/A", "bridge__major_incident_manager": "C"}, "cannot carry A"),
        ({"bridge__mit": "X"}, "may carry R, A, C or I"),
    ],
)
def test_what_the_process_refuses_stands_at_its_row_and_nothing_typed_is_lost(as_administrator, changes, words):
    answer = as_administrator.post(reverse("raci_edit"), typed(note="Because of the audit", **changes))
    page = answer.content.decode()
    row = page[page.index('id="row-bridge"') : page.index('id="row-war_room"')]
    assert answer.status_code == 422 and words in row
    assert "Because of the audit" in page
    assert all(f'value="{letters}" selected' in row for letters in changes.values())
    assert not RaciMatrix.objects.exists()


def test_somebody_elses_version_is_never_overwritten_unseen(as_administrator, administrator):
    raci.save_matrix(default_cells(), note="Theirs", actor=administrator, at=timezone.now())
    given = typed(based_on=0, inform__technical_staff="R")
    answer = as_administrator.post(reverse("raci_edit"), given)
    page = answer.content.decode()
    assert answer.status_code == 422 and "saved in the meantime" in page
    assert 'name="based_on" value="1"' in page
    assert as_administrator.post(reverse("raci_edit"), given | {"based_on": 1}).status_code == 302


def test_only_administrators_edit_the_matrix(signed_in, manager, service_desk_manager):
    for person in (manager, service_desk_manager):
        assert signed_in(person).get(reverse("raci_edit")).status_code == 403
        assert signed_in(person).post(reverse("raci_edit"), typed()).status_code == 403


def test_a_version_that_is_not_there_is_not_found(as_administrator):
    assert as_administrator.get(reverse("raci"), {"version": "77"}).status_code == 404
    assert as_administrator.get(reverse("raci"), {"version": "x"}).status_code == 404


def test_the_matrix_costs_the_same_for_1_10_and_45_versions(as_administrator, administrator, queries_of):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            raci.save_matrix(default_cells(), actor=administrator, at=timezone.now())
            made += 1
        costs.append(queries_of(as_administrator, reverse("raci")))
    assert len(set(costs[1:])) == 1 and max(costs) <= 11, costs


# --- Organisation -----------------------------------------------------------------------------
SETTINGS = {"name": "Northwind", "time_zone": "Europe/Berlin", "currency": "USD", "consult_limit_minutes": "10",
            "observation_hours": "0", "still_broken_to_reopen": "5", "alert_days": "90", "payload_days": "7",
            "update_hold_seconds": "45", "technical_hold_seconds": "5", "response_cost_per_hour": "75"}  # fmt: skip


def test_settings_are_saved(as_administrator, organisation):
    assert as_administrator.post(reverse("organisation"), SETTINGS).status_code == 302
    saved = Organisation.current()
    assert (saved.currency, saved.observation_hours, saved.still_broken_to_reopen) == ("USD", 0, 5)
    assert (saved.alert_days, saved.payload_days) == (90, 7)
    assert (saved.update_hold_seconds, saved.technical_hold_seconds) == (45, 5)


@pytest.mark.parametrize(("field", "value", "words"), [("currency", "EU", "three letters"),
                                                       ("update_hold_seconds", "601", "less than or equal to 600"),
                                                       ("time_zone", "Mars/Olympus", "valid choice")])  # fmt: skip
def test_wrong_settings_are_named_and_kept(as_administrator, organisation, field, value, words):
    answer = as_administrator.post(reverse("organisation"), SETTINGS | {field: value, "name": "Renamed"})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page and 'value="Renamed"' in page
    assert Organisation.current().name == "Northwind"


def test_the_priority_table_is_edited(as_administrator, organisation):
    assert as_administrator.post(reverse("priority_table"), DEFAULT_TABLE | {"4/4": "P1"}).status_code == 302
    assert Organisation.current().priority_table["4/4"] == "P1"


def test_an_unknown_priority_is_refused(as_administrator, organisation):
    assert as_administrator.post(reverse("priority_table"), DEFAULT_TABLE | {"4/4": "P9"}).status_code == 422


def test_holidays_are_added_once_and_removed(as_administrator, organisation):
    given = {"day": f"{timezone.localdate():%Y}-12-25", "name": "Christmas"}
    assert as_administrator.post(reverse("holiday_new"), given).status_code == 302
    again = as_administrator.post(reverse("holiday_new"), given | {"name": "Boxing day"})
    assert again.status_code == 422 and "Boxing day" in again.content.decode()
    assert "Christmas" in as_administrator.get(reverse("organisation")).content.decode()
    as_administrator.post(reverse("holiday_remove", args=[Holiday.objects.get().pk]))
    assert not Holiday.objects.exists()


def test_teams_are_added_and_corrected(as_administrator, organisation, engineer):
    as_administrator.post(reverse("team_new"), {"name": "Platform", "support_tier": "2", "lead": engineer.pk})
    team = Team.objects.get(name="Platform")
    as_administrator.post(reverse("team_edit", args=[team.pk]), {"name": "Platform", "support_tier": "3"})
    saved = Team.objects.get(pk=team.pk)
    assert (saved.support_tier, saved.lead) == (3, None)


def test_only_administrators_see_the_settings(signed_in, service_desk_manager, manager, outsider):
    for person in (service_desk_manager, manager, outsider):
        for name in ("organisation", "audiences", "holiday_new", "team_new"):
            assert signed_in(person).get(reverse(name)).status_code == 403
        assert signed_in(person).post(reverse("priority_table"), DEFAULT_TABLE).status_code == 403
        assert signed_in(person).get(reverse("audience", args=["users"])).status_code == 403


# --- Audiences --------------------------------------------------------------------------------
def test_the_four_audiences_show_who_belongs_to_them(as_administrator, technician, management, requester):
    page = as_administrator.get(reverse("audiences")).content.decode()
    assert all(words in page for words in ("Technical team", "Management", "Key stakeholders", "Users"))
    assert "Nobody belongs to it" in page  # nobody is a key stakeholder


def test_people_are_added_by_their_addresses(as_administrator, management, engineer):
    given = {"roles": ["management"], "people": f"{engineer.email}\n"}
    assert as_administrator.post(reverse("audience", args=["management"]), given).status_code == 302
    assert AudienceMembership.objects.get(audience="management").people.get() == engineer


def test_an_unknown_address_is_named_and_kept(as_administrator, organisation):
    answer = as_administrator.post(
        reverse("audience", args=["users"]), {"roles": ["requester"], "people": "who@example.org"}
    )
    assert answer.status_code == 422 and answer.content.decode().count("who@example.org") >= 2


def test_an_empty_audience_needs_a_reason(as_administrator, organisation):
    address = reverse("audience", args=["key_stakeholders"])
    assert as_administrator.post(address, {"people": ""}).status_code == 422
    assert as_administrator.post(address, {"empty_reason": "We have none"}).status_code == 302
    page = as_administrator.get(reverse("audiences")).content.decode()
    assert "Empty on purpose" in page and "We have none" in page


def test_audiences_cost_the_same_for_1_10_and_45_people(as_administrator, queries_of):
    row = AudienceMembership.objects.create(audience="users")
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            row.people.add(factories.person("requester"))
            made += 1
        costs.append(queries_of(as_administrator, reverse("audiences")))
    assert len(set(costs)) == 1 and costs[0] <= 8, costs


# --- On call ----------------------------------------------------------------------------------
def shift(person, role, actor, starts, ends, rank=1):
    now = timezone.now()
    return add_shift(
        role=role, person=person, starts_at=now + timedelta(hours=starts), ends_at=now + timedelta(hours=ends),
        rank=rank, actor=actor, at=now,
    )  # fmt: skip


def test_who_is_on_call_and_who_comes_after(at_desk, manager, deputy, administrator):
    shift(manager, "major_incident_manager", administrator, -1, 24)
    shift(deputy, "major_incident_manager", administrator, -1, 24, rank=2)
    page = at_desk.get(reverse("on_call")).content.decode()
    assert manager.name in page and f"then {deputy.name}" in page


def test_gaps_of_the_next_14_days_are_flagged(manager, administrator, at_desk):
    shift(manager, "major_incident_manager", administrator, -1, 24)
    shift(manager, "major_incident_manager", administrator, 30, 24 * 20)
    turn = duties(timezone.now())[0]
    assert [round(gap.seconds / 3600) for gap in turn.gaps] == [6]
    assert "Nobody is on call" in at_desk.get(reverse("on_call")).content.decode()


def test_a_handover_without_a_gap_is_none(manager, deputy, administrator):
    now = timezone.now()
    for person, first, last in ((manager, -1, 5), (deputy, 5, 20)):
        add_shift(
            role="major_incident_manager", person=person, starts_at=now + timedelta(days=first),
            ends_at=now + timedelta(days=last), actor=administrator, at=now,
        )  # fmt: skip
    assert duties(now)[0].gaps == []


def test_a_shift_is_added_and_removed(signed_in, service_desk_manager, manager):
    browser = signed_in(service_desk_manager)
    given = {"role": "major_incident_manager", "person": manager.pk, "rank": "1", "starts_at": "2026-05-04T08:00",
             "ends_at": "2026-05-11T08:00"}  # fmt: skip
    assert browser.post(reverse("shift_new"), given).status_code == 302
    assert browser.post(reverse("shift_remove", args=[OnCallShift.objects.get().pk])).status_code == 302
    assert not OnCallShift.objects.exists()


def test_somebody_without_the_role_cannot_take_its_shift(as_administrator, technician):
    given = {"role": "major_incident_manager", "person": technician.pk, "rank": "2", "starts_at": "2026-05-04T08:00",
             "ends_at": "2026-05-11T08:00"}  # fmt: skip
    answer = as_administrator.post(reverse("shift_new"), given)
    assert answer.status_code == 422
    assert "does not hold this role" in answer.content.decode() and "2026-05-11T08:00" in answer.content.decode()


def test_only_those_who_keep_the_rota_change_it(signed_in, technician, manager, requester, administrator):
    one = shift(manager, "major_incident_manager", administrator, -1, 24)
    browser = signed_in(technician)
    assert reverse("shift_new") not in browser.get(reverse("on_call")).content.decode()
    assert browser.get(reverse("shift_new")).status_code == 403
    assert browser.post(reverse("shift_remove", args=[one.pk])).status_code == 403
    assert signed_in(requester).get(reverse("on_call")).status_code == 403


def test_a_broken_address_of_a_gap_still_opens_the_form(as_administrator, organisation):
    answer = as_administrator.get(reverse("shift_new"), {"from": "2026-99-99T99:00", "to": "yesterday", "role": "x"})
    assert answer.status_code == 200


def test_the_rota_costs_the_same_for_1_10_and_45_shifts(as_administrator, administrator, manager, queries_of):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            shift(manager, "major_incident_manager", administrator, made * 2, made * 2 + 2)
            made += 1
        costs.append(queries_of(as_administrator, reverse("on_call")))
    assert len(set(costs)) == 1 and costs[0] <= 9, costs
