"""The service catalogue: services, what they need, planned work."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from incidents.actions import services
from incidents.api.endpoint import Changing, Collection, Detail, Endpoint, Making, Removing, or_404
from incidents.api.fields import Moment, Person, ServiceName, ServiceNames, TeamName, Text, email_of
from incidents.api.filters import MomentFilter, PersonFilter, ServiceFilter
from incidents.api.shapes import Shape
from incidents.models import MaintenanceWindow, Service, ServiceDependency


class CatalogueEntryOut(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    tier = serializers.IntegerField(help_text="1 (critical) to 4 (minor).")
    owner = email_of("owner")
    team = serializers.CharField(source="team.slug", allow_null=True)
    cost_per_hour = serializers.FloatField(help_text="In the organisation's currency.")
    off_hours_percent = serializers.IntegerField(help_text="Share of it that an hour outside the service hours costs.")
    is_active = serializers.BooleanField()
    is_public = serializers.BooleanField(help_text="Named on the public status page.")
    needs = serializers.SerializerMethodField(help_text="Slugs of the services it depends on.")
    created_at = Moment()

    def get_needs(self, service: Service) -> list[str]:
        return sorted(row.needs.slug for row in service.needs.all())


class ServiceIn(Shape):
    name = serializers.CharField(max_length=120)
    slug = serializers.RegexField(r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=120, required=False)
    description = Text(required=False, allow_blank=True)
    tier = serializers.IntegerField(min_value=1, max_value=4, required=False)
    owner = Person(required=False, allow_null=True)
    team = TeamName(required=False, allow_null=True, max_length=120)
    cost_per_hour = serializers.FloatField(min_value=0, max_value=9_999_999_999, required=False)
    off_hours_percent = serializers.IntegerField(min_value=0, max_value=100, required=False)
    is_active = serializers.BooleanField(required=False)
    is_public = serializers.BooleanField(required=False)
    needs = ServiceNames(required=False)


def service_rows() -> QuerySet:
    return Service.objects.select_related("owner", "team").prefetch_related("needs__needs")


class ServiceFilterSet(filters.FilterSet):
    tier = filters.NumberFilter(min_value=1, max_value=4)
    owner = PersonFilter()
    is_active = filters.BooleanFilter()

    class Meta:
        model = Service
        fields: list[str] = []


class ServiceList(Collection, Making):
    """The services; `POST {name}` is enough for a new one."""

    In, Out = ServiceIn, CatalogueEntryOut
    has_etag = True
    write_scopes = ("write", "admin")
    queryset = Service.objects.none()
    filterset_class = ServiceFilterSet
    default_ordering = "name"
    orderings = {"name": "name", "tier": "tier", "created_at": "created_at"}
    search_fields = ("name", "slug", "description")

    def rows(self) -> QuerySet:
        self.require("view_services")
        return service_rows()

    def location(self, record: Service) -> str:
        return record.slug

    def make(self, **given: Any) -> Service:
        needs, at = given.pop("needs", None), self.now
        made = services.add_service(actor=self.actor, at=at, **given)
        if needs:
            made = services.edit_service(made.pk, changes={"needs": needs}, actor=self.actor, at=at)
        return made

    def shown(self, record: Service) -> Service:
        return service_rows().get(pk=record.pk)


class ServiceDetail(Changing, Removing):
    """One service, by slug. `DELETE` deactivates it: its history and figures stay."""

    In, Out = ServiceIn, CatalogueEntryOut
    write_scopes = ("write", "admin")
    queryset = Service.objects.none()

    def find(self) -> Service:
        self.require("view_services")
        return or_404(service_rows(), slug=self.kwargs["slug"])

    def change(self, record: Service, given: dict[str, Any]) -> None:
        services.edit_service(record.pk, changes=given, actor=self.actor, at=self.now)

    def remove(self) -> None:
        services.remove_service(self.find().pk, actor=self.actor, at=self.now)


# --- Dependencies ----------------------------------------------------------------------------------------
class DependencyOut(Shape):
    id = serializers.IntegerField()
    service = serializers.CharField(source="service.slug")
    needs = serializers.CharField(source="needs.slug")


class DependencyIn(Shape):
    service = ServiceName(max_length=120)
    needs = ServiceName(max_length=120)


class DependencyFilter(filters.FilterSet):
    service = ServiceFilter()
    needs = ServiceFilter(field_name="needs")

    class Meta:
        model = ServiceDependency
        fields: list[str] = []


class OnDependencies(Endpoint):
    Out: Any = DependencyOut
    write_scopes = ("write", "admin")
    queryset: Any = ServiceDependency.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_services")
        return ServiceDependency.objects.select_related("service", "needs")


class DependencyList(OnDependencies, Collection, Making):
    """Which service needs which to work."""

    In = DependencyIn
    filterset_class = DependencyFilter
    default_ordering = "id"

    def make(self, **given: Any) -> ServiceDependency:
        service = given.pop("service")
        return services.add_dependency(service.pk, actor=self.actor, at=self.now, **given)


class DependencyDetail(OnDependencies, Detail, Removing):
    """One dependency. `DELETE` removes it."""

    def find(self) -> ServiceDependency:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def remove(self) -> None:
        services.remove_dependency(self.find().pk, actor=self.actor, at=self.now)


# --- Planned work ----------------------------------------------------------------------------------------
class WindowOut(Shape):
    id = serializers.IntegerField()
    title = serializers.CharField()
    services = serializers.SerializerMethodField(help_text="Slugs.")
    starts_at = Moment()
    ends_at = Moment()
    created_by = email_of("created_by")

    def get_services(self, window: MaintenanceWindow) -> list[str]:
        return [service.slug for service in window.services.all()]


class WindowIn(Shape):
    title = serializers.CharField(max_length=200)
    services = ServiceNames()
    starts_at = Moment()
    ends_at = Moment()


class WindowFilter(filters.FilterSet):
    service = ServiceFilter(field_name="services")
    after = MomentFilter(field_name="ends_at", lookup_expr="gte")
    before = MomentFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = MaintenanceWindow
        fields: list[str] = []


class OnWindows(Endpoint):
    In: Any = WindowIn
    Out: Any = WindowOut
    write_scopes = ("write", "admin")
    queryset: Any = MaintenanceWindow.objects.none()

    def rows(self) -> QuerySet:
        self.require("view_services")
        return MaintenanceWindow.objects.select_related("created_by").prefetch_related("services")


class WindowList(OnWindows, Collection, Making):
    """Planned work. What is down inside a window is not downtime."""

    filterset_class = WindowFilter
    default_ordering = "-starts_at"
    orderings = {"starts_at": "starts_at", "ends_at": "ends_at"}

    def make(self, **given: Any) -> MaintenanceWindow:
        return services.save_window(actor=self.actor, at=self.now, **given)


class WindowDetail(OnWindows, Changing, Removing):
    """One window."""

    def find(self) -> MaintenanceWindow:
        return or_404(self.rows(), pk=self.kwargs["id"])

    def change(self, record: MaintenanceWindow, given: dict[str, Any]) -> None:
        whole = {
            "title": record.title, "services": list(record.services.all()), "starts_at": record.starts_at,
            "ends_at": record.ends_at, **given,
        }  # fmt: skip
        services.save_window(record.pk, actor=self.actor, at=self.now, **whole)

    def remove(self) -> None:
        services.remove_window(self.find().pk, actor=self.actor, at=self.now)
