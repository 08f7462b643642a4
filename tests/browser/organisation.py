"""Run inside the product (`manage.py shell`): the people and services of the browser stories."""

import json
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from incidents.actions import changes, major_incidents, seats, tickets
from incidents.models import (
    AudienceMembership,
    Change,
    MajorIncident,
    OnCallShift,
    Organisation,
    Service,
    ServiceDependency,
    User,
)
from incidents.process import Audience

PASSWORD = "correct horse battery staple"
PEOPLE = {
    "technician": ("service_desk_technician", "Ida Rossi"),
    "manager": ("major_incident_manager", "Maya Lindqvist"),
    "engineer": ("technical_staff", "Omar Haddad"),
    "change_manager": ("change_manager", "Carla Nunes"),
    "problem_manager": ("problem_manager", "Piotr Zielinski"),
    "management": ("management", "Helena Vogt"),
    "stakeholder": ("key_stakeholder", "Sam Okafor"),
    "desk_manager": ("service_desk_manager", "Lena Fischer"),
    "requester": ("requester", "Rita Quist"),
}
AUDIENCES = {
    Audience.TECHNICAL: ["technical_staff"],
    Audience.MANAGEMENT: ["management"],
    Audience.KEY_STAKEHOLDERS: ["key_stakeholder"],
    Audience.USERS: ["requester"],
}


def make() -> None:
    """Creates everything and prints the people as JSON, name of the part to e-mail address."""
    Organisation.objects.update_or_create(pk=1, defaults={"name": "Northwind", "observation_hours": 0})
    now = timezone.now()
    for part, (role, name) in PEOPLE.items():
        user = User.objects.create_user(f"{part}@example.org", PASSWORD, name=name, time_zone="Europe/Berlin")
        user.role_rows.create(role=role)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        if role in ("major_incident_manager", "problem_manager", "change_manager"):
            OnCallShift.objects.create(
                role=role, person=user, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1)
            )
    for audience, roles in AUDIENCES.items():
        AudienceMembership.objects.update_or_create(audience=audience, defaults={"roles": roles})
    checkout = Service.objects.create(name="Checkout", slug="checkout", tier=1, cost_per_hour=12_000)
    payments = Service.objects.create(name="Payments", slug="payments", tier=1, cost_per_hour=8_000)
    ServiceDependency.objects.create(service=payments, needs=checkout)
    print("PEOPLE", json.dumps({part: f"{part}@example.org" for part in PEOPLE}))


def _person(part: str) -> User:
    return User.objects.get(email=f"{part}@example.org")


def propose() -> None:
    """Three calls about checkout, and the technician's proposal."""
    by = {"actor": _person("technician"), "at": timezone.now()}
    service, requester = Service.objects.get(slug="checkout"), _person("requester")
    rows = [
        tickets.open_ticket(
            title=f"Checkout shows 502 ({n})", channel="hotline", service=service, requester=requester, **by
        )
        for n in (1, 2, 3)
    ]
    reason = "Everybody calls about checkout"
    tickets.propose([row.pk for row in rows], reason=reason, business_impact="Nobody can pay", **by)


def many_reports() -> None:
    """Thirty calls about payments, and an outage of it that the manager has declared."""
    by = {"actor": _person("technician"), "at": timezone.now()}
    service = Service.objects.get(slug="payments")
    for n in range(30):
        email = f"caller{n % 20}@shop.example"
        tickets.open_ticket(
            title=f"Card is declined ({n})", channel="hotline", service=service, requester_email=email, **by
        )
    incident = major_incidents.declare(
        title="Cards are declined", services=[service], impact=1, urgency=1, actor=_person("manager"), at=timezone.now()
    )
    print("DECLARED", incident.ref)


def implement_fix() -> None:
    """The engineer starts the change and has it in place."""
    change, engineer = Change.objects.get(), _person("engineer")
    changes.start(change.pk, actor=engineer, at=timezone.now())
    changes.implement(change.pk, actor=engineer, at=timezone.now())


def say_how_it_ended() -> None:
    """Prints stage, open children and steps that are not done."""
    incident = MajorIncident.objects.get()
    waiting = incident.tickets.exclude(status__in=["resolved", "closed"]).count()
    print("ENDED", incident.stage, waiting, incident.steps.exclude(state="done").count())


def gather() -> None:
    """An outage with five more people at the table, one of them a guest, and prints its reference."""
    manager, at = _person("manager"), timezone.now()
    guest = User.objects.create_user("guest@example.org", PASSWORD, name="Gil Ortega", is_guest=True)
    guest.role_rows.create(role="external_consultant")
    EmailAddress.objects.create(user=guest, email=guest.email, verified=True, primary=True)
    incident = major_incidents.declare(
        title="Payments time out", services=[Service.objects.get(slug="payments")], impact=1, urgency=1,
        actor=manager, at=at,
    )  # fmt: skip
    for role, person in (
        ("technical_staff", _person("engineer")),
        ("change_manager", _person("change_manager")),
        ("problem_manager", _person("problem_manager")),
        ("service_desk_technician", _person("technician")),
        ("external_consultant", guest),
    ):
        seat = seats.invite(incident.pk, role=role, user=person, actor=manager, at=at)
        seats.accept(seat.pk, actor=person, at=at)
    print("GATHERED", incident.ref)


def what_was_said() -> None:
    """Prints the notes of the newest incident as JSON, the newest first, once each as often as they are there."""
    events = MajorIncident.objects.latest("pk").events.filter(kind="note").order_by("-seq")
    print("SAID", json.dumps([event.text for event in events]))


def accept_invitations() -> None:
    """Everybody invited to the newest incident takes the seat."""
    for seat in MajorIncident.objects.latest("pk").seats.filter(state="invited"):
        seats.accept(seat.pk, actor=seat.user, at=timezone.now())
