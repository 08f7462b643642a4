"""A storm: at most three messages per person in ten minutes for one cause, then a digest; nobody without the first."""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from incidents.actions import candidates, paging
from incidents.process import AccountRole, EventKind
from notifications import delivery
from notifications.models import Delivery
from tests.notifications.conftest import person

pytestmark = pytest.mark.django_db
MIM = AccountRole.MAJOR_INCIDENT_MANAGER


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def raised(cluster: str, **fields):
    return candidates.gather(
        title=f"Outage {cluster}", source="alert_rule", cluster=cluster, reasons=["firing"], actor=None,
        at=timezone.now(), **fields,
    )  # fmt: skip


def page_again(candidate, page_id: int, number: int, person_id: int) -> None:
    """What a policy with many repeats does."""
    paging.record(
        EventKind.PAGED, candidate, actor=None, at=timezone.now(), people=["Dana"], why=f"for the {number}. time",
        page_id=page_id, user_ids=[person_id],
    )  # fmt: skip


def pages_in(smtp, address: str) -> list[str]:
    return [mail["Subject"] for mail in smtp.to(address)]


def test_alerts_of_one_cause_and_ten_people(smtp, clock):
    """A tenth of the storm that `bench/escalations.py` measures."""
    engineers = [person(f"engineer{n}", AccountRole.TECHNICAL_STAFF) for n in range(8)]
    managers = [person(f"manager{n}", MIM) for n in range(2)]
    for _ in range(28):  # as they arrive: the sweep runs in between
        for _ in range(10):
            raised("checkout")
        delivery.deliver_due(seconds=20)
        clock.shift(20)
    sent = Counter(smtp.addresses())
    assert set(sent) == {one.email for one in (*engineers, *managers)}  # nobody without the first
    assert max(sent.values()) <= 3


def test_fifty_candidates_at_once_are_three_mails_and_a_digest_that_names_the_others(smtp, clock):
    engineer = person("engineer", AccountRole.TECHNICAL_STAFF)
    person("manager", MIM)
    for number in range(50):
        raised(f"service {number}")
    delivery.deliver_due(seconds=60)
    assert len(pages_in(smtp, engineer.email)) == 3
    held = Delivery.objects.filter(address=engineer.email, channel="email", state="queued")
    assert held.count() == 47 and "Held back" in held[0].reason
    inside = Delivery.objects.filter(address=f"user-{engineer.pk}", state="delivered")
    assert inside.count() == 50  # in the product everything is shown at once
    clock.shift(601)
    delivery.deliver_due(seconds=60)
    digest = smtp.to(engineer.email)[3]
    assert len(smtp.to(engineer.email)) == 4
    assert "(and 46 more)" in digest["Subject"]
    assert "Outage service 49" in digest.get_body(("plain",)).get_content()
    assert "<li>" in digest.get_body(("html",)).get_content()
    assert Delivery.objects.filter(address=engineer.email, channel="email", state="suppressed").count() == 46


def test_pages_about_one_candidate_are_held_and_of_another_are_not(smtp, clock):
    dana = person("dana", MIM)
    first = raised("one")
    page_id = first.events.get(kind=EventKind.PAGED).payload["page_id"]
    from notifications.models import PageCall

    PageCall.objects.update(event=None)  # the freshness of each call is another test's matter
    for number in range(2, 7):
        page_again(first, page_id, number, dana.pk)
    delivery.deliver_due(seconds=20)
    assert len(pages_in(smtp, dana.email)) == 3
    raised("two")
    delivery.deliver_due(seconds=20)
    assert len(pages_in(smtp, dana.email)) == 4


def test_what_people_do_by_hand_is_never_held_back(smtp, clock):
    from tests.notifications.conftest import declare

    manager = person("manager", MIM)
    person("engineer", AccountRole.TECHNICAL_STAFF)
    for _ in range(5):
        declare(manager)
    delivery.deliver_due(seconds=20)
    assert not Delivery.objects.filter(held_until__isnull=False).exists()


def test_what_waited_and_is_not_wanted_any_more_is_suppressed_not_failed(smtp, clock):
    person("dana", MIM)
    engineer = person("engineer", AccountRole.TECHNICAL_STAFF)
    for number in range(5):
        raised(f"s{number}")
    delivery.deliver_due(seconds=20)
    type(engineer).objects.filter(pk=engineer.pk).update(is_active=False)
    clock.shift(601 + timedelta(minutes=1).seconds)
    delivery.deliver_due(seconds=20)
    rows = Delivery.objects.filter(address=engineer.email, channel="email").exclude(state="delivered")
    assert {row.state for row in rows} == {"suppressed"}
