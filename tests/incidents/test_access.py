from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from incidents.actions import access
from incidents.errors import Invalid, NotAccountable
from incidents.models import ApiKey
from incidents.models.access import digest
from tests.factories import minute

pytestmark = pytest.mark.django_db


def test_only_the_hash_of_a_key_is_kept(technician):
    key, secret = access.issue_key(technician, name="Script", scopes=["read"], actor=technician, at=minute(0))
    assert key.sha256 == digest(secret)
    assert secret not in str(ApiKey.objects.values().get())


def test_a_revoked_or_expired_key_is_not_usable(technician):
    key, _ = access.issue_key(
        technician, name="Script", scopes=["read"], expires_at=minute(5), actor=technician, at=minute(0)
    )
    assert key.is_usable(minute(4))
    assert not key.is_usable(minute(5))
    assert not access.revoke_key(key.pk, actor=technician, at=minute(1)).is_usable(minute(2))
    assert access.revoke_key(key.pk, actor=technician, at=minute(3)).revoked_at == minute(1)


def test_people_look_after_their_own_keys_and_administrators_after_all(technician, engineer, administrator):
    with pytest.raises(NotAccountable):
        access.issue_key(technician, name="Script", scopes=["read"], actor=engineer, at=minute(0))
    key, _ = access.issue_key(technician, name="Script", scopes=["read"], actor=administrator, at=minute(0))
    with pytest.raises(NotAccountable):
        access.revoke_key(key.pk, actor=engineer, at=minute(1))


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": " "}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["everything"]}),
        ("expires_at", {"expires_at": minute(0) - timedelta(1)}),
    ],
)
def test_impossible_keys_name_their_field(technician, field, given):
    with pytest.raises(Invalid) as refusal:
        access.issue_key(technician, **{"name": "Script", "scopes": ["read"], **given}, actor=technician, at=minute(0))
    assert list(refusal.value.errors) == [field]


def run(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("create_api_key", *arguments, stdout=out, stderr=err)
        return 0, out.getvalue(), err.getvalue()
    except SystemExit as stop:
        return stop.code, out.getvalue(), err.getvalue()


def test_the_command_prints_only_the_key(technician):
    code, out, err = run("--user", technician.email.upper(), "--name", "CI", "--scopes", "read,write", "--days", "30")
    key = ApiKey.objects.get()
    assert (code, err) == (0, "")
    assert digest(out.strip()) == key.sha256
    assert key.scopes == ["read", "write"]
    assert key.expires_at is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--user", "nobody@example.org"], "Nobody has the address"),
        (["--scopes", "read,fly"], "No such scope: fly"),
        (["--days", "0"], "--days"),
    ],
)
def test_the_command_refuses_with_a_sentence(technician, arguments, words):
    base = [] if "--user" in arguments else ["--user", technician.email]
    code, out, err = run("--name", "CI", *base, *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert "Traceback" not in err
