"""Duplicates become one ticket and part again; a part becomes a ticket of its own. Nobody's words reach the other."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from incidents.actions import merging, tickets
from incidents.errors import Duplicate, Invalid, NotAccountable, WrongStage
from incidents.models import Ticket, TicketClock, TicketComment
from incidents.process import EventKind
from incidents.queries.conversations import comments_for, files_for
from tests import factories
from tests.factories import again, minute
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(organisation):
    return factories.person("requester", name="Anna")


@pytest.fixture
def ben(organisation):
    return factories.person("requester", name="Ben")


@pytest.fixture
def first(anna):
    return factories.ticket("Cannot pay", channel="portal", actor=anna)


@pytest.fixture
def second(ben):
    ticket = factories.ticket("Payment fails", channel="portal", actor=ben, at=minute(1))
    tickets.comment(ticket.pk, text="My card ends in 42", public=True, actor=ben, at=minute(2))
    return ticket


@pytest.fixture
def merged(first, second, technician):
    tickets.watch(second.pk, actor=technician, at=minute(3))
    merging.merge(second.pk, into_id=first.pk, reason="Same trouble", actor=technician, at=minute(5))
    return again(second)


def said(user, ticket):
    return [row.text for row in comments_for(user, again(ticket))]


def test_a_duplicate_closes_and_its_conversation_goes_on_in_the_survivor(merged, first, technician):
    assert (merged.status, merged.merged_into) == ("closed", first)
    assert said(technician, first) == ["My card ends in 42"]
    assert first.watchers.get().user == technician
    into, taken = (t.events.get(kind=EventKind.TICKET_MERGED).payload for t in (merged, first))
    assert (into["into"], taken["merged"]) == (first.ref, merged.ref)
    assert not TicketClock.objects.filter(ticket=merged, ended_at=None).exists()


def test_each_requester_reads_the_desks_answer_and_never_the_other_ones_words(merged, first, anna, ben, technician):
    tickets.comment(first.pk, text="We are on it", public=True, actor=technician, at=minute(6))
    tickets.comment(first.pk, text="Look at the gateway", public=False, actor=technician, at=minute(6))
    tickets.comment(first.pk, text="Secret of Anna", public=True, actor=anna, at=minute(7))
    tickets.comment(merged.pk, text="Secret of Ben", public=True, actor=ben, at=minute(8))
    tickets.comment(first.pk, text="Ben by the other reference", public=True, actor=ben, at=minute(9))
    assert said(anna, first) == ["We are on it", "Secret of Anna"]
    assert said(ben, merged) == [
        "My card ends in 42", "We are on it", "Secret of Ben", "Ben by the other reference"
    ]  # fmt: skip
    assert len(said(technician, first)) == 6


def test_files_stay_with_whoever_sent_them(merged, first, anna, ben):
    tickets.attach(merged.pk, file=SimpleUploadedFile("b.txt", b"of Ben"), actor=ben, at=minute(6))
    assert not files_for(anna, first).exists()
    assert files_for(ben, merged).get().ticket == first


def test_the_requester_of_the_duplicate_is_told_under_their_own_reference(merged, first, technician):
    tickets.comment(first.pk, text="We are on it", public=True, actor=technician, at=minute(6))
    tickets.resolve(first.pk, resolution="Gateway restarted", actor=technician, at=minute(9))
    kinds = list(merged.events.order_by("id").values_list("kind", flat=True))
    assert kinds[-3:] == ["ticket_merged", "ticket_commented", "ticket_status_changed"]
    assert again(merged).resolution == "Gateway restarted"


def test_undone_everything_is_as_it_was(merged, first, ben, technician):
    tickets.comment(merged.pk, text="Not the same!", public=True, actor=ben, at=minute(6))
    merging.unmerge(merged.pk, reason="Another gateway", actor=technician, at=minute(7))
    ticket = again(merged)
    assert (ticket.status, ticket.merged_into, ticket.resolved_at, ticket.closed_at) == ("new", None, None, None)
    assert said(technician, ticket) == ["My card ends in 42", "Not the same!"]
    assert not TicketComment.objects.filter(ticket=first).exists()
    assert not first.watchers.exists()
    assert TicketClock.objects.filter(ticket=ticket, ended_at=None).count() == 2
    merging.merge(ticket.pk, into_id=first.pk, actor=technician, at=minute(8))


def test_what_was_merged_into_a_duplicate_follows_it(merged, first, technician):
    third = factories.ticket("Third", at=minute(6))
    merging.merge(first.pk, into_id=third.pk, actor=technician, at=minute(7))
    assert again(merged).merged_into == third
    assert said(technician, third) == ["My card ends in 42"]
    merging.unmerge(merged.pk, reason="No", actor=technician, at=minute(8))
    assert said(technician, merged) == ["My card ends in 42"]


def test_the_survivor_joins_the_major_incident_of_the_duplicate(first, second, declared, technician):
    tickets.link([second.pk], incident_id=declared.pk, actor=technician, at=minute(11))
    merging.merge(second.pk, into_id=first.pk, actor=technician, at=minute(12))
    assert again(first).major_incident == declared


def test_what_cannot_be_merged_says_why(merged, first, technician, ben):
    by = {"actor": technician, "at": minute(9)}
    third = factories.ticket("Third")
    with pytest.raises(Duplicate, match="merged into"):
        merging.merge(merged.pk, into_id=third.pk, **by)
    with pytest.raises(Invalid, match="Choose that one"):
        merging.merge(third.pk, into_id=merged.pk, **by)
    with pytest.raises(Invalid, match="into itself"):
        merging.merge(third.pk, into_id=third.pk, **by)
    with pytest.raises(Invalid, match="No such ticket"):
        merging.merge(third.pk, into_id=999_999, **by)
    with pytest.raises(NotAccountable):
        merging.merge(third.pk, into_id=first.pk, actor=ben, at=minute(9))
    with pytest.raises(WrongStage, match="undo the merge"):
        tickets.reopen(merged.pk, reason="x", **by)
    with pytest.raises(WrongStage, match="not merged"):
        merging.unmerge(first.pk, reason="x", **by)
    tickets.resolve(first.pk, resolution="x", **by)
    tickets.close(first.pk, **by)
    with pytest.raises(WrongStage, match="is closed"):
        merging.merge(third.pk, into_id=first.pk, **by)


def test_tickets_of_two_major_incidents_are_not_merged(first, second, declared, manager, technician):
    from incidents.actions import major_incidents

    other = major_incidents.declare(title="Other", services=[], impact=1, urgency=1, actor=manager, at=minute(12))
    tickets.link([first.pk], incident_id=declared.pk, actor=technician, at=minute(13))
    tickets.link([second.pk], incident_id=other.pk, actor=technician, at=minute(13))
    with pytest.raises(Duplicate, match="Unlink one of them"):
        merging.merge(second.pk, into_id=first.pk, actor=technician, at=minute(14))


@pytest.mark.django_db(transaction=True)
def test_two_people_merge_the_same_ticket_and_one_is_told_so(first, second, technician, engineer):
    found = race(
        lambda: merging.merge(second.pk, into_id=first.pk, actor=technician, at=minute(5)),
        lambda: merging.merge(second.pk, into_id=first.pk, actor=engineer, at=minute(5)),
        lambda: merging.merge(first.pk, into_id=second.pk, actor=engineer, at=minute(5)),
    )
    done = [one for one in found if isinstance(one, Ticket)]
    refused = [one for one in found if isinstance(one, Duplicate | Invalid)]
    assert (len(done), len(refused)) == (1, 2)
    assert Ticket.objects.filter(merged_into__isnull=False).count() == 1


def test_a_comment_becomes_a_ticket_of_its_own_with_references_both_ways(first, anna, technician):
    row = tickets.comment(first.pk, text="And my phone is dead", public=True, actor=anna, at=minute(3))
    file = tickets.attach(first.pk, file=SimpleUploadedFile("a.txt", b"phone"), actor=anna, at=minute(3))
    made = merging.split(
        first.pk, title="Phone dead", comment_id=row.pk, attachment_ids=[file.pk], actor=technician, at=minute(9)
    )
    assert (made.split_from, made.requester, made.description) == (first, anna, "And my phone is dead")
    assert made.reported_at == minute(3)
    row.refresh_from_db()
    file.refresh_from_db()
    assert (row.ticket, row.became, file.ticket) == (first, made, made)
    assert first.events.get(kind=EventKind.TICKET_SPLIT).payload["became"] == made.ref
    with pytest.raises(Duplicate, match="already"):
        merging.split(first.pk, title="Again", comment_id=row.pk, actor=technician, at=minute(10))


def test_what_the_desk_said_among_itself_stays_so(first, anna, technician):
    row = tickets.comment(first.pk, text="Internal suspicion", public=False, actor=technician, at=minute(3))
    made = merging.split(first.pk, title="Other", comment_id=row.pk, actor=technician, at=minute(9))
    assert made.description == ""
    assert said(anna, made) == []
    assert said(technician, made) == ["Internal suspicion"]
    assert made.requester == anna


def test_a_part_without_words_or_of_another_ticket_is_refused(first, second, technician):
    by = {"actor": technician, "at": minute(9)}
    with pytest.raises(Invalid, match="what the new ticket is about"):
        merging.split(first.pk, title="x", **by)
    foreign = second.comments.get()
    with pytest.raises(Invalid, match="no comment of"):
        merging.split(first.pk, title="x", comment_id=foreign.pk, **by)


def test_a_split_is_undone_by_merging(first, technician):
    made = merging.split(first.pk, title="x", description="Part", actor=technician, at=minute(9))
    merging.merge(made.pk, into_id=first.pk, actor=technician, at=minute(10))
    assert again(made).merged_into == first
