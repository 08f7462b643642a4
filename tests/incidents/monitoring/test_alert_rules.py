"""What the rules make of alerts: one shared ticket, one candidate, nothing; joining what is open; waiting."""

from datetime import timedelta

import pytest

from incidents.actions import alerts, candidates, major_incidents, tickets
from incidents.alert_signals import Grade, Says
from incidents.models import Alert, AlertRule, Candidate, MajorIncident, Ticket
from incidents.process import EventKind
from incidents.queries.alert_rules import dry_run, fits
from tests import factories
from tests.factories import again, minute
from tests.incidents.monitoring.conftest import only, sender, signal
from tests.racing import race

pytestmark = pytest.mark.django_db
RESOLVED = Says.RESOLVED


def rule(outcome="ticket", **fields) -> AlertRule:
    services = fields.pop("services", [])
    row = AlertRule.objects.create(
        name=fields.pop("name", f"Rule {AlertRule.objects.count()}"), outcome=outcome, **{"position": 1, **fields}
    )
    row.services.set(services)
    return row


def test_on_day_one_critical_alerts_and_errors_are_tickets_and_warnings_are_kept(say):
    say(1, *[signal(grade.value, severity=grade) for grade in Grade])
    outcomes = dict(Alert.objects.values_list("dedup_key", "outcome"))
    assert outcomes == {"critical": "ticket", "error": "ticket", "warning": "nothing", "info": "nothing"}
    assert set(Ticket.objects.values_list("priority", "channel")) == {("P2", "monitoring"), ("P3", "monitoring")}


def test_without_any_rule_the_shipped_ones_come_back(say):
    AlertRule.objects.all().delete()
    say(1, signal())
    assert (only().outcome, AlertRule.objects.count()) == ("ticket", 3)


def test_the_first_rule_that_fits_decides(say, organisation):
    rule("nothing", text_contains="disk", position=1)
    rule("ticket", position=2)
    say(1, signal(title="DISK is full"), signal("cpu", title="CPU is hot"))
    assert dict(Alert.objects.values_list("dedup_key", "outcome")) == {"disk": "nothing", "cpu": "ticket"}


def test_every_condition_must_hold(organisation, tool, checkout):
    alert = Alert(
        integration=tool, severity="critical", title="Disk", body="on db1", labels={"env": "prod"}, service=checkout
    )
    other = factories.service("Search")
    assert fits(rule(), alert)
    assert fits(rule(severities=["critical"], label_equals={"env": "prod"}, text_contains="DB1"), alert)
    assert fits(rule(services=[checkout, other], integration=tool), alert)
    assert not fits(rule(severities=["error"]), alert)
    assert not fits(rule(label_equals={"env": "test"}), alert)
    assert not fits(rule(text_contains="cpu"), alert)
    assert not fits(rule(services=[other]), alert)
    assert not fits(rule(integration=sender(key="x" * 32)), alert)


def test_alerts_of_one_rule_and_service_share_the_open_ticket(say, checkout):
    factories.service("Search")
    say(1, signal("a", service="checkout"), signal("b", service="checkout"), signal("c", service="search"))
    say(2, signal("d", service="checkout"))
    shared = Alert.objects.get(dedup_key="a").ticket
    assert set(shared.alerts.values_list("dedup_key", flat=True)) == {"a", "b", "d"}
    assert Ticket.objects.count() == 2
    assert "critical: Disk is full" in shared.description and shared.service == checkout
    assert shared.events.filter(kind=EventKind.ALERTS_JOINED).count() == 1


def test_once_the_ticket_is_resolved_the_next_alert_opens_another(say, checkout, technician):
    say(1, signal("a", service="checkout"))
    first = only().ticket
    tickets.resolve(first.pk, resolution="Cleaned up", actor=technician, at=minute(5))
    say(6, signal("b", service="checkout"))
    assert Alert.objects.get(dedup_key="b").ticket not in (None, first)


def test_a_storm_is_one_line_a_minute_in_the_tickets_record(say, checkout):
    for n in range(50):
        say(1 + n / 100, signal(f"host-{n}", service="checkout"))
    assert only_ticket().events.filter(kind=EventKind.ALERTS_JOINED).count() == 1
    assert only_ticket().alerts.count() == 50


def only_ticket():
    return Ticket.objects.get()


def test_a_rule_may_name_team_service_impact_and_urgency(say, organisation):
    service, team = factories.service("Network"), factories.team("Network team")
    rule(impact=1, urgency=2, service=service, team=team)
    say(1, signal())
    ticket = only_ticket()
    assert (ticket.impact, ticket.urgency, ticket.service, ticket.team) == (1, 2, service, team)


def test_a_rule_that_waits_makes_a_ticket_only_of_what_still_fires(say, organisation):
    rule(after_seconds=120)
    say(1, signal("lasting"), signal("passing"))
    say(2, signal("passing", says=RESOLVED))
    assert (alerts.decide_due(at=minute(2)), Ticket.objects.count()) == (0, 0)
    alerts.decide_due(at=minute(4))
    outcomes = dict(Alert.objects.values_list("dedup_key", "outcome"))
    assert (outcomes, Ticket.objects.count()) == ({"lasting": "ticket", "passing": "nothing"}, 1)
    assert alerts.decide_due(at=minute(9)) == 0


