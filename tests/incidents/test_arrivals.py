"""Arrivals are counted per service and minute."""

from unittest import mock

import pytest

from incidents import wake_up
from incidents.actions.arrivals import Arrived, note
from incidents.actions.tickets import open_ticket
from incidents.models import Arrival, ArrivalCount, TicketClock


def counted():
    rows = ArrivalCount.objects.order_by("service_id", "minute").values_list(
        "service__name", "minute", "tickets", "alerts"
    )
    return list(rows)


def test_counts_add_up_within_the_minute(checkout, minute):
    note([Arrived(checkout.pk, minute(3.2), tickets=1), Arrived(checkout.pk, minute(3.9), alerts=40)])
    note([Arrived(checkout.pk, minute(3.5), tickets=2), Arrived(checkout.pk, minute(4), tickets=1)])
    assert counted() == [("Checkout", minute(3), 3, 40), ("Checkout", minute(4), 1, 0)]


def test_reports_without_a_service_share_one_row_a_minute(db, minute):
    note([Arrived(None, minute(1), tickets=1)])
    note([Arrived(None, minute(1), tickets=1)])
    assert counted() == [(None, minute(1), 2, 0)]


def test_nothing_arrived_asks_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        note([])


def test_a_ticket_and_all_that_belongs_to_it_are_written_with_one_statement(
    technician, checkout, minute, django_assert_num_queries
):
    open_ticket(title="The targets are read", channel="api", actor=technician, at=minute(0))
    with django_assert_num_queries(4):  # savepoint, settings, rows, savepoint
        ticket = open_ticket(title="No answer", channel="api", service=checkout, actor=technician, at=minute(1))
    event = ticket.events.get()
    clocks = list(TicketClock.objects.filter(ticket=ticket))
    assert clocks == list(ticket.clocks.all()) and {clock.kind for clock in clocks} == {"response", "resolution"}
    assert (event.kind, event.actor, event.payload["service"]) == ("ticket_opened", technician, "Checkout")
    assert Arrival.objects.get(ticket=ticket).at == minute(1)


def test_reports_of_nobody_in_particular_are_each_a_source_of_their_own(technician, minute):
    calls = [open_ticket(title="Till", channel="hotline", actor=technician, at=minute(1)) for _ in range(2)]
    assert list(Arrival.objects.order_by("ticket_id").values_list("source", flat=True)) == [one.pk for one in calls]


def test_many_who_wake_a_worker_before_it_begins_send_one_message(monkeypatch):
    sent = []
    monkeypatch.setattr(wake_up.current_app, "send_task", lambda name, **options: sent.append(name))
    wake_up.begun("sweep of this test")
    for _ in range(3):
        wake_up._call("sweep of this test")
    assert sent == ["sweep of this test"]
    wake_up.begun("sweep of this test")
    wake_up._call("sweep of this test")
    assert sent == ["sweep of this test"] * 2


def test_a_message_that_the_broker_did_not_take_is_sent_by_the_next(monkeypatch):
    wake_up.begun("sweep of this test")
    monkeypatch.setattr(wake_up.current_app, "send_task", mock.Mock(side_effect=[OSError("away"), None]))
    with pytest.raises(OSError, match="away"):
        wake_up._call("sweep of this test")
    wake_up._call("sweep of this test")
    assert wake_up.current_app.send_task.call_count == 2
