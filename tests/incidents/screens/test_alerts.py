"""Alerts: the list with its filters, one alert, what is done with it, and where else it shows."""

import csv
import html

import pytest
from django.urls import reverse

from incidents.actions import alert_work
from incidents.errors import Duplicate
from incidents.models import Alert, Candidate, Ticket
from tests import factories
from tests.factories import minute
from tests.incidents.screens.monitoring import administrator, alert, payload, sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def prometheus(organisation):
    return sender(actor=administrator(), name="Prometheus")


@pytest.fixture
def titles(at_desk):
    def ask(**query):
        return [row.title for row in at_desk.get(reverse("alert_list"), query).context["page"].rows]

    return ask


def text_of(response) -> str:
    return html.unescape(response.content.decode())


def test_open_alerts_are_shown_newest_first_and_tests_are_left_out(titles, prometheus):
    alert(prometheus, "First")
    alert(prometheus, "Second", status="acknowledged")
    alert(prometheus, "Over", status="resolved")
    alert(prometheus, "Only a test", is_drill=True)
    assert titles() == ["Second", "First"]
    assert titles(mark="drill") == ["Only a test"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "resolved"}, ["Over"]),
        ({"status": "all"}, ["Over", "Calm", "Loud", "Plain"]),
        ({"severity": "critical"}, ["Loud"]),
        ({"service": "checkout"}, ["Loud"]),
        ({"service": "none", "status": "firing"}, ["Calm", "Plain"]),
        ({"mark": "flapping"}, ["Loud"]),
        ({"mark": "maintenance"}, ["Calm"]),
        ({"q": "loud"}, ["Loud"]),
        ({"q": "queue", "status": "all"}, ["Plain"]),
        ({"linked": "no", "severity": "critical"}, []),
        ({"linked": "yes"}, ["Loud"]),
        ({"sort": "repeats"}, ["Loud", "Calm", "Plain"]),
        ({"status": "nonsense", "sort": "nonsense"}, ["Calm", "Loud", "Plain"]),
        ({"source": "999999999"}, []),
    ],
)
def test_each_filter_of_the_address_works(titles, prometheus, checkout, query, expected):
    alert(prometheus, "Plain", body="The queue is long")
    loud = alert(
        prometheus, "Loud", service=checkout, severity="critical", is_flapping=True, reports=9,
        ticket=factories.ticket(),
    )  # fmt: skip
    alert(prometheus, "Calm", in_maintenance=True)
    alert(prometheus, "Over", status="resolved")
    assert titles(**query) == expected
    assert titles(source=str(loud.integration_id), severity="critical") == ["Loud"]


def test_repeats_are_folded_into_one_row_and_marks_are_said_in_words(at_desk, prometheus):
    alert(prometheus, reports=37, is_flapping=True, in_maintenance=True)
    page = text_of(at_desk.get(reverse("alert_list")))
    assert "×37" in page and "Flapping" in page and "Planned work" in page


def test_the_export_holds_the_filtered_rows_and_no_formula(at_desk, prometheus):
    alert(prometheus, '=HYPERLINK("http://x")', severity="critical")
    alert(prometheus, "Left out")
    answer = at_desk.get(reverse("alert_export"), {"severity": "critical"})
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert [row["Title"] for row in rows] == ['\'=HYPERLINK("http://x")']


def test_an_alert_shows_its_states_labels_and_former_episodes(at_desk, prometheus, checkout):
    before = alert(prometheus, "Disk is full", dedup_key="disk", status="resolved")
    now = alert(
        prometheus, "Disk is full", service=checkout, dedup_key="disk", labels={"env": "prod"}, reports=3,
        payload=payload(prometheus, b"<raw>"),
    )  # fmt: skip
    answer = at_desk.get(reverse("alert", args=[now.pk]))
    shown = answer.context["shown"]
    assert [one.title for one in shown.moments] == ["Began to fire", "Reached us", "Said again"]
    assert (shown.episodes, shown.labels) == ([before], [("env", "prod")])
    body = at_desk.get(reverse("alert_body", args=[now.pk])).content.decode()
    assert "&lt;raw&gt;" in body
    assert at_desk.get(reverse("alert", args=[now.pk + 1000])).status_code == 404


