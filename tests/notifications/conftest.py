"""People, a real SMTP sink on loopback, and incidents made by the real actions."""

import email
import logging
import socket
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from incidents.actions import major_incidents
from incidents.models import Service, User
from incidents.process import AccountRole
from notifications import delivery

logging.getLogger("mail.log").setLevel(logging.WARNING)


class Sink:
    """Keeps what it accepted. `refuse` maps an address to the answer it gets instead of 250."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=default)
        self.mails.extend((address, mail) for address in envelope.rcpt_tos)
        return "250 2.0.0 queued as SINK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for recipient, mail in self.mails if recipient == address]

    def addresses(self) -> list[str]:
        return [recipient for recipient, _ in self.mails]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def smtp(settings):
    """A real SMTP server on a free port, and the settings that point at it."""
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield sink
    controller.stop()


@pytest.fixture
def no_smtp(settings):
    """Nobody listens where the mail server should be."""
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


def person(name: str, *roles: str) -> User:
    user = User.objects.create_user(f"{name}@shop.example", name=name.capitalize())
    for role in roles:
        user.role_rows.create(role=role)
    return user


@pytest.fixture
def manager(db):
    return person("manager", AccountRole.MAJOR_INCIDENT_MANAGER)


@pytest.fixture
def engineer(db):
    return person("engineer", AccountRole.TECHNICAL_STAFF)


@pytest.fixture
def director(db):
    return person("director", AccountRole.MANAGEMENT)


@pytest.fixture
def stakeholder(db):
    return person("stakeholder", AccountRole.KEY_STAKEHOLDER)


@pytest.fixture
def requester(db):
    return person("requester", AccountRole.REQUESTER)


@pytest.fixture
def people(manager, engineer, director, stakeholder, requester):
    """One person in each audience, and the manager."""
    return {person.name.lower(): person for person in (manager, engineer, director, stakeholder, requester)}


@pytest.fixture
def checkout(db):
    return Service.objects.create(name="Checkout", slug="checkout", tier=1)


def declare(manager: User, service: Service | None = None, **fields):
    """A major incident declared now by the real action."""
    values = {"title": "Checkout answers 502", "impact": 1, "urgency": 1, **fields}
    return major_incidents.declare(**values, services=[service] if service else [], actor=manager, at=timezone.now())


def deliver() -> int:
    """What the sweep does, as if every retry were due."""
    from notifications.models import Delivery

    Delivery.objects.filter(state="queued").update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    return delivery.deliver_due(seconds=20)


def minute(number: int) -> datetime:
    return datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(minutes=number)
