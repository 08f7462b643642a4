"""The service catalogue: what can break, who owns it, what an hour costs, what depends on it."""

from django.db import models
from django.db.models import F, Q

from incidents.models.people import Team, User
from incidents.models.service_hours import ServiceHours


class Service(models.Model):
    class Tier(models.IntegerChoices):
        CRITICAL = 1, "Tier 1 – critical"
        IMPORTANT = 2, "Tier 2 – important"
        STANDARD = 3, "Tier 3 – standard"
        MINOR = 4, "Tier 4 – minor"

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=120, unique=True)
    description = models.TextField(blank=True)
    tier = models.PositiveSmallIntegerField(choices=Tier.choices, default=Tier.STANDARD)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="services_owned")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="services")
    cost_per_hour = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    off_hours_percent = models.PositiveSmallIntegerField(
        default=100, help_text="Share of cost_per_hour that an hour outside the service hours costs."
    )
    hours = models.ForeignKey(ServiceHours, null=True, blank=True, on_delete=models.PROTECT, related_name="services")
    is_active = models.BooleanField(default=True)
    is_public = models.BooleanField(default=True, help_text="Named on the public status page.")
    created_at = models.DateTimeField(auto_now_add=True)
    depends_on: "models.ManyToManyField[Service, ServiceDependency]" = models.ManyToManyField(
        "self", through="ServiceDependency", symmetrical=False, related_name="dependents"
    )

    class Meta:
        ordering = ["tier", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(cost_per_hour__gte=0), name="service_cost_not_negative"),
            models.CheckConstraint(condition=Q(off_hours_percent__lte=100), name="off_hours_cost_at_most_all"),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceDependency(models.Model):
    """`service` needs `needs` to work."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="needs")
    needs = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="needed_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "needs"], name="dependency_once"),
            models.CheckConstraint(condition=~Q(service=F("needs")), name="service_does_not_need_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.service} needs {self.needs}"


class MaintenanceWindow(models.Model):
    """Planned work. What is down inside a window is not downtime."""

    title = models.CharField(max_length=200)
    services = models.ManyToManyField(Service, related_name="maintenance_windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="window_ends_after_start")]

    def __str__(self) -> str:
        return self.title
