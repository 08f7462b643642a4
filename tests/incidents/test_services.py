import pytest

from incidents.actions import organisation as settings_of
from incidents.actions import rotas, services
from incidents.errors import Duplicate, Invalid, NotAccountable
from incidents.models import Organisation
from tests import factories
from tests.factories import minute

pytestmark = pytest.mark.django_db


def add(actor, name="Payments", **fields):
    return services.add_service(name=name, actor=actor, at=minute(0), **fields)


def test_a_name_is_enough_for_a_service(administrator):
    service = add(administrator)
    assert (service.slug, service.tier, service.is_active) == ("payments", 3, True)
    assert add(administrator, "Payments!").slug == "payments-2"
    with pytest.raises(Duplicate):
        add(administrator)


@pytest.mark.parametrize(
    ("field", "value"),
    [("tier", 9), ("cost_per_hour", -1), ("cost_per_hour", "NaN"), ("slug", "Not a slug"), ("is_active", "yes")],
)
def test_impossible_input_names_its_field(administrator, field, value):
    with pytest.raises(Invalid) as refusal:
        add(administrator, **{field: value})
    assert list(refusal.value.errors) == [field]


def test_dependencies_never_make_a_circle(administrator):
    shop, pay, bank = (add(administrator, name) for name in ("Shop", "Pay", "Bank"))
    services.add_dependency(shop.pk, needs=pay, actor=administrator, at=minute(0))
    services.edit_service(pay.pk, changes={"needs": [bank]}, actor=administrator, at=minute(0))
    for needed in (shop, bank):
        with pytest.raises(Invalid) as refusal:
            services.add_dependency(bank.pk, needs=needed, actor=administrator, at=minute(0))
        assert list(refusal.value.errors) == ["needs"]


def test_a_removed_service_takes_no_new_reports(administrator, checkout):
    services.remove_service(checkout.pk, actor=administrator, at=minute(0))
    checkout.refresh_from_db()
    with pytest.raises(Invalid) as refusal:
        factories.ticket(service=checkout)
    assert list(refusal.value.errors) == ["service"]


def test_only_those_who_configure_services_do(technician, checkout):
    with pytest.raises(NotAccountable):
        add(technician)
    with pytest.raises(NotAccountable):
        services.edit_service(checkout.pk, changes={"tier": 1}, actor=technician, at=minute(0))


def test_planned_work_names_services_and_ends_after_it_starts(administrator, checkout):
    given = {"title": "Upgrade", "starts_at": minute(0), "actor": administrator, "at": minute(0)}
    window = services.save_window(services=[checkout], ends_at=minute(60), **given)
    assert list(window.services.all()) == [checkout]
    for wrong in ({"services": [], "ends_at": minute(60)}, {"services": [checkout], "ends_at": minute(0)}):
        with pytest.raises(Invalid):
            services.save_window(**wrong, **given)


def test_settings_of_the_organisation_are_checked(administrator, technician):
    settings_of.edit_organisation(
        changes={"observation_hours": 0, "priority_table": {"4/4": "P1"}}, actor=administrator, at=minute(0)
    )
    current = Organisation.current()
    assert (current.observation_hours, current.priority_table["4/4"], current.priority_table["1/1"]) == (0, "P1", "P1")
    for wrong in ({"priority_table": {"5/5": "P1"}}, {"time_zone": "Mars"}, {"still_broken_to_reopen": 0}):
        with pytest.raises(Invalid) as refusal:
            settings_of.edit_organisation(changes=wrong, actor=administrator, at=minute(0))
        assert list(refusal.value.errors) == list(wrong)
    with pytest.raises(NotAccountable):
        settings_of.edit_organisation(changes={"name": "x"}, actor=technician, at=minute(0))


def test_an_empty_audience_needs_its_reason(administrator):
    with pytest.raises(Invalid):
        settings_of.set_audience("users", roles=[], actor=administrator, at=minute(0))
    row = settings_of.set_audience("users", roles=[], empty_reason="Internal only", actor=administrator, at=minute(0))
    assert row.empty_reason == "Internal only"


def test_on_call_is_for_people_who_hold_the_role(administrator, manager, technician):
    given = {"role": "major_incident_manager", "starts_at": minute(0), "ends_at": minute(60), "at": minute(0)}
    assert rotas.add_shift(person=manager, actor=administrator, **given).rank == 1
    with pytest.raises(Invalid):
        rotas.add_shift(person=technician, actor=administrator, **given)


def test_a_team_is_made_and_corrected(administrator, technician):
    team = settings_of.save_team(changes={"name": "Network", "support_tier": 2}, actor=administrator, at=minute(0))
    edited = settings_of.save_team(team.pk, changes={"lead": technician}, actor=administrator, at=minute(0))
    assert (edited.slug, edited.lead, edited.support_tier) == ("network", technician, 2)
    with pytest.raises(Duplicate):
        settings_of.save_team(changes={"name": "Network"}, actor=administrator, at=minute(0))
