"""Acts on many tickets: a row for each, none skipped silently, what breaks is tried again, twice changes nothing."""

import tracemalloc
from unittest import mock

import pytest

from incidents.actions import cascade_acts, cascades, downtime, major_incidents, merging, tickets
from incidents.errors import Invalid, NotAccountable, WrongStage
from incidents.models import CascadeJob, CascadeResult, Ticket, TicketClock, TicketComment
from incidents.process import EventKind
from tests import factories
from tests.factories import again, minute
from tests.incidents.conftest import fix
from tests.racing import race

pytestmark = pytest.mark.django_db


def rows(job):
    return [(row.ticket.title, row.outcome, row.detail) for row in job.results.select_related("ticket")]


@pytest.fixture
def two_reporters(organisation):
    return [factories.person("requester", name=name) for name in ("Anna", "Ben")]


@pytest.fixture
def reports(declared, technician, two_reporters):
    """Two of Anna, one of Ben, one by an address, one by monitoring, one of nobody: children of the incident."""
    anna, ben = two_reporters
    made = [
        factories.ticket("Anna 1", requester=anna),
        factories.ticket("Anna 2", requester=anna),
        factories.ticket("Ben", requester=ben),
        factories.ticket("Address", requester_email="c@shop.example"),
        factories.ticket("Alert", channel="monitoring"),
        factories.ticket("Nobody"),
    ]
    tickets.link([one.pk for one in made], incident_id=declared.pk, actor=technician, at=minute(11))
    return made


def begin(kind, chosen, actor, *, at=12, **given):
    return cascades.begin(
        kind, Ticket.objects.filter(pk__in=[t.pk for t in chosen]), actor=actor, at=minute(at), **given
    )


def test_a_reply_reaches_each_requester_once_in_their_own_conversation(reports, declared, technician):
    job = begin("reply", reports, technician, incident=declared, parameters={"text": "We are on it"})
    assert cascades.run_waiting(at=minute(13), batch=2) == 6
    assert rows(job) == [
        ("Anna 1", "done", "the requester was told"),
        ("Anna 2", "unchanged", f"the requester was told in {reports[0].ref}"),
        ("Ben", "done", "the requester was told"),
        ("Address", "done", "the requester was told"),
        ("Alert", "unchanged", "has no requester who could be told"),
        ("Nobody", "unchanged", "has no requester who could be told"),
    ]
    assert TicketComment.objects.filter(text="We are on it", public=True).count() == 3
    assert cascades.run_waiting(at=minute(14)) == 0
    event = declared.events.get(kind=EventKind.TICKETS_CASCADED)
    assert (event.payload["count"], event.payload["unchanged"], event.actor) == (3, 3, technician)


def test_what_breaks_is_written_down_tried_three_times_and_again_when_asked(reports, technician):
    job = begin("close", reports[:2], technician)
    with mock.patch.object(cascade_acts.ticket_states, "close", side_effect=RuntimeError("disk full")):
        assert cascades.run(job.pk, at=minute(13)) == 2
        assert again(job).finished_at is None
        assert cascades.run(job.pk, at=minute(13.1)) == 0
        cascades.run(job.pk, at=minute(14))
        cascades.run(job.pk, at=minute(16))
    assert [row[1:] for row in rows(job)] == [("failed", "RuntimeError: disk full")] * 2
    assert again(job).finished_at == minute(16)
    for one in reports[:2]:
        tickets.resolve(one.pk, resolution="x", actor=technician, at=minute(16))
    cascades.retry_failed(job.pk, actor=technician, at=minute(17))
    cascades.run_waiting(at=minute(17))
    assert [row[1:] for row in rows(job)] == [("done", "closed")] * 2
    with pytest.raises(WrongStage, match="Nothing of this job has failed"):
        cascades.retry_failed(job.pk, actor=technician, at=minute(18))


def test_one_that_breaks_stops_no_other(reports, technician):
    real = cascade_acts.ticket_states.assign

    def assign(pk, **given):
        if pk == reports[0].pk:
            raise RuntimeError("no")
        return real(pk, **given)

    job = begin("assign", reports, technician, parameters={"assignee_id": technician.pk})
    with mock.patch.object(cascade_acts.ticket_states, "assign", assign):
        cascades.run(job.pk, at=minute(13))
    assert [row[1] for row in rows(job)] == ["waiting", *["done"] * 5]
    cascades.run(job.pk, at=minute(14))
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {technician.pk}


