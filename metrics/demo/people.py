"""Writes the organisation, its people, teams, services, rota and audiences."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password

from incidents.actions.major_incidents import current_matrix
from incidents.models import (
    AudienceMembership,
    BridgeKind,
    BridgeProvider,
    HandoverNote,
    LayerMember,
    OnCallShift,
    Organisation,
    RaciMatrix,
    RoleHeld,
    Rota,
    RotaLayer,
    RotaOverride,
    Service,
    ServiceDependency,
    Team,
    User,
)
from incidents.process import AccountRole
from incidents.rota import instant, midnight
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
        },
    )
    BridgeProvider.objects.get_or_create(
        name="Jitsi", defaults={"kind": BridgeKind.JITSI, "join_pattern": shop.BRIDGE_PATTERN}
    )
    teams = _teams()
    people = _people(teams, make_password(password), at)
    for key, _, _, lead in shop.TEAMS:
        teams[key].lead = people[lead]
    Team.objects.bulk_update(teams.values(), ["lead"])
    _rotas(people, teams, at)
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


def _rotas(people: dict[str, User], teams: dict[str, Team], at: datetime) -> None:
    """Rotas that go on for ever, so that somebody is on call whenever the demo is looked at; one shift besides."""
    zone = ZoneInfo(shop.TIME_ZONE)
    today = at.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday(), weeks=shop.WEEKS_OF_ROTA_BEFORE)
    for entry in shop.ROTAS:
        rota = Rota.objects.create(
            name=entry.name, role=entry.role, team=teams.get(entry.team), time_zone=shop.TIME_ZONE
        )
        for position, layer in enumerate(entry.layers):
            row = RotaLayer.objects.create(
                rota=rota,
                name=layer.name,
                rank=layer.rank,
                position=position,
                unit=layer.unit,
                handover_at=time(8),
                handover_weekday=0,
                starts_on=monday,
                windows=[dict(window) for window in layer.windows],
            )
            LayerMember.objects.bulk_create(
                LayerMember(layer=row, person=people[key], position=place) for place, key in enumerate(layer.people)
            )
    _changes_to_the_rota(people, today, zone, at)


def _changes_to_the_rota(people: dict[str, User], today: date, zone: ZoneInfo, at: datetime) -> None:
    """Somebody stands in for two days next week, a release night has a shift of its own, a note waits."""
    layer = RotaLayer.objects.select_related("rota").get(rota__role=AccountRole.TECHNICAL_STAFF, rank=1)
    tuesday = today + timedelta(days=8 - today.weekday())
    RotaOverride.objects.create(
        layer=layer,
        person=people["samuel"],
        starts_at=midnight(tuesday, zone),
        ends_at=midnight(tuesday + timedelta(days=2), zone),
        reason="Dentist, then a day off",
        made_by=people["servicedesk"],
        made_at=at,
    )
    evening = instant(datetime.combine(tuesday + timedelta(days=2), time(20)), zone)
    OnCallShift.objects.create(
        role=AccountRole.CHANGE_MANAGER,
        person=people["change"],
        starts_at=evening,
        ends_at=evening + timedelta(hours=4),
        rank=1,
    )
    HandoverNote.objects.create(rota=layer.rota, author=people["marco"], text=shop.HANDOVER_NOTE, written_at=at)
