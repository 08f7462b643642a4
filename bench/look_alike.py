"""P11: what looks like a text, over tickets in many words, beside one ticket by its number from the same run.

python -m bench.look_alike [100000]: how many tickets to fill up to.
"""

import itertools
import random
import sys
import time
from datetime import timedelta

from django.db import connection
from django.utils import timezone

import bench.running  # noqa: F401 - sets Django up
from incidents.actions import usual
from incidents.models import Organisation, Service, Ticket, User
from incidents.queries.look_alike import looks_like, suggest

SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "mu", "ne", "pa", "ri", "so", "tu", "ve", "wo")
WORDS = ["".join(parts) for parts in itertools.product(SYLLABLES, repeat=3)]
"""4,096 words; the n-th is used in proportion to 1/n, as words are in any language."""
ASKED = 150


def text(dice: random.Random, weights: list[float], words: int) -> str:
    return " ".join(dice.choices(WORDS, cum_weights=weights, k=words))


def fill(wanted: int) -> int:
    """Tickets in such words, every tenth open. Returns how many there are."""
    dice, have = random.Random(7), Ticket.objects.count()
    weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(WORDS))))
    services, now = list(Service.objects.all()), timezone.now()
    stamp = Organisation.current().sla_stamp  # as if their clocks were set: the worker leaves them alone
    for start in range(have, wanted, 5_000):
        Ticket.objects.bulk_create(
            [
                Ticket(
                    title=text(dice, weights, 6), description=text(dice, weights, 25), channel="portal",
                    service=dice.choice(services) if services else None, reported_at=now - timedelta(minutes=number),
                    status="new" if number % 10 == 0 else "resolved", resolution=text(dice, weights, 8),
                    sla_stamp=stamp,
                    resolved_at=None if number % 10 == 0 else now - timedelta(minutes=number),
                )
                for number in range(start, min(start + 5_000, wanted))
            ]
        )  # fmt: skip
        print(f"\r{min(start + 5_000, wanted)} tickets", end="", flush=True)
    print()
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('ticket_words')")
        cursor.execute("ANALYZE incidents_ticket")
    usual.renew(at=now)
    return max(have, wanted)


def timed(name: str, acts: list) -> None:
    times = []
    for act in acts:
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"{name:36} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  max {times[-1]:6.1f} ms")


def main(wanted: int) -> None:
    have = fill(wanted)
    dice = random.Random(11)
    user = User.objects.filter(role_rows__role="service_desk_technician", is_active=True).first()
    if user is None:
        sys.exit("There is no service desk technician; load the demo organisation first.")
    weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(WORDS))))
    some = list(Ticket.objects.filter(pk__in=[dice.randrange(1, have) for _ in range(ASKED)]))
    typed = [text(dice, weights, dice.randint(2, 7)) for _ in range(ASKED)]
    looks_like(some[0], for_user=user)
    print(f"{have} tickets")
    timed("limit: one ticket by its number", [lambda one=one: Ticket.objects.get(pk=one.pk) for one in some])
    timed("the panel beside a ticket", [lambda one=one: looks_like(one, for_user=user) for one in some])
    timed("suggestions while typing", [lambda one=one: suggest(one, for_user=user) for one in typed])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
