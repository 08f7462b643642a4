"""What was learned, made to be found, and what became of using it."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from incidents.models.changes import Change
from incidents.models.major_incidents import MajorIncident
from incidents.models.people import User
from incidents.models.problems import Problem
from incidents.models.reviews import Document


class KnowledgeEntry(models.Model):
    """A published document or a known error as the search reads it: its terms, made once when it was written."""

    document = models.OneToOneField(Document, null=True, on_delete=models.CASCADE, related_name="entry")
    problem = models.OneToOneField(Problem, null=True, on_delete=models.CASCADE, related_name="entry")
    title_terms = ArrayField(models.TextField(), default=list)
    terms = ArrayField(models.TextField(), default=list, help_text="Of title and text.")
    made_from = models.DateTimeField(help_text="The record as it was changed last.")

    class Meta:
        indexes = [GinIndex(fields=["terms"], name="knowledge_by_term")]
        constraints = [
            models.CheckConstraint(
                condition=Q(document__isnull=True) ^ Q(problem__isnull=True), name="entry_of_one_record"
            )
        ]

    def __str__(self) -> str:
        return f"Entry of document {self.document_id}" if self.document_id else f"Entry of PRB-{self.problem_id}"


class KnowledgeWord(models.Model):
    """A term and in how many entries it occurs; the words among them are what a mistyped one is compared with."""

    term = models.TextField(unique=True)
    entries = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [  # partial, or the planner would look whole terms up in it, which takes a hundred times as long
            GinIndex(
                fields=["term"], name="words_alike", opclasses=["gin_trgm_ops"], condition=~Q(term__startswith="#")
            )
        ]

    def __str__(self) -> str:
        return self.term


class PlanUse(models.Model):
    """What fixed one major incident was taken over for another; later somebody says whether it worked."""

    class Outcome(models.TextChoices):
        OPEN = "open", "Not said yet"
        WORKED = "worked", "Worked"
        NOT_WORKED = "not_worked", "Did not work"

    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="plans_used")
    source = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="plan_uses")
    change = models.ForeignKey(Change, null=True, on_delete=models.SET_NULL, related_name="+")
    tasks = models.PositiveSmallIntegerField(default=0)
    used_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    used_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    judged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["used_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "source"], name="each_plan_once"),
            models.CheckConstraint(condition=~Q(incident=models.F("source")), name="a_plan_of_another_incident"),
        ]

    def __str__(self) -> str:
        return f"MI-{self.source_id} for MI-{self.incident_id}"
