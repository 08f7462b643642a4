"""Arrivals are counted per service and minute."""

from incidents.actions.arrivals import Arrived, note
from incidents.models import ArrivalCount


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
