"""Fields that name things as people do: a service by slug or name, a person by e-mail, a record by reference."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Model, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents.models import Service, Team, User

MAX_ID = 2**63 - 1
CLOCK_SKEW = timedelta(minutes=2)
TEXT_LIMIT = 20_000


def utc_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@extend_schema_field(OpenApiTypes.DATETIME)
class Moment(serializers.Field):
    """RFC 3339 with any offset in; UTC with `Z` out. A time without an offset is refused: nobody knows whose it is."""

    default_error_messages = {
        "format": "Give a time like 2026-03-01T14:05:00Z.",
        "naive": "Say the offset: end it with Z for UTC, or with one like +02:00.",
        "range": "Give a year from 1970 to 9998.",
        "future": "This lies in the future. It may be at most two minutes ahead of the server's clock.",
    }

    def __init__(self, *, past: bool = False, **options: Any) -> None:
        self.past = past
        super().__init__(**options)

    def to_internal_value(self, given: Any) -> datetime:
        if not isinstance(given, str) or len(given) > 64 or "T" not in given.upper().replace(" ", "T"):
            self.fail("format")
        try:
            value = parse_datetime(given.upper())
        except (ValueError, OverflowError):
            value = None
        if value is None:
            self.fail("format")
        assert value is not None
        if value.tzinfo is None:
            self.fail("naive")
        if not 1970 <= value.year <= 9998:
            self.fail("range")
        value = value.astimezone(UTC)
        if self.past and value > timezone.now() + CLOCK_SKEW:
            self.fail("future")
        return value

    def to_representation(self, value: datetime) -> str:
        return utc_text(value)


class Text(serializers.CharField):
    """Long text: kept as typed, up to 20,000 characters."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", TEXT_LIMIT)
        options.setdefault("trim_whitespace", False)
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and not data.strip() and not self.allow_blank:
            self.fail("blank")
        return super().run_validation(data)


class Level(serializers.IntegerField):
    """1 (highest) to 4."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=4, **options)


class LookedUp(serializers.Field):
    """A field whose text is checked as text first, then replaced by the record it names."""

    def look_up(self, given: Any) -> Any:
        raise NotImplementedError

    def run_validation(self, data: Any = serializers.empty) -> Any:
        given = super().run_validation(data)
        return self.look_up(given) if given not in (None, "") else given


class ServiceName(LookedUp, serializers.CharField):
    """A service's slug or exact name in, the Service out of validation."""

    def look_up(self, given: str) -> Service:
        return services_named([given])[0]


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 120}, "maxItems": 200})
class ServiceNames(LookedUp, serializers.ListField):
    """Several services, each once, found with one query."""

    child = serializers.CharField(max_length=120)

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, **options)

    def look_up(self, given: list[str]) -> list[Service]:
        return services_named(given)


def services_named(names: list[str]) -> list[Service]:
    """The services in the order named, without repeats. Raises ValidationError for an unknown one."""
    found = list(Service.objects.filter(Q(slug__in=names) | Q(name__in=names))) if names else []
    known = {service.name: service for service in found} | {service.slug: service for service in found}
    if unknown := [name for name in names if name not in known]:
        raise serializers.ValidationError(
            [f"There is no service “{name}”. Name it by its slug or its exact name." for name in unknown]
        )
    return list(dict.fromkeys(known[name] for name in names))


class Person(LookedUp, serializers.EmailField):
    """A person's e-mail address in, the account out of validation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def look_up(self, given: str) -> User:
        return people_named([given])[0]


@extend_schema_field({"type": "array", "items": {"type": "string", "format": "email", "maxLength": 254}})
class People(LookedUp, serializers.ListField):
    """Several people by e-mail, each once, found with one query."""

    child = serializers.EmailField(max_length=254)

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=500, **options)

    def look_up(self, given: list[str]) -> list[User]:
        return people_named(given)


def people_named(emails: list[str]) -> list[User]:
    """Active accounts in the order named. Raises ValidationError for an unknown or disabled one."""
    wanted = [email.strip().lower() for email in emails]
    found = {user.email.lower(): user for user in User.objects.filter(email__in=wanted, is_active=True)}
    if missing := [email for email in wanted if email not in found]:
        raise serializers.ValidationError([f"Nobody here has the address “{email}”." for email in missing])
    return list(dict.fromkeys(found[email] for email in wanted))


class TeamName(LookedUp, serializers.CharField):
    """A team's slug or exact name."""

    def look_up(self, given: str) -> Team:
        team = Team.objects.filter(Q(slug=given) | Q(name=given)).first()
        if team is None:
            raise serializers.ValidationError(f"There is no team “{given}”. Name it by its slug or its exact name.")
        return team


def ref_number(given: str, prefix: str) -> int | None:
    """12 for "MI-12"; None when it is no reference of this kind."""
    head, dash, number = given.strip().upper().partition("-")
    if head != prefix or not dash or not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    return int(number)


class Ref(LookedUp, serializers.CharField):
    """A record by its reference. Only records the asking person may know of are found."""

    def __init__(self, prefix: str, visible: Any, **options: Any) -> None:
        self.prefix, self.visible = prefix, visible
        super().__init__(max_length=32, **options)

    def look_up(self, given: str) -> Model:
        return refs_found(self, [given])[0]


class Refs(LookedUp, serializers.ListField):
    """Several records of one kind by reference, each once, found with one query."""

    child = serializers.CharField(max_length=32)

    def __init__(self, prefix: str, visible: Any, **options: Any) -> None:
        self.prefix, self.visible = prefix, visible
        super().__init__(max_length=500, **options)

    def look_up(self, given: list[str]) -> list[Model]:
        return refs_found(self, given)


def refs_found(field: Any, refs: list[str]) -> list[Model]:
    """The records in the order named. Raises ValidationError for one that is not there or not to be known."""
    numbers = [ref_number(ref, field.prefix) for ref in refs]
    user = field.context["request"].user
    found = field.visible(user).in_bulk([number for number in numbers if number is not None]) if refs else {}
    missing = [ref for ref, number in zip(refs, numbers, strict=True) if number not in found]
    if missing:
        raise serializers.ValidationError(
            [f"There is no record “{ref}”. A reference looks like {field.prefix}-12." for ref in missing]
        )
    return list(dict.fromkeys(found[number] for number in numbers))


class RefOut(serializers.CharField):
    """A foreign key as the reference of its record: `source` is the `*_id` column."""

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(**options)

    def to_representation(self, value: Any) -> str:
        return f"{self.prefix}-{value}"


def email_of(source: str, **options: Any) -> serializers.EmailField:
    """The e-mail address of a related person, null when there is none."""
    return serializers.EmailField(source=f"{source}.email", allow_null=True, **options)
