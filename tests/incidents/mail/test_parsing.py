"""Any bytes are read, kept, and become a ticket or wait in quarantine; nothing is lost, nothing breaks."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.actions.ticket_files import safe_name
from incidents.intake.email.parse import ParsedMail, parse, parse_head
from incidents.intake.email.quotes import new_words
from incidents.models import InboundMail
from incidents.queries.mail import source_of
from tests.incidents.mail.odd import ODD, SCRIPT

NAMES = [name for name, _, _ in ODD]


def test_the_set_of_odd_mails_is_large_and_each_has_a_name_of_its_own():
    assert len(ODD) >= 100 and len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(("raw", "expected"), [one[1:] for one in ODD], ids=NAMES)
def test_an_odd_mail_is_read_as_far_as_it_can_be(raw, expected):
    began = time.monotonic()
    mail = parse(raw)
    said = new_words(mail)
    assert time.monotonic() - began < 5
    if "subject" in expected:
        assert mail.subject.startswith(expected["subject"])
    if "text" in expected:
        assert expected["text"] in mail.text
    if "sender" in expected:
        assert mail.sender[1] == expected["sender"]
    if "files" in expected:
        assert [safe_name(file.name) for file in mail.files if file.content.strip()] == expected["files"]
    for text in (mail.text, mail.subject, said, *(value for _, value in mail.headers)):
        assert "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
    assert "alert(" not in mail.text or "text/html" not in mail.content_type


@pytest.mark.django_db
@pytest.mark.parametrize(("raw", "expected"), [one[1:] for one in ODD], ids=NAMES)
def test_an_odd_mail_survives_with_its_source(by_mail, raw, expected):
    row = by_mail(raw)
    assert row.state == expected.get("state", "ticket"), row.reason
    assert source_of(row) == raw and row.reason
    assert (row.ticket is not None) == (row.state == "ticket")


@pytest.mark.django_db
def test_html_with_scripts_is_shown_safely_on_the_ticket(by_mail, client, technician):
    row = by_mail(Content_Type="text/html", Subject=f"Pay {SCRIPT}", body=f"<p onclick=alert(1)>Cannot pay</p>{SCRIPT}")
    by_mail(Subject=f"Re: {row.ticket.ref}", body=f"{SCRIPT}\n[x](javascript:alert(1))\n<img src=x onerror=alert(1)>")
    client.force_login(technician)
    page = client.get(f"/tickets/{row.ticket.ref}/").content.decode()
    assert "Cannot pay" in page and "<script>alert" not in page and "<img src=x" not in page
    assert 'href="javascript' not in page


@given(st.binary(max_size=3000))
@settings(max_examples=120, deadline=None)
def test_no_bytes_break_the_parser(raw):
    assert isinstance(parse(raw), ParsedMail) and isinstance(parse_head(raw), ParsedMail)


@given(st.sampled_from([one[1] for one in ODD if 0 < len(one[1]) < 4000]), st.data())
@settings(max_examples=150, deadline=None)
def test_no_mutation_of_an_odd_mail_breaks_the_parser(raw, data):
    mutated = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not mutated:
            break
    mail = parse(bytes(mutated))
    assert isinstance(new_words(mail), str)


HOSTILE = {
    "on": "On " * 6000, "from": "From: " * 3000, "lines of on": "On a b c\n" * 2000, "heads": "From: a\n" * 2400,
    "rules": "_" * 20_000, "quotes": "> " * 9000, "lines": "\n" * 20_000, "blanks": " " * 20_000,
    "long attributions": ("On " + "a " * 140 + "\n") * 60, "signatures": "-- \n" * 4000,
    "mixed": "From: a\nTo: b\n\n\n\n" * 900, "disclaimers": "Disclaimer: " * 1500,
    "mail in disclaimers": ("Disclaimer: " + "mail" * 60 + "\n") * 70, "nested quotes": "> > > > On a wrote:\n" * 900,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_makes_cutting_its_quotations_slow(name):
    began = time.monotonic()
    new_words(ParsedMail(text=HOSTILE[name]))
    assert time.monotonic() - began < 1.5


REPLIES = {
    "gmail": "Still broken.\n\nOn Mon, 4 Mar 2024 at 09:00, Desk <d@x.example> wrote:\n\n> hello\n> there\n",
    "gmail, two lines": "Still broken.\n\nOn Mon, 4 Mar 2024 at 09:00, The Desk <\nd@x.example> wrote:\n> a\n",
    "german": "Still broken.\n\nAm Mo., 4. März 2024 um 09:00 Uhr schrieb Desk <\nd@x.example>:\n\n> hallo\n",
    "french": "Still broken.\n\nLe lun. 4 mars 2024 à 09:00, Desk <d@x.example> a écrit :\n> bonjour\n",
    "spanish": "Still broken.\n\nEl lun, 4 mar 2024 a las 9:00, Desk (<d@x.example>) escribió:\n> hola\n",
    "outlook": "Still broken.\n\n-----Original Message-----\nFrom: desk\nSent: Monday\nTo: me\nSubject: z\n\nfoo",
    "outlook, new": "Still broken.\n\n______________________________\nFrom: D\nSent: Mon\nTo: me\nSubject: z\n\nfoo",
    "outlook, german": "Still broken.\n\nVon: Desk <d@x>\nGesendet: Montag\nAn: ich\nBetreff: z\n\nfoo",
    "outlook, french": "Still broken.\n\nDe : Desk <d@x>\nEnvoyé : lundi\nÀ : moi\nObjet : z\n\nfoo",
    "only quoted lines": "Still broken.\n\n> hello\n> there",
    "below the quotation": "> hello\n> there\n\nStill broken.",
    "between the quotations": "On Monday Desk wrote:\n> still what?\nStill broken.\n> and?\n",
    "nothing quoted": "Still broken.",
}


@pytest.mark.parametrize("name", REPLIES)
def test_an_answer_is_cut_above_its_quotation(name):
    assert new_words(ParsedMail(text=REPLIES[name])) == "Still broken."


def test_an_answer_in_html_is_cut_at_its_quotation():
    html = '<div>Still broken.</div><div class="gmail_quote"><div>On Monday</div><blockquote>old</blockquote></div>'
    assert new_words(parse(b"Content-Type: text/html\r\n\r\n" + html.encode())) == "Still broken."


def test_an_answer_of_nothing_but_quotation_keeps_it():
    assert new_words(ParsedMail(text="> only\n> this")) == "> only\n> this"


@pytest.mark.django_db
def test_nothing_of_a_mail_needs_more_than_its_row(by_mail):
    by_mail()
    assert InboundMail.objects.get().sha256 and InboundMail.objects.get().headers[0][0] == "From"
