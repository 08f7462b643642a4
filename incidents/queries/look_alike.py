"""What looks like a text: open tickets, outages, past solutions. Bounded work however many records there are.

The words of the text choose candidates through the word index, the rarest first and never more than a few thousand
rows; TF-IDF of one- and two-word terms ranks the newest few hundred of them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from typing import Any, NamedTuple

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet
from django.db.models.functions import Left

from incidents.alike import BODY_CHARACTERS, Vocabulary, likeness, shared_words, terms_of, words_of
from incidents.models import (
    OPEN_CANDIDATE_STATUSES,
    OPEN_TICKET_STATUSES,
    Candidate,
    Document,
    Problem,
    ProblemStatus,
    Ticket,
    User,
)
from incidents.permissions import can, visible_candidates, visible_incidents, visible_problems, visible_tickets
from incidents.process import OPEN_STAGES, Audience
from incidents.queries.influx import vocabulary
from incidents.queries.portal import current_outage_rows, public_heading
from incidents.queries.surroundings import with_fixes

MOST_WORDS = 8
BUDGET = 2_000
"""Rows the word index may hand over for one question."""
PLENTY = 300
"""Expected rows beyond which two usual words together are not asked for: they find a few more at ten times the cost."""
READ = 20_000
"""Entries of the word index that may be read for one question."""
RANKED = 100
ENOUGH = 0.18
"""Below this likeness two texts merely share a word or two."""
CLOSE = 0.4
HINT = 0.10
"""The same for what is known of an outage: better one hint too many."""
SAME_SERVICE = 0.15
MOST_SHOWN = 6
AROUND = timedelta(hours=2)


# --- Which rows to look at --------------------------------------------------------------------
def candidates_query(text: str, words: Vocabulary, rows: int) -> SearchQuery | None:
    """Matches what shares rare words with the text, or two of the more usual ones; None for a text without words.

    `rows` is about how many records there are. Alternatives are taken from the rarest on while they fit both budgets.
    """
    typed = [word for word in dict.fromkeys(words_of(text)) if not word.isdigit()]
    rare = sorted(typed, key=words.share)[:MOST_WORDS]
    if not rare:
        return None
    singles = [(words.share(word) * rows, (word,)) for word in rare]
    pairs = [(5 * words.share(a) * words.share(b) * rows, (a, b)) for a, b in combinations(rare, 2)]
    taken: list[tuple[str, ...]] = []
    known: set[str] = set()
    left, unread = float(BUDGET), float(READ)
    for expected, terms in [*sorted(singles), *sorted(pairs)]:
        if len(terms) > 1 and BUDGET - left > PLENTY:
            break
        entries = sum(words.share(word) * rows for word in terms if word not in known)
        if expected <= left and entries <= unread and not any(set(held) <= set(terms) for held in taken):
            taken.append(terms)
            known.update(terms)
            left, unread = left - expected, unread - entries
    alternatives = taken or [tuple(rare[:4])]
    said = " | ".join("(" + " & ".join(_prefix(word) for word in terms) + ")" for terms in alternatives)
    return SearchQuery(said, config="simple", search_type="raw")


def _prefix(word: str) -> str:
    """The word and its longer forms; short words only as they are."""
    bare = re.sub(r"\W", "", word)
    return f"{bare}:*" if len(bare) > 3 else bare


def _matching(rows: QuerySet[Any], query: SearchQuery, *fields: str) -> QuerySet[Any]:
    return rows.annotate(found=SearchVector(*fields, config="simple")).filter(found=query)


@dataclass(frozen=True)
class Alike:
    """A record, how alike it is (0 to 1) and why it is shown."""

    record: Any
    alike: float
    why: str

    @property
    def is_close(self) -> bool:
        """Alike enough to be chosen beforehand."""
        return self.alike >= CLOSE


@dataclass(frozen=True)
class Asked:
    """The text that is compared, as a vector; `service_id` is what it is about, None when not known."""

    vector: Mapping[str, float]
    words: Vocabulary
    service_id: int | None = None

    @classmethod
    def of(cls, title: str, body: str = "", *, service_id: int | None = None) -> "Asked":
        words = vocabulary()
        return cls(words.vector(terms_of(title, body)), words, service_id)

    def compare(self, title: str, body: str = "") -> tuple[float, list[str]]:
        """How alike another text is, and the words that make it so."""
        other = self.words.vector(terms_of(title, body))
        return likeness(self.vector, other), shared_words(self.vector, other)

    def why(self, shared: list[str], is_same_service: bool) -> str:
        """In words for the panel."""
        said = [f"both say {', '.join(shared)}"] if shared else []
        return " · ".join([*said, *(["same service"] if is_same_service else [])]) or "alike"


def ranked(asked: Asked, rows: Iterable[Any], *, text: Any, service: Any = None, least: float = ENOUGH) -> list[Alike]:
    """The most alike first. `text(row)` gives title and body, `service(row)` the ids of its services."""
    found = []
    for row in rows:
        alike, shared = asked.compare(*text(row))
        same = bool(asked.service_id and service and asked.service_id in service(row))
        score = alike + (SAME_SERVICE if same else 0.0)
        if score >= least and (shared or same):
            found.append(Alike(row, score, asked.why(shared, same)))
    return sorted(found, key=lambda one: (-one.alike, -one.record.pk))


def _size() -> int:
    """About how many tickets there are: the highest number."""
    return Ticket.objects.aggregate(highest=Max("pk"))["highest"] or 0


@dataclass(frozen=True)
class _Hits:
    """Numbers of tickets that match, of each kind the newest `RANKED`."""

    open: list[int]
    solved: list[int]


def _hits(query: SearchQuery, *, besides: int) -> _Hits:
    """Looks at a few thousand matches at most. Through the word index whatever the planner thinks: it takes the making
    of a word vector for cheap, and making one for every open ticket takes a third of a second."""
    rows = _matching(Ticket.objects.order_by().exclude(pk=besides), query, "title", "description")
    says_how = ExpressionWrapper(~Q(resolution=""), output_field=BooleanField())
    sql, values = rows.values_list("pk", "status", says_how)[: BUDGET + 1_000].query.sql_with_params()
    outlasts = connection.in_atomic_block  # else the setting ends with our transaction
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_seqscan = off; {sql}", values)
        found = sorted(cursor.fetchall(), reverse=True)
        if outlasts:
            cursor.execute("SET LOCAL enable_seqscan = on")
    is_open = frozenset(OPEN_TICKET_STATUSES)
    return _Hits(
        open=[pk for pk, status, _ in found if status in is_open][:RANKED],
        solved=[pk for pk, status, is_told in found if is_told and status not in is_open][:RANKED],
    )


class _Text(NamedTuple):
    """What is compared of a ticket."""

    pk: int
    title: str
    opening: str
    service_id: int | None


def _closest(asked: Asked, hits: _Hits, rows: QuerySet[Ticket]) -> tuple[list[Alike], list[Alike]]:
    """The open and the solved tickets that are most alike; only those that may be shown are loaded. Two queries."""
    read = rows.order_by().filter(pk__in=[*hits.open, *hits.solved])
    texts = read.values_list("pk", "title", Left("description", BODY_CHARACTERS), "service_id")
    by_key = {row[0]: _Text(*row) for row in texts}
    lists = [
        ranked(
            asked,
            (by_key[key] for key in keys if key in by_key),
            text=lambda row: (row.title, row.opening),
            service=lambda row: (row.service_id,),
            least=ENOUGH + SAME_SERVICE / 2,
        )[: 3 * MOST_SHOWN]
        for keys in (hits.open, hits.solved)
    ]
    shown = [one.record.pk for alike in lists for one in alike]
    tickets = rows.select_related("service").defer("description").in_bulk(shown)
    loaded = [
        [replace(one, record=tickets[one.record.pk]) for one in alike if one.record.pk in tickets] for alike in lists
    ]
    return loaded[0], loaded[1]


# --- The panel beside a ticket ----------------------------------------------------------------
@dataclass(frozen=True)
class Panel:
    """What looks like one ticket; each list the most alike first."""

    open_tickets: list[Alike] = field(default_factory=list)
    outages: list[Alike] = field(default_factory=list)
    solutions: list[Alike] = field(default_factory=list)
    past_incidents: list[Alike] = field(default_factory=list)
    known_errors: list[Alike] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        lists = (self.open_tickets, self.outages, self.solutions, self.past_incidents, self.known_errors)
        return not any(lists)

    @property
    def linkable(self) -> int:
        """How many of the open tickets belong to no incident yet."""
        return sum(one.record.major_incident_id is None for one in self.open_tickets)


def looks_like(ticket: Ticket, *, for_user: User) -> Panel:
    """Open tickets, open candidates and incidents, and what helped before. A constant number of queries."""
    asked = Asked.of(ticket.title, ticket.description, service_id=ticket.service_id)
    query = candidates_query(f"{ticket.title} {ticket.description[:BODY_CHARACTERS]}", asked.words, _size())
    if query is None:
        return Panel()
    seen = visible_tickets(for_user).exclude(pk=ticket.pk)
    alike, solved = _closest(asked, _hits(query, besides=ticket.pk), seen)
    return Panel(
        open_tickets=_with_near(alike, ticket, seen)[:MOST_SHOWN],
        outages=_open_outages(asked, ticket, for_user),
        solutions=_distinct(solved),
        past_incidents=_past_incidents(asked, for_user),
        known_errors=_known_errors(asked, for_user)[:MOST_SHOWN],
    )


def _with_near(alike: list[Alike], ticket: Ticket, rows: QuerySet[Ticket]) -> list[Alike]:
    """Those in alike words, then open ones of the same service from around the same time."""
    if not ticket.service_id:
        return alike
    known = {one.record.pk for one in alike}
    around = (ticket.reported_at - AROUND, ticket.reported_at + AROUND)
    about = rows.filter(service=ticket.service_id, status__in=OPEN_TICKET_STATUSES, reported_at__range=around)
    near = about.order_by("-reported_at")[: 2 * MOST_SHOWN]
    return alike + [Alike(one, SAME_SERVICE, _apart(one, ticket)) for one in near if one.pk not in known]


def _apart(one: Ticket, other: Ticket) -> str:
    minutes = round(abs((one.reported_at - other.reported_at).total_seconds()) / 60)
    return f"same service, {minutes} min apart"


def solutions_for(text: str, user: User, *, most: int = 5) -> list[Ticket]:
    """Solved tickets in alike words, each solution once; empty for a text without words."""
    asked = Asked.of(text)
    query = candidates_query(text, asked.words, _size()) if asked.vector else None
    if query is None:
        return []
    _, solved = _closest(asked, _hits(query, besides=0), visible_tickets(user))
    return [one.record for one in _distinct(solved)][:most]


def _distinct(found: list[Alike]) -> list[Alike]:
    """Each solution once: the same answer given a hundred times helps no more than once."""
    kept: dict[str, Alike] = {}
    for one in found:
        kept.setdefault(" ".join(one.record.resolution.lower().split())[:200], one)
    return list(kept.values())[:MOST_SHOWN]


def _open_outages(asked: Asked, ticket: Ticket, user: User) -> list[Alike]:
    """Open major incidents of its service or in its words, and open candidates. Not what it belongs to already."""
    incidents = visible_incidents(user).filter(stage__in=OPEN_STAGES, is_drill=False, merged_into=None)
    rows = list(incidents.exclude(pk=ticket.major_incident_id or 0).prefetch_related("services")[:50])
    found = ranked(
        asked, rows, text=lambda row: (row.title, f"{row.description} {row.conditions}"),
        service=lambda row: {one.pk for one in row.services.all()}, least=HINT,
    )  # fmt: skip
    waiting = visible_candidates(user).filter(status__in=OPEN_CANDIDATE_STATUSES)
    proposals = list(waiting.exclude(pk=ticket.candidate_id or 0).select_related("service")[:50])
    found += ranked(asked, proposals, text=_words_of_candidate, service=lambda row: (row.service_id,), least=HINT)
    return sorted(found, key=lambda one: -one.alike)[:MOST_SHOWN]


def _words_of_candidate(row: Candidate) -> tuple[str, str]:
    named = row.evidence.get("influx", {}).get("words", [])
    return row.title, f"{row.cluster} {' '.join(str(word) for word, *_ in named)}"


def _past_incidents(asked: Asked, user: User) -> list[Alike]:
    """Incidents that are over, with the fix that worked."""
    rows = visible_incidents(user).exclude(stage__in=[*OPEN_STAGES[:-1], "stood_down"])
    rows = rows.filter(is_drill=False, merged_into=None).prefetch_related("services").order_by("-pk")[:RANKED]
    found = ranked(
        asked, rows, text=lambda row: (row.title, f"{row.description} {row.conditions}"),
        service=lambda row: {one.pk for one in row.services.all()}, least=ENOUGH + SAME_SERVICE / 2,
    )[:3]  # fmt: skip
    fixed = {past.pk: past for past in with_fixes([one.record for one in found])}
    return [replace(one, record=fixed.get(one.record.pk, one.record)) for one in found]


def _known_errors(asked: Asked, user: User, *, least: float = ENOUGH) -> list[Alike]:
    rows = visible_problems(user).filter(status=ProblemStatus.KNOWN_ERROR).exclude(workaround="").order_by("-pk")
    return ranked(
        asked, rows[:RANKED], text=lambda row: (row.title, f"{row.description} {row.workaround}"), least=least
    )


# --- While a reporter types -------------------------------------------------------------------
@dataclass(frozen=True)
class Suggestion:
    """One thing a reporter should see before filing. `kind` is outage, known_error, document or own_report.

    `text` is in words for its reader, "" when there is nothing to add. `ref` is MI-n, PRB-n or INC-n, and `why` says
    what made it come up. Titles of incidents are internal: an outage is named by its services.
    """

    kind: str
    ref: str
    pk: int
    title: str
    text: str
    why: str


def suggest(text: str, *, for_user: User, most: int = 5) -> list[Suggestion]:
    """What this person may know already about what they are typing, outages first; empty for a text without words."""
    asked = Asked.of(text[:500])
    if not asked.vector:
        return []
    found = [*_outages(asked), *_own_reports(asked, for_user), *_workarounds(asked), *_documents(asked, for_user)]
    return found[:most]


def _outages(asked: Asked) -> list[Suggestion]:
    """Known to the public; found also by the words other people reported them in. Three queries."""
    shown = current_outage_rows()
    said: dict[int, list[str]] = {}
    children = Ticket.objects.filter(major_incident__in=[one.pk for one, _ in shown]).order_by("-pk")
    for parent, title in children.values_list("major_incident", "title")[:200] if shown else ():
        said.setdefault(parent, []).append(title)
    found = []
    for incident, update in shown:
        names = [service.name for service in incident.services.all()]
        words = str(update.texts.get(Audience.USERS, "")) if update else ""
        texts = [(" ".join(names), words), (incident.title, ""), *((title, "") for title in said.get(incident.pk, ()))]
        score, shared = max((asked.compare(*one) for one in texts), key=lambda pair: pair[0])
        if score >= HINT:
            why = f"we know of a disruption; both say {', '.join(shared)}"
            found.append(
                (score, Suggestion("outage", incident.ref, incident.pk, public_heading(names), words[:400], why))
            )
    return [suggestion for _, suggestion in sorted(found, key=lambda pair: -pair[0])]


def _own_reports(asked: Asked, user: User) -> list[Suggestion]:
    mine = visible_tickets(user).filter(requester=user, status__in=OPEN_TICKET_STATUSES).order_by("-pk")[:50]
    found = ranked(asked, mine, text=lambda row: (row.title, row.description))
    return [
        Suggestion("own_report", one.record.ref, one.record.pk, one.record.title, one.record.get_status_display(),
                   "you reported this and it is open")
        for one in found[:2]
    ]  # fmt: skip


def _workarounds(asked: Asked) -> list[Suggestion]:
    """What to do until a known error is corrected: its workaround is written for those who meet it."""
    rows = Problem.objects.filter(status=ProblemStatus.KNOWN_ERROR).exclude(workaround="").order_by("-pk")[:RANKED]
    found = ranked(asked, rows, text=lambda row: (row.title, f"{row.description} {row.workaround}"))
    return [
        Suggestion("known_error", one.record.ref, one.record.pk, one.record.title, one.record.workaround[:400], one.why)
        for one in found[:3]
    ]


def _documents(asked: Asked, user: User) -> list[Suggestion]:
    """Published articles, for those who may read them."""
    if not can(user, "view_knowledge"):
        return []
    rows = Document.objects.filter(
        published_at__isnull=False, incident__is_drill=False, incident__in=visible_incidents(user)
    ).select_related("incident")
    rows = rows.annotate(opening=Left("markdown", BODY_CHARACTERS)).defer("markdown", "html").order_by("-pk")[:RANKED]
    found = ranked(asked, rows, text=lambda row: (row.title, row.opening))
    return [
        Suggestion("document", one.record.incident.ref, one.record.pk, one.record.title, "", one.why)
        for one in found[:3]
    ]
