"""A worker that is killed in the middle of resolving three hundred linked tickets."""

import pytest
from django.db.models import Count

from incidents.actions import cascades
from incidents.models import CascadeJob, Ticket, TicketComment, TimelineEvent
from incidents.process import AccountRole, EventKind
from tests.notifications.conftest import person
from tests.notifications.test_killed_worker import kill, slow_smtp, wait_until, worker  # noqa: F401 - fixtures

CHILDREN, KILLS = 300, 2


@pytest.mark.long
@pytest.mark.stack
@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
def test_every_ticket_gets_the_reply_once_and_has_its_row(worker, tmp_path):  # noqa: F811
    from django.utils import timezone

    technician = person("technician", AccountRole.SERVICE_DESK_TECHNICIAN)
    Ticket.objects.bulk_create(
        Ticket(title=f"Report {n}", channel="portal", requester_email=f"u{n}@shop.example", reported_at=timezone.now())
        for n in range(CHILDREN)
    )
    job = cascades.begin(
        CascadeJob.Kind.REPLY, Ticket.objects.all(), parameters={"text": "We are on it"}, actor=technician,
        at=timezone.now(),
    )  # fmt: skip
    waiting = job.results.filter(outcome="waiting")

    process = worker()
    wait_until(lambda: waiting.count() < CHILDREN, 90, tmp_path)
    for _ in range(KILLS):
        kill(process)
        assert waiting.exists()  # it died in the middle
        before = waiting.count()
        process = worker()
        wait_until(lambda before=before: waiting.count() < before, 60, tmp_path)
    wait_until(lambda: CascadeJob.objects.get(pk=job.pk).finished_at is not None, 90, tmp_path)

    assert dict(job.results.order_by().values_list("outcome").annotate(n=Count("pk"))) == {"done": CHILDREN}
    said = TicketComment.objects.values("ticket").annotate(n=Count("pk"))
    assert (len(said), max(row["n"] for row in said)) == (CHILDREN, 1)
    assert TimelineEvent.objects.filter(kind=EventKind.TICKET_COMMENTED).count() == CHILDREN
