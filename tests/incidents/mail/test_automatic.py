"""Which mail a program sent."""

import pytest

from incidents import mail_reference
from incidents.intake.email.automatic import recognise
from incidents.intake.email.parse import parse
from incidents.models import MailKind
from tests.incidents.mail.mails import AUTOMATIC, HUMAN, Labelled, mail

OWN = frozenset({"servicedesk@localhost"})
ALL = [(kind, one) for kind, found in AUTOMATIC.items() for one in found]


def kind_of(one: Labelled) -> str:
    parsed = parse(one.raw)
    answers = any(map(mail_reference.is_own_message_id, (parsed.first("in-reply-to"), parsed.first("references"))))
    found = recognise(parsed, envelope_from=one.envelope, own=OWN, answers_ours=answers)
    return found.kind.value if found else ""


def test_at_least_97_of_100_automatic_mails_are_recognised(record_property):
    recognised = [one.name for _, one in ALL if kind_of(one)]
    share = len(recognised) / len(ALL)
    record_property("recognised", f"{len(recognised)} of {len(ALL)}")
    missed = sorted({one.name for _, one in ALL} - set(recognised))
    assert len(ALL) >= 110 and share >= 0.97, f"{share:.1%}; missed: {missed}"


def test_no_mail_of_a_person_is_taken_for_an_automatic_one():
    assert {one.name: kind_of(one) for one in HUMAN if kind_of(one)} == {}


def test_one_header_alone_would_find_under_half():
    marked = [one for _, one in ALL if parse(one.raw).first("auto-submitted").lower().startswith("auto")]
    assert len(marked) / len(ALL) < 0.5


@pytest.mark.parametrize("kind", [kind for kind in AUTOMATIC if kind != "generated"])
def test_what_must_never_become_a_ticket_is_known_as_what_it_is(kind):
    """Only "generated" may open one; a bounce taken for a reply is as silent."""
    found = {one.name: kind_of(one) for one in AUTOMATIC[kind]}
    wrong = {name: as_kind for name, as_kind in found.items() if as_kind in ("", "generated")}
    assert not wrong


def test_what_programs_send_of_their_own_accord_may_open_tickets():
    assert {kind_of(one) for one in AUTOMATIC["generated"]} == {MailKind.GENERATED}


def test_a_person_who_answers_through_a_mailing_list_is_still_a_person():
    parsed = parse(mail("List-Id: <desk.corp.example>", "Precedence: list"))
    found = recognise(parsed, envelope_from="desk@corp.example", answers_ours=True)
    assert found and found.kind == MailKind.GENERATED and found.is_list


def test_the_reason_names_what_it_was_recognised_by():
    found = recognise(parse(mail("Auto-Submitted: auto-replied")), envelope_from="a@b.example")
    assert found and found.why == "Auto-Submitted says auto-replied"
