"""Programs that follow the status page by webhook: asked for by anybody, confirmed by whoever reads the endpoint.

Anybody can type anybody's address. So it gets one signed question, whose link only its owner can read; opening that
and saying yes shows the secret, once, and begins the messages. They hold what `status.json` holds, nothing else.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q

from incidents import outgoing
from incidents.actions.input import clean_text
from incidents.errors import Invalid
from incidents.models import AffectedService, Organisation, Service
from incidents.sealed import seal, unseal
from notifications.models import PublicWord, StatusEndpoint, Webhook, WebhookMessage
from notifications.status import feeds, public
from notifications.status.files import base_address
from notifications.status.subscribers import (
    ASK_AGAIN_AFTER,
    CONFIRM_WITHIN,
    LinkNotValid,
    TooMany,
    chosen_services,
)
from notifications.webhooks import actions, outbox, payloads

ASKED_FROM_ONE_PLACE, ASKED_OF_ONE_HOST, ASKED_IN_ALL = 10, 20, 200
"""Within an hour: by one network address, of one host, and together."""
FOLLOWERS_AT_MOST = 2000
CONFIRM = "status.subscription.confirm"
CREATED, UPDATED, RESOLVED, WITHDRAWN = (
    f"status.incident.{what}" for what in ("created", "updated", "resolved", "withdrawn")
)
_CONFIRM, _END = "status.webhook.confirm", "status.webhook.end"


# --- Asking and confirming -----------------------------------------------------------------------------------
def ask(*, url: str, services: Iterable[str] = (), asked_from: str, at: datetime) -> None:
    """Somebody wants this address to hear of disruptions of these services (slugs; none means all).

    `asked_from` is the network address of who asks; only a digest of it is kept. Says nothing about who follows
    already: an endpoint that does is asked again, which is how a lost secret is replaced. Asking again within ten
    minutes sends nothing. Raises Invalid, TooMany.
    """
    place = hmac.new(settings.SECRET_KEY.encode(), f"status from {asked_from}".encode(), hashlib.sha256).hexdigest()
    _refuse_crowds(url, place, at)
    _ask(_reachable(url), chosen_services(services), place, at)


def _reachable(url: str) -> str:
    """The address when requests may go there. Says nothing to a stranger of what a name leads to in here."""
    try:
        outgoing.check_url(clean_text("url", url, 2000, required=True))
    except outgoing.OutgoingRefused as refusal:
        raise Invalid(url=str(refusal)) from None
    try:
        return actions.check_url(url)
    except Invalid:
        raise Invalid(url="No public address is known by this name. Give one that can be reached from here.") from None


def _refuse_crowds(url: str, place: str, at: datetime) -> None:
    lately = StatusEndpoint.objects.filter(asked_at__gt=at - timedelta(hours=1))
    if lately.filter(asked_from=place).count() >= ASKED_FROM_ONE_PLACE or lately.count() >= ASKED_IN_ALL:
        raise TooMany
    try:
        host = httpx.URL(url).host
    except (httpx.InvalidURL, TypeError, ValueError):
        return  # refused with words a moment later
    if lately.filter(webhook__name=host[:120]).count() >= ASKED_OF_ONE_HOST:
        raise TooMany
    if StatusEndpoint.objects.filter(confirmed_at__isnull=False).count() >= FOLLOWERS_AT_MOST:
        raise Invalid(url="As many programs follow this page as it can serve. Read status.json or the Atom feed.")


@transaction.atomic
def _ask(url: str, services: list[Service], place: str, at: datetime) -> None:
    row, is_new = Webhook.objects.select_for_update().get_or_create(
        url=url,
        is_public=True,
        defaults={
            "name": httpx.URL(url).host[:120],
            "sealed_secret": seal(actions.new_secret()),
            "is_enabled": False,
            "created_at": at,
        },
    )
    endpoint, _ = StatusEndpoint.objects.get_or_create(webhook=row, defaults={"asked_at": at, "asked_from": place})
    if endpoint.confirmed_at is None:
        row.services.set(services)
    if is_new or endpoint.asked_at <= at - ASK_AGAIN_AFTER:
        endpoint.asked_at, endpoint.asked_from, endpoint.challenge = at, place, outbox.new_id()
        endpoint.save(update_fields=["asked_at", "asked_from", "challenge"])
        _put_question(endpoint, [service.slug for service in services], at)


def _put_question(endpoint: StatusEndpoint, slugs: list[str], at: datetime) -> None:
    token = signing.dumps([endpoint.pk, endpoint.challenge, slugs], salt=_CONFIRM, compress=True)
    data = {
        "page": _page(),
        "services": slugs,
        "confirm_url": f"{settings.PUBLIC_URL}/status/webhooks/confirm/{token}/",
        "text": "Somebody asked that this address be told of disruptions. Open confirm_url within three days to agree;"
        " ignore this otherwise, and nothing more is sent.",
    }
    body = payloads.envelope(CONFIRM, at, data)
    actions.queue_trial(endpoint.webhook, CONFIRM, body, at=at, message_id=endpoint.challenge)


def _page() -> dict[str, str]:
    return {"name": f"Status of {Organisation.current().name}", "url": base_address()}


def _asked(token: str) -> tuple[StatusEndpoint, list[str]]:
    try:
        pk, challenge, slugs = signing.loads(token, salt=_CONFIRM, max_age=CONFIRM_WITHIN)
        rows = StatusEndpoint.objects.select_for_update(of=("self",)).select_related("webhook")
        return rows.get(pk=pk, challenge=challenge, webhook__is_public=True), list(slugs)
    except (signing.BadSignature, ValueError, TypeError, StatusEndpoint.DoesNotExist):
        raise LinkNotValid from None


def url_to_confirm(token: str) -> str:
    """Which endpoint the link is about. Raises LinkNotValid."""
    with transaction.atomic():
        return _asked(token)[0].webhook.url


@transaction.atomic
def confirm(token: str, *, at: datetime) -> tuple[Webhook, str]:
    """From now on the endpoint hears of disruptions. Returns it with its secret, which no later call shows.

    One that follows already gets a new secret; the old one signs beside it for 24 hours. Raises LinkNotValid, also
    for a link that was used.
    """
    endpoint, slugs = _asked(token)
    row = Webhook.objects.select_for_update().get(pk=endpoint.webhook_id)
    first = endpoint.confirmed_at is None
    secret = unseal(row.sealed_secret) if first else actions.give_secret(row, keep_old=True, at=at)
    endpoint.confirmed_at, endpoint.challenge = endpoint.confirmed_at or at, ""
    endpoint.save(update_fields=["confirmed_at", "challenge"])
    row.is_enabled, row.off_reason, row.failing_since, row.failures, row.not_before = True, "", None, 0, None
    row.save(update_fields=["is_enabled", "off_reason", "failing_since", "failures", "not_before"])
    row.services.set(public.public_services().filter(slug__in=slugs))
    return row, secret


def end_url(webhook_id: int) -> str:
    """Ends the messages; stands in each of them."""
    return f"{settings.PUBLIC_URL}/status/webhooks/end/{signing.Signer(salt=_END).sign_object(webhook_id)}/"


def url_to_end(token: str) -> str:
    """Which endpoint the link ends. Raises LinkNotValid; the link never gets too old."""
    return _to_end(token).url


def _to_end(token: str) -> Webhook:
    try:
        return Webhook.objects.get(pk=signing.Signer(salt=_END).unsign_object(token), is_public=True)
    except (signing.BadSignature, ValueError, TypeError, Webhook.DoesNotExist):
        raise LinkNotValid from None


@transaction.atomic
def end(token: str) -> str:
    """The endpoint is forgotten with all that was meant for it; returns its address. Raises LinkNotValid."""
    row = _to_end(token)
    url = row.url
    WebhookMessage.objects.filter(webhook=row).delete()
    row.delete()
    return url


def forget_unconfirmed(*, at: datetime) -> int:
    """Deletes endpoints that were not confirmed in time, and those that were switched off by themselves; how many."""
    unanswered = Q(endpoint__confirmed_at__isnull=True, endpoint__asked_at__lt=at - CONFIRM_WITHIN)
    gone = Webhook.objects.filter(is_public=True).filter(unanswered | ~Q(off_reason=""))
    count = gone.count()
    gone.delete()
    return count


# --- Telling --------------------------------------------------------------------------------------------------
def tell(*, at: datetime) -> int:
    """Queues messages about each incident whose public words differ from those last told; returns how many.

    A sweep that compares: what one missed, the next finds. Words are remembered when nobody follows, too, so the first
    follower is told nothing of the past.
    """
    shown = list(public.shown_incidents(at))
    told = dict(PublicWord.objects.filter(incident__in=shown).values_list("incident_id", "digest"))
    changed = [
        incident.pk
        for incident, words in zip(shown, public.describe(shown, at), strict=True)
        if told.get(incident.pk) != _digest(_said(words))
    ]
    open_words = PublicWord.objects.filter(is_withdrawn=False, is_over=False)
    withdrawn = open_words.exclude(incident__in=public.told_incidents(at)).values_list("incident_id", flat=True)
    return sum(_tell(incident_id, at) for incident_id in [*changed, *withdrawn])


def _said(words: public.PublicIncident) -> dict[str, Any]:
    return feeds.incident_as_json(words, base=base_address())


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def _tell(incident_id: int, at: datetime) -> int:
    """Under the lock of its words they are read once more: two sweeps at once tell nothing twice and nothing old."""
    word, is_new = PublicWord.objects.select_for_update().get_or_create(
        incident_id=incident_id, defaults={"digest": "", "told_at": at}
    )
    incident = public.told_incidents(at).filter(pk=incident_id).first()
    words = public.describe([incident], at)[0] if incident else None
    key = public.public_key("incident", incident_id)
    said = _said(words) if words else {"id": key, "url": f"{base_address()}incidents/{key}/", "state": "Withdrawn"}
    if word.digest == _digest(said):
        return 0
    type = _type(word, words, is_new=is_new)
    word.digest, word.told_at = _digest(said), at
    word.is_over, word.is_withdrawn = words is not None and words.is_over, words is None
    word.save()
    return _write(type, said, _followers(incident_id), at)


def _type(word: PublicWord, words: public.PublicIncident | None, *, is_new: bool) -> str:
    if words is None:
        return WITHDRAWN
    if is_new or word.is_withdrawn:
        return CREATED
    return RESOLVED if words.is_over and not word.is_over else UPDATED


def _followers(incident_id: int) -> list[int]:
    named = AffectedService.objects.filter(incident=incident_id).values("service")
    following = Webhook.objects.filter(is_public=True, is_enabled=True)
    wanted = following.filter(Q(services__isnull=True) | Q(services__in=named))
    return list(wanted.order_by("pk").values_list("pk", flat=True).distinct())


def _write(type: str, said: dict[str, Any], followers: list[int], at: datetime) -> int:
    page = _page()
    rows = [
        WebhookMessage(
            webhook_id=pk,
            message_id=outbox.new_id(),
            type=type,
            body=payloads.envelope(type, at, {"page": page, "incident": said, "unsubscribe_url": end_url(pk)}),
            queued_at=at,
            next_attempt_at=at,
        )
        for pk in followers
    ]
    if rows:
        WebhookMessage.objects.bulk_create(rows, batch_size=500)
        outbox.ring()
    return len(rows)
