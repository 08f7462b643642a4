"""How good the search of the knowledge is, on questions asked in other words than the documents use."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from incidents.actions import history
from incidents.actions.knowledge_index import index_document
from incidents.document_text import html_of
from incidents.models import Document, KnowledgeEntry, KnowledgeWord
from incidents.queries.knowledge_search import best_entries

SETS = Path(__file__).parents[2] / "search_sets"
FIRST = 3


@dataclass(frozen=True)
class Labelled:
    title: str
    text: str
    query: str


def read_set(name: str) -> list[Labelled]:
    """The lines of a set: title, text and query, with bars between them. Raises ValueError naming a broken line."""
    found = []
    for number, line in enumerate((SETS / f"{name}.txt").read_text().splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) != 3 or not all(parts):
                raise ValueError(f"{name}.txt, line {number}: title | text | query")
            found.append(Labelled(*parts))
    return found


@dataclass(frozen=True)
class Measured:
    """`missed` are the questions whose document was not among the first three; times in milliseconds."""

    asked: int
    first: int
    missed: list[Labelled]
    median_ms: float

    @property
    def share(self) -> float:
        return (self.asked - len(self.missed)) / self.asked


@transaction.atomic
def measure(labelled: list[Labelled]) -> Measured:
    """Writes the documents, asks every question, and leaves nothing behind. What is published here is not looked at."""
    KnowledgeEntry.objects.all().delete()
    KnowledgeWord.objects.all().delete()
    now = timezone.now()
    clocks: dict[str, datetime | None] = {"reported_at": now, "resolved_at": now, "closed_at": now}
    past = [history.PastIncident(f"measure-{n}", one.title, 2, 2, "SEV2", (), clocks)
            for n, one in enumerate(labelled)]  # fmt: skip
    numbers = [row.incident_id for row in history.import_past(past, actor=None, at=now)]
    owner: dict[int, int] = {}
    for place, (one, incident) in enumerate(zip(labelled, numbers, strict=True)):
        document = Document.objects.create(
            incident_id=incident, title=one.title, markdown=one.text, html=html_of(one.text), generated_at=now,
            published_at=now,
        )  # fmt: skip
        index_document(document)
        owner[KnowledgeEntry.objects.get(document=document).pk] = place
    first, missed, times = 0, [], []
    for place, one in enumerate(labelled):
        began = perf_counter()
        found = [owner[pk] for _, pk in best_entries(one.query)[:FIRST]]
        times.append((perf_counter() - began) * 1000)
        first += found[:1] == [place]
        if place not in found:
            missed.append(one)
    transaction.set_rollback(True)
    return Measured(len(labelled), first, missed, sorted(times)[len(times) // 2])


class Command(BaseCommand):
    help = "Prints how often the right document is among the first three. Nothing is kept."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--set", default="held_out", choices=["held_out", "tuning", "tuning_more"], help="Which questions."
        )
        parser.add_argument("--show-missed", action="store_true", help="Also the questions that were not answered.")
        parser.add_argument("--least", type=float, default=0.0, help="Fails below this share, for example 0.9.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = measure(read_set(options["set"]))
        right = found.asked - len(found.missed)
        self.stdout.write(
            f"{options['set']}: {right} of {found.asked} in the first three ({found.share:.1%}), "
            f"{found.first} first; median {found.median_ms:.1f} ms a question"
        )
        if options["show_missed"]:
            for one in found.missed:
                self.stdout.write(f"  missed: {one.query}  (wanted: {one.title})")
        if found.share < options["least"]:
            raise CommandError(f"Below {options['least']:.0%}.")
