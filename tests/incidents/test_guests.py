"""People from outside: invited by address, for a while, to one incident."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents import permissions
from incidents.actions import major_incidents, seats
from incidents.errors import Invalid
from incidents.models import User
from tests.factories import minute


@pytest.fixture
def invited(declared, manager):
    seat = seats.invite(
        declared.pk, role="external_consultant", guest_email="Dana@Vendor.example", actor=manager, at=timezone.now()
    )
    return seat.user


def test_a_guest_account_is_made_for_this_incident_only(invited, declared, manager):
    other = major_incidents.declare(title="Other", impact=2, urgency=2, actor=manager, at=minute(20))
    assert (invited.email, invited.is_guest, invited.has_usable_password()) == ("dana@vendor.example", True, False)
    assert list(permissions.visible_incidents(invited)) == [declared]
    assert not permissions.can(invited, "view_incident", other)
    assert not permissions.can(invited, "view_desk")


def test_access_ends_by_itself(invited, declared):
    User.objects.filter(pk=invited.pk).update(access_expires_at=timezone.now() - timedelta(minutes=1))
    ended = User.objects.get(pk=invited.pk)
    assert not permissions.visible_incidents(ended).exists()
    assert not permissions.can(ended, "view_incident", declared)


def test_inviting_again_prolongs_but_never_wakes_a_disabled_account(invited, declared, manager):
    User.objects.filter(pk=invited.pk).update(is_active=False)
    other = major_incidents.declare(title="Other", impact=2, urgency=2, actor=manager, at=minute(20))
    with pytest.raises(Invalid) as refusal:
        seats.invite(other.pk, role="external_consultant", guest_email=invited.email, actor=manager, at=timezone.now())
    assert "disabled" in refusal.value.errors["user"][0]
    assert not User.objects.get(pk=invited.pk).is_active


@pytest.mark.parametrize("role", ["technical_staff", "mit", "major_incident_manager"])
def test_somebody_without_an_account_is_only_ever_a_consultant(declared, manager, role):
    with pytest.raises(Invalid) as refusal:
        seats.invite(declared.pk, role=role, guest_email="x@vendor.example", actor=manager, at=timezone.now())
    assert "role" in refusal.value.errors


@pytest.mark.parametrize("address", ["", "nobody", "a@", "a b@c.example"])
def test_an_address_must_be_one(declared, manager, address):
    with pytest.raises(Invalid) as refusal:
        seats.invite(declared.pk, role="external_consultant", guest_email=address, actor=manager, at=timezone.now())
    assert "guest_email" in refusal.value.errors
