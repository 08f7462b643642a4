"""People, services and tickets for tests, made the way the product makes them."""

from datetime import UTC, datetime, timedelta
from itertools import count

from incidents.actions import tickets
from incidents.models import Organisation, Service, Team, Ticket, User

_numbers = count(1)
START = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)


def minute(n: float) -> datetime:
    """A fixed Monday morning plus `n` minutes (UTC)."""
    return START + timedelta(minutes=n)


def organisation(**fields: object) -> Organisation:
    return Organisation.objects.update_or_create(pk=1, defaults={"name": "Northwind", **fields})[0]


def team(name: str = "", **fields: object) -> Team:
    name = name or f"Team {next(_numbers)}"
    return Team.objects.create(name=name, slug=name.lower().replace(" ", "-"), **fields)


def person(*roles: str, name: str = "", email: str = "", **fields: object) -> User:
    """An account with these account roles; `person()` has none."""
    name = name or f"Person {next(_numbers)}"
    user = User.objects.create_user(email or f"{name.lower().replace(' ', '.')}@example.org", name=name, **fields)
    for role in roles:
        user.role_rows.create(role=role)
    return user


def service(name: str = "", **fields: object) -> Service:
    name = name or f"Service {next(_numbers)}"
    return Service.objects.create(name=name, slug=name.lower().replace(" ", "-"), **fields)


def ticket(title: str = "Checkout shows an error page", *, at: datetime | None = None, **fields: object) -> Ticket:
    """A ticket reported over the hotline by nobody in particular unless said otherwise."""
    fields = {"channel": "hotline", "actor": None, **fields}
    return tickets.open_ticket(title=title, at=at or minute(0), **fields)


def again(record):
    """The record as the database has it now (a protected state refuses `refresh_from_db`)."""
    return type(record).objects.get(pk=record.pk)
