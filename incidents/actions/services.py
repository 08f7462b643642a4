"""The service catalogue: services, what they need, and planned work."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from incidents import permissions
from incidents.actions.input import clean_number, clean_person, clean_text, clean_time, unknown_fields
from incidents.errors import Duplicate, Invalid
from incidents.models import MaintenanceWindow, Service, ServiceDependency, User

_CEILING = Decimal("9999999999")


def _cost(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _CEILING:
        raise Invalid(cost_per_hour="Give an amount of 0 or more.")
    return amount.quantize(Decimal("0.01"))


def _slug(value: Any) -> str:
    text = clean_text("slug", value, 120, required=True)
    if slugify(text) != text:
        raise Invalid(slug="Use small letters, digits and hyphens.")
    return text


def _truth(field: str) -> Callable[[Any], bool]:
    def clean(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Invalid(**{field: "Use true or false."})
        return value

    return clean


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: " ".join(clean_text("name", value, 120, required=True).split()),
    "slug": _slug,
    "description": lambda value: clean_text("description", value),
    "tier": lambda value: clean_number("tier", value, least=1, most=4),
    "owner": lambda value: clean_person("owner", value),
    "team": lambda value: value,
    "cost_per_hour": _cost,
    "off_hours_percent": lambda value: clean_number("off_hours_percent", value, most=100),
    "is_active": _truth("is_active"),
    "is_public": _truth("is_public"),
}


@transaction.atomic
def add_service(
    *, name: str, actor: User | None, at: datetime, needs: Iterable[Service] = (), **fields: Any
) -> Service:
    """A name is enough; `needs` are the services it depends on. `actor` None is an import. Raises Duplicate when
    name or slug is taken."""
    if actor is not None:
        permissions.require(actor, "configure_services")
    unknown_fields(fields, _CLEAN)
    service = Service(name=_CLEAN["name"](name))
    for field, value in fields.items():
        setattr(service, field, _CLEAN[field](value))
    service.slug = service.slug or _free_slug(service.name)
    _save(service)
    _set_needs(service, needs)
    return service


def _free_slug(name: str) -> str:
    base = slugify(name)[:110] or "service"
    taken = set(Service.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _save(service: Service) -> None:
    try:
        with transaction.atomic():
            service.save()
    except IntegrityError:
        raise Duplicate(
            f"There is a service with the name “{service.name}” or slug “{service.slug}” already."
        ) from None


@transaction.atomic
def edit_service(service_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> Service:
    """Corrects fields and `needs`, the whole list of services it depends on. Raises Service.DoesNotExist."""
    permissions.require(actor, "configure_services")
    unknown_fields(changes, (*_CLEAN, "needs"))
    service = Service.objects.select_for_update(of=("self",)).get(pk=service_id)
    for field, value in changes.items():
        if field in _CLEAN:
            setattr(service, field, _CLEAN[field](value))
    _save(service)
    if "needs" in changes:
        _set_needs(service, changes["needs"])
    return service


@transaction.atomic
def remove_service(service_id: int, *, actor: User, at: datetime) -> Service:
    """No longer offered for new reports; its history and figures stay."""
    return edit_service(service_id, changes={"is_active": False}, actor=actor, at=at)


def _set_needs(service: Service, needs: Iterable[Service]) -> None:
    wanted = {needed.pk: needed for needed in needs}
    ServiceDependency.objects.filter(service=service).exclude(needs__in=wanted).delete()
    present = set(service.needs.values_list("needs", flat=True))
    for pk, needed in wanted.items():
        if pk not in present:
            _check_no_circle(service, needed)
            ServiceDependency.objects.create(service=service, needs=needed)


@transaction.atomic
def add_dependency(service_id: int, *, needs: Service, actor: User, at: datetime) -> ServiceDependency:
    """`service_id` needs `needs` to work. Adding it again changes nothing; a circle is refused."""
    permissions.require(actor, "configure_services")
    service = Service.objects.select_for_update(of=("self",)).get(pk=service_id)
    present = ServiceDependency.objects.filter(service=service, needs=needs).first()
    if present is not None:
        return present
    _check_no_circle(service, needs)
    return ServiceDependency.objects.create(service=service, needs=needs)


@transaction.atomic
def remove_dependency(dependency_id: int, *, actor: User, at: datetime) -> None:
    """Raises ServiceDependency.DoesNotExist."""
    permissions.require(actor, "configure_services")
    ServiceDependency.objects.select_for_update().get(pk=dependency_id).delete()


def _check_no_circle(service: Service, needed: Service) -> None:
    """What breaks would otherwise break itself. Reads all dependencies under lock: there are few."""
    below: dict[int, list[int]] = {}
    for row in ServiceDependency.objects.select_for_update().order_by("pk"):
        below.setdefault(row.service_id, []).append(row.needs_id)
    waiting, seen = [needed.pk], set()
    while waiting:
        pk = waiting.pop()
        if pk == service.pk:
            raise Invalid(needs=f"{needed.name} needs {service.name} already, directly or through others.")
        if pk not in seen:
            seen.add(pk)
            waiting += below.get(pk, [])


@transaction.atomic
def save_window(
    window_id: int | None = None,
    *,
    title: str,
    services: Iterable[Service],
    starts_at: datetime,
    ends_at: datetime,
    actor: User,
    at: datetime,
) -> MaintenanceWindow:
    """Planned work on services: what is down inside it is not downtime. `window_id` None makes a new one."""
    permissions.require(actor, "configure_services")
    affected = list(services)
    if not affected:
        raise Invalid(services="Name at least one service.")
    if clean_time("ends_at", ends_at) <= clean_time("starts_at", starts_at):
        raise Invalid(ends_at="The window must end after it starts.")
    window = MaintenanceWindow(created_by=actor)
    if window_id is not None:
        window = MaintenanceWindow.objects.select_for_update(of=("self",)).get(pk=window_id)
    window.title = clean_text("title", title, 200, required=True)
    window.starts_at, window.ends_at = starts_at, ends_at
    window.save()
    window.services.set(affected)
    return window


@transaction.atomic
def remove_window(window_id: int, *, actor: User, at: datetime) -> None:
    """Raises MaintenanceWindow.DoesNotExist."""
    permissions.require(actor, "configure_services")
    MaintenanceWindow.objects.select_for_update().get(pk=window_id).delete()
