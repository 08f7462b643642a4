"""Writes the organisation, its people, teams, services, rota and audiences."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password

from incidents.actions.major_incidents import current_matrix
from incidents.models import (
    AudienceMembership,
    OnCallShift,
    Organisation,
    RaciMatrix,
    RoleHeld,
    Service,
    ServiceDependency,
    Team,
    User,
)
from incidents.process import AccountRole
from metrics.demo import organisation as shop


@dataclass
class Cast:
    """Everybody and everything by key."""

    people: dict[str, User]
    teams: dict[str, Team]
    services: dict[str, Service]
    matrix: RaciMatrix
    zone: ZoneInfo
    at: datetime

    def with_role(self, role: str) -> list[User]:
        return [self.people[person.key] for person in shop.PEOPLE if role in person.roles]


def load(*, password: str, at: datetime) -> Cast:
    """Every row in bulk; the password is hashed once."""
    Organisation.objects.update_or_create(
        pk=1,
        defaults={
            "name": shop.NAME,
            "time_zone": shop.TIME_ZONE,
            "currency": shop.CURRENCY,
            "bridge_pattern": shop.BRIDGE_PATTERN,
        },
    )
    teams = _teams()
    people = _people(teams, make_password(password), at)
    for key, _, _, lead in shop.TEAMS:
        teams[key].lead = people[lead]
    Team.objects.bulk_update(teams.values(), ["lead"])
    _rota(people, at)
    for audience, roles in shop.AUDIENCES.items():
        AudienceMembership.objects.update_or_create(audience=audience, defaults={"roles": list(roles)})
    return Cast(people, teams, _services(people, teams), current_matrix(), ZoneInfo(shop.TIME_ZONE), at)


def _teams() -> dict[str, Team]:
    rows = Team.objects.bulk_create(
        Team(slug=key, name=name, email=f"{key}@{shop.MAIL_DOMAIN}", support_tier=tier)
        for key, name, tier, _ in shop.TEAMS
    )
    return {team.slug: team for team in rows}


def _people(teams: dict[str, Team], hashed: str, at: datetime) -> dict[str, User]:
    rows = User.objects.bulk_create(
        User(
            email=person.email,
            name=person.name,
            job_title=person.job_title,
            password=hashed,
            team=teams.get(person.team),
            support_tier=person.tier,
            phone=f"+49 30 5550 {100 + number}",
            time_zone=shop.TIME_ZONE,
            is_staff=AccountRole.ADMINISTRATOR in person.roles,
            is_superuser=AccountRole.ADMINISTRATOR in person.roles,
            is_guest=AccountRole.EXTERNAL_CONSULTANT in person.roles,
            access_expires_at=at + timedelta(days=90) if AccountRole.EXTERNAL_CONSULTANT in person.roles else None,
        )
        for number, person in enumerate(shop.PEOPLE)
    )
    people = {person.key: user for person, user in zip(shop.PEOPLE, rows, strict=True)}
    for person in shop.PEOPLE:
        people[person.key].line_manager = people.get(person.line_manager)
    User.objects.bulk_update(rows, ["line_manager"])
    RoleHeld.objects.bulk_create(
        RoleHeld(user=people[person.key], role=role) for person in shop.PEOPLE for role in person.roles
    )
    return people


def _services(people: dict[str, User], teams: dict[str, Team]) -> dict[str, Service]:
    rows = Service.objects.bulk_create(
        Service(
            slug=entry.key, name=entry.name, description=entry.description, tier=entry.tier,
            cost_per_hour=entry.cost_per_hour, owner=people[entry.owner], team=teams[entry.team],
        )
        for entry in shop.SERVICES
    )  # fmt: skip
    services = {service.slug: service for service in rows}
    ServiceDependency.objects.bulk_create(
        ServiceDependency(service=services[entry.key], needs=services[needed])
        for entry in shop.SERVICES
        for needed in entry.needs
    )
    return services


def _rota(people: dict[str, User], at: datetime) -> None:
    """Weeks from Monday eight o'clock (organisation's zone), four back and twelve ahead, with a backup."""
    zone = ZoneInfo(shop.TIME_ZONE)
    today = at.astimezone(zone)
    monday = (today - timedelta(days=today.weekday())).replace(hour=8, minute=0, second=0, microsecond=0)
    shifts = []
    for role, turns in shop.ON_CALL.items():
        for week in range(-4, 13):
            for rank, key in enumerate(dict.fromkeys((turns[week % len(turns)], turns[(week + 1) % len(turns)])), 1):
                begins = monday + timedelta(weeks=week)
                shifts.append(
                    OnCallShift(
                        role=role, person=people[key], starts_at=begins, ends_at=begins + timedelta(weeks=1), rank=rank
                    )
                )
    OnCallShift.objects.bulk_create(chain(shifts))
