"""What is kept of places many read: the head message of each incident there, who answered it, and who set it up."""

from django.db import models

from incidents.models import MajorIncident, TimelineEvent, User
from notifications.models.channels import ChannelKey, Destination


class PlaceThread(models.Model):
    """One incident in one place: the head message, below which the later ones stand.

    `room` and `head` are what the provider calls the place and the message. `begun_by` is the event the head told of,
    so that a worker that takes over does not tell it twice.
    """

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="threads")
    incident = models.ForeignKey(MajorIncident, on_delete=models.PROTECT, related_name="+")
    begun_by = models.ForeignKey(TimelineEvent, on_delete=models.PROTECT, related_name="+")
    room = models.CharField(max_length=254, blank=True)
    head = models.CharField(max_length=254)
    begun_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["destination", "incident"], name="one_thread_per_place_and_incident")
        ]

    def __str__(self) -> str:
        return f"MI-{self.incident_id} in {self.destination_id}"


class PlaceAnswer(models.Model):
    """Somebody pressed “Acknowledge” below the head message of an incident: each person once."""

    thread = models.ForeignKey(PlaceThread, on_delete=models.CASCADE, related_name="answers")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["thread", "person"], name="one_answer_per_person_and_thread")]

    def __str__(self) -> str:
        return f"{self.person_id} in thread {self.thread_id}"


class ChannelChange(models.Model):
    """Who changed what about channels and places, and when; never a secret, only that one was changed."""

    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=12, choices=ChannelKey.choices)
    what = models.CharField(max_length=500)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.what
