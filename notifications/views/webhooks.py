"""Webhooks: who is told what happens, how each does, what it was told, and sending it again."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from incidents.views import shown_once
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page
from notifications.models import Webhook, WebhookMessage
from notifications.webhooks import actions
from notifications.webhooks.catalogue import GROUPS
from notifications.webhooks.forms import ReplayForm, WebhookForm
from notifications.webhooks.queries import followers, health_of, host_of, last_messages, messages, webhooks

SECRET = "webhook_secret"  # noqa: S105 – where it is kept until it is shown
_USUALLY_SINCE = timedelta(hours=24)


def _load(pk: int) -> Webhook:
    return get_object_or_404(webhooks(), pk=pk)


def _by(request: Request) -> dict[str, Any]:
    return {"actor": request.user, "at": timezone.now()}


@page("configure")
@require_GET
def webhook_list(request: Request) -> HttpResponse:
    rows = list(webhooks().order_by("-is_enabled", "name"))
    health = health_of(rows, timezone.now())
    context = {"rows": [(row, host_of(row), health[row.pk]) for row in rows], "followers": followers()}
    name = "_rows" if request.headers.get("HX-Target") == "webhook-rows" else "webhooks"
    return render(request, f"notifications/webhooks/{name}.html", context)


@page("configure")
def webhook_new(request: Request) -> HttpResponse:
    form = WebhookForm(sent(request), initial={"owner": request.user.pk})

    def add(given: dict[str, Any]) -> Webhook:
        made, secret = actions.save_webhook(changes=form.fields_of(given), **_by(request))
        shown_once.keep(request, SECRET, made.pk, secret)
        return made

    return dialog(
        request, form, add, title="A new webhook", submit="Make its secret", wide=True,
        template="notifications/webhooks/_form.html", back=lambda made: reverse("webhook_secret", args=[made.pk]),
    )  # fmt: skip


@page("configure")
@require_GET
def webhook_secret(request: Request, pk: int) -> HttpResponse:
    """The secret, this once, with the code that verifies what is signed with it."""
    row = _load(pk)
    secret = shown_once.take(request, SECRET, pk)
    if not secret:
        return redirect("webhook", pk=pk)
    response = render(request, "notifications/webhooks/secret.html", {"webhook": row, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response


@page("configure")
@require_GET
def webhook(request: Request, pk: int) -> HttpResponse:
    row = _load(pk)
    chosen = set(row.events)
    groups = [(group.title, [told for told in group.events if told.name in chosen]) for group in GROUPS]
    context = _now(row) | {
        "groups": [(title, events) for title, events in groups if events],
        "old_secret_lives": bool(row.old_secret_until and row.old_secret_until > timezone.now()),
    }
    return render(request, "notifications/webhooks/webhook.html", context)


@page("configure")
@require_GET
def webhook_now(request: Request, pk: int) -> HttpResponse:
    """How it does and what it was told last, fetched again whenever something is sent."""
    return render(request, "notifications/webhooks/_now.html", _now(_load(pk)))


def _now(row: Webhook) -> dict[str, Any]:
    return {"webhook": row, "health": health_of([row], timezone.now())[row.pk], "messages_sent": last_messages(row)}


@page("configure")
def webhook_edit(request: Request, pk: int) -> HttpResponse:
    row = _load(pk)
    form = WebhookForm(sent(request), initial=WebhookForm.initial_of(row))
    return dialog(
        request, form, lambda given: actions.save_webhook(pk, changes=form.fields_of(given), **_by(request)),
        title="Edit the webhook", wide=True, template="notifications/webhooks/_form.html",
        back=reverse("webhook", args=[pk]),
    )  # fmt: skip


@page("configure")
@require_POST
def webhook_rotate(request: Request, pk: int) -> HttpResponse:
    """A new secret, shown on the next page. The old one signs for a day beside it, unless it leaked."""
    keep_old = request.POST.get("keep") != "no"
    row, secret = actions.rotate_secret(_load(pk).pk, keep_old=keep_old, **_by(request))
    shown_once.keep(request, SECRET, row.pk, secret)
    return go(request, reverse("webhook_secret", args=[pk]))


@page("configure")
@require_POST
def webhook_switch(request: Request, pk: int) -> HttpResponse:
    """On when it is off, off when it is on; the form says which, so that a second click changes nothing."""
    on = request.POST.get("on") == "yes"
    row, _ = actions.save_webhook(_load(pk).pk, changes={"is_enabled": on}, **_by(request))
    said = f"“{row.name}” is told again. What it missed, send again." if on else f"“{row.name}” is told nothing now."
    return go(request, reverse("webhook", args=[pk]), said)


@page("configure")
@require_POST
def webhook_delete(request: Request, pk: int) -> HttpResponse:
    row = _load(pk)
    actions.delete_webhook(pk, **_by(request))
    return go(request, reverse("webhooks"), f"“{row.name}” is deleted.")


@page("configure")
@require_POST
def webhook_test(request: Request, pk: int) -> HttpResponse:
    """Sends a test; shows what comes of it."""
    message = actions.send_test(_load(pk).pk, **_by(request))
    if getattr(request, "htmx", False):
        return _outcome(request, message.pk)
    return go(request, reverse("webhook_message", args=[message.pk]), "The test is on its way.")


@page("configure")
@require_GET
def webhook_test_outcome(request: Request, pk: int) -> HttpResponse:
    """Asked again every second until there is an answer."""
    return _outcome(request, pk)


def _outcome(request: Request, pk: int) -> HttpResponse:
    message = get_object_or_404(messages(), pk=pk, is_trial=True)
    return render(request, "notifications/webhooks/_test.html", {"message": message})


# --- Messages ----------------------------------------------------------------------------------------------
def _message(pk: int) -> WebhookMessage:
    return get_object_or_404(messages(), pk=pk)


@page("configure")
@require_GET
def webhook_message(request: Request, pk: int) -> HttpResponse:
    """One message: the body as it was signed, the last answer."""
    found = _message(pk)
    return render(request, "notifications/webhooks/message.html", {"message": found, "webhook": found.webhook})


@page("configure")
@require_POST
def webhook_message_replay(request: Request, pk: int) -> HttpResponse:
    found = actions.replay_message(_message(pk).pk, **_by(request))
    here = reverse("webhook", args=[found.webhook_id])
    return go(request, way_back(request, here), "It is sent again, under the same webhook-id.")


@page("configure")
def webhook_replay(request: Request, pk: int) -> HttpResponse:
    """Everything of a period again."""
    row = _load(pk)
    form = ReplayForm(sent(request), initial={"since": timezone.now() - _USUALLY_SINCE})

    def again(given: dict[str, Any]) -> int:
        return actions.replay_since(pk, **given, **_by(request))

    return dialog(
        request, form, again, title="Send again", text=row.name, submit="Send again",
        back=reverse("webhook", args=[pk]), said="It is sent again, each message under the webhook-id it had.",
    )  # fmt: skip
