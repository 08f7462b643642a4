"""Where messages go: the order a person chose, quiet hours, places many read, and the next channel when one fails."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import candidates
from incidents.process import AccountRole
from notifications import delivery
from notifications.channels import Outcome
from notifications.models import ChannelAccount, ContactPoint, ContactSettings, Delivery, Destination
from notifications.quiet_hours import end_of_quiet
from tests.notifications.conftest import declare, deliver, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone_account(db):
    return ChannelAccount.objects.create(channel="sms", changed_at=timezone.now())


def point(user, channel="sms", address="+4915112345678", **fields):
    values = {"verified_at": timezone.now(), "created_at": timezone.now(), **fields}
    return ContactPoint.objects.create(user=user, channel=channel, address=address, **values)


def ways(user, moment):
    return set(Delivery.objects.filter(recipient=user, moment=moment).values_list("channel", "address"))


class Provider:
    """Answers each message with the next of `outcomes`, then accepts."""

    batch, one_at_a_time = 20, True

    def __init__(self, key, *outcomes):
        self.key, self.outcomes, self.sent = key, list(outcomes), []

    def send(self, wanted):
        for one in wanted:
            self.sent.append(one.delivery.address)
            yield [(one, self.outcomes.pop(0) if self.outcomes else Outcome(True, "queued", provider_id="SM1"))]


def with_provider(monkeypatch, provider):
    known = delivery.registry()
    monkeypatch.setattr(delivery, "registry", lambda: {**known, provider.key: provider})


def test_a_person_reads_on_the_first_channel_of_their_order_and_always_in_the_product(people, checkout, phone_account):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=2)
    point(director, takes_messages=True, position=1)
    declare(people["manager"], checkout)
    assert ways(director, "declared") == {("sms", "+4915112345678"), ("in_app", f"user-{director.pk}")}
    assert ("email", "engineer@shop.example") in ways(people["engineer"], "declared")


@pytest.mark.parametrize("why", ["unverified", "only_pages", "switched_off", "no_account"])
def test_an_address_that_must_not_be_used_is_not(people, checkout, why):
    director = people["director"]
    if why != "no_account":
        ChannelAccount.objects.create(channel="sms", is_enabled=why != "switched_off", changed_at=timezone.now())
    ContactSettings.objects.create(user=director, email_position=2)
    point(director, takes_messages=why != "only_pages", verified_at=None if why == "unverified" else timezone.now())
    declare(people["manager"], checkout)
    assert ways(director, "declared") == {("email", director.email), ("in_app", f"user-{director.pk}")}


def test_a_page_rings_everywhere_each_address_after_its_time(manager, phone_account, checkout):
    point(manager, page_after_minutes=0)
    point(manager, "voice", page_after_minutes=3, position=2)
    before = timezone.now()
    tech = person("tech", "service_desk_technician")
    candidates.flag(title="Checkout?", source="proposed", service=checkout, actor=tech, at=before)
    rows = {row.channel: row for row in Delivery.objects.filter(recipient=manager, moment="page")}
    assert set(rows) == {"email", "in_app", "sms", "voice"}
    assert rows["sms"].next_attempt_at < before + timedelta(minutes=1)
    assert rows["voice"].next_attempt_at >= before + timedelta(minutes=3)


def test_a_voice_call_is_held_back_once_somebody_answered(manager, phone_account, checkout, monkeypatch, smtp):
    point(manager, "voice", page_after_minutes=3)
    tech = person("tech", "service_desk_technician")
    raised = candidates.flag(title="Checkout?", source="proposed", service=checkout, actor=tech, at=timezone.now())
    candidates.acknowledge(raised.pk, actor=manager, at=timezone.now())
    voice = Provider("voice")
    with_provider(monkeypatch, voice)
    Delivery.objects.update(next_attempt_at=timezone.now())
    delivery.deliver_due(seconds=5, only=["voice"])
    assert voice.sent == []
    assert Delivery.objects.get(channel="voice").state == "suppressed"


def test_one_telephone_of_two_people_rings_once(people, checkout, phone_account):
    for name in ("director", "engineer"):
        ContactSettings.objects.create(user=people[name], email_position=9)
        point(people[name], takes_messages=True)
    declare(people["manager"], checkout)
    assert Delivery.objects.filter(channel="sms", moment="declared").count() == 1


def test_a_failing_channel_falls_back_to_the_next_and_the_failed_row_says_so(
    people, checkout, phone_account, monkeypatch, smtp
):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=2)
    point(director, takes_messages=True)
    incident = declare(people["manager"], checkout)
    with_provider(monkeypatch, Provider("sms", Outcome(False, "21211 invalid number", is_final=True)))
    delivery.deliver_due(seconds=5, only=["sms"])
    failed = Delivery.objects.get(channel="sms", moment="declared")
    assert (failed.state, failed.reason) == ("failed", "21211 invalid number. Told by E-mail instead.")
    deliver()
    instead = Delivery.objects.get(channel="email", recipient=director, moment="declared")
    assert (instead.state, instead.instead_of) == ("delivered", failed)
    assert instead.audience == "management"
    assert [mail["To"] for mail in smtp.to(director.email)].count(director.email) >= 1
    assert incident.ref in smtp.to(director.email)[0]["Subject"]


def test_a_short_failure_is_waited_out_and_a_long_one_is_not(people, checkout, phone_account, monkeypatch):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=2)
    point(director, takes_messages=True)
    declare(people["manager"], checkout)
    busy = Outcome(False, "503", retry_after=timedelta(seconds=90))
    with_provider(monkeypatch, Provider("sms", busy, busy))
    delivery.deliver_due(seconds=5, only=["sms"])
    row = Delivery.objects.get(channel="sms", moment="declared")
    assert row.state == "queued"
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=80), "the provider asked for 90 seconds"
    long_ago = timezone.now() - timedelta(minutes=6)
    Delivery.objects.filter(pk=row.pk).update(queued_at=long_ago, next_attempt_at=long_ago)
    delivery.deliver_due(seconds=5, only=["sms"])
    assert Delivery.objects.filter(instead_of=row, channel="email").exists()


def test_a_failing_provider_is_avoided_and_tried_again_later(people, checkout, phone_account, monkeypatch):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=2)
    point(director, takes_messages=True)
    now = timezone.now()
    ChannelAccount.objects.update(failures_in_row=3, last_failed_at=now, last_failure="401")
    first = declare(people["manager"], checkout)
    assert ("email", director.email) in ways(director, "declared")
    ChannelAccount.objects.update(last_failed_at=now - timedelta(minutes=11))
    second = declare(people["manager"], title="Another outage")
    tried = Delivery.objects.get(incident=second, recipient=director, moment="declared", channel="sms")
    with_provider(monkeypatch, Provider("sms"))
    delivery.deliver_due(seconds=5, only=["sms"])
    tried.refresh_from_db()
    assert (tried.state, tried.provider_id) == ("delivered", "SM1")
    assert ChannelAccount.objects.get(channel="sms").health == "ok"
    assert first.pk != second.pk


def test_a_wrong_number_does_not_blame_the_provider(people, checkout, phone_account, monkeypatch):
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=2)
    theirs = point(director, takes_messages=True)
    declare(people["manager"], checkout)
    with_provider(monkeypatch, Provider("sms", Outcome(False, "no such number", is_final=True, blames_address=True)))
    delivery.deliver_due(seconds=5, only=["sms"])
    theirs.refresh_from_db()
    phone_account.refresh_from_db()
    assert (theirs.failures_in_row, phone_account.failures_in_row) == (1, 0)


def test_a_place_many_read_hears_once_for_its_audiences_and_proves_nothing(people, checkout):
    room = Destination.objects.create(name="#outages", channel="teams", audiences=["technical", "management"],
                                      severities=["SEV1"], changed_at=timezone.now())  # fmt: skip
    other = Destination.objects.create(name="#payments", channel="teams", audiences=["technical"],
                                       changed_at=timezone.now())  # fmt: skip
    other.services.create(name="Payments", slug="payments", tier=1)
    incident = declare(people["manager"], checkout)
    declare(people["manager"], title="Printer", impact=3, urgency=3, severity="SEV3")
    row = Delivery.objects.get(destination__isnull=False)
    assert (row.destination, row.incident, row.moment) == (room, incident, "declared")
    assert (row.audience, row.audiences) == ("technical", ["technical", "management"])
    from notifications import evidence

    row.state, row.delivered_at = "delivered", timezone.now()
    row.save()
    assert evidence.told_of(incident.pk, ("declared",))["management"].told == 0


def test_in_quiet_hours_a_message_comes_by_mail_and_only_the_gravest_page_rings(manager, phone_account, checkout):
    now = timezone.now()
    begins = (now - timedelta(hours=1)).time()
    ends = (now + timedelta(hours=2)).time()
    manager.time_zone = "UTC"
    manager.save()
    ContactSettings.objects.create(user=manager, email_position=9, quiet_from=begins, quiet_until=ends)
    point(manager, takes_messages=True)
    declare(person("other", AccountRole.MAJOR_INCIDENT_MANAGER), checkout)
    assert ways(manager, "declared") == {("email", manager.email), ("in_app", f"user-{manager.pk}")}
    from notifications.routing import Router

    router = Router.of([manager], now)
    held = {
        sev: router.places(manager, manager.email, moment="page", severity=sev, now=now) for sev in ("SEV1", "SEV3")
    }
    rings = {sev: next(one for one in places if one.channel == "sms") for sev, places in held.items()}
    assert rings["SEV1"].not_before is None
    assert rings["SEV3"].not_before is not None
    assert "Quiet hours" in rings["SEV3"].why_later


@given(
    minutes=st.integers(0, 2 * 365 * 24 * 60),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    begins=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    ends=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_quiet_hours_end_where_the_wall_clock_says(minutes, zone, begins, ends):
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    clock = at.astimezone(ZoneInfo(zone)).time()
    inside = begins <= clock < ends if begins < ends else begins != ends and (clock >= begins or clock < ends)
    end = end_of_quiet(at, zone, begins, ends)
    assert (end is not None) == inside
    if end is not None:
        assert at < end <= at + timedelta(hours=26)
        wall = end.astimezone(ZoneInfo(zone))
        is_skipped = wall.astimezone(UTC).astimezone(ZoneInfo(zone)).time() != ends
        assert wall.time() == ends or is_skipped


def test_an_end_in_the_hour_that_spring_skips_is_when_the_clocks_jump():
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert end_of_quiet(night, "Europe/Berlin", time(22), time(2, 30)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
