"""The organisation: people, teams, audiences, the RACI matrix."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import permissions
from incidents.actions import organisation, people, raci
from incidents.actions.major_incidents import current_matrix
from incidents.api.endpoint import Changing, Collection, Detail, Endpoint, Making, Removing, ShortList, or_404
from incidents.api.fields import Moment, People, Person, TeamName, Text, email_of
from incidents.api.filters import ChoicesFilter
from incidents.api.shapes import Shape
from incidents.models import AudienceMembership, RaciMatrix, Team, User
from incidents.process import STEPS, AccountRole, Audience, Role

ADMIN = ("admin",)


# --- People ---------------------------------------------------------------------------------------------
class PersonOut(Shape):
    email = serializers.EmailField()
    name = serializers.CharField()
    job_title = serializers.CharField()
    roles = serializers.SerializerMethodField(help_text="Account roles.")
    team = serializers.CharField(source="team.slug", allow_null=True)
    line_manager = email_of("line_manager")
    support_tier = serializers.IntegerField(allow_null=True)
    time_zone = serializers.CharField()
    is_active = serializers.BooleanField()
    is_guest = serializers.BooleanField()
    access_expires_at = Moment(allow_null=True)

    def get_roles(self, person: User) -> list[str]:
        return sorted(person.account_roles)


class PersonIn(Shape):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=150)
    roles = serializers.ListField(child=serializers.ChoiceField(AccountRole.choices), max_length=20, required=False)
    job_title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    team = TeamName(required=False, allow_null=True, max_length=120)
    line_manager = Person(required=False, allow_null=True)
    support_tier = serializers.IntegerField(min_value=1, max_value=9, required=False, allow_null=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)


class PersonChange(PersonIn):
    is_active = serializers.BooleanField(required=False)


def person_rows() -> QuerySet:
    return User.objects.select_related("team", "line_manager").prefetch_related("role_rows")


class PersonFilterSet(filters.FilterSet):
    role = ChoicesFilter(choices=AccountRole.choices, field_name="role_rows__role", distinct=True)
    team = filters.CharFilter(field_name="team__slug")
    is_active = filters.BooleanFilter()
    is_guest = filters.BooleanFilter()

    class Meta:
        model = User
        fields: list[str] = []


class OnPeople(Endpoint):
    Out: Any = PersonOut
    write_scopes = ADMIN
    queryset: Any = User.objects.none()

    def rows(self) -> QuerySet:
        """Everybody for staff; otherwise oneself."""
        rows = person_rows()
        return rows if permissions.can(self.actor, "view_desk") else rows.filter(pk=self.actor.pk)


class PersonList(OnPeople, Collection, Making):
    """People, by name; `POST` invites somebody by mail."""

    In = PersonIn
    has_etag = True
    filterset_class = PersonFilterSet
    default_ordering = "name"
    orderings = {"name": "name", "email": "email"}
    search_fields = ("name", "email", "job_title")

    def location(self, record: User) -> str:
        return record.email

    def make(self, **given: Any) -> User:
        given.setdefault("roles", [])
        return people.invite_person(actor=self.actor, at=self.now, **given)

    def shown(self, record: User) -> User:
        return person_rows().get(pk=record.pk)


class PersonDetail(OnPeople, Changing, Removing):
    """One person, by e-mail. `DELETE` deactivates the account: what they did keeps their name."""

    In = PersonChange

    def find(self) -> User:
        return or_404(self.rows(), email__iexact=self.kwargs.get("email", ""))

    def change(self, record: User, given: dict[str, Any]) -> None:
        at, is_active = self.now, given.pop("is_active", None)
        if given:
            people.edit_person(record.pk, changes=given, actor=self.actor, at=at)
        if is_active is not None and is_active != record.is_active:
            switch = people.activate_person if is_active else people.deactivate_person
            switch(record.pk, actor=self.actor, at=at)
        self.kwargs["email"] = given.get("email", record.email)

    def remove(self) -> None:
        people.deactivate_person(self.find().pk, actor=self.actor, at=self.now)


# --- Teams ----------------------------------------------------------------------------------------------
class TeamOut(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    support_tier = serializers.IntegerField()
    lead = email_of("lead")


class TeamIn(Shape):
    name = serializers.CharField(max_length=120)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    support_tier = serializers.IntegerField(min_value=1, max_value=9, required=False)
    lead = Person(required=False, allow_null=True)


class OnTeams(Endpoint):
    In: Any = TeamIn
    Out: Any = TeamOut
    write_scopes = ADMIN
    queryset: Any = Team.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_desk")
        return Team.objects.select_related("lead")


class TeamList(OnTeams, Collection, Making):
    """Teams, by name."""

    has_etag = True
    default_ordering = "name"
    orderings = {"name": "name", "support_tier": "support_tier"}
    search_fields = ("name",)

    def location(self, record: Team) -> str:
        return record.slug

    def make(self, **given: Any) -> Team:
        return organisation.save_team(changes=given, actor=self.actor, at=self.now)


class TeamDetail(OnTeams, Changing):
    """One team, by slug."""

    def find(self) -> Team:
        return or_404(self.rows(), slug=self.kwargs["slug"])

    def change(self, record: Team, given: dict[str, Any]) -> None:
        organisation.save_team(record.pk, changes=given, actor=self.actor, at=self.now)


# --- Audiences ------------------------------------------------------------------------------------------
class AudienceOut(Shape):
    audience = serializers.ChoiceField(Audience.choices)
    roles = serializers.ListField(child=serializers.ChoiceField(AccountRole.choices))
    people = serializers.SerializerMethodField(help_text="People named one by one, by e-mail.")
    empty_reason = serializers.CharField(help_text="Why nobody is told, when that is on purpose.")

    def get_people(self, row: AudienceMembership) -> list[str]:
        return [person.email for person in row.people.all()] if row.pk else []


class AudienceIn(Shape):
    roles = serializers.ListField(child=serializers.ChoiceField(AccountRole.choices), max_length=20, required=False)
    people = People(required=False)
    empty_reason = Text(max_length=2_000, required=False, allow_blank=True)


class OnAudiences(Endpoint):
    Out: Any = AudienceOut
    write_scopes = ADMIN
    queryset: Any = AudienceMembership.objects.none()

    def known(self) -> dict[str, AudienceMembership]:
        """All four; one nobody has set yet is empty."""
        self.require("view_desk")
        rows = {row.audience: row for row in AudienceMembership.objects.prefetch_related("people")}
        return {name: rows.get(name) or AudienceMembership(audience=name) for name in Audience.values}


class AudienceList(OnAudiences, ShortList):
    """The four audiences and who belongs to each."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.whole(list(self.known().values()))