def test_getting_worse_is_decided_anew(say):
    say(1, signal(severity=Grade.WARNING))
    assert only().outcome == "nothing"
    say(2, signal(severity=Grade.CRITICAL))
    assert only().outcome == "ticket"


def test_a_rule_proposes_one_candidate_a_service_and_says_why(say, checkout, tool):
    rule("candidate", name="Many hosts")
    say(1, *[signal(f"h{n}", service="checkout", labels={"host": f"web-{n}"}) for n in range(12)])
    say(2, signal("late", service="checkout"))
    candidate = Candidate.objects.get()
    assert (candidate.source, candidate.service, candidate.alerts.count()) == ("alert_rule", checkout, 13)
    assert candidate.reasons == [
        f"12 alerts fire on Checkout from 12 machines, the first since 09:01 UTC, says {tool.name}: "
        "“Disk is full” (critical) and others.",
        "The rule “Many hosts” proposes a major incident for this.",
    ]
    assert not Ticket.objects.exists()


def test_without_a_service_the_candidate_is_the_rules(say, organisation):
    rule("candidate")
    say(1, signal("a"))
    say(2, signal("b"))
    assert Candidate.objects.get().alerts.count() == 2


def test_what_is_over_already_is_no_candidate(say, organisation):
    rule("candidate")
    say(5, signal(at=minute(1)), signal(says=RESOLVED, at=minute(2)))
    assert (only().outcome, Candidate.objects.count()) == ("nothing", 0)


def test_while_a_candidate_is_open_alerts_join_it_instead_of_opening_tickets(say, checkout, technician):
    report = factories.ticket(service=checkout)
    candidate = tickets.propose([report.pk], reason="Many calls", actor=technician, at=minute(1))
    say(2, signal(service="checkout"))
    assert (only().candidate, only().ticket, Ticket.objects.count()) == (candidate, None, 1)


def test_while_an_incident_is_open_alerts_join_it_and_move_its_detection(say, checkout, manager):
    incident = major_incidents.declare(
        title="Checkout is down", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(10)
    )
    assert incident.detected_at == minute(10)
    say(12, signal(service="checkout", at=minute(4)))
    incident = again(incident)
    assert (only().major_incident, Ticket.objects.count()) == (incident, 0)
    assert (incident.detected_at, incident.reported_at, incident.acknowledged_at) == (
        minute(4),
        minute(10),
        minute(10),
    )


def test_what_has_fired_for_weeks_is_no_first_sign_of_a_new_outage(say, checkout, manager):
    """Tools repeat a warning that nobody mends; it must not make twelve days of downtime of ten minutes."""
    rule("candidate", services=[checkout])
    weeks_ago = minute(0) - timedelta(days=12)
    say(2, signal("disk", service="checkout", at=weeks_ago), signal("5xx", service="checkout", at=minute(1)))
    incident = major_incidents.declare(
        title="Down", services=[checkout], impact=1, urgency=1, candidate=Candidate.objects.get(), actor=manager,
        at=minute(10),
    )  # fmt: skip
    assert (incident.alerts.count(), again(incident).detected_at) == (2, minute(1))
    say(12, signal("memory", service="checkout", at=weeks_ago), signal("slow", service="checkout", at=minute(0)))
    assert (incident.alerts.count(), again(incident).detected_at) == (4, minute(0))
    assert incident.downtime.get().started_at == minute(0)


def test_a_drill_attracts_no_real_alert(say, checkout, manager):
    major_incidents.declare(
        title="Drill", services=[checkout], impact=1, urgency=1, is_drill=True, actor=manager, at=minute(10)
    )
    say(12, signal(service="checkout"))
    assert (only().outcome, only().major_incident) == ("ticket", None)


def test_declaring_takes_the_alerts_of_its_candidate_and_tickets_along(say, checkout, manager):
    rule("candidate", services=[checkout])
    search = factories.service("Search")
    say(2, signal("a", service="checkout", at=minute(1)), signal("b", service="search", at=minute(0)))
    incident = major_incidents.declare(
        title="Down", services=[checkout], impact=1, urgency=1, candidate=Candidate.objects.get(),
        tickets=[Ticket.objects.get(service=search)], actor=manager, at=minute(10),
    )  # fmt: skip
    assert incident.alerts.count() == 2
    assert MajorIncident.objects.get().detected_at == minute(0)


def test_linking_takes_alerts_along_and_unlinking_gives_them_back(say, checkout, manager, technician):
    search = factories.service("Search")
    say(2, signal(service="search", at=minute(1)))
    incident = major_incidents.declare(
        title="Down", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(10)
    )
    ticket = Ticket.objects.get(service=search)
    tickets.link([ticket.pk], incident_id=incident.pk, actor=technician, at=minute(11))
    assert (only().major_incident, again(incident).detected_at) == (incident, minute(1))
    tickets.unlink(ticket.pk, reason="Another fault", actor=technician, at=minute(12))
    assert (only().major_incident, again(incident).detected_at) == (None, minute(10))


