"""The one-time link of an empty installation."""

import time
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from incidents.models import User
from mim.first_administrator_token import is_valid, make_token

FILLED = {"name": "Ada Admin", "email": "ada@example.org", "password": "correct horse battery"}


@pytest.fixture
def link():
    return f"/first-administrator/{make_token()}/"


@pytest.mark.django_db
def test_the_link_makes_an_administrator_and_signs_in(client, link):
    assert client.get(link).status_code == 200
    assert client.post(link, FILLED).status_code == 302
    person = User.objects.get()
    assert person.email == "ada@example.org" and person.has_role("administrator")
    assert client.session["_auth_user_id"] == str(person.pk)


@pytest.mark.django_db
def test_the_link_works_once(client, link):
    client.post(link, FILLED)
    answer = client.post(link, FILLED | {"email": "eve@example.org"})
    assert answer.status_code == 410
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "ada@example.org"}, "too similar"),
        ({"email": "not an address"}, "valid email"),
        ({"name": ""}, "required"),
    ],
)
def test_wrong_input_is_explained_and_the_rest_is_kept(client, link, change, sentence):
    answer = client.post(link, FILLED | change)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert (FILLED | change)["email"] in page
    assert not User.objects.exists()


@pytest.mark.django_db
def test_an_invented_link_makes_nobody(client):
    assert client.post("/first-administrator/invented/", FILLED).status_code == 404
    assert not User.objects.exists()


def test_a_link_is_good_for_a_day():
    token = make_token()
    assert is_valid(token) and not is_valid(token + "x")
    with time_machine.travel(time.time() + 25 * 3600):
        assert not is_valid(token)


@pytest.mark.django_db
def test_an_installation_without_up_prints_the_link_until_there_is_an_administrator(client, settings):
    printed = StringIO()
    call_command("first_administrator_link", stdout=printed)
    assert printed.getvalue().startswith(settings.PUBLIC_URL)
    client.post(printed.getvalue().strip().removeprefix(settings.PUBLIC_URL), FILLED)
    with pytest.raises(CommandError, match="already"):
        call_command("first_administrator_link")
