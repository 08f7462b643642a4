"""People, their access and their keys."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from incidents.models import ApiKey, User
from tests import factories


@pytest.fixture
def as_administrator(signed_in, administrator):
    return signed_in(administrator)


def test_the_list_names_roles_team_and_line_manager(as_administrator, technician, manager):
    technician.team = factories.team("First line")
    technician.line_manager = manager
    technician.save()
    page = as_administrator.get(reverse("people"), {"q": technician.email}).content.decode()
    assert all(words in page for words in ("Service desk technician", "First line", manager.name, "never"))


@pytest.mark.parametrize(
    ("query", "found"),
    [({"q": "Techn"}, True), ({"role": "management"}, False), ({"state": "inactive"}, False)],
)
def test_people_are_found_by_words_role_and_access(as_administrator, technician, query, found):
    page = as_administrator.get(reverse("people"), query).content.decode()
    assert (technician.email in page) is found


def test_somebody_is_invited_by_mail(as_administrator, django_capture_on_commit_callbacks):
    given = {"email": "new@example.org", "name": "New Person", "roles": ["technical_staff"]}
    with django_capture_on_commit_callbacks(execute=True):
        assert as_administrator.post(reverse("person_invite"), given).status_code == 302
    assert mail.outbox[0].to == ["new@example.org"]
    assert User.objects.get(email="new@example.org").has_role("technical_staff")


def test_an_address_with_an_account_is_refused_and_keeps_what_was_typed(as_administrator, technician):
    given = {"email": technician.email, "name": "Somebody Else", "roles": ["requester"]}
    answer = as_administrator.post(reverse("person_invite"), given)
    assert answer.status_code == 422
    assert "Somebody Else" in answer.content.decode() and "has an account already" in answer.content.decode()


def person_fields(person, **changes):
    return {"name": person.name, "email": person.email, "roles": sorted(person.account_roles)} | changes


def test_roles_team_and_phone_are_corrected_in_the_dialog(as_administrator, technician):
    team = factories.team("Platform")
    given = person_fields(
        technician, roles=["technical_staff", "problem_manager"], team=team.pk, phone="+49 1", support_tier=2
    )
    assert as_administrator.post(reverse("person_edit", args=[technician.pk]), given).status_code == 302
    saved = User.objects.get(pk=technician.pk)
    assert saved.account_roles == {"technical_staff", "problem_manager"}
    assert (saved.team, saved.phone, saved.support_tier) == (team, "+49 1", 2)


def test_the_last_administrator_keeps_the_role(as_administrator, administrator):
    given = person_fields(administrator, roles=["requester"], phone="+49 2")
    answer = as_administrator.post(reverse("person_edit", args=[administrator.pk]), given)
    assert answer.status_code == 422
    assert "last administrator" in answer.content.decode() and "+49 2" in answer.content.decode()


def test_access_is_taken_and_given_back(as_administrator, technician):
    for act, is_active in (("deactivate", False), ("activate", True)):
        assert as_administrator.post(reverse("person_do", args=[technician.pk, act])).status_code == 302
        assert User.objects.get(pk=technician.pk).is_active is is_active


def test_a_link_for_a_new_password_is_mailed(as_administrator, technician, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        as_administrator.post(reverse("person_do", args=[technician.pk, "send-link"]))
    assert mail.outbox[0].to == [technician.email]


def test_nobody_deactivates_themselves(as_administrator, administrator):
    assert as_administrator.post(reverse("person_do", args=[administrator.pk, "deactivate"])).status_code == 422


def test_only_administrators_see_people(signed_in, technician, manager, service_desk_manager, requester, outsider):
    for one in (technician, manager, service_desk_manager, requester, outsider):
        browser = signed_in(one)
        assert browser.get(reverse("people")).status_code == 403
        assert browser.get(reverse("person_edit", args=[technician.pk])).status_code == 403
        assert browser.post(reverse("person_do", args=[technician.pk, "deactivate"])).status_code == 403
        assert browser.post(reverse("person_invite"), {"email": "a@b.example"}).status_code == 403
    assert User.objects.get(pk=technician.pk).is_active


def test_the_list_costs_the_same_for_1_10_and_45_people(as_administrator, queries_of):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            factories.person("technical_staff", "requester", team=factories.team())
            made += 1
        costs.append(queries_of(as_administrator, reverse("people")))
    assert len(set(costs)) == 1 and costs[0] <= 10, costs


# --- API keys ---------------------------------------------------------------------------------
def test_a_key_is_shown_once(signed_in, technician):
    browser = signed_in(technician)
    answer = browser.post(reverse("api_key_new"), {"name": "Backup", "scopes": ["read"]})
    secret = re.search(r"mim_[\w-]{20,}", answer.content.decode())[0]
    assert answer["Cache-Control"] == "no-store"
    page = browser.get(reverse("api_keys")).content.decode()
    assert "Backup" in page and secret not in page


def test_a_key_needs_a_scope_and_keeps_its_name(signed_in, technician):
    answer = signed_in(technician).post(reverse("api_key_new"), {"name": "Backup of tickets"})
    assert answer.status_code == 422 and "Backup of tickets" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_that_ends_in_the_past_is_refused(signed_in, technician):
    given = {"name": "Backup", "scopes": ["read"], "expires_at": "2020-01-01T10:00"}
    answer = signed_in(technician).post(reverse("api_key_new"), given)
    assert answer.status_code == 422 and "has passed already" in answer.content.decode()


def test_people_revoke_their_own_keys_only(signed_in, technician, engineer):
    mine, _ = ApiKey.issue(technician, name="Mine", scopes=["read"])
    theirs, _ = ApiKey.issue(engineer, name="Theirs", scopes=["read"])
    browser = signed_in(technician)
    assert browser.post(reverse("api_key_revoke", args=[theirs.pk])).status_code == 404
    assert browser.post(reverse("api_key_revoke", args=[mine.pk])).status_code == 302
    assert ApiKey.objects.get(pk=mine.pk).revoked_at and not ApiKey.objects.get(pk=theirs.pk).revoked_at


def test_only_administrators_see_everybodys_keys(signed_in, technician, administrator):
    ApiKey.issue(administrator, name="Of the administrator", scopes=["admin"])
    assert "Of the administrator" not in signed_in(technician).get("/api-keys/?whose=all").content.decode()
    ApiKey.issue(technician, name="Of the technician", scopes=["read"])
    assert "Of the technician" in signed_in(administrator).get("/api-keys/?whose=all").content.decode()


def test_guests_have_no_keys(signed_in, consultant):
    assert signed_in(consultant).get(reverse("api_keys")).status_code == 403
    assert signed_in(consultant).post(reverse("api_key_new"), {"name": "x", "scopes": ["read"]}).status_code == 403


def test_keys_cost_the_same_for_1_10_and_45(as_administrator, technician, queries_of):
    costs, made = [], 0
    for wanted in (1, 10, 45):
        while made < wanted:
            ApiKey.issue(technician, name=f"Key {made}", scopes=["read"])
            made += 1
        costs.append(queries_of(as_administrator, "/api-keys/?whose=all"))
    assert len(set(costs)) == 1 and costs[0] <= 8, costs


# --- My settings ------------------------------------------------------------------------------
def test_people_change_their_own_name_phone_zone_and_theme(signed_in, requester):
    given = {"name": "Emma F.", "phone": "+49 3", "time_zone": "Asia/Tokyo", "theme": "dark"}
    answer = signed_in(requester).post(reverse("my_settings"), given)
    assert answer.status_code == 302 and answer.cookies["theme"]["max-age"] == 0
    saved = User.objects.get(pk=requester.pk)
    assert (saved.name, saved.phone, saved.time_zone, saved.theme) == ("Emma F.", "+49 3", "Asia/Tokyo", "dark")


def test_nobody_gives_themselves_a_role(signed_in, requester):
    given = {"name": requester.name, "theme": "device", "roles": ["administrator"], "email": "other@example.org"}
    signed_in(requester).post(reverse("my_settings"), given)
    saved = User.objects.get(pk=requester.pk)
    assert saved.account_roles == {"requester"} and saved.email == requester.email


def test_an_unknown_time_zone_is_refused_and_the_rest_stays(signed_in, requester):
    given = {"name": "Emma F.", "time_zone": "Mars/Olympus", "theme": "device"}
    answer = signed_in(requester).post(reverse("my_settings"), given)
    assert answer.status_code == 422 and "Emma F." in answer.content.decode()


def test_my_settings_are_for_people_who_are_signed_in(client, db):
    assert client.get(reverse("my_settings")).status_code == 302
