"""Tickets somebody chose in a list: those whose boxes are ticked, or all that the list's filter lets through."""

from dataclasses import dataclass

from django.db.models import CharField, Count, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat, Lower, NullIf
from django.http import QueryDict

from incidents.models import Ticket, User
from incidents.permissions import visible_tickets
from incidents.queries.tickets import TicketFilter, filtered_tickets

MOST_NAMED = 12


@dataclass(frozen=True)
class Chosen:
    """`matching` is the filter as it stands in the address; None when boxes were ticked."""

    ids: tuple[int, ...]
    matching: str | None = None

    @classmethod
    def read(cls, *given: QueryDict) -> "Chosen":
        """From the address and the form: ?tickets=7&tickets=8, ?tickets=7,8, or ?all=1&matching=status%3Dopen."""
        for query in given:
            if query.get("all") == "1":
                return cls((), query.get("matching", "")[:2000])
        words = [word for query in given for text in query.getlist("tickets") for word in text.split(",")]
        numbers = [word for word in words if word.isascii() and word.isdigit() and len(word) < 15]
        return cls(tuple(int(word) for word in dict.fromkeys(numbers)))

    def rows(self, user: User) -> QuerySet[Ticket]:
        """Those of them that the person may see."""
        if self.matching is None:
            return visible_tickets(user).filter(pk__in=self.ids)
        return filtered_tickets(TicketFilter.read(QueryDict(self.matching)), user)

    @property
    def only(self) -> int | None:
        """The number of the ticket when it is a single one."""
        return self.ids[0] if len(self.ids) == 1 else None

    def named(self, user: User) -> str:
        """In words: their references, or how many."""
        if self.matching is None and len(self.ids) <= MOST_NAMED:
            return ", ".join(f"INC-{number}" for number in self.ids) or "No ticket is selected."
        count = self.rows(user).order_by().count()
        return f"{count:,} ticket{'' if count == 1 else 's'}{', all that match the filter' if self.matching else ''}"


@dataclass(frozen=True)
class Reach:
    """Whom a reply to many tickets reaches: each person once."""

    tickets: int
    people: int
    silent: int


def reach_of(rows: QuerySet[Ticket]) -> Reach:
    """One query. `silent` tickets have nobody who could be told."""
    email = NullIf(Lower("requester_email"), Value(""))
    person = Concat(Value("#"), Cast("requester_id", CharField()), output_field=CharField())
    told = ~Q(channel="monitoring") & (Q(requester__isnull=False) | ~Q(requester_email=""))
    who = Coalesce(NullIf(person, Value("#")), email, output_field=CharField())
    found = rows.order_by().aggregate(
        tickets=Count("pk"), people=Count(who, filter=told, distinct=True), reached=Count("pk", filter=told)
    )
    return Reach(found["tickets"], found["people"], found["tickets"] - found["reached"])
