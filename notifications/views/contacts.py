"""My messages: where one is reached, in which order, and when it is quiet. And who cannot be rung."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from incidents import outgoing
from incidents.errors import Invalid, ProcessError
from incidents.models import User
from incidents.permissions import require
from incidents.views.dialogs import attempt, dialog, go, sent
from notifications import contact_queries, contacts
from notifications.channels import web_push
from notifications.channels.kinds import KINDS
from notifications.contact_forms import AddressForm, CodeForm, QuietHoursForm, WishesForm
from notifications.models import ChannelKey, ContactPoint
from notifications.views.door import reader, signed_in

FOLDER = "notifications/contacts"
_ACTS = ("up", "down", "send-code", "test", "remove")
_MOST_BYTES = 8 * 1024


@signed_in
def message_settings(request: HttpRequest) -> HttpResponse:
    me = reader(request)
    chosen = contacts.settings_of(me)
    initial = {"quiet_from": chosen.quiet_from, "quiet_until": chosen.quiet_until}
    form = QuietHoursForm(sent(request), initial=initial)

    def save(given: dict[str, Any]) -> None:
        contacts.keep_quiet(me, given["quiet_from"], given["quiet_until"])

    if request.method == "POST" and attempt(form, save):
        is_quiet = form.cleaned_data["quiet_from"] is not None
        said = "Your quiet hours are saved." if is_quiet else "You have no quiet hours."
        return go(request, reverse("message_settings"), said)
    can_add = contacts.channels_to_add()
    context = {
        "form": form,
        "entries": contacts.entries(me),
        "to_add": [(key, ChannelKey(key).label) for key in can_add if key != ChannelKey.WEB_PUSH],
        "push_key": web_push.public_key() if ChannelKey.WEB_PUSH in can_add else "",
        "zone": contact_queries.zone_of(me),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, f"{FOLDER}/message_settings.html", context, status=status)


@require_GET
@signed_in
def message_addresses(request: HttpRequest) -> HttpResponse:
    """The list alone: fetched again when a code has left or failed."""
    return render(request, f"{FOLDER}/_addresses.html", {"entries": contacts.entries(reader(request))})


@signed_in
def contact_add(request: HttpRequest, channel: str) -> HttpResponse:
    if channel not in KINDS or channel == ChannelKey.WEB_PUSH or channel not in contacts.channels_to_add():
        raise Http404("This channel is not switched on here.")
    me = reader(request)
    return dialog(
        request,
        AddressForm(sent(request), channel=channel),
        lambda given: contacts.add(me, channel, given, at=timezone.now()),
        title=f"Add {ChannelKey(channel).label}",
        text="A code is sent there. Enter it, so that nothing goes to somebody else.",
        submit="Send the code",
        back=lambda point: reverse("contact_verify", args=[point.pk]),
    )


@signed_in
def contact_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """The code that was sent to a new address."""
    point = _mine(request, pk)
    if point.verified_at is not None and request.method == "GET":
        return go(request, reverse("message_settings"), "This address is verified.")
    return dialog(
        request,
        CodeForm(sent(request)),
        lambda given: contacts.verify(pk, reader(request), given["code"], at=timezone.now()),
        title=f"Verify {contacts.shown(point)}",
        text=_where(point),
        said="Verified. Messages can come here now.",
        back=reverse("message_settings"),
        template=f"{FOLDER}/_verify.html",
        point=point,
        last=contact_queries.last_message(point),
    )


def _where(point: ContactPoint) -> str:
    words = {
        ChannelKey.SMS: "Enter the code of the SMS.",
        ChannelKey.VOICE: "You are being called: enter the code you hear.",
        ChannelKey.WEB_PUSH: "Enter the code of the notification your browser shows.",
    }
    return words.get(ChannelKey(point.channel), "Enter the code of the message.")


@signed_in
def contact_edit(request: HttpRequest, pk: int) -> HttpResponse:
    point = _mine(request, pk)
    initial = {"takes_messages": point.takes_messages, "page_after_minutes": point.page_after_minutes}
    return dialog(
        request,
        WishesForm(sent(request), initial=initial),
        lambda given: contacts.change(point, **given),
        title=contacts.shown(point),
        text=str(point.get_channel_display()),
        said="Saved.",
        back=reverse("message_settings"),
    )


@require_POST
@signed_in
def contact_do(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """up and down (0 is the account's e-mail), send-code, test, remove."""
    if act not in _ACTS[: 2 if pk == 0 else None]:
        raise Http404
    back, now, me = reverse("message_settings"), timezone.now(), reader(request)
    if act in ("up", "down"):
        if pk:
            _mine(request, pk)
        contacts.move(me, pk, by=-1 if act == "up" else 1)
        return go(request, back)
    point = _mine(request, pk)
    try:
        if act == "send-code":
            contacts.send_code(point, at=now)
            return go(request, reverse("contact_verify", args=[pk]))
        if act == "test":
            contacts.send_test(point, at=now)
            return go(request, back, "A test message is on its way.")
    except ProcessError as refusal:
        context = {"title": "Nothing was sent", "sentence": refusal.message, "back": back}
        return render(request, "incidents/desk_kit/refused.html", context, status=422)
    contacts.remove(point, at=now)
    return go(request, back, "The address is removed.")


def _mine(request: HttpRequest, pk: int) -> ContactPoint:
    return get_object_or_404(ContactPoint.objects.select_related("user"), pk=pk, user=reader(request))


# --- This browser -------------------------------------------------------------------------------
@require_GET
def push_worker(request: HttpRequest) -> HttpResponse:
    """The service worker. It stands at the root, so that it may show notifications for the whole site."""
    response = render(request, f"{FOLDER}/push_worker.js", content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_POST
@signed_in
def push_subscribe(request: HttpRequest) -> HttpResponse:
    """What the browser's push service gave it, sent by our script; answers where to enter the code."""
    try:
        subscription = _subscription(request.body)
        name = contact_queries.browser_name(request.headers.get("User-Agent", ""))
        point = contacts.add_browser(reader(request), subscription, name, at=timezone.now())
    except ProcessError as refusal:
        return JsonResponse({"detail": refusal.message}, status=422)
    url = "message_settings" if point.verified_at else "contact_verify"
    return JsonResponse({"url": reverse(url, args=[] if point.verified_at else [point.pk])}, status=201)


def _subscription(body: bytes) -> dict[str, Any]:
    """A subscription one can send to. Raises Invalid."""
    try:
        given = json.loads(body[:_MOST_BYTES])
        endpoint, keys = str(given["endpoint"]), given["keys"]
        kept = {"p256dh": str(keys["p256dh"]), "auth": str(keys["auth"])}
        outgoing.check_url(endpoint)
        web_push.encrypted(b"", {"keys": kept})
    except outgoing.OutgoingRefused as refusal:
        raise Invalid(endpoint=str(refusal)) from None
    except (KeyError, TypeError, ValueError):
        raise Invalid(keys="This browser gave no keys one could use.") from None
    return {"endpoint": endpoint, "keys": kept}


# --- For those who plan ---------------------------------------------------------------------------
@require_GET
@signed_in
def person_contacts(request: HttpRequest, pk: int) -> HttpResponse:
    """How one person is reached, as a part of their account: administrators read it and change nothing."""
    require(reader(request), "configure")
    person = get_object_or_404(User, pk=pk)
    context = {"entries": contacts.entries(person), "person": person, "settings": contacts.settings_of(person)}
    return render(request, f"{FOLDER}/_person.html", context)


@require_GET
@signed_in
def on_call_reach(request: HttpRequest) -> HttpResponse:
    """Who is on call now and has nothing that rings: a part of the page “On call”."""
    require(reader(request), "view_desk")
    people = contact_queries.unreachable_on_call(at=timezone.now())
    return render(request, f"{FOLDER}/_on_call.html", {"people": people})
