"""The demo organisation keeps the rules it shows."""

import re
from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from incidents.models import (
    AudienceMembership,
    Candidate,
    Change,
    MajorIncident,
    Organisation,
    Problem,
    Service,
    Team,
    Ticket,
    User,
    people_with_role,
)
from incidents.on_call import on_call, on_call_team
from incidents.process import CLOCK_CHAINS, AccountRole, Audience
from metrics.demo import load
from metrics.kpis import figures
from metrics.periods import read_scope
from notifications.audiences import everybody_in

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def said(django_db_setup, django_db_blocker, tmp_path_factory):
    """What the command printed; the demo stays loaded for the tests of this module."""
    with (
        django_db_blocker.unblock(),
        override_settings(VAR_DIR=tmp_path_factory.mktemp("var")),
        transaction.atomic(),
    ):
        out = StringIO()
        call_command("load_demo", stdout=out)
        yield out.getvalue()
        transaction.set_rollback(True)


def test_everybody_named_can_sign_in_with_the_password_that_was_made_for_this_installation(said):
    password = re.search(r"with the password (\S+)", said)[1]
    assert len(password) >= 12
    assert load.password_file().stat().st_mode & 0o777 == 0o600
    assert load.demo_password() == password
    people = {user.email: user for user in User.objects.all()}
    for name in load.SIGN_IN_NAMES:
        assert people[f"{name}@demo.example"].check_password(password)
        assert f"{name}@demo.example" in said


def test_loading_again_changes_nothing(said):
    before = (Ticket.objects.count(), User.objects.count(), MajorIncident.objects.count())
    out = StringIO()
    call_command("load_demo", stdout=out)
    assert "already" in out.getvalue()
    assert (Ticket.objects.count(), User.objects.count(), MajorIncident.objects.count()) == before


def test_there_is_enough_to_look_at(said):
    assert 2_500 <= Ticket.objects.count() <= 4_500
    assert MajorIncident.objects.count() == 30
    assert Service.objects.count() >= 12
    assert User.objects.count() >= 25
    assert Ticket.objects.filter(status__in=["new", "assigned", "in_progress", "on_hold"]).count() >= 15
    assert Problem.objects.filter(status__in=["open", "investigating"]).count() == 2
    assert Change.objects.filter(status="awaiting_approval").exists()
    assert Organisation.current().time_zone == "Europe/Berlin"


def test_every_account_role_has_somebody_and_somebody_is_on_call(said):
    assert all(people_with_role(role).exists() for role in AccountRole)
    assert on_call(AccountRole.MAJOR_INCIDENT_MANAGER, timezone.now())
    assert on_call(AccountRole.SERVICE_DESK_MANAGER, timezone.now())
    for weeks in (0, 8, 150):
        at = timezone.now() + timedelta(weeks=weeks)
        assert len(on_call(AccountRole.MAJOR_INCIDENT_MANAGER, at)) == 2
        assert on_call_team(Team.objects.get(slug="platform"), at)
    guest = User.objects.get(email="consultant@demo.example")
    assert guest.is_guest
    assert guest.access_expires_at > timezone.now()


def test_every_audience_has_members(said):
    assert set(AudienceMembership.objects.values_list("audience", flat=True)) == set(Audience.values)
    assert all(everybody_in((audience,), None).exists() for audience in Audience.values)


def test_one_candidate_is_open_with_fresh_tickets_on_the_checkout(said):
    candidate = Candidate.objects.get(status="open")
    assert candidate.service.slug == "checkout"
    assert candidate.tickets.count() == len(load.FRESH_REPORTS)
    assert candidate.tickets.order_by("reported_at").last().reported_at > timezone.now() - timedelta(minutes=15)


def test_clocks_are_in_order_and_nothing_lies_in_the_future(said):
    now = timezone.now()
    for incident in MajorIncident.objects.prefetch_related("downtime"):
        for chain in CLOCK_CHAINS:
            known = [moment for name in chain if (moment := getattr(incident, name))]
            assert all(first <= later for first, later in pairwise(known)), incident
        assert all(moment <= now for moment in incident.clocks.values() if moment)
        ends = [interval.ended_at for interval in incident.downtime.all()]
        assert all(ends)
        assert max(ends) == incident.restored_at
    assert not Ticket.objects.filter(reported_at__gt=now).exists()
    assert not Ticket.objects.filter(resolved_at__gt=now).exists()


def test_timelines_have_no_gap_and_steps_of_closed_incidents_are_passed(said):
    for incident in MajorIncident.objects.prefetch_related("events", "steps"):
        assert sorted(event.seq for event in incident.events.all()) == list(range(1, incident.last_seq + 1))
        assert len(incident.steps.all()) == 10
        if incident.stage == "closed":
            assert all(step.is_passed for step in incident.steps.all())
    assert MajorIncident.objects.filter(stage="maintenance").count() == 1


def test_every_figure_of_the_dashboard_has_something_behind_it(said):
    now = timezone.now()
    found = figures(read_scope(at=now), at=now)
    assert all(statistic.n for statistic in found.whole.statistics.values())
    assert all(rate.n for rate in found.whole.rates.values())
    assert found.mtbf.mean_seconds
    assert found.whole.cost.value > 0
    assert 17 <= len(found.months) <= 20