def test_a_ticket_is_opened_with_what_the_alert_says(at_desk, technician, prometheus, checkout):
    found = alert(prometheus, "Disk is full", service=checkout, severity="critical", body="92 %")
    address = reverse("alert_act", args=[found.pk, "ticket"])
    initial = at_desk.get(address).context["form"].initial
    assert (initial["title"], initial["impact"], initial["description"]) == ("Disk is full", 2, "92 %")
    form = {"title": "Disk is full", "impact": "2", "urgency": "2", "service": checkout.pk, "description": "92 %"}
    answer = at_desk.post(address, form)
    ticket = Ticket.objects.get()
    assert answer["Location"] == reverse("ticket", args=[ticket.pk])
    assert (ticket.channel, ticket.reported_at, ticket.created_by) == ("monitoring", minute(0), technician)
    assert Alert.objects.get().ticket == ticket
    again = at_desk.post(address, form)
    assert again.status_code == 422 and "is about this alert already" in text_of(again)


def test_an_alert_is_proposed_as_major_with_its_ticket_as_evidence(at_desk, technician, prometheus, checkout):
    ticket = factories.ticket(service=checkout)
    found = alert(prometheus, "Disk is full", service=checkout, ticket=ticket)
    address = reverse("alert_act", args=[found.pk, "propose"])
    assert at_desk.post(address, {"reason": ""}).status_code == 422
    at_desk.post(address, {"reason": "Everybody calls"})
    candidate = Candidate.objects.get()
    assert Alert.objects.get().candidate == candidate
    assert list(candidate.tickets.all()) == [ticket]
    assert candidate.reasons[0].endswith("Everybody calls")


def test_an_alert_is_attached_to_an_open_incident_once(at_desk, technician, prometheus, declared):
    ticket = factories.ticket()
    found = alert(prometheus, ticket=ticket)
    at_desk.post(reverse("alert_act", args=[found.pk, "attach"]), {"incident_id": declared.pk})
    found.refresh_from_db()
    assert (found.major_incident, Ticket.objects.get().major_incident) == (declared, declared)
    kinds = list(declared.events.values_list("kind", flat=True))
    assert kinds.count("alert_attached") == 1
    alert_work.attach_to_incident(found.pk, incident_id=declared.pk, actor=technician, at=minute(30))
    assert declared.events.filter(kind="alert_attached").count() == 1
    with pytest.raises(Duplicate, match=f"belongs to {declared.ref} already"):
        alert_work.propose_alert(found.pk, reason="Again", actor=technician, at=minute(30))


def test_a_test_alert_is_kept_out_of_a_real_incident(at_desk, prometheus, declared):
    found = alert(prometheus, is_drill=True)
    refused = at_desk.post(reverse("alert_act", args=[found.pk, "attach"]), {"incident_id": declared.pk})
    assert refused.status_code == 422 and "only a drill takes it" in text_of(refused)


def test_records_show_the_alerts_linked_to_them(at_desk, prometheus, declared, checkout):
    ticket = factories.ticket(service=checkout)
    assert at_desk.get(reverse("ticket_alerts", args=[ticket.pk])).content.strip() == b""
    for number in range(8):
        alert(prometheus, f"Alert {number}", ticket=ticket, status="resolved" if number < 2 else "firing")
    panel = at_desk.get(reverse("ticket_alerts", args=[ticket.pk]))
    assert (panel.context["total"], panel.context["open"]) == (8, 6)
    assert [one.title for one in panel.context["alerts"]][:2] == ["Alert 7", "Alert 6"]
    empty = at_desk.get(reverse("incident_alerts", args=[declared.ref]))
    assert "No monitoring tool reported anything" in text_of(empty)
    Ticket.objects.filter(pk=ticket.pk).update(major_incident=declared)
    assert at_desk.get(reverse("incident_alerts", args=[declared.ref])).context["total"] == 8


@pytest.mark.parametrize("count", [1, 10, 100])
def test_pages_of_alerts_keep_their_budget(
    at_desk, prometheus, checkout, declared, count, django_assert_max_num_queries
):
    for _ in range(count):
        found = alert(
            prometheus, service=checkout, ticket=factories.ticket(), major_incident=declared, dedup_key="k",
            payload=payload(prometheus),
        )  # fmt: skip
    budgets = {"alert_list": (8, []), "alerts_now": (6, []), "alert": (8, [found.pk]), "alert_body": (6, [found.pk])}
    for name, (budget, arguments) in budgets.items():
        with django_assert_max_num_queries(budget, info=f"{name} with {count} rows"):
            assert at_desk.get(reverse(name, args=arguments)).status_code == 200
    with django_assert_max_num_queries(8):
        at_desk.get(reverse("incident_alerts", args=[declared.ref]))
