"""Mail that leaves, as somebody's program answers it: references, return paths, and a whole conversation."""

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from incidents import mail_reference
from incidents.actions import tickets
from incidents.actions.mail import Came
from incidents.intake.email.process import process_due
from incidents.intake.email.store import keep
from incidents.models import InboundMail, Ticket
from incidents.process import AccountRole
from notifications.models import Delivery
from tests.incidents.mail.mails import mail
from tests.notifications.conftest import Sink, declare, deliver, free_port, person

pytestmark = pytest.mark.django_db
RITA = "rita@customer.example"


class Envelopes(Sink):
    """Keeps the return paths too; `refuses` are those it does not take."""

    def __init__(self) -> None:
        super().__init__()
        self.return_paths: list[str] = []
        self.refuses: tuple[str, ...] = ()

    async def handle_MAIL(self, server, session, envelope, address, options):
        named = (address or "").strip("<>")
        if named in self.refuses or ("+" in self.refuses and "+" in named):
            return "553 5.1.8 this sender is not allowed here"
        envelope.mail_from = address
        self.return_paths.append(named)
        return "250 OK"


@pytest.fixture
def out(settings):
    sink = Envelopes()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield sink
    controller.stop()


@pytest.fixture
def technician(db):
    return person("technician", AccountRole.SERVICE_DESK_TECHNICIAN)


def bring(raw: bytes, to: str = "servicedesk@localhost", sender: str = RITA) -> InboundMail:
    row, _ = keep(raw, Came(via="smtp", envelope_from=sender, recipients=[to]), at=timezone.now())
    process_due(at=timezone.now())
    return InboundMail.objects.get(pk=row.pk)


def test_a_whole_conversation_by_mail(out, technician):
    ticket = bring(mail(Message_ID="<first@customer.example>")).ticket
    deliver()
    acknowledgement = out.to(RITA)[-1]
    assert acknowledgement["Subject"] == f"{ticket.ref} received: Cannot pay"
    assert acknowledgement["In-Reply-To"] == "<first@customer.example>"

    tickets.comment(ticket.pk, text="Which card do you use?", public=True, actor=technician, at=timezone.now())
    deliver()
    asked = out.to(RITA)[-1]
    assert "Which card do you use?" in asked.get_body(("plain",)).get_content()
    roots = {one["References"].split()[0] for one in out.to(RITA)}
    assert len(roots) == 1, "all of it is one thread in the requester's program"

    to = asked["Reply-To"].addresses[0].addr_spec
    answer = mail(
        To=to, Subject=f"Re: {asked['Subject']}", In_Reply_To=asked["Message-ID"],
        Message_ID="<second@customer.example>",
        body="The blue one.\n\nOn Monday the desk wrote:\n> Which card do you use?",
    )  # fmt: skip
    row = bring(answer, to)
    assert (row.ticket, row.comment.text, row.is_signed) == (ticket, "The blue one.", True)
    assert [one.text for one in ticket.comments.all()] == ["Which card do you use?", "The blue one."]

    tickets.comment(ticket.pk, text="Thank you.", public=True, actor=technician, at=timezone.now())
    deliver()
    assert out.to(RITA)[-1]["In-Reply-To"] == "<second@customer.example>"
    assert Ticket.objects.count() == 1


def test_what_leaves_says_that_it_is_automatic_and_how_to_answer(out, technician):
    ticket = bring(mail()).ticket
    deliver()
    sent = out.to(RITA)[0]
    assert (sent["Auto-Submitted"], sent["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert sent["X-MIM-Loop"] == mail_reference.own_host()
    reference = mail_reference.find(str(sent["Reply-To"]))[0]
    assert reference.ref == ticket.ref and reference.was_made_for(RITA.upper())
    assert mail_reference.find(sent["Message-ID"])[0] == reference


def test_automatic_mail_has_no_return_path_and_a_persons_words_come_back_to_the_ticket(out, technician):
    ticket = bring(mail()).ticket
    tickets.comment(ticket.pk, text="Which card?", public=True, actor=technician, at=timezone.now())
    deliver()
    assert out.return_paths[0] == ""
    assert mail_reference.find(out.return_paths[1])[0].ref == ticket.ref


@pytest.mark.parametrize("refused", [("",), ("+",)])
def test_a_server_that_takes_no_such_return_path_gets_the_desks_address(out, technician, refused):
    out.refuses = refused
    ticket = bring(mail()).ticket
    tickets.comment(ticket.pk, text="Which card?", public=True, actor=technician, at=timezone.now())
    deliver()
    assert "servicedesk@localhost" in out.return_paths
    assert not Delivery.objects.filter(channel="email").exclude(state="delivered").exists()


def test_a_server_without_plus_addresses_gets_the_mark_in_the_subject(out, settings):
    settings.MAIL_PLUS_ADDRESSES = False
    settings.MAIL_REPLY_TO = "Help <help@shop.example>"
    ticket = bring(mail()).ticket
    deliver()
    sent = out.to(RITA)[0]
    assert sent["Reply-To"] == "Help <help@shop.example>"
    assert mail_reference.find(sent["Subject"])[0].ref == ticket.ref


def test_messages_about_an_incident_bear_its_reference_for_each_recipient(out, technician):
    manager = person("manager", AccountRole.MAJOR_INCIDENT_MANAGER)
    incident = declare(manager)
    deliver()
    tokens = set()
    for one in (technician.email, manager.email):
        reference = mail_reference.find(str(out.to(one)[0]["Reply-To"]))[0]
        assert reference.ref == incident.ref and reference.was_made_for(one)
        tokens.add(reference.token)
    assert len(tokens) == 2, "nobody can speak for somebody else"


def test_an_automatic_sender_gets_no_acknowledgement(out):
    row = bring(mail(From="nagios@mon.example", Auto_Submitted="auto-generated"))
    deliver()
    assert row.state == "ticket" and out.mails == []
    assert "sent by a program" in row.ticket.events.get(kind="ticket_opened").payload["no_answer"]
