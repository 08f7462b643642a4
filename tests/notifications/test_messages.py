"""What the messages say, to whom, and that hostile text stays text."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from incidents.actions import updates
from incidents.process import Audience
from notifications.messages import Facts, Occasion, one_line, word
from notifications.policy import RULES
from tests.notifications.conftest import declare, deliver

HOSTILE = 'Checkout\r\nBcc: everybody@evil.example <script>alert(1)</script> & "quotes"'
FOLDER = Path(settings.BASE_DIR) / "templates/notifications/messages"


def facts(**fields):
    values = {
        "ref": "MI-7",
        "title": "Checkout answers 502",
        "severity": "SEV1",
        "stage": "Containment",
        "services": ("Checkout", "Payments"),
        "url": "https://desk.example/major-incidents/MI-7/",
    }
    return Facts(**{**values, **fields})


def say(moment, audience, **fields):
    return word(Occasion(moment=moment, audience=audience, at=timezone.now(), incident=facts(**fields)))


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.audiences], ids=lambda rule: rule.moment)
def test_every_moment_has_words_for_each_of_its_audiences(rule):
    assert (FOLDER / rule.moment / "subject.txt").exists()
    for audience in rule.audiences:
        assert (FOLDER / rule.moment / f"{audience}.txt").exists()


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.to and not rule.audiences], ids=lambda r: r.moment
)
def test_every_message_to_one_person_has_words(rule):
    assert (FOLDER / rule.moment / "subject.txt").exists()
    assert (FOLDER / rule.moment / "person.txt").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("audience", Audience.values)
@pytest.mark.parametrize(
    "moment", [rule.moment for rule in RULES.values() if len(rule.audiences) == 4], ids=lambda moment: moment
)
def test_each_audience_reads_whole_sentences_at_every_moment(moment, audience):
    said = say(moment, audience)
    assert said.subject
    assert "None" not in said.text
    assert "{{" not in said.text + said.html
    assert said.text.strip().count("\n\n") >= 2


@pytest.mark.django_db
def test_users_read_what_is_affected_and_nothing_internal():
    said = say("declared", "users", title="SQL injection in /admin", description="root password leaked")
    assert said.subject == "Disruption: Checkout and Payments"
    for secret in ("SQL injection", "root password", "MI-7", "SEV1"):
        assert secret not in said.text + said.html


@pytest.mark.django_db
def test_a_message_says_when_you_hear_again():
    due = timezone.now().replace(hour=14, minute=30)
    assert "Next update: by" in say("declared", "management", next_update_at=due).text
    assert "within 15 minutes" in say("declared", "technical").text
    assert "within 30 minutes" in say("declared", "users").text


@pytest.mark.django_db
def test_every_message_of_a_drill_is_marked():
    for audience in Audience.values:
        said = say("contained", audience, is_drill=True)
        assert said.subject.startswith("DRILL: ")
        assert "DRILL" in said.text
        assert "DRILL" in said.html


@pytest.mark.django_db
def test_hostile_text_stays_text_in_subject_and_html():
    said = say("declared", "technical", title=HOSTILE, description=HOSTILE, services=(HOSTILE,))
    assert "\r" not in said.subject
    assert "\n" not in said.subject
    assert "<script" not in said.html
    assert "&lt;script&gt;" in said.html
    assert 'alert(1)</script> & "quotes"' in said.text  # in plain text it reads as typed


@pytest.mark.django_db
def test_a_hostile_title_adds_no_header_and_no_recipient(people, checkout, smtp):
    declare(people["manager"], checkout, title=HOSTILE)
    deliver()
    mail = smtp.to("engineer@shop.example")[0]
    assert mail["Bcc"] is None
    assert "everybody@evil.example" not in smtp.addresses()
    assert "\n" not in mail["Subject"]


@pytest.mark.django_db
def test_the_text_of_an_update_is_markdown_made_safe(people, checkout, smtp):
    incident = declare(people["manager"], checkout)
    deliver()
    text = "**Rolled back** <img src=x onerror=alert(1)> [here](javascript:alert(1))"
    updates.publish_update(incident.pk, texts={"technical": text}, actor=people["manager"], at=timezone.now())
    deliver()
    html = smtp.to("engineer@shop.example")[-1].get_body(("html",)).get_content()
    assert "<strong>Rolled back</strong>" in html
    assert "<img" not in html
    assert 'href="javascript' not in html


@pytest.mark.django_db
def test_an_update_says_the_severity_what_was_tried_and_what_comes_next(people, checkout, smtp):
    from incidents.actions import response

    incident = declare(people["manager"], checkout)
    deliver()
    response.set_situation(
        incident.pk,
        conditions="",
        actions_summary="Restarted two nodes",
        needs="",
        seen_at=None,
        actor=people["manager"],
        at=timezone.now(),
    )
    updates.publish_update(
        incident.pk,
        texts={"management": "We are rolling back."},
        next_update_at=timezone.now() + timedelta(minutes=30),
        actor=people["manager"],
        at=timezone.now(),
    )
    deliver()
    text = smtp.to("director@shop.example")[-1].get_body(("plain",)).get_content()
    assert "SEV1" in text
    assert "Tried so far: Restarted two nodes" in text
    assert "We are rolling back." in text
    assert "Next update: by" in text


def test_one_line_drops_control_characters_and_cuts_what_is_too_long():
    assert one_line("a\r\nb\x00c\u2028d") == "a b c d"
    assert len(one_line("x" * 500)) == 200
