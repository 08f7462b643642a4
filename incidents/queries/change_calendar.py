"""Reading changes, freezes and planned work as one month of a calendar."""

from calendar import Calendar as Weeks
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from incidents.change_collisions import colliding
from incidents.models import Change, ChangeStatus, FreezeWindow, MaintenanceWindow, User
from incidents.permissions import visible_changes

MOST = 500
_LEFT_OUT = (ChangeStatus.CANCELLED, ChangeStatus.REJECTED)


@dataclass
class Day:
    day: date
    is_of_month: bool
    changes: list[Change] = field(default_factory=list)
    freezes: list[FreezeWindow] = field(default_factory=list)
    windows: list[MaintenanceWindow] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.freezes or self.windows)


@dataclass(frozen=True)
class Month:
    """Whole weeks from Monday on, in the reader's zone. `collides` are the numbers of changes that collide."""

    first: date
    weeks: list[list[Day]]
    freezes: list[FreezeWindow]
    collides: set[int]
    count: int

    @property
    def before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        return (self.first + timedelta(days=32)).replace(day=1)

    @property
    def days(self) -> list[Day]:
        """Days of the month on which something happens, for a narrow screen."""
        return [day for week in self.weeks for day in week if day.is_of_month and not day.is_empty]


def month(user: User, first: date, *, service: str = "") -> Month:
    """The month that begins with `first`; `service` is a slug. Seven queries, at most 500 changes."""
    weeks = [[Day(day, day.month == first.month) for day in week] for week in
             Weeks().monthdatescalendar(first.year, first.month)]  # fmt: skip
    since, until = _start(weeks[0][0].day), _start(weeks[-1][-1].day + timedelta(days=1))
    changes = visible_changes(user).exclude(status__in=_LEFT_OUT).filter(window_start__lt=until)
    changes = changes.filter(Q(window_end__gt=since) | Q(window_end=None, window_start__gte=since))
    freezes = FreezeWindow.objects.filter(starts_at__lt=until, ends_at__gt=since)
    windows = MaintenanceWindow.objects.filter(starts_at__lt=until, ends_at__gt=since)
    if service:
        changes = changes.filter(services__slug=service).distinct()
        freezes = freezes.filter(Q(services=None) | Q(services__slug=service)).distinct()
        windows = windows.filter(services__slug=service).distinct()
    shown = list(changes.order_by("window_start", "pk").prefetch_related("services")[:MOST])
    frozen = list(freezes.prefetch_related("services"))
    planned = list(windows.order_by("starts_at").prefetch_related("services")[:MOST])
    for week in weeks:
        for day in week:
            begin, end = _start(day.day), _start(day.day + timedelta(days=1))
            day.changes = [one for one in shown if one.window_start and one.window_start < end and
                           (one.window_end or one.window_start) >= begin]  # fmt: skip
            day.freezes = [one for one in frozen if one.starts_at < end and one.ends_at > begin]
            day.windows = [one for one in planned if one.starts_at < end and one.ends_at > begin]
    return Month(first, weeks, frozen, colliding(shown), len(shown))


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
