"""The public status page: what it says, how it is written, who follows it."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from icalendar import Calendar

from incidents.actions import downtime, major_incidents, response, services, tickets, updates
from incidents.models import MajorIncident, Organisation, Service
from incidents.process import AccountRole
from notifications.models import Delivery, StatusSubscriber
from notifications.status import files, history, subscribers
from notifications.status.public import public_key
from tests.notifications.conftest import declare, deliver, person

SECRET = "SECRET-WORD"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.STATUS_DIR = tmp_path / "status"
    return settings.STATUS_DIR


def plan(title, service, begin, end):
    admin = person(f"planner{service.slug}", AccountRole.ADMINISTRATOR)
    services.save_window(title=title, services=[service], starts_at=begin, ends_at=end, actor=admin, at=begin)


def tell_users(incident, manager, text="We are working on it.", at=None):
    return updates.publish_update(incident.pk, texts={"users": text}, actor=manager, at=at or timezone.now())


def everything(client) -> dict[str, str]:
    """Every public address that can be reached from the front page, and its text."""
    found, waiting = {}, ["/status/"]
    while waiting:
        path = waiting.pop()
        if path in found or path.startswith(("/accounts/", "/static/")):
            continue
        answer = client.get(path)
        assert answer.status_code in (200, 405), path
        found[path] = answer.content.decode()
        links = re.findall(r'(?:href|action|src)="([^"#]+)', found[path])
        waiting += [link.replace("http://127.0.0.1:8000", "").split("#")[0] for link in links if "/status/" in link]
    return found


def test_no_public_address_says_anything_internal(people, checkout, client):
    """Secrets in every internal field, then every public address is read."""
    manager = people["manager"]
    hidden = Service.objects.create(name=f"{SECRET} ledger", slug="ledger", is_public=False, description=SECRET)
    Service.objects.filter(pk=checkout.pk).update(description=SECRET, owner=manager)
    incident = major_incidents.declare(
        title=SECRET, description=SECRET, services=[checkout, hidden], impact=1, urgency=1, revenue_impact=SECRET,
        reputation_impact=SECRET, actor=manager, at=timezone.now(),
    )  # fmt: skip
    report = tickets.open_ticket(title=SECRET, description=SECRET, channel="hotline", actor=manager, at=timezone.now())
    tickets.link([report.pk], incident_id=incident.pk, actor=manager, at=timezone.now())
    texts = {"technical": SECRET, "management": SECRET, "key_stakeholders": SECRET, "users": "Payment by card fails."}
    updates.publish_update(incident.pk, texts=texts, actor=manager, at=timezone.now())
    response.set_situation(
        incident.pk, conditions=SECRET, actions_summary=SECRET, needs=SECRET, seen_at=None, actor=manager,
        at=timezone.now(),
    )  # fmt: skip
    response.set_bridge(
        incident.pk, join_url=f"https://meet.example.org/{SECRET}", dial_in=SECRET, actor=manager, at=timezone.now()
    )
    plan("Moving the ledger", hidden, timezone.now(), timezone.now() + timedelta(hours=1))
    pages = everything(client)
    assert len(pages) >= 6, sorted(pages)
    assert "Payment by card fails." in pages["/status/"] and "Disruption of Checkout" in pages["/status/"]
    for path, text in pages.items():
        for word in (SECRET, incident.ref, report.ref, "SEV1", manager.email, manager.name, "ledger", "hotline"):
            assert word not in text, f"{word} in {path}"


def test_an_incident_of_hidden_services_only_names_none(people, client):
    hidden = Service.objects.create(name="Ledger", slug="ledger", is_public=False)
    tell_users(declare(people["manager"], hidden), people["manager"])
    page = client.get("/status/").content.decode()
    assert "Disruption of our services" in page and "Ledger" not in page


def test_html_in_an_update_is_cleaned_everywhere(people, checkout, client):
    tell_users(
        declare(people["manager"], checkout), people["manager"], "<script>alert(1)</script> **slow** <b onclick=x>"
    )
    pages = everything(client)
    pages.pop("/status/status.json")  # plain text for programs, never shown as a page
    for path, text in pages.items():
        assert "<script" not in text and "<b onclick" not in text, path
    assert "<strong>slow</strong>" in client.get("/status/").content.decode()


def test_every_change_is_written_and_an_unchanged_page_is_left_alone(people, checkout, folder):
    now = timezone.now()
    assert "index.html" in files.write(now)
    assert files.write(now) == []
    incident = declare(people["manager"], checkout)
    tell_users(incident, people["manager"], "Card payments fail.")
    changed = files.write(timezone.now())
    key = public_key("incident", incident.pk)
    assert {"index.html", "feed.atom", "status.json", f"incidents/{key}/index.html"} <= set(changed)
    assert "Card payments fail." in (folder / "index.html").read_text()
    assert not list(folder.rglob(".*")), "no half-written file is left"


def test_the_page_costs_the_same_however_much_there_is(people, checkout, django_assert_max_num_queries):
    def add(number):
        tell_users(declare(people["manager"], checkout, title=f"Outage {number}"), people["manager"])

    add(0)
    with django_assert_max_num_queries(14):
        files.render(timezone.now())
    for number in range(8):
        add(number)
        Service.objects.create(name=f"More {number}", slug=f"more-{number}")
    with django_assert_max_num_queries(14):
        files.render(timezone.now())


def test_feed_calendar_and_json_are_what_programs_expect(people, checkout):
    now = timezone.now()
    incident = declare(people["manager"], checkout)
    tell_users(incident, people["manager"], "First & second", at=now)
    plan("New database", checkout, now + timedelta(days=1), now + timedelta(days=1, hours=2))
    made = files.render(timezone.now())
    feed = ElementTree.fromstring(made["feed.atom"])
    entries = feed.findall("{http://www.w3.org/2005/Atom}entry")
    assert [entry.findtext("{http://www.w3.org/2005/Atom}title") for entry in entries] == [
        "Disruption of Checkout: Being worked on"
    ]
    assert "First &amp; second" in (entries[0].findtext("{http://www.w3.org/2005/Atom}content") or "")
    (event,) = Calendar.from_ical(made["planned.ics"]).walk("VEVENT")
    assert str(event["summary"]) == "New database (Checkout)"
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(hours=2)
    said = json.loads(made["status.json"])
    assert said["is_calm"] is False and said["services"] == [
        {"slug": "checkout", "name": "Checkout", "state": "outage"}
    ]
    assert said["open"][0]["updates"][0]["text"] == "First & second"


def test_a_solved_incident_stays_in_the_history(people, checkout, client):
    incident = declare(people["manager"], checkout)
    tell_users(incident, people["manager"], "It was the certificate.")
    MajorIncident.objects.filter(pk=incident.pk).update(
        stage="maintenance", restored_at=timezone.now(), resolved_at=timezone.now()
    )
    page = client.get("/status/history/").content.decode()
    assert "Disruption of Checkout" in page and "Solved" in page
    key = public_key("incident", incident.pk)
    assert "It was the certificate." in client.get(f"/status/incidents/{key}/").content.decode()
    assert client.get("/status/incidents/0123456789abcdef/").status_code == 404


# --- The bars -------------------------------------------------------------------------------------------------
BERLIN = ZoneInfo("Europe/Berlin")


def down(service, manager, begin, end):
    incident = declare(manager, service)
    interval = incident.downtime.get()
    type(interval).objects.filter(pk=interval.pk).update(started_at=begin, ended_at=end)
    return incident


def day_of(service, at, wanted):
    (found,) = [one for one in history.of_services(at, BERLIN) if one.name == service.name]
    return next(day for day in found.days if day.day == wanted)


def test_downtime_is_cut_at_the_local_midnight(manager, checkout):
    down(checkout, manager, datetime(2026, 1, 10, 22, 30, tzinfo=UTC), datetime(2026, 1, 11, 0, 0, tzinfo=UTC))
    at = datetime(2026, 1, 20, 12, tzinfo=UTC)
    assert day_of(checkout, at, date(2026, 1, 10)).down_seconds == 30 * 60
    assert day_of(checkout, at, date(2026, 1, 11)).down_seconds == 60 * 60


def test_the_day_the_clocks_change_has_its_own_length(manager, checkout):
    at = datetime(2026, 4, 1, 12, tzinfo=UTC)
    assert day_of(checkout, at, date(2026, 3, 29)).seconds == 23 * 3600
    down(checkout, manager, datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))
    assert day_of(checkout, at, date(2026, 3, 29)).down_seconds == 23 * 3600


def test_overlaps_count_once_and_planned_work_is_no_downtime(manager, checkout):
    def hour(h, m=0):
        return datetime(2026, 1, 10, h, m, tzinfo=UTC)

    down(checkout, manager, hour(10), hour(11))
    down(checkout, manager, hour(10, 30), hour(12))
    plan("Planned", checkout, hour(11, 30), hour(13))
    found = day_of(checkout, datetime(2026, 1, 20, tzinfo=UTC), date(2026, 1, 10))
    assert found.down_seconds == 90 * 60 and found.level == 3


def test_false_alarms_and_drills_leave_no_mark(manager, checkout):
    incident = declare(manager, checkout)
    major_incidents.stand_down(incident.pk, reason="False alarm", actor=manager, at=timezone.now())
    declare(manager, checkout, is_drill=True)
    (found,) = history.of_services(timezone.now() + timedelta(hours=1), BERLIN)
    assert sum(day.down_seconds for day in found.days) == 0 and found.uptime_percent == 100


def test_any_downtime_is_less_than_a_hundred_percent(manager, checkout):
    at = timezone.now()
    down(checkout, manager, at - timedelta(minutes=10), at - timedelta(minutes=10, seconds=-2))
    (found,) = history.of_services(at, BERLIN)
    assert found.uptime_percent == 99.99


# --- Subscriptions --------------------------------------------------------------------------------------------
def link_in(mail, part) -> str:
    text = mail.get_body(("plain",)).get_content()
    return re.search(rf"http://127\.0\.0\.1:8000(/status/{part}/\S+)", text).group(1)


@pytest.fixture
def reader(checkout, client, smtp):
    """An address that confirmed."""
    client.post("/status/subscribe/", {"email": "Reader@Example.org"})
    deliver()
    (mail,) = smtp.to("reader@example.org")
    assert client.post(link_in(mail, "confirm")).status_code == 200
    smtp.mails.clear()
    return StatusSubscriber.objects.get()


def test_an_address_hears_of_an_outage_only_after_it_confirmed_and_until_it_ends_it(people, checkout, client, smtp):
    assert client.post("/status/subscribe/", {"email": "reader@example.org"}).status_code == 200
    deliver()
    (asked,) = smtp.to("reader@example.org")
    declare(people["manager"], checkout)
    deliver()
    assert len(smtp.to("reader@example.org")) == 1, "not confirmed yet"
    confirm = link_in(asked, "confirm")
    assert "reader@example.org" in client.get(confirm).content.decode()
    assert StatusSubscriber.objects.get().confirmed_at is None, "a program that opens links confirms nothing"
    assert client.post(confirm).status_code == 200
    declare(people["manager"], checkout)
    deliver()
    _, told = smtp.to("reader@example.org")
    assert "Checkout" in told["subject"]
    end = link_in(told, "end")
    assert end in told["List-Unsubscribe"] and told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.post(end, {"List-Unsubscribe": "One-Click"}).status_code == 200
    declare(people["manager"], checkout)
    deliver()
    assert len(smtp.to("reader@example.org")) == 2


def test_who_ended_the_mails_is_not_made_to_follow_by_a_linked_report(people, checkout, client, smtp):
    client.post(subscribers.end_url("caller@example.org").removeprefix("http://127.0.0.1:8000"))
    report = tickets.open_ticket(
        title="Cannot pay", channel="hotline", requester_email="caller@example.org", actor=None, at=timezone.now()
    )
    incident = declare(people["manager"], checkout)
    tickets.link([report.pk], incident_id=incident.pk, actor=people["manager"], at=timezone.now())
    smtp.mails.clear()
    Delivery.objects.all().update(state="suppressed")
    tell_users(incident, people["manager"])
    deliver()
    assert "caller@example.org" not in smtp.addresses() and smtp.mails


def test_people_with_an_account_get_no_link_that_ends_what_they_must_read(people, checkout, smtp):
    declare(people["manager"], checkout)
    deliver()
    assert smtp.mails and not any(mail["List-Unsubscribe"] for _, mail in smtp.mails)


def test_only_the_chosen_services_are_told_of(people, checkout, client, smtp):
    search = Service.objects.create(name="Search", slug="search")
    client.post("/status/subscribe/", {"email": "reader@example.org", "services": ["search"]})
    deliver()
    client.post(link_in(smtp.to("reader@example.org")[0], "confirm"))
    smtp.mails.clear()
    declare(people["manager"], checkout)
    deliver()
    assert smtp.to("reader@example.org") == []
    declare(people["manager"], search)
    deliver()
    assert len(smtp.to("reader@example.org")) == 1


def test_an_address_that_asks_twice_gets_one_mail_and_no_answer_tells_whether_it_is_known(reader, client, smtp):
    first = client.post("/status/subscribe/", {"email": "reader@example.org"})
    second = client.post("/status/subscribe/", {"email": "new@example.org"})
    assert first.content == second.content
    deliver()
    assert smtp.addresses() == ["new@example.org"]


@pytest.mark.parametrize("email", ["", "nonsense", "a@b\r\nBcc: c@example.org", "x" * 300 + "@example.org"])
def test_what_is_no_address_is_refused_with_a_sentence(db, client, email):
    answer = client.post("/status/subscribe/", {"email": email})
    assert answer.status_code == 422 and not StatusSubscriber.objects.exists()


def test_a_service_that_is_not_public_cannot_be_followed(db, client):
    Service.objects.create(name="Ledger", slug="ledger", is_public=False)
    answer = client.post("/status/subscribe/", {"email": "a@example.org", "services": ["ledger"]})
    assert answer.status_code == 422 and "not on the status page" in answer.content.decode()


def test_a_flood_of_strangers_is_asked_to_come_back(db, client, monkeypatch):
    monkeypatch.setattr(subscribers, "ASKED_AN_HOUR_AT_MOST", 2)
    answers = [client.post("/status/subscribe/", {"email": f"a{n}@example.org"}).status_code for n in range(3)]
    assert answers == [200, 200, 429]


@pytest.mark.parametrize("token", ["x", "x:y:z", "InJlYWRlckBleGFtcGxlLm9yZyI:1abcde:forged"])
def test_a_forged_link_changes_nothing(reader, client, token):
    for part in ("confirm", "end"):
        assert client.get(f"/status/{part}/{token}/").status_code == 410
        assert client.post(f"/status/{part}/{token}/").status_code == 410
    assert StatusSubscriber.objects.count() == 1


def test_an_unconfirmed_address_is_forgotten_after_three_days(reader):
    later = timezone.now() + timedelta(days=3, minutes=1)
    subscribers.ask(email="never@example.org", at=timezone.now())
    assert subscribers.forget_unconfirmed(at=later) == 1
    assert [row.email for row in StatusSubscriber.objects.all()] == ["reader@example.org"]


def test_a_drill_reaches_no_follower(reader, people, checkout, smtp):
    declare(people["manager"], checkout, is_drill=True)
    deliver()
    assert "reader@example.org" not in smtp.addresses()


def test_a_large_number_of_followers_is_told_in_batches_each_once(people, checkout, smtp):
    now = timezone.now()
    StatusSubscriber.objects.bulk_create(
        StatusSubscriber(email=f"r{number:04}@example.org", asked_at=now, confirmed_at=now) for number in range(450)
    )
    incident = declare(people["manager"], checkout)
    deliver()
    told = Delivery.objects.filter(incident=incident, moment="declared", address__startswith="r0")
    assert told.values("address").distinct().count() == told.count() == 450


def test_times_are_in_the_zone_of_the_organisation(people, checkout, client):
    Organisation.objects.update_or_create(pk=1, defaults={"time_zone": "Asia/Tokyo", "name": "Shop"})
    incident = declare(people["manager"], checkout)
    tell_users(incident, people["manager"])
    MajorIncident.objects.filter(pk=incident.pk).update(started_at=datetime(2026, 1, 5, 20, tzinfo=UTC))
    assert "5:00" in client.get("/status/").content.decode()
    assert "Times in Asia/Tokyo" in client.get("/status/").content.decode()


def test_restoring_a_service_turns_it_green(people, checkout, client):
    incident = declare(people["manager"], checkout)
    tell_users(incident, people["manager"])
    assert "Outage" in client.get("/status/").content.decode()
    downtime.restore(incident.pk, services=None, actor=people["manager"], at=timezone.now())
    page = client.get("/status/").content.decode()
    assert "Working again, being watched" in page and ">Outage" not in page


def test_a_person_who_follows_and_has_an_account_is_told_once(people, checkout, client, smtp):
    person("follower")
    client.post("/status/subscribe/", {"email": "follower@shop.example"})
    deliver()
    client.post(link_in(smtp.to("follower@shop.example")[0], "confirm"))
    smtp.mails.clear()
    declare(people["manager"], checkout)
    deliver()
    assert len(smtp.to("follower@shop.example")) <= 1
