"""Communication plans: who hears of what, how often; the most particular counts, and an incident keeps its version."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from incidents.actions import major_incidents, plans, updates
from incidents.communication import moments_of, shipped
from incidents.errors import Duplicate, Invalid, NotAccountable, Stale, WrongStage
from incidents.models import PlanVersion
from incidents.process import Audience
from incidents.queries.plans import as_shipped, newest_version
from notifications import evidence, plan_preview, plan_settings, preview
from notifications.models import ChannelAccount, ContactPoint, Delivery
from notifications.plans import plan_for
from tests.notifications.conftest import declare

pytestmark = pytest.mark.django_db
NOW = timezone.now()
CADENCE = {
    "SEV1": {"technical": 15, "management": 30, "key_stakeholders": 30, "users": 30},
    "SEV2": {"technical": 30, "management": 60, "key_stakeholders": 60, "users": 60},
    "SEV3": {"technical": 60, "management": 120, "key_stakeholders": 120, "users": 120},
}


def changed(severity="SEV1", **columns):
    """The shipped content with some columns changed, `moments` merged ("" takes one out)."""
    content = shipped(severity)
    for audience, column in columns.items():
        moments = {**content[audience]["moments"], **column.pop("moments", {})}
        content[audience] |= column | {"moments": {name: how for name, how in moments.items() if how}}
    return content


def save(content, by, key="sev1", **more):
    return plan_settings.save_plan(newest_version(key), content, actor=by, at=NOW, **more)


def promised_minutes(incident):
    return round((incident.next_update_at - incident.declared_at).total_seconds() / 60)


def told(incident, moment):
    return set(Delivery.objects.filter(incident=incident, moment=moment).values_list("audience", flat=True))


@pytest.mark.parametrize("severity", CADENCE)
def test_the_shipped_plans_say_what_the_process_says(severity):
    content = shipped(severity)
    assert plan_settings.clean_content(content) == content
    for audience, column in content.items():
        assert set(column["moments"]) == set(moments_of(audience))
        assert column["cadence_minutes"] == CADENCE[severity][audience]
        assert column["channels"] == column["urgent_channels"] == []


def test_an_incident_names_the_plan_it_runs_under_without_anybody_doing_anything(people, checkout):
    incident = declare(people["manager"], checkout)
    assert str(plan_for(incident)) == "SEV1, version 1"
    assert incident.events.get(kind="declared").payload["communication_plan"] == "SEV1, version 1"
    assert promised_minutes(incident) == 15


def test_an_audience_hears_only_of_what_its_plan_says(people, checkout):
    save(changed(key_stakeholders={"moments": {"contained": ""}}), people["manager"])
    incident = declare(people["manager"], checkout)
    major_incidents.contain(incident.pk, actor=people["manager"], at=timezone.now())
    assert told(incident, "declared") == set(Audience.values)
    assert told(incident, "contained") == set(Audience.values) - {"key_stakeholders"}


def test_a_running_incident_keeps_its_version_until_a_manager_switches_with_a_reason(people, checkout):
    manager = people["manager"]
    incident = declare(manager, checkout)
    newer = save(changed(users={"moments": {"contained": ""}}), manager)
    major_incidents.contain(incident.pk, actor=manager, at=timezone.now())
    assert "users" in told(incident, "contained")
    with pytest.raises(Invalid, match="Say why"):
        plans.switch(incident.pk, version=newer, reason=" ", actor=manager, at=timezone.now())
    with pytest.raises(NotAccountable):
        plans.switch(incident.pk, version=newer, reason="quieter", actor=people["engineer"], at=timezone.now())
    incident = plans.switch(incident.pk, version=newer, reason="quieter", actor=manager, at=timezone.now())
    assert str(plan_for(incident)) == "SEV1, version 2"
    said = incident.events.get(kind="incident_edited").payload["reason"]
    assert said == "Communication plan SEV1, version 2 instead of SEV1, version 1: quieter"
    major_incidents.stand_down(incident.pk, reason="over", actor=manager, at=timezone.now())
    with pytest.raises(WrongStage):
        plans.switch(incident.pk, version=newer, reason="again", actor=manager, at=timezone.now())


def test_the_most_particular_plan_wins(people, checkout):
    manager = people["manager"]
    assert str(declare(manager, checkout).plan_version.plan) == "SEV1"
    tier = plans.make_plan(severity="SEV1", tier=1, actor=manager, at=NOW)
    assert declare(manager, checkout).plan_version == tier
    own = plans.make_plan(severity="SEV1", service=checkout, actor=manager, at=NOW)
    assert declare(manager, checkout).plan_version == own
    assert str(declare(manager).plan_version.plan) == "SEV1"
    assert str(declare(manager, checkout, impact=2).plan_version.plan) == "SEV2"
    with pytest.raises(Duplicate):
        plans.make_plan(severity="SEV1", service=checkout, actor=manager, at=NOW)
    plans.withdraw(own.plan, actor=manager, at=NOW)
    assert declare(manager, checkout).plan_version == tier
    with pytest.raises(Invalid, match="cannot be withdrawn"):
        plans.withdraw(newest_version("sev1").plan, actor=manager, at=NOW)


def test_the_first_promise_keeps_the_shortest_cadence_also_over_a_clock_change(people, checkout):
    content = changed("SEV1", technical={"cadence_minutes": 45}, management={"moments": {"update": ""}})
    save(content, people["manager"])
    incident = declare(people["manager"], checkout)
    assert promised_minutes(incident) == 30  # the users still wait least
    before_the_change = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # Berlin goes back an hour at 01:00 UTC
    promise = updates.promise_by_plan(incident, since=before_the_change, actor=None, at=before_the_change)
    assert promise.due_at == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


def test_an_acknowledgement_is_wanted_where_the_plan_says_so(people, checkout):
    content = changed(
        technical={"moments": {"declared": "acknowledge"}, "acknowledge_within_minutes": 5},
        users={"moments": {"declared": "acknowledge"}},
    )
    save(content, people["manager"])
    incident = declare(people["manager"], checkout)
    rows = Delivery.objects.filter(incident=incident, moment="declared", channel="email")
    waits = {
        row.audience: row.acknowledgement_wanted_by and row.acknowledgement_wanted_by - row.queued_at for row in rows
    }
    assert waits == {
        "technical": timedelta(minutes=5),
        "management": timedelta(minutes=15),  # as shipped
        "key_stakeholders": None,
        "users": timedelta(minutes=15),
    }
    plan = plan_for(incident)
    assert plan.wants_acknowledgement("technical", "contained") is None
    assert plan.escalates_to("technical") == "on_call:service_desk_manager:1"


def test_channels_are_data_of_the_plan(people, checkout):
    content = changed(technical={"channels": ["email"], "urgent_channels": ["in_app", "email"]})
    save(content, people["manager"])
    plan = plan_for(declare(people["manager"], checkout))
    assert plan.channels("technical", "declared") == ("in_app", "email")
    assert plan.channels("technical", "contained") == ("email",)
    assert plan.channels("users", "declared") == ()


def test_the_channels_of_the_plan_go_before_those_a_person_prefers_and_the_preview_says_so(people, checkout):
    engineer = people["engineer"]
    ChannelAccount.objects.create(channel="sms", changed_at=NOW)
    number = {"channel": "sms", "address": "+4915112345678", "position": 9, "takes_messages": False}
    ContactPoint.objects.create(user=engineer, verified_at=NOW, created_at=NOW, **number)
    save(changed(technical={"urgent_channels": ["sms", "email"]}), people["manager"])
    incident = declare(people["manager"], checkout)
    major_incidents.contain(incident.pk, actor=people["manager"], at=timezone.now())

    def ways(moment):
        rows = Delivery.objects.filter(incident=incident, recipient=engineer, moment=moment)
        return set(rows.values_list("channel", flat=True))

    assert ways("declared") == {"sms", "email", "in_app"}  # urgent
    assert ways("contained") == {"email", "in_app"}
    about = {"moment": "declared", "audience": "users", "person": engineer, "incident": None, "targets": {}}
    shown = plan_preview.look(plan_for(incident), **about)
    assert (shown.channels, shown.audience) == ("E-mail, SMS, In the product", "Technical team")
    assert shown.wording.short.startswith("MIM MI-12 SEV1 Checkout answers 502: declared.")


def test_a_silent_audience_needs_a_reason_and_is_not_waited_for(people, checkout):
    silent = {"moments": dict.fromkeys(moments_of("users"), "")}
    with pytest.raises(Invalid) as refused:
        save(changed(users=dict(silent)), people["manager"])
    assert "nobody of it would hear that an incident was declared" in refused.value.errors["users"][0]
    save(changed(users=silent | {"silent_because": "Told by the shops."}), people["manager"])
    incident = declare(people["manager"], checkout)
    assert told(incident, "declared") == set(Audience.values) - {"users"}
    assert evidence.inform(incident).facts["audiences"]["users"]["empty_reason"] == "Told by the shops."
    assert not any(sentence.startswith("Users") for sentence in evidence.inform(incident).missing)
    shown = preview.of_declaration(actor=people["manager"], at=NOW, title="x", impact=1, urgency=1, services=[checkout])
    assert (shown.audiences[3].recipient_count, shown.audiences[3].empty_reason) == (0, "Told by the shops.")
    assert not [warning for warning in shown.warnings if warning.startswith("Users")]


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ({"cadence_minutes": 0}, "updates come every 5 to 1,440 minutes"),
        ({"cadence_minutes": "15"}, "updates come every 5 to 1,440 minutes"),
        ({"acknowledge_within_minutes": True}, "chased after 1 to 1,440 minutes"),
        ({"channels": ["pigeon"]}, "pigeon is no channel. Known: email, in_app"),
        ({"escalate_to": "person:999999"}, "This person has no access any more"),
        ({"escalate_to": "everybody"}, "is nobody who can be paged"),
        ({"escalate_to": "person:²"}, "is nobody who can be paged"),
        ({"moments": {"declared": "loud"}}, "Declared is told as one of: told, urgent, acknowledge"),
        ({"moments": {"step_done": "told"}}, "there are no words for step_done"),
        ({"moments": {"restored": "", "resolved": "", "closed": ""}}, "never that it is over"),
        ({"colour": "red"}, "colour cannot be set"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_plan_that_cannot_be_right_is_refused_by_audience(people, column, says):
    with pytest.raises(Invalid) as refused:
        save(changed(users=column), people["manager"])
    assert list(refused.value.errors) == ["users"]
    assert says in refused.value.errors["users"][0]
    assert not PlanVersion.objects.exists()


def test_versions_are_kept_compared_and_restored(people):
    manager = people["manager"]
    save(changed(users={"cadence_minutes": 90}), manager, note="calmer", based_on=0)
    with pytest.raises(Stale):
        save(changed(), manager, based_on=1)
    [newest, first] = PlanVersion.objects.order_by("-number")
    assert plan_settings.differences(first.content, newest.content, {}) == ["Users: updates every 30 min → 90 min"]
    plan_settings.restore_plan(first, based_on=2, actor=manager, at=NOW)
    assert newest_version("sev1").content == shipped("SEV1")
    assert newest_version("sev1").note == "Restores version 1."
    assert as_shipped("SEV1").number == 0


def test_only_administrators_and_major_incident_managers_change_a_plan(people):
    with pytest.raises(NotAccountable):
        save(changed(), people["engineer"])
