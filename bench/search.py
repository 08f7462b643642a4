"""P11: the search of the knowledge, what looks like a ticket, and the search over everything, at two sizes.

python -m bench.search [50000 [1000000]]: documents and tickets of the full size; the small one is a fiftieth of it.
Fills the database it is pointed at (DATABASE_URL, else that of the running `up`): use one made for it.
"""

import csv
import io
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

import bench.running  # noqa: F401 - sets Django up
from incidents.actions import usual
from incidents.actions.major_incidents import current_matrix
from incidents.knowledge_terms import telling_part, terms_of
from incidents.models import (
    Document,
    KnowledgeEntry,
    KnowledgeWord,
    MajorIncident,
    Organisation,
    Service,
    Ticket,
    User,
)
from incidents.process import Stage
from incidents.queries.knowledge_search import search_knowledge
from incidents.queries.look_alike import looks_like
from incidents.queries.search import search

SMALL = 50
"""The small size is this part of the full one."""
ASKED = 240
BATCH = 20_000
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "mu", "ne", "pa", "ri", "so", "tu", "ve", "wo")
_REAL = Path(__file__).parents[1] / "incidents"


class Language:
    """Words of outages, then invented ones as names and codes are; the n-th is said in proportion to 1 / (n + 8)."""

    def __init__(self) -> None:
        text = (_REAL / "knowledge_concepts.txt").read_text() + (_REAL / "search_sets" / "tuning.txt").read_text()
        real = sorted({word for word in text.lower().replace(",", " ").split() if word.isalpha() and len(word) > 2})
        random.Random(3).shuffle(real)
        self.words = real + ["".join(parts) for parts in itertools.product(SYLLABLES, repeat=3)]
        self.weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(self.words))))

    def say(self, dice: random.Random, words: int) -> str:
        return " ".join(dice.choices(self.words, cum_weights=self.weights, k=words))


