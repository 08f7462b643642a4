"""Signing in, the landing by role, the theme, and the pages people meet when something went wrong."""

import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.urls import reverse

from mim import pages
from mim.frame import Frame, landing_of, navigation
from tests import factories

LIMIT = 150 * 1024
PASSWORD = "correct horse battery staple"


@pytest.fixture
def login_page(client, db):
    return client.get(reverse("account_login"))


@pytest.mark.parametrize(
    ("role", "landing"),
    [
        ("service_desk_technician", "desk"),
        ("service_desk_manager", "desk"),
        ("major_incident_manager", "command"),
        ("technical_staff", "my_work"),
        ("change_manager", "my_work"),
        ("problem_manager", "my_work"),
        ("external_consultant", "my_work"),
        ("management", "overview"),
        ("key_stakeholder", "overview"),
        ("administrator", "overview"),
        ("requester", "portal"),
    ],
)
def test_everybody_lands_where_their_role_works(role, landing):
    assert landing_of(frozenset({role})) == landing


def test_who_holds_several_roles_lands_where_most_is_asked():
    assert landing_of(frozenset({"requester", "technical_staff", "major_incident_manager"})) == "command"


def test_somebody_without_a_role_lands_on_the_portal():
    assert landing_of(frozenset()) == "portal"


def test_a_requester_is_offered_no_records():
    words = {entry["place"].name for group in navigation(frozenset({"requester"}), "/") for entry in group["entries"]}
    assert words <= {"portal"}


def test_nobody_signed_in_is_offered_nothing():
    assert navigation(frozenset(), "/") == []


def test_a_guest_counts_as_external_consultant_whatever_else_the_account_holds(organisation):
    guest = factories.person("external_consultant", "administrator", name="Guest", is_guest=True)
    request = RequestFactory().get("/")
    request.user = guest
    assert Frame(request).roles == {"external_consultant"}


def test_a_disabled_account_has_no_roles(manager):
    manager.is_active = False
    request = RequestFactory().get("/")
    request.user = manager
    assert Frame(request).roles == frozenset()


def test_the_policy_allows_no_inline_script_style_or_eval(login_page):
    policy = login_page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "http:" not in policy.replace("http://127.0.0.1", "")


def weight_of(html: str) -> int:
    """Bytes over the wire, brotli, of a page and everything it loads at once."""
    paths = set(re.findall(rf'(?:src|href)="{settings.STATIC_URL}([^"#]+)', html))
    assert paths
    files = [finders.find(path) for path in paths]
    assert all(files), paths
    total = len(brotli.compress(html.encode()))
    for file in files:
        total += len(brotli.compress(Path(file).read_bytes()))
    return total


def test_the_login_page_is_light(login_page):
    assert weight_of(login_page.content.decode()) <= LIMIT / 3


def test_the_frame_of_a_signed_in_page_leaves_room_for_its_content(client, manager):
    client.force_login(manager)
    page = client.get(reverse("account_change_password"), follow=True)
    assert weight_of(page.content.decode()) <= LIMIT / 2


def test_a_wrong_password_is_answered_in_words_and_keeps_the_address(client, manager):
    page = client.post(reverse("account_login"), {"login": manager.email, "password": "not this one"})
    text = page.content.decode()
    assert "do not belong together" in text
    assert f'value="{manager.email}"' in text


def test_an_unknown_address_is_answered_like_a_wrong_password(client, organisation):
    page = client.post(reverse("account_login"), {"login": "nobody@shop.example", "password": "not this one"})
    assert "do not belong together" in page.content.decode()


def test_signing_in_leads_home(client, manager):
    manager.set_password(PASSWORD)
    manager.save()
    answer = client.post(reverse("account_login"), {"login": manager.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("home")


def test_nobody_signs_up_by_themselves(client, db):
    page = client.post(reverse("account_signup"), {"email": "new@shop.example", "password1": PASSWORD})
    assert "by invitation" in page.content.decode()
    assert not type(factories.person()).objects.filter(email="new@shop.example").exists()


def test_a_password_reset_does_not_tell_whether_the_address_is_known(client, manager):
    known = client.post(reverse("account_reset_password"), {"email": manager.email}, follow=True)
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@shop.example"}, follow=True)
    assert known.content == unknown.content or "If this address has an account" in unknown.content.decode()


def test_a_password_reset_by_mail_opens_the_account_once(client, manager, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": manager.email})
    assert mailoutbox[0].subject == "Choose a new password"
    link = re.search(r"https?://[^/]+(/\S+)", mailoutbox[0].body).group(1)
    form = client.get(link, follow=True)
    assert "Choose a password" in form.content.decode()
    action = form.redirect_chain[-1][0]
    done = client.post(action, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert done.status_code == 200
    manager.refresh_from_db()
    assert manager.check_password(PASSWORD)
    assert "no longer works" in Client().get(link, follow=True).content.decode()


@pytest.mark.parametrize(
    "name", ["account_change_password", "mfa_index", "account_reset_password", "account_reset_password_done"]
)
def test_account_pages_are_in_the_look(client, manager, name):
    client.force_login(manager)
    text = client.get(reverse(name), follow=True).content.decode()
    assert "mim.css" in text
    assert "<h1>" in text


def test_the_theme_is_remembered_on_this_device(client, db):
    client.post(reverse("theme_switch"), {"theme": "dark", "next": "/accounts/login/"})
    assert 'data-theme="dark"' in client.get(reverse("account_login")).content.decode()


def test_the_theme_switch_leads_nowhere_else(client, db):
    answer = client.post(reverse("theme_switch"), {"theme": "dark", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_an_error_page_needs_no_database(status):
    request = RequestFactory().get("/somewhere/", headers={"cookie": "theme=dark"})
    answer = pages._answer(request, status)
    text = answer.content.decode()
    assert answer.status_code == status
    assert 'href="/"' in text and "data-message" in text and 'data-theme="dark"' in text


def test_an_unknown_address_answers_in_the_look(client, db):
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()


def test_the_api_hears_of_errors_in_json(rf):
    answer = pages.not_found(rf.get("/api/v1/nothing"))
    assert answer["Content-Type"] == "application/problem+json"
    assert b'"type":"not_found"' in answer.content


def test_an_old_form_is_refused_with_a_way_back(db):
    answer = Client(enforce_csrf_checks=True).post(reverse("theme_switch"), {"theme": "dark"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()
