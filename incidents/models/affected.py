"""What people say without a ticket of their own: that they are affected, what they have read, files not sent yet."""

import uuid

from django.db import models
from django.db.models import Q

from incidents.models.candidates import Candidate
from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.models.services import Service
from incidents.models.tickets import Ticket


class AffectedPerson(models.Model):
    """“I'm affected too”: counts one person once, with no ticket. Taken back, the row stays and counts no more.

    About an open incident, or about a candidate (the person was told only that others report something similar).
    `service` is what the incident or candidate is about, None when unknown: the influx detector counts by it.
    """

    incident = models.ForeignKey(MajorIncident, null=True, on_delete=models.CASCADE, related_name="affected_people")
    candidate = models.ForeignKey(Candidate, null=True, on_delete=models.CASCADE, related_name="affected_people")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(Service, null=True, on_delete=models.SET_NULL, related_name="+")
    said_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(incident__isnull=False, candidate__isnull=True)
                | Q(incident__isnull=True, candidate__isnull=False),
                name="affected_by_one_thing",
            ),
            models.UniqueConstraint(
                fields=["incident", "user"], condition=Q(incident__isnull=False), name="affected_once_by_an_incident"
            ),
            models.UniqueConstraint(
                fields=["candidate", "user"], condition=Q(candidate__isnull=False), name="affected_once_by_a_candidate"
            ),
        ]
        indexes = [
            models.Index(
                fields=["service", "said_at"], name="affected_for_the_detector", condition=Q(taken_back_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is affected by {self.incident_id or self.candidate_id}"


class TicketReading(models.Model):
    """When a person last looked at a report of theirs: what came after is unread."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="readings")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="one_reading_per_ticket_and_person")]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.ticket_id}"


class KeptFile(models.Model):
    """A good file of a report that was not sent yet, because another field was refused. Forgotten after a day."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    file = models.FileField(upload_to="attachments/%Y/%m", max_length=200)
    filename = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["created_at"], name="kept_files_to_forget")]

    def __str__(self) -> str:
        return self.filename
