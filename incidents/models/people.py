"""People, teams, what they may do, and the organisation they belong to."""

import uuid
from collections.abc import Iterable
from functools import cached_property
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from incidents.one_row import Columns, one_row
from incidents.process import AccountRole, Audience


def check_time_zone(name: str) -> None:
    """Refuses a name that the time zone database does not know."""
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Use a name like Europe/Berlin or UTC.")


class Team(models.Model):
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=120, unique=True)
    email = models.EmailField(blank=True)
    support_tier = models.PositiveSmallIntegerField(default=1)
    lead = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="teams_led")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserAccounts(BaseUserManager["User"]):
    """Accounts are found by e-mail whatever its case."""

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        user.role_rows.create(role=AccountRole.ADMINISTRATOR)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Signs in with an e-mail address; holds any number of account roles."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=150)
    job_title = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    line_manager = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports")
    support_tier = models.PositiveSmallIntegerField(null=True, blank=True)
    skills = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="What somebody knows, in lower case."
    )
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    theme = models.CharField(max_length=8, blank=True, choices=[("", "System"), ("light", "Light"), ("dark", "Dark")])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_guest = models.BooleanField(default=False, help_text="Sees only the incidents this person holds a seat on.")
    access_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    only_incident: int | None = None
    """Set on the reader of a request who came in by a guest's link: the one incident it is for. No column."""

    objects = UserAccounts()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(Lower("email"), name="one_account_per_email")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name, marked when it is somebody from outside: wherever it stands, one sees who reads and writes."""
        said = self.name or self.email
        return f"{said} (guest)" if self.is_guest else said

    @cached_property
    def account_roles(self) -> frozenset[str]:
        """Keys of `AccountRole`; one query a request, none when `role_rows` was prefetched."""
        return frozenset(row.role for row in self.role_rows.all())

    def has_role(self, *roles: str) -> bool:
        return bool(self.account_roles.intersection(roles))

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name.split()[0]


class RoleHeld(models.Model):
    """One account role of one person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_rows")
    role = models.CharField(max_length=32, choices=AccountRole.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_held_once")]
        indexes = [models.Index(fields=["role", "user"], name="people_by_role")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role}"


def people_with_role(*roles: str) -> "models.QuerySet[User]":
    """Active people holding any of these account roles, each once."""
    return User.objects.filter(is_active=True, pk__in=RoleHeld.objects.filter(role__in=roles).values("user"))


class AudienceMembership(models.Model):
    """Who belongs to one of the four audiences, besides the people the incident itself adds.

    The technical team is also everybody seated; users are also requesters of linked tickets.
    """

    audience = models.CharField(max_length=20, choices=Audience.choices, unique=True)
    roles = ArrayField(models.CharField(max_length=32, choices=AccountRole.choices), default=list, blank=True)
    people = models.ManyToManyField(User, blank=True, related_name="audiences")
    empty_reason = models.TextField(blank=True, help_text="Why nobody is to be told, when that is on purpose.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_audience_display()


def default_priority_table() -> dict[str, str]:
    from incidents.priority import DEFAULT_TABLE

    return dict(DEFAULT_TABLE)


class Organisation(models.Model):
    """The one organisation this installation serves, and its settings. Read by `Organisation.current()`."""

    name = models.CharField(max_length=120, default="Service desk")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    currency = models.CharField(max_length=3, default="EUR")
    consult_limit_minutes = models.PositiveIntegerField(default=15)
    observation_hours = models.PositiveIntegerField(default=24)
    still_broken_to_reopen = models.PositiveIntegerField(default=3)
    priority_table = models.JSONField(default=default_priority_table)
    alert_days = models.PositiveIntegerField(
        default=400, help_text="How long resolved alerts are kept that belong to no ticket, candidate or incident."
    )
    payload_days = models.PositiveIntegerField(default=30, help_text="How long what tools sent is kept as it came.")
    sla_stamp = models.UUIDField(default=uuid.uuid4, help_text="Changes with targets, service hours and holidays.")
    update_hold_seconds = models.PositiveSmallIntegerField(
        default=30, help_text="How long a status update waits before it leaves, so that it can be taken back."
    )
    technical_hold_seconds = models.PositiveSmallIntegerField(default=0, help_text="The same for the technical team.")
    response_cost_per_hour = models.DecimalField(
        max_digits=9, decimal_places=2, default=0, help_text="What an hour of one person on an incident costs."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_organisation")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Organisation":
        """The row, or unsaved defaults before the first administrator saved any."""
        row = one_row(f"SELECT {_COLUMNS.sql} FROM {cls._meta.db_table} AS it WHERE id = 1")  # noqa: S608 (our own)
        return _COLUMNS.instance(row) if row else cls(pk=1)


_COLUMNS = Columns(Organisation, "it")


class Holiday(models.Model):
    """A day on which the organisation's service hours do not count."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


def emails(people: Iterable[User]) -> list[str]:
    return [person.email for person in people]
