"""On call: rotas with their layers, who stands in for whom, single shifts, handover notes, calendar feeds."""

from datetime import time
from typing import Any

from django.db import models
from django.db.models import F, Q

from incidents import rota as turns
from incidents.models.people import Team, User, check_time_zone
from incidents.process import AccountRole

_ONE_DUTY = Q(role="", team__isnull=False) | ~Q(role="") & Q(team__isnull=True)
RANKS = ((1, "First in line"), (2, "Backup"), (3, "Third in line"))


class Rota(models.Model):
    """Who takes turns for an account role or for a team, in local time of `time_zone`."""

    name = models.CharField(max_length=120, unique=True)
    role = models.CharField(max_length=32, choices=AccountRole.choices, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="rotas")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["role"], name="rotas_of_a_role")]
        constraints = [models.CheckConstraint(condition=_ONE_DUTY, name="rota_of_a_role_or_a_team")]

    def __str__(self) -> str:
        return self.name

    @property
    def duty(self) -> str:
        """What its people are on call for, in words."""
        return self.team.name if self.team else str(AccountRole(self.role).label)


class RotaLayer(models.Model):
    """One row of a rota: people in turns. Lower `rank` is paged first; `windows` restrict it to hours of weekdays.

    A window is {"weekdays": [0…6, 0 is Monday], "begins": "HH:MM", "ends": "HH:MM"}; no window means always.
    """

    class Unit(models.TextChoices):
        HOUR = "hour", "hours"
        DAY = "day", "days"
        WEEK = "week", "weeks"

    rota = models.ForeignKey(Rota, on_delete=models.CASCADE, related_name="layers")
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=1)
    unit = models.CharField(max_length=4, choices=Unit.choices, default=Unit.WEEK)
    length = models.PositiveSmallIntegerField(default=1)
    handover_at = models.TimeField(default=time(9))
    handover_weekday = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 is Monday; weeks only.")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    windows = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["rank", "position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(length__gte=1), name="turns_have_a_length"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")), name="layer_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rota}: {self.name}"

    def as_turns(self, people: list[int]) -> turns.Layer:
        """The layer as the computation reads it."""
        return turns.Layer(
            key=self.pk or 0,
            rank=self.rank,
            people=tuple(people),
            zone=self.rota.time_zone,
            starts_on=self.starts_on,
            handover_at=self.handover_at,
            unit=self.unit,
            length=self.length,
            weekday=self.handover_weekday if self.unit == self.Unit.WEEK else None,
            ends_on=self.ends_on,
            windows=tuple(map(read_window, self.windows)),
        )


def read_window(window: dict[str, Any]) -> turns.Window:
    begins, ends = (time.fromisoformat(window[name]) for name in ("begins", "ends"))
    return turns.Window(frozenset(window["weekdays"]), begins, ends)


class LayerMember(models.Model):
    """One place in the order of a layer; a person may have several."""

    layer = models.ForeignKey(RotaLayer, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["layer", "position"], name="one_person_a_place_in_turn")]

    def __str__(self) -> str:
        return f"{self.position}: {self.person}"


class RotaOverride(models.Model):
    """Somebody else holds a layer for a while, up to and without `ends_at`. Of several at once the latest counts."""

    layer = models.ForeignKey(RotaLayer, on_delete=models.CASCADE, related_name="overrides")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    uid = models.CharField(max_length=300, blank=True, help_text="Of the calendar entry it was imported from.")
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [models.Index(fields=["layer", "starts_at", "ends_at"], name="overrides_of_a_layer")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="override_ends_after_start"),
            models.UniqueConstraint(fields=["layer", "uid"], condition=~Q(uid=""), name="override_imported_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.layer_id} {self.starts_at:%F %R}"

    def as_cover(self) -> turns.Cover:
        return turns.Cover(self.pk, self.layer_id, self.person_id, self.starts_at, self.ends_at)


class OnCallShift(models.Model):
    """Somebody is on call once, in a role or for a team, besides any rota. Lower `rank` is paged first."""

    role = models.CharField(max_length=32, choices=AccountRole.choices, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    rank = models.PositiveSmallIntegerField(default=1)
    uid = models.CharField(max_length=300, blank=True, help_text="Of the calendar entry it was imported from.")

    class Meta:
        ordering = ["starts_at", "rank"]
        indexes = [models.Index(fields=["role", "starts_at", "ends_at"], name="who_is_on_call")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_ends_after_start"),
            models.CheckConstraint(condition=_ONE_DUTY, name="shift_of_a_role_or_a_team"),
            models.UniqueConstraint(
                fields=["role", "uid"], condition=~Q(uid="") & ~Q(role=""), name="shift_of_a_role_imported_once"
            ),
            models.UniqueConstraint(
                fields=["team", "uid"], condition=~Q(uid="") & Q(role=""), name="shift_of_a_team_imported_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.duty}: {self.person} {self.starts_at:%F %R}"

    @property
    def duty(self) -> str:
        """What the person is on call for, in words."""
        return self.team.name if self.team else str(AccountRole(self.role).label)


class HandoverNote(models.Model):
    """What whoever goes off duty leaves for whoever comes next on the same rota."""

    rota = models.ForeignKey(Rota, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    written_at = models.DateTimeField()
    seen_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-written_at", "-id"]
        indexes = [models.Index(fields=["rota", "-written_at"], name="notes_of_a_rota")]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:40]}"


class CalendarFeed(models.Model):
    """A secret address at which a calendar program reads shifts of a rota, or of the owner. Only its hash is kept."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    rota = models.ForeignKey(Rota, null=True, blank=True, on_delete=models.CASCADE, related_name="feeds")
    hashed = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "-id"], name="feeds_of_a_person")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.rota or 'own shifts'}"
