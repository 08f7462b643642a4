"""“Does it work?” by mail: two taps, each to a page that only asks."""

import re

import pytest
from django.utils import timezone

from incidents.actions import tickets
from mim.logs import scrub
from tests import factories
from tests.factories import again
from tests.notifications.conftest import deliver


@pytest.fixture
def solved(db, smtp):
    """A ticket of somebody without an account, solved; and the mail about it."""
    factories.organisation()
    now = timezone.now()
    ticket = factories.ticket("The <b>printer</b> jams", requester_email="caller@example.com", at=now)
    tickets.resolve(ticket.pk, resolution="Cleaned.", actor=None, at=now)
    deliver()
    (mail,) = [mail for mail in smtp.to("caller@example.com") if "solved" in mail["Subject"]]
    return ticket, mail


def links(text):
    return re.findall(r"http\S+/answers/[^\s\"<]+", text)


def test_the_mail_asks_in_text_and_html_alike(solved):
    ticket, mail = solved
    text = mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    assert "It works: http" in text and "Still broken: http" in text
    assert len(set(links(text))) == 2
    assert {link.replace("&amp;", "&") for link in links(page)} == set(links(text))
    assert ">It works</a>" in page and ">Still broken</a>" in page


def test_a_tap_only_asks_and_the_button_behind_it_answers(solved, client, settings):
    ticket, mail = solved
    works, broken = links(mail.get_body(("plain",)).get_content())
    for link in (works, broken):
        page = client.get(link.removeprefix(settings.PUBLIC_URL))
        assert page.status_code == 200 and "The &lt;b&gt;printer&lt;/b&gt; jams" in page.content.decode()
    assert again(ticket).status == "resolved"
    client.post(broken.removeprefix(settings.PUBLIC_URL), {"works": "no", "text": "Jams again"})
    assert again(ticket).status == "in_progress"
    assert ticket.events.last().text == "Jams again" and ticket.events.last().actor is None


def test_a_log_never_holds_the_link(solved):

    _, mail = solved
    link = links(mail.get_body(("plain",)).get_content())[0]
    token = link.split("/answers/")[1].split("/")[0]
    assert token not in scrub(f"GET {link} 200")
