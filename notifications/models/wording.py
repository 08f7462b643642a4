"""The words of messages that an organisation writes itself."""

from django.db import models

from incidents.models import User
from incidents.process import Audience


class TemplateVersion(models.Model):
    """Words of the organisation's own for one moment and audience (empty for messages to one person).

    The newest version counts; one that `is_shipped` says that the shipped words count again. `failure` is why it
    could not be used when a message was worded; the shipped words went out instead.
    """

    moment = models.CharField(max_length=32)
    audience = models.CharField(max_length=20, choices=Audience.choices, blank=True)
    number = models.PositiveIntegerField()
    subject = models.TextField(blank=True)
    short = models.TextField(blank=True)
    text = models.TextField(blank=True)
    is_shipped = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["moment", "audience", "number"], name="template_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.moment}, {self.audience or 'person'}, version {self.number}"