def fill_tickets(language: Language, wanted: int) -> None:
    """Tickets over ten years up to `wanted`, every tenth of the last 20,000 open, the others with what solved them."""
    have = Ticket.objects.count()
    if have >= wanted:
        return
    dice, now = random.Random(wanted), timezone.now()
    services = list(Service.objects.values_list("pk", flat=True)) or [None]
    stamp = Organisation.current().sla_stamp  # as if their clocks were set: the worker leaves them alone
    first = (Ticket.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    columns = ("title", "description", "kind", "channel", "status", "resolution", "resolved_at", "reported_at",
               "service_id", "sla_stamp", "impact", "urgency", "priority", "support_tier", "created_at", "updated_at",
               "requester_email", "configuration_item", "kept_open_reason", "callback_sealed", "hold_reason",
               "sla_kind")  # fmt: skip

    def rows() -> Iterator[Sequence[object]]:
        for number in range(have, wanted):
            left = wanted - number
            at = (now - timedelta(minutes=5 * left)).isoformat()
            is_open = left <= BATCH and number % 10 == 0
            yield (
                language.say(dice, 6), language.say(dice, 25), "incident", "portal",
                "new" if is_open else "resolved", "" if is_open else language.say(dice, 8), None if is_open else at, at,
                dice.choice(services), stamp, 3, 3, "P3", 1, at, at, "", "", "", "", "", "",
            )  # fmt: skip

    with _without_index("ticket_words"):
        _copy("incidents_ticket", columns, rows(), f"tickets from {first}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incidents_ticket")
    usual.renew(at=now)


def fill_documents(language: Language, wanted: int) -> None:
    """Imported incidents that are over, each with a published document, indexed as publishing does."""
    have = Document.objects.count()
    dice, now = random.Random(wanted), timezone.now()
    matrix = current_matrix()
    for start in range(have, wanted, BATCH // 4):
        size = min(BATCH // 4, wanted - start)
        incidents = MajorIncident.objects.bulk_create(
            [
                MajorIncident(
                    title=language.say(dice, 6), description=language.say(dice, 15), stage=Stage.CLOSED, impact=2,
                    urgency=2, priority="P2", severity="SEV2", is_imported=True, matrix=matrix,
                    external_id=f"bench-{start + n}", reported_at=now, resolved_at=now, closed_at=now,
                )
                for n in range(size)
            ]
        )  # fmt: skip
        Document.objects.bulk_create(
            [
                Document(
                    incident=one, title=one.title, html="", generated_at=now, published_at=now,
                    markdown="\n\n".join(
                        f"## {part}\n\n{language.say(dice, 35)}" for part in ("What happened", "Cause", "Fix")
                    ),
                )
                for one in incidents
            ]
        )  # fmt: skip
        print(f"\r{start + size} documents", end="", flush=True)
    index_all()


def index_all() -> None:
    """What `index_document` does, for all that are not indexed, with the words counted once at the end."""
    waiting = Document.objects.filter(entry__isnull=True, published_at__isnull=False).order_by("pk")
    if not waiting.exists():
        return
    made = (
        KnowledgeEntry(
            document=one, title_terms=terms_of(one.title), made_from=one.updated_at,
            terms=terms_of(f"{one.title}\n{telling_part(one.markdown)}"),
        )
        for one in waiting.iterator(1_000)
    )  # fmt: skip
    for batch in iter(lambda: list(itertools.islice(made, 1_000)), []):
        KnowledgeEntry.objects.bulk_create(batch)
    with connection.cursor() as cursor:
        words = KnowledgeWord._meta.db_table
        cursor.execute(f"DELETE FROM {words}")
        cursor.execute(
            f"INSERT INTO {words} (term, entries)"  # noqa: S608 - the name of our own table
            " SELECT term, count(*) FROM incidents_knowledgeentry, unnest(terms) AS term GROUP BY term"
        )
        for table in (words, "incidents_knowledgeentry", "incidents_document", "incidents_majorincident"):
            cursor.execute(f"VACUUM ANALYZE {table}")  # what autovacuum does within minutes
    print("  indexed")


class _without_index:
    """Its index is made in one go afterwards, which takes a tenth of the time."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [self.name])
            self.made_by = cursor.fetchone()[0]
            cursor.execute(f"DROP INDEX {self.name}")

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute(self.made_by)
            cursor.execute("RESET maintenance_work_mem")


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], what: str) -> None:
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv, NULL '\\N')"
    rows, done = iter(rows), 0
    while batch := list(itertools.islice(rows, BATCH)):
        held = io.StringIO()
        csv.writer(held).writerows([["\\N" if value is None else value for value in row] for row in batch])
        held.seek(0)
        with connection.cursor() as cursor:
            cursor.cursor.copy_expert(sql, held)
        done += len(batch)
        print(f"\r{done} {what}", end="", flush=True)
    print()


def _mistyped(dice: random.Random, text: str) -> str:
    """One letter of the longest word left out."""
    longest = max(text.split(), key=len)
    place = dice.randrange(1, len(longest))
    return text.replace(longest, longest[:place] + longest[place + 1 :])


def questions(language: Language) -> tuple[list[str], list[str]]:
    """What is asked of the knowledge, and of everything: every eighth mistyped."""
    dice = random.Random(11)
    asked = [language.say(dice, dice.randint(2, 9)) for _ in range(ASKED)]
    typed = [language.say(dice, dice.choice((1, 1, 2, 2, 3))) for _ in range(ASKED)]
    both = [[_mistyped(dice, one) if n % 8 == 0 else one for n, one in enumerate(texts)] for texts in (asked, typed)]
    return both[0], both[1]


def timed(acts: Sequence[Callable[[], object]]) -> dict[str, float]:
    """Milliseconds: p50, p95, p99 and the longest. What the first three cost for making caches is not counted."""
    for act in acts[:3]:
        act()
    times = []
    for act in acts:
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {name: times[int(len(times) * share)] for name, share in at.items()} | {"max": times[-1]}


def measured(language: Language, user: User) -> dict[str, dict[str, float]]:
    dice = random.Random(5)
    highest = Ticket.objects.order_by("-pk").values_list("pk", flat=True)[0]
    some = list(Ticket.objects.filter(pk__in=[dice.randint(max(1, highest - 20_000), highest) for _ in range(ASKED)]))
    asked, typed = questions(language)
    return {
        "limit: one ticket by its number": timed([lambda one=one: Ticket.objects.get(pk=one.pk) for one in some]),
        "search of the knowledge": timed([lambda one=one: search_knowledge(user, one) for one in asked]),
        "what looks like a ticket": timed([lambda one=one: looks_like(one, for_user=user) for one in some]),
        "search over everything": timed([lambda one=one: search(user, one) for one in typed]),
    }


def main(documents: int, tickets: int) -> None:
    user = User.objects.filter(role_rows__role="service_desk_technician", is_active=True).first()
    if user is None:
        sys.exit("There is no service desk technician; load the demo organisation first.")
    language, before = Language(), dict[str, dict[str, float]]()
    sizes = [(documents // SMALL, tickets // SMALL), (documents, tickets)]
    for size in sizes:
        if Ticket.objects.count() > 1.1 * size[1]:
            print(f"The database has more than {size[1]} tickets already: not measured at this size.")
            continue
        fill_tickets(language, size[1])
        fill_documents(language, size[0])
        found = measured(language, user)
        load = os.getloadavg()[0]
        print(f"{Document.objects.count()} documents, {Ticket.objects.count()} tickets; load average {load:.1f}")
        for name, times in found.items():
            said = "  ".join(f"{at} {value:6.1f} ms" for at, value in times.items())
            ratio = f"  p95 {times['p95'] / before[name]['p95']:.1f} times the small size" if before else ""
            print(f"{name:34} {said}{ratio}")
        before = found
    print(json.dumps({name: round(times["p95"], 1) for name, times in before.items()}))


if __name__ == "__main__":
    main(*(int(value) for value in (sys.argv[1:] + ["50000", "1000000"][len(sys.argv) - 1 :])))