def test_what_the_process_refuses_stays_as_it_was_with_its_sentence(reports, technician):
    job = begin("close", reports[:1], technician)
    cascades.run(job.pk, at=minute(13))
    (_, outcome, detail), *_ = rows(job)
    assert outcome == "unchanged" and "cannot be closed" in detail


def test_many_are_linked_and_unlinked_with_the_reason_in_each_record(reports, declared, technician):
    other = factories.ticket("Other", at=minute(5))
    job = begin("link", [reports[0], other], technician, incident=declared)
    cascades.run(job.pk, at=minute(13))
    assert [row[1:] for row in rows(job)] == [
        ("unchanged", f"was linked to {declared.ref} already"), ("done", f"linked to {declared.ref}")
    ]  # fmt: skip
    out = begin("unlink", reports, technician, incident=declared, parameters={"reason": "Another outage"})
    cascades.run(out.pk, at=minute(14))
    assert list(declared.tickets.all()) == [other]
    assert reports[0].events.get(kind=EventKind.TICKET_UNLINKED).text == "Another outage"
    assert again(declared).reported_at == minute(5)


def test_a_job_that_could_do_nothing_is_refused(reports, declared, technician, two_reporters):
    for kind, given in (("reply", {}), ("resolve", {}), ("assign", {}), ("unlink", {}), ("link", {})):
        with pytest.raises(Invalid):
            begin(kind, reports, technician, parameters=given)
    with pytest.raises(Invalid, match="at least one ticket"):
        begin("close", [], technician)
    with pytest.raises(NotAccountable):
        begin("close", reports, two_reporters[0])
    assert not CascadeJob.objects.exists()


@pytest.fixture
def resolved(reports, resolving, manager, engineer):
    def resolve():
        fix(resolving, engineer, at=minute(30))
        downtime.restore(resolving.pk, actor=manager, at=minute(31))
        return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(40))

    return resolve


def test_the_cascade_says_why_it_left_a_ticket_as_it_was(resolved, reports, technician, engineer):
    tickets.assign(reports[0].pk, assignee=engineer, actor=technician, at=minute(20))
    tickets.keep_open(reports[0].pk, reason="the printer is broken, too", actor=technician, at=minute(20))
    tickets.resolve(reports[1].pk, resolution="By hand", actor=technician, at=minute(21))
    merging.merge(reports[2].pk, into_id=reports[3].pk, actor=technician, at=minute(22))
    incident = resolved()
    cascades.run_waiting(at=minute(41))
    said = {title: (outcome, detail) for title, outcome, detail in rows(incident.cascades.get())}
    assert said["Anna 1"] == ("unchanged", f"kept open with {engineer} because the printer is broken, too")
    assert said["Anna 2"] == ("unchanged", "was resolved already")
    assert said["Ben"] == ("unchanged", f"was merged into {reports[3].ref}")
    assert said["Address"] == said["Nobody"] == ("done", "resolved")
    assert not TicketClock.objects.filter(ticket=reports[5], kind="resolution", ended_at=None).exists()


def test_a_child_linked_while_the_cascade_waits_gets_its_row_too(resolved, reports, technician):
    incident = resolved()
    late = factories.ticket("Late", at=minute(35))
    tickets.link([late.pk], incident_id=incident.pk, actor=technician, at=minute(41))
    cascades.run_waiting(at=minute(42), batch=2)
    assert again(late).status == "resolved"
    assert incident.cascades.get().results.count() == 7


def test_five_thousand_children_are_resolved_in_bounded_memory(resolved, reports, declared):
    Ticket.objects.bulk_create(
        Ticket(title=f"Report {n}", channel="portal", reported_at=minute(5), major_incident=declared)
        for n in range(5000)
    )
    incident = resolved()
    job = incident.cascades.get()
    with mock.patch.object(cascade_acts.ticket_states, "record_status"):  # what is measured is the job, not the mail
        cascades.run_batch(job.pk, at=minute(41))
        cascades.run_batch(job.pk, at=minute(41))
        tracemalloc.start()
        for _ in range(4):
            assert cascades.run_batch(job.pk, at=minute(41)) == cascades.BATCH
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert job.results.count() == 5006
    assert peak < 8 * 1024 * 1024


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_each_requester_once(reports, declared, technician):
    begin("reply", reports, technician, incident=declared, parameters={"text": "Once"})
    race(lambda: cascades.run_waiting(at=minute(13), batch=1), times=3)
    cascades.run_waiting(at=minute(13))
    assert TicketComment.objects.filter(text="Once").count() == 3
    assert not CascadeResult.objects.filter(outcome="waiting").exists()