def test_linking_a_candidate_takes_its_alerts_along(say, checkout, manager):
    rule("candidate")
    say(2, signal(service="checkout", at=minute(1)))
    incident = major_incidents.declare(title="Down", services=[], impact=1, urgency=1, actor=manager, at=minute(10))
    candidates.link(Candidate.objects.get().pk, incident_id=incident.pk, actor=manager, at=minute(11))
    assert (only().major_incident, again(incident).detected_at) == (incident, minute(1))


def test_an_acknowledgement_by_a_machine_acknowledges_no_incident(say, checkout, manager):
    rule("candidate")
    say(2, signal(service="checkout"))
    say(3, signal(says=Says.ACKNOWLEDGED))
    candidate = Candidate.objects.get()
    assert (candidate.status, candidate.acknowledged_at, only().status) == ("open", None, "acknowledged")


# --- recovery ------------------------------------------------------------------------------------
def test_when_all_alerts_have_resolved_recovery_is_proposed_once_and_nothing_is_decided(say, checkout, manager):
    incident = major_incidents.declare(
        title="Down", services=[checkout], impact=1, urgency=1, actor=manager, at=minute(0)
    )
    say(1, signal("a", service="checkout"), signal("b", service="checkout"))
    say(5, signal("a", says=RESOLVED))
    assert again(incident).alerts_resolved_at is None
    say(9, signal("b", says=RESOLVED))
    say(10, signal("b", says=RESOLVED))
    told = again(incident).events.get(kind=EventKind.ALERTS_RESOLVED)
    assert told.text == "All 2 alerts have resolved since 09:09 UTC; if the service works, restore it."
    assert (again(incident).alerts_resolved_at, again(incident).restored_at) == (minute(9), None)
    assert again(incident).stage == "identification"


def test_the_proposal_is_taken_back_when_one_fires_again(say, checkout):
    say(1, signal("a", service="checkout"))
    say(5, signal("a", says=RESOLVED))
    ticket = only_ticket()
    assert (ticket.alerts_resolved_at, ticket.status) == (minute(5), "new")
    say(7, signal("b", title="CPU is hot", service="checkout"))
    assert again(ticket).alerts_resolved_at is None
    assert again(ticket).events.get(kind=EventKind.ALERTS_FIRE_AGAIN).text.startswith("“CPU is hot” fires again")


def test_a_lost_review_is_made_up_for_by_the_sweep(say, tool, checkout):
    from incidents.actions import alert_recovery

    say(1, signal("a", service="checkout"))
    Alert.objects.update(status="resolved", ended_at=minute(4))
    alert_recovery.review_all(at=minute(5))
    alert_recovery.review_all(at=minute(6))
    assert only_ticket().events.filter(kind=EventKind.ALERTS_RESOLVED).count() == 1


def test_what_flaps_proposes_no_recovery(say, checkout):
    for n in range(6):
        say(1 + n / 10, signal(service="checkout", says=RESOLVED if n % 2 else Says.FIRING))
    ticket = only_ticket()
    told = ticket.events.filter(kind=EventKind.ALERTS_RESOLVED).count()
    for n in range(6, 20):
        say(1 + n / 10, signal(service="checkout", says=RESOLVED if n % 2 else Says.FIRING))
    assert ticket.events.filter(kind=EventKind.ALERTS_RESOLVED).count() == told


# --- trying a rule ---------------------------------------------------------------------------------
def test_a_dry_run_shows_what_a_rule_would_have_met(say, checkout):
    say(1, signal("a", service="checkout"), signal("b"), signal("c", severity=Grade.WARNING))
    say(3, signal("a", says=RESOLVED))
    found = dry_run(AlertRule(severities=["critical"], outcome="candidate"), minute(0))
    assert (found.count, {alert.dedup_key for alert in found.alerts}) == (2, {"a", "b"})
    assert dry_run(AlertRule(outcome="ticket"), minute(0), service_ids=[checkout.pk]).count == 1
    assert dry_run(AlertRule(outcome="ticket", after_seconds=100), minute(0)).count == 3
    assert dry_run(AlertRule(outcome="ticket", after_seconds=130), minute(0), service_ids=[checkout.pk]).count == 0
    assert dry_run(AlertRule(outcome="ticket"), minute(0) + timedelta(days=1)).count == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("outcome", ["ticket", "candidate"])
def test_eight_senders_at_the_same_moment_make_one(organisation, checkout, outcome):
    from incidents.models import Payload

    rule(outcome, name="One")
    senders = [sender(key=f"key {n}", name=f"Tool {n}") for n in range(8)]

    def act(one):
        payload = Payload.objects.create(integration=one, received_at=minute(1), body=b"", sha256="", state="done")
        return alerts.take_in(one, [signal(f"of {one.pk}", service="checkout")], payload=payload, at=minute(1))

    results = race(*[lambda one=one: act(one) for one in senders])
    assert not [result for result in results if isinstance(result, Exception)]
    assert (Ticket.objects.count(), Candidate.objects.count()) == ((1, 0) if outcome == "ticket" else (0, 1))
    assert Alert.objects.exclude(outcome=outcome).count() == 0
