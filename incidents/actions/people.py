"""People: invited, corrected, deactivated. Nobody is ever deleted, so that the record keeps its names."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse

from incidents import permissions
from incidents.actions.input import clean_choice, clean_email, clean_number, clean_person, clean_text, unknown_fields
from incidents.actions.ticket_states import allow
from incidents.errors import Duplicate, Invalid, WrongStage
from incidents.models import Organisation, RoleHeld, Team, User
from incidents.models.people import check_time_zone
from incidents.process import AccountRole

_SECONDS_A_DAY = 24 * 3600


@transaction.atomic
def invite_person(
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    actor: User | None,
    at: datetime,
    team: Team | None = None,
    line_manager: User | None = None,
    **fields: Any,
) -> User:
    """Makes an account without a password and mails a link to choose one, once this is committed.

    `fields`: job_title, phone, support_tier, time_zone. An external consultant is a guest, who sees only the
    incidents of their seats. `actor` None is the command line. Raises Duplicate when the address has an account.
    """
    allow(actor, "configure")
    unknown_fields(fields, _CLEAN)
    address = clean_email("email", email, required=True)
    held = _roles(roles)
    person = User(email=address, name=clean_text("name", name, 150, required=True), team=team)
    person.line_manager = clean_person("line_manager", line_manager)
    for field, value in fields.items():
        setattr(person, field, _CLEAN[field](value))
    person.is_guest = held == {AccountRole.EXTERNAL_CONSULTANT}
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise Duplicate(f"{address} has an account already. Edit it, or activate it again.") from None
    RoleHeld.objects.bulk_create(RoleHeld(user=person, role=role) for role in sorted(held))
    _mail_link(person, "invitation", inviter=actor)
    return person


def _roles(roles: Iterable[str]) -> set[str]:
    if isinstance(roles, str) or not isinstance(roles, Iterable):
        raise Invalid(roles="Give a list of roles.")
    return {clean_choice("roles", role, AccountRole.values) for role in roles}


def _time_zone(value: Any) -> str:
    name = clean_text("time_zone", value, 64)
    if name:
        try:
            check_time_zone(name)
        except ValidationError as error:
            raise Invalid(time_zone=error.messages) from None
    return name


def _skills(value: Any) -> list[str]:
    """Words, each once, in lower case: a list, or a line with commas between."""
    words = value.replace(";", ",").split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise Invalid(skills="Give words with commas between them, for example: postgresql, networks.")
    found = list(dict.fromkeys(" ".join(word.split()).lower() for word in words if word.strip()))
    if len(found) > 30 or any(len(word) > 40 for word in found):
        raise Invalid(skills="At most 30 skills of 40 characters each.")
    return found


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "job_title": lambda value: clean_text("job_title", value, 120),
    "phone": lambda value: clean_text("phone", value, 40),
    "support_tier": lambda value: None if value is None else clean_number("support_tier", value, least=1, most=9),
    "time_zone": _time_zone,
    "skills": _skills,
}
_OWN = ("name", "phone", "time_zone", "theme")
"""What people change about themselves."""
_BY_ADMINISTRATOR = ("email", "team", "line_manager", "roles", "access_expires_at", *_CLEAN)


@transaction.atomic
def edit_person(user_id: int, *, changes: dict[str, Any], actor: User, at: datetime) -> User:
    """An administrator corrects anything; people their own name, phone, time zone and theme.

    The last administrator keeps that role. Raises Duplicate when a new address belongs to somebody else.
    """
    unknown_fields(changes, {*_OWN, *_BY_ADMINISTRATOR})
    person = locked(user_id)
    if actor.pk != person.pk or set(changes) - set(_OWN):
        permissions.require(actor, "configure")
    for field in ("team", "access_expires_at"):
        if field in changes:
            setattr(person, field, changes[field])
    for field, value in changes.items():
        if field in _CLEAN:
            setattr(person, field, _CLEAN[field](value))
    if "name" in changes:
        person.name = clean_text("name", changes["name"], 150, required=True)
    if "theme" in changes:
        person.theme = clean_choice("theme", changes["theme"], ("", "light", "dark"))
    if "line_manager" in changes:
        person.line_manager = clean_person("line_manager", changes["line_manager"])
        if person.line_manager and person.line_manager.pk == person.pk:
            raise Invalid(line_manager="Nobody is their own line manager.")
    if "roles" in changes:
        _set_roles(person, _roles(changes["roles"]))
    if "email" in changes:
        _set_address(person, clean_email("email", changes["email"], required=True))
    person.save()
    return locked(user_id)


def locked(user_id: int) -> User:
    """The account under its row lock. Raises User.DoesNotExist."""
    return User.objects.select_for_update(of=("self",)).get(pk=user_id)


def _set_roles(person: User, held: set[str]) -> None:
    before = set(person.role_rows.values_list("role", flat=True))
    if AccountRole.ADMINISTRATOR in before - held:
        _keep_one_administrator(person)
    person.role_rows.filter(role__in=before - held).delete()
    RoleHeld.objects.bulk_create(RoleHeld(user=person, role=role) for role in sorted(held - before))
    person.is_guest = held == {AccountRole.EXTERNAL_CONSULTANT}


def _keep_one_administrator(person: User) -> None:
    """Two administrators removing each other at once meet at these locks."""
    rows = RoleHeld.objects.select_for_update().filter(role=AccountRole.ADMINISTRATOR).order_by("pk")
    others = [row.user_id for row in rows if row.user_id != person.pk]
    if not User.objects.filter(pk__in=others, is_active=True).exists():
        raise WrongStage(f"{person.email} is the last administrator. Name another one first.")


def _set_address(person: User, address: str) -> None:
    if address == person.email:
        return
    if User.objects.filter(email__iexact=address).exclude(pk=person.pk).exists():
        raise Duplicate(f"{address} belongs to another account.")
    person.email = address
    EmailAddress.objects.filter(user=person).delete()


@transaction.atomic
def deactivate_person(user_id: int, *, actor: User, at: datetime) -> User:
    """Can no longer sign in, and keys stop working; everything they did keeps their name."""
    permissions.require(actor, "configure")
    person = locked(user_id)
    if person.pk == actor.pk:
        raise WrongStage("You cannot deactivate your own account. Another administrator can.")
    if person.has_role(AccountRole.ADMINISTRATOR):
        _keep_one_administrator(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    person.api_keys.filter(revoked_at__isnull=True).update(revoked_at=at)
    return person


@transaction.atomic
def activate_person(user_id: int, *, actor: User, at: datetime) -> User:
    """May sign in again; revoked keys stay revoked."""
    permissions.require(actor, "configure")
    person = locked(user_id)
    person.is_active = True
    person.save(update_fields=["is_active"])
    return person


@transaction.atomic
def send_password_link(user_id: int, *, actor: User | None, at: datetime) -> User:
    """Mails a link to choose a new password; the old one works until then. The invitation again for somebody who
    never chose one."""
    allow(actor, "configure")
    person = locked(user_id)
    if not person.is_active:
        raise WrongStage(f"{person.email} has no access. Activate the account first.")
    _mail_link(person, "reset" if person.has_usable_password() else "invitation", inviter=actor)
    return person


def password_link(person: User) -> str:
    """The address at which this person chooses a password, good for a few days and one use."""
    key = default_token_generator.make_token(person)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": key})
    return settings.PUBLIC_URL + path


def _mail_link(person: User, letter: str, *, inviter: User | None) -> None:
    """Queues the letter in this transaction: without the invitation's mail there is no invitation."""
    context = {
        "person": person,
        "inviter": inviter.display_name if inviter else "",
        "organisation": Organisation.current().name,
        "link": password_link(person),
        "site": settings.PUBLIC_URL,
        "days": settings.PASSWORD_RESET_TIMEOUT // _SECONDS_A_DAY,
    }
    subject = " ".join(render_to_string(f"incidents/mail/{letter}_subject.txt", context).split())
    body = render_to_string(f"incidents/mail/{letter}.txt", context)
    send_mail(subject, body, None, [person.email])
