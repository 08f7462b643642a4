"""What administrators do with webhooks: make, correct, rotate the secret, switch, test, replay, delete."""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from incidents import outgoing, permissions
from incidents.actions.input import clean_choice, clean_text, clean_time, unknown_fields
from incidents.errors import Duplicate, Invalid
from incidents.models import AffectedService, Change, TimelineEvent, User
from incidents.priority import Severity
from incidents.sealed import seal
from notifications.models import Webhook, WebhookMessage, WebhookMessageState
from notifications.webhooks import outbox, payloads, sender
from notifications.webhooks.catalogue import KIND_OF, NAMES, TEST

OLD_SECRET_LASTS = timedelta(hours=24)
KEPT = timedelta(days=90)
REPLAYED_AT_MOST = 5000
SECRET_BYTES = 32
FAILED, MISSING, ALL = "failed", "missing", "all"
WHICH = {
    FAILED: "Those that failed",
    MISSING: "Those that failed, and what happened while it was off",
    ALL: "Everything, also what was taken",
}
_FIELDS = ("name", "url", "events", "severities", "services", "include_drills", "is_enabled", "owner")


def new_secret() -> str:
    """As Standard Webhooks writes them: `whsec_` and 32 random bytes in base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def check_url(value: Any) -> str:
    """The address when requests may go there now. Asks the name server: never inside a transaction. Raises Invalid."""
    url = clean_text("url", value, 2000, required=True)
    try:
        outgoing.check_destination(url)
    except (outgoing.OutgoingRefused, outgoing.OutgoingFailed) as refusal:
        raise Invalid(url=str(refusal)) from None
    return url


def save_webhook(
    webhook_id: int | None = None, *, changes: dict[str, Any], actor: User, at: datetime
) -> tuple[Webhook, str]:
    """Makes a webhook (`webhook_id` None) or corrects one; with its secret when it is new, else "".

    `changes`: name, url, events (names, [] for all), severities, services, include_drills, is_enabled, owner (an
    administrator; the actor for a new one). Switched off, what waits has failed. Raises Invalid, Duplicate.
    """
    permissions.require(actor, "configure")
    unknown_fields(changes, _FIELDS)
    if "url" in changes or webhook_id is None:
        changes = {**changes, "url": check_url(changes.get("url"))}
    return save_checked(webhook_id, changes=changes, actor=actor, at=at)


@transaction.atomic
def save_checked(webhook_id: int | None, *, changes: dict[str, Any], actor: User, at: datetime) -> tuple[Webhook, str]:
    """The same for callers who asked `check_url` before they locked anything."""
    permissions.require(actor, "configure")
    unknown_fields(changes, _FIELDS)
    secret = ""
    if webhook_id is None:
        secret = new_secret()
        row = Webhook(created_at=at, owner=actor, sealed_secret=seal(secret))
        changes = {"name": "", **changes}
    else:
        row = locked(webhook_id)
    was_enabled = row.is_enabled
    _fill(row, changes)
    if row.is_enabled and not was_enabled:
        row.off_reason, row.failing_since, row.failures, row.not_before = "", None, 0, None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Duplicate(f"There is a webhook called “{row.name}” already.") from None
    if "services" in changes:
        row.services.set(changes["services"])
    if was_enabled and not row.is_enabled:
        sender.drop_waiting(row.pk)
    outbox.changed()
    return row, secret


def _fill(row: Webhook, changes: dict[str, Any]) -> None:
    if "name" in changes:
        row.name = " ".join(clean_text("name", changes["name"], 120, required=True).split())
    row.url = changes.get("url", row.url)
    if "events" in changes:
        row.events = _chosen("events", changes["events"], NAMES)
    if "severities" in changes:
        row.severities = _chosen("severities", changes["severities"], Severity.values)
    for name in ("include_drills", "is_enabled"):
        if name in changes:
            if not isinstance(changes[name], bool):
                raise Invalid(**{name: "Use true or false."})
            setattr(row, name, changes[name])
    if "owner" in changes:
        row.owner = _owner(changes["owner"])


def _chosen(field: str, given: Any, known: Iterable[str]) -> list[str]:
    """The words in their order, each once."""
    if not isinstance(given, (list, tuple)):
        raise Invalid(**{field: "This must be a list."})
    return [one for one in known if one in {clean_choice(field, value, known) for value in given}]


def _owner(person: Any) -> User:
    if not isinstance(person, User) or not permissions.can(person, "configure"):
        raise Invalid(owner="The owner must be an administrator: a webhook tells what its owner may read.")
    return person


def locked(webhook_id: int) -> Webhook:
    """The webhook under its row lock. Raises Webhook.DoesNotExist, also for a follower of the status page."""
    return Webhook.objects.select_for_update(of=("self",)).get(pk=webhook_id, is_public=False)


@transaction.atomic
def rotate_secret(webhook_id: int, *, keep_old: bool = True, actor: User, at: datetime) -> tuple[Webhook, str]:
    """A new secret, shown once. Messages bear both signatures for 24 hours; `keep_old` False: the old one is dead."""
    permissions.require(actor, "configure")
    row = locked(webhook_id)
    secret = give_secret(row, keep_old=keep_old, at=at)
    outbox.changed()
    return row, secret


def give_secret(row: Webhook, *, keep_old: bool, at: datetime) -> str:
    """Saves a new secret on a locked row and returns it."""
    secret = new_secret()
    row.old_sealed_secret = row.sealed_secret if keep_old else ""
    row.old_secret_until = at + OLD_SECRET_LASTS if keep_old else None
    row.sealed_secret = seal(secret)
    row.save(update_fields=["sealed_secret", "old_sealed_secret", "old_secret_until"])
    return secret


@transaction.atomic
def delete_webhook(webhook_id: int, *, actor: User, at: datetime) -> None:
    """With its messages, which the hourly sweep takes away."""
    permissions.require(actor, "configure")
    locked(webhook_id).delete()
    outbox.changed()


@transaction.atomic
def send_test(webhook_id: int, *, actor: User, at: datetime) -> WebhookMessage:
    """One `webhook.test`, tried once, also while the webhook is off."""
    permissions.require(actor, "configure")
    row = locked(webhook_id)
    body = payloads.test_body(row.name, actor, at)
    return queue_trial(row, TEST, body, at=at)


def queue_trial(row: Webhook, type: str, body: str, *, at: datetime, message_id: str = "") -> WebhookMessage:
    """A message that no event belongs to and that leaves although the webhook is off."""
    message = WebhookMessage.objects.create(
        webhook=row,
        type=type,
        body=body,
        is_trial=True,
        message_id=message_id or outbox.new_id(),
        queued_at=at,
        next_attempt_at=at,
    )
    outbox.ring()
    return message


# --- Again ----------------------------------------------------------------------------------------------
@transaction.atomic
def replay_message(message_id: int, *, actor: User, at: datetime) -> WebhookMessage:
    """Sent again, the same body under the same `webhook-id`. One that waits already is tried now."""
    permissions.require(actor, "configure")
    row = WebhookMessage.objects.select_for_update(of=("self",)).select_related("webhook").get(pk=message_id)
    if row.webhook.is_public:
        raise WebhookMessage.DoesNotExist
    _refuse_when_off(row.webhook, is_trial=row.is_trial)
    if row.state != WebhookMessageState.SENDING:
        _again(WebhookMessage.objects.filter(pk=row.pk), at)
        Webhook.objects.filter(pk=row.webhook_id).update(not_before=None)
    return WebhookMessage.objects.select_related("webhook").get(pk=row.pk)


@transaction.atomic
def replay_since(webhook_id: int, *, since: datetime, which: str = FAILED, actor: User, at: datetime) -> int:
    """Sends again what happened `since` (aware, 90 days back at most); returns how many messages that are.

    `which`: `failed`; `missing`, also what nothing was written for while it was off; `all`, also what was taken. At
    most 5,000 at a time: Invalid asks for a later time otherwise.
    """
    permissions.require(actor, "configure")
    clean_choice("which", which, WHICH)
    begin = clean_time("since", since, not_after=at)
    if begin < at - KEPT:
        raise Invalid(since=f"Messages are kept for {KEPT.days} days. Give a time within them.")
    row = locked(webhook_id)
    _refuse_when_off(row)
    mine = WebhookMessage.objects.filter(webhook=row, is_trial=False)
    states = {FAILED: (WebhookMessageState.FAILED,), MISSING: (WebhookMessageState.FAILED,)}.get(
        which, (WebhookMessageState.FAILED, WebhookMessageState.DELIVERED)
    )
    happened = Q(event__recorded_at__gte=begin) | Q(event__isnull=True, queued_at__gte=begin)
    found = list(mine.filter(happened, state__in=states).values_list("pk", flat=True)[: REPLAYED_AT_MOST + 1])
    missing = [] if which == FAILED else _missing(row, begin)
    if len(found) + len(missing) > REPLAYED_AT_MOST:
        raise Invalid(since=f"These are more than {REPLAYED_AT_MOST:,} messages. Give a later time.")
    outbox.write([(row.pk, pk, kind) for pk, kind in missing], at=at)
    _again(WebhookMessage.objects.filter(pk__in=found), at)
    return len(found) + len(missing)


def _missing(row: Webhook, begin: datetime) -> list[tuple[int, str]]:
    """Key and kind of what the webhook would have been told since, had it been there and on."""
    told = WebhookMessage.objects.filter(webhook=row, event__isnull=False).values("event")
    happened = TimelineEvent.objects.filter(
        recorded_at__gte=begin, kind__in=[KIND_OF[name] for name in row.events or NAMES]
    ).exclude(pk__in=told)
    wanted = happened.exclude(incident__is_imported=True)
    if row.severities:
        wanted = wanted.filter(incident__severity__in=row.severities)
    if not row.include_drills:
        wanted = wanted.exclude(incident__is_drill=True)
    if services := list(row.services.values_list("pk", flat=True)):
        named = AffectedService.objects.filter(service__in=services).values("incident")
        about = Q(incident__in=named) | Q(ticket__service__in=services) | Q(candidate__service__in=services)
        changes = Change.objects.filter(services__in=services).values("pk")
        wanted = wanted.filter(about | Q(change__in=changes))
    return list(wanted.order_by("pk").values_list("pk", "kind")[: REPLAYED_AT_MOST + 1])


def _again(rows: Any, at: datetime) -> None:
    rows.exclude(state=WebhookMessageState.SENDING).update(
        state=WebhookMessageState.QUEUED,
        attempts=0,
        next_attempt_at=at,
        delivered_at=None,
        reason="Sent again by hand.",
        lease=None,
        lease_until=None,
    )
    outbox.ring()


def _refuse_when_off(row: Webhook, *, is_trial: bool = False) -> None:
    if not row.is_enabled and not is_trial:
        raise Invalid(is_enabled=f"“{row.name}” is switched off. Switch it on first, then send again.")


def forget(*, at: datetime) -> int:
    """Deletes messages older than 90 days that do not wait, and those of webhooks that are gone; returns how many."""
    old = WebhookMessage.objects.filter(queued_at__lt=at - KEPT).exclude(state__in=sender.WAITING)
    orphans = WebhookMessage.objects.exclude(webhook__in=Webhook.objects.values("pk"))
    return old.delete()[0] + orphans.delete()[0]
