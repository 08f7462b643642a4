"""Changes on pages: planned, approved, done, taken back; collisions shown before they happen."""

import pytest
from django.urls import reverse

from incidents.actions import changes
from incidents.models import Change, ServiceDependency
from tests import factories
from tests.factories import again, minute


@pytest.fixture
def change(engineer, change_manager, checkout):
    return changes.open_change(
        title="Renew certificates", actor=engineer, at=minute(0), approvers=[change_manager], services=[checkout],
        window_start=minute(60), window_end=minute(120),
    )  # fmt: skip


@pytest.fixture
def at_changes(signed_in, engineer):
    return signed_in(engineer)


def page_of(client, change):
    return client.get(reverse("change", args=[change.pk])).content.decode()


def move(client, change, act):
    return client.post(reverse("change_move", args=[change.pk, act]))


def fill(client, change, act, **given):
    return client.post(reverse("change_form", args=[change.pk, act]), given)


def test_the_list_finds_by_state_type_and_words(at_changes, change):
    address = reverse("change_list")
    for query in ({}, {"type": "normal"}, {"q": "certif"}, {"q": change.ref}, {"status": "draft"}):
        assert "Renew certificates" in at_changes.get(address, query).content.decode()
    assert "No change is like that" in at_changes.get(address, {"type": "standard"}).content.decode()


def test_what_waits_for_my_vote_has_its_own_list(signed_in, at_changes, change_manager, change):
    move(at_changes, change, "submit")
    assert (
        "Renew certificates" in signed_in(change_manager).get(reverse("change_list"), {"mine": "vote"}).content.decode()
    )


def test_a_change_goes_its_whole_way(at_changes, signed_in, change_manager, change):
    move(at_changes, change, "submit")
    assert fill(signed_in(change_manager), change, "approve", comment="Fine").status_code == 302
    move(at_changes, change, "start")
    move(at_changes, change, "implement")
    assert again(change).status == "implemented"
    assert move(at_changes, change, "close").status_code == 302
    assert "Fine" in page_of(at_changes, change)


def test_only_approvers_are_offered_a_vote(signed_in, at_changes, technician, change_manager, change):
    move(at_changes, change, "submit")
    vote = reverse("change_form", args=[change.pk, "approve"])
    assert vote in page_of(signed_in(change_manager), change)
    assert vote not in page_of(at_changes, change)
    assert at_changes.get(vote).status_code == 403
    assert signed_in(technician).post(vote).status_code == 403


def test_a_normal_change_does_not_start_unapproved(at_changes, change):
    refused = move(at_changes, change, "start")
    assert refused.status_code == 422
    assert "starts once approved" in refused.content.decode()


def test_rolling_back_needs_a_reason(at_changes, signed_in, change_manager, change):
    move(at_changes, change, "submit")
    fill(signed_in(change_manager), change, "approve")
    move(at_changes, change, "start")
    assert fill(at_changes, change, "roll-back", reason="").status_code == 422
    answer = fill(at_changes, change, "roll-back", reason="Errors rose")
    assert answer.status_code == 302, answer.context["form"].errors
    assert "Errors rose" in page_of(at_changes, change)


def test_an_emergency_change_counts_down_to_its_approval(at_changes, engineer, change_manager):
    change = changes.open_change(title="Switch off rule", type="emergency", actor=engineer, at=minute(0))
    move(at_changes, change, "start")
    page = page_of(at_changes, change)
    assert "Approval after the fact" in page and "data-countdown-to" in page


def test_an_emergency_change_without_approval_is_flagged(at_changes, engineer, change_manager):
    change = changes.open_change(title="Switch off rule", type="emergency", actor=engineer, at=minute(0))
    changes.start(change.pk, actor=engineer, at=minute(1))
    changes.flag_late_approvals(at=minute(60 * 24 + 2))
    assert "No approval within 24 hours" in page_of(at_changes, change)
    assert "No approval in time" in at_changes.get(reverse("change_list")).content.decode()


def test_management_accepts_what_was_rejected_after_the_fact(signed_in, engineer, change_manager, management):
    change = changes.open_change(title="Switch off rule", type="emergency", actor=engineer, at=minute(0))
    changes.start(change.pk, actor=engineer, at=minute(1))
    changes.vote(change.pk, approve=False, actor=change_manager, at=minute(5))
    assert "Accept although rejected" in page_of(signed_in(management), change)
    assert fill(signed_in(management), change, "accept", reason="It holds").status_code == 302
    assert again(change).accepted_by == management


@pytest.mark.parametrize("related", ["same", "needed", "dependent", "apart"])
def test_collisions_reach_dependent_services(at_changes, engineer, checkout, change, related):
    other = checkout if related == "same" else factories.service("Gateway")
    if related == "needed":
        ServiceDependency.objects.create(service=checkout, needs=other)
    if related == "dependent":
        ServiceDependency.objects.create(service=other, needs=checkout)
    changes.open_change(
        title="Move the gateway", actor=engineer, at=minute(0), services=[other], window_start=minute(90),
        window_end=minute(150),
    )  # fmt: skip
    assert ("Move the gateway" in page_of(at_changes, change)) is (related != "apart")


def test_windows_that_only_touch_do_not_collide(at_changes, engineer, checkout, change):
    changes.open_change(
        title="Afterwards", actor=engineer, at=minute(0), services=[checkout], window_start=minute(120),
        window_end=minute(150),
    )  # fmt: skip
    assert "Afterwards" not in page_of(at_changes, change)


def test_a_fix_is_opened_from_its_incident(at_changes, assembled):
    form = at_changes.get(reverse("change_new"), {"incident": assembled.ref, "relation": "fix"}).content.decode()
    assert f'<option value="{assembled.pk}" selected>' in form
    given = {
        "title": "Roll back", "type": "emergency", "risk": "low", "major_incident": assembled.pk, "relation": "fix"
    }  # fmt: skip
    at_changes.post(reverse("change_new"), given)
    assert Change.objects.get().links.get().relation == "fix"


def test_a_window_that_ends_before_it_starts_is_refused_at_its_field(at_changes):
    given = {
        "title": "x", "type": "normal", "risk": "low", "window_start": "2024-03-04T12:00",
        "window_end": "2024-03-04T11:00",
    }  # fmt: skip
    answer = at_changes.post(reverse("change_new"), given)
    assert answer.status_code == 422
    assert answer.context["form"].errors["window_end"]


def test_an_edit_changes_only_what_was_changed(at_changes, change, change_manager, checkout):
    given = {
        "title": "Renew all certificates", "type": "normal", "risk": "medium", "services": [checkout.pk],
        "approvers": [change_manager.pk], "window_start": "2024-03-04T10:00", "window_end": "2024-03-04T11:00",
    }  # fmt: skip
    assert at_changes.post(reverse("change_edit", args=[change.pk]), given).status_code == 302
    assert again(change).title == "Renew all certificates"
    assert list(again(change).services.all()) == [checkout]


@pytest.mark.parametrize("name", ["change", "change_edit", "change_link"])
def test_an_outsider_finds_no_change(signed_in, requester, change, name):
    assert signed_in(requester).get(reverse(name, args=[change.pk])).status_code == 404


def test_an_outsider_moves_nothing(signed_in, requester, change):
    assert move(signed_in(requester), change, "submit").status_code == 404
    assert fill(signed_in(requester), change, "cancel").status_code == 404
    assert signed_in(requester).get(reverse("change_list")).status_code == 403