class AudienceDetail(OnAudiences, Changing):
    """One audience."""

    In = AudienceIn

    def find(self) -> AudienceMembership:
        found = self.known().get(self.kwargs["audience"])
        if found is None:
            raise Http404
        return found

    def change(self, record: AudienceMembership, given: dict[str, Any]) -> None:
        whole = {
            "roles": record.roles,
            "people": list(record.people.all()) if record.pk else [],
            "empty_reason": record.empty_reason,
            **given,
        }
        organisation.set_audience(record.audience, actor=self.actor, at=self.now, **whole)


# --- RACI -----------------------------------------------------------------------------------------------
class RaciOut(Shape):
    version = serializers.IntegerField()
    cells = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True)),
        help_text="{step: {role: letters}}, letters like `R/A`.",
    )
    note = serializers.CharField()
    created_by = email_of("created_by")
    created_at = Moment()


def _row_shape(name: str) -> type[Shape]:
    fields = {
        role: serializers.CharField(max_length=7, allow_blank=True, required=False, help_text="Letters like `R/A`.")
        for role in Role.values
    }
    return type(name, (Shape,), fields)


_Row = _row_shape("RaciRowIn")
_Cells = type("RaciCellsIn", (Shape,), {step.key: _Row(required=True) for step in STEPS})


class RaciIn(Shape):
    cells = _Cells()
    note = Text(max_length=2_000, required=False, allow_blank=True)
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="The version you edited; 412 when it is older."
    )


class Raci(Detail):
    """The matrix as it is used for new incidents. `PUT` saves the next version; incidents keep theirs."""

    In, Out = RaciIn, RaciOut
    write_scopes = ADMIN
    queryset = RaciMatrix.objects.none()

    def find(self) -> RaciMatrix:
        self.require("view_desk")
        return current_matrix()

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = self.given()
        saved = raci.save_matrix(
            given["cells"], note=given.get("note", ""), based_on=given.get("version"), actor=self.actor, at=self.now
        )
        return self.record(saved)
