"""Learning: the post-implementation review, its actions, and the incident document."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q

from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User


class Review(models.Model):
    """The PIR. `record` is the factual part, filled from the incident when it opens."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        COMPLETED = "completed", "Completed"

    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="review")
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    cause = models.TextField(blank=True)
    unknown_because = models.TextField(blank=True)
    findings = models.TextField(blank=True)
    went_well = models.TextField(blank=True)
    hindered = models.TextField(blank=True)
    contributing_factors = models.TextField(blank=True)
    attendees = models.ManyToManyField(User, blank=True, related_name="+")
    no_actions_because = models.TextField(blank=True)
    observation_hours = models.PositiveIntegerField(default=24)
    opened_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="completed") | Q(completed_at__isnull=False), name="completed_review_has_time"
            )
        ]

    def __str__(self) -> str:
        return f"Review of {self.incident_id}"


class ReviewAction(models.Model):
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="actions")
    title = models.CharField(max_length=250)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="review_actions")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proof = models.TextField(blank=True, help_text="What shows that it is done.")
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["due_at"], name="review_actions_due", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        return self.title


class Document(models.Model):
    """The incident document: generated from the record, edited, published as a knowledge article."""

    incident = models.OneToOneField(MajorIncident, on_delete=models.CASCADE, related_name="document")
    title = models.CharField(max_length=250)
    markdown = models.TextField()
    html = models.TextField(help_text="Sanitised HTML, made once on saving.")
    version = models.PositiveIntegerField(default=1)
    generated_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    edited_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    public_markdown = models.TextField(blank=True, help_text="The post-mortem for the status page, in its own words.")
    public_html = models.TextField(blank=True, help_text="Sanitised HTML of it.")
    public_published_at = models.DateTimeField(null=True, blank=True)
    public_published_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [GinIndex(SearchVector("title", "markdown", config="simple"), name="document_words")]

    def __str__(self) -> str:
        return self.title


class DocumentVersion(models.Model):
    """What a document said before it was edited."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    markdown = models.TextField()
    saved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["document", "version"], name="each_version_once")]

    def __str__(self) -> str:
        return f"{self.document_id} v{self.version}"
