import re

import pytest
from django.core import mail

from incidents.actions import access, people
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import User
from tests.factories import again, minute
from tests.racing import race

pytestmark = pytest.mark.django_db


def invite(actor, **fields):
    given = {"email": "Ada@Example.org", "name": "Ada", "roles": ["technical_staff"], **fields}
    return people.invite_person(actor=actor, at=minute(0), **given)


def link_in(letter):
    return re.search(r"http://\S+", letter.body).group().removeprefix("http://127.0.0.1:8000")


def test_an_invitation_lets_somebody_choose_a_password(administrator, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        person = invite(administrator)
    assert (person.email, person.account_roles) == ("ada@example.org", {"technical_staff"})
    assert not person.has_usable_password()
    letter = mail.outbox[0]
    assert letter.to == ["ada@example.org"]
    page = client.get(link_in(letter), follow=True)
    assert page.status_code == 200
    form_address = page.redirect_chain[-1][0]
    client.post(form_address, {"password1": "a long new secret", "password2": "a long new secret"})
    assert again(person).check_password("a long new secret")
    assert "password1" not in client.get(link_in(letter), follow=True).content.decode()


def test_nothing_is_mailed_when_the_invitation_is_refused(
    administrator, technician, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(Duplicate):
            invite(administrator, email=technician.email.upper())
        with pytest.raises(NotAccountable):
            invite(technician)
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("name", ""), ("roles", ["king"]), ("time_zone", "Mars/Base"), ("support_tier", 0)],
)
def test_impossible_input_names_its_field(administrator, field, value):
    with pytest.raises(Invalid) as refusal:
        invite(administrator, **{field: value})
    assert list(refusal.value.errors) == [field]


def test_an_external_consultant_is_a_guest(administrator):
    assert invite(administrator, roles=["external_consultant"]).is_guest


def test_people_change_their_own_settings_and_nothing_else(technician, engineer):
    edited = people.edit_person(
        technician.pk, changes={"time_zone": "Europe/Berlin", "theme": "dark"}, actor=technician, at=minute(0)
    )
    assert (edited.time_zone, edited.theme) == ("Europe/Berlin", "dark")
    with pytest.raises(NotAccountable):
        people.edit_person(technician.pk, changes={"roles": ["administrator"]}, actor=technician, at=minute(0))
    with pytest.raises(NotAccountable):
        people.edit_person(technician.pk, changes={"name": "Mallory"}, actor=engineer, at=minute(0))


def test_an_administrator_changes_roles_and_address(administrator, technician):
    changes = {"roles": ["major_incident_manager"], "email": "New@Example.org", "line_manager": administrator}
    edited = people.edit_person(technician.pk, changes=changes, actor=administrator, at=minute(0))
    assert (edited.email, edited.account_roles) == ("new@example.org", {"major_incident_manager"})
    with pytest.raises(Duplicate):
        people.edit_person(technician.pk, changes={"email": administrator.email}, actor=administrator, at=minute(0))


def test_the_last_administrator_stays_one(administrator):
    with pytest.raises(WrongStage):
        people.edit_person(administrator.pk, changes={"roles": []}, actor=administrator, at=minute(0))
    with pytest.raises(WrongStage):
        people.deactivate_person(administrator.pk, actor=administrator, at=minute(0))


def test_somebody_deactivated_keeps_the_record_and_loses_the_keys(administrator, technician):
    key, _ = access.issue_key(technician, name="CI", scopes=["read"], actor=technician, at=minute(0))
    gone = people.deactivate_person(technician.pk, actor=administrator, at=minute(5))
    assert not gone.is_active
    assert not again(key).is_usable(minute(6))
    with pytest.raises(WrongStage):
        people.send_password_link(technician.pk, actor=administrator, at=minute(6))
    assert people.activate_person(technician.pk, actor=administrator, at=minute(7)).is_active


@pytest.mark.django_db(transaction=True)
def test_two_invitations_of_one_address_make_one_account(administrator):
    results = race(lambda: invite(administrator), times=3)
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 2
