"""Channels and the places many read: their state, setting them up, switching them, trying them. Administrators only."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incidents.errors import ProcessError
from incidents.permissions import require
from incidents.views.dialogs import dialog, go, sent, way_back
from notifications import channel_queries as queries
from notifications import channel_settings as acts
from notifications.channel_forms import PlaceForm, SettingsForm
from notifications.channel_queries import ChannelShown
from notifications.channels import Outcome
from notifications.channels.kinds import KINDS
from notifications.models import ChannelKey, Destination
from notifications.views.door import reader, signed_in


@require_GET
@signed_in
def channel_list(request: HttpRequest) -> HttpResponse:
    require(reader(request), "configure")
    shown = queries.channels_shown()
    context = {"channels": shown, "places": queries.places_of(shown), "changes": queries.changes()}
    return render(request, "notifications/channels/channels.html", context)


@require_GET
@signed_in
def channel(request: HttpRequest, key: str) -> HttpResponse:
    """One channel: how it does, what was entered, and what to do step by step."""
    shown = _load(request, key)
    context = {
        "channel": shown,
        "places": queries.places_of([shown], channel=key),
        "button_address": queries.button_address(),
        "reply_address": queries.reply_address(),
        "apprise_schemes": acts.open_services() if key == ChannelKey.APPRISE else (),
    }
    return render(request, "notifications/channels/channel.html", context)


def _load(request: HttpRequest, key: str) -> ChannelShown:
    require(reader(request), "configure")
    shown = queries.channel_shown(key)
    if shown is None:
        raise Http404(f"There is no channel {key}.")
    return shown


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": reader(request), "at": timezone.now()}


@require_http_methods(["GET", "POST"])
@signed_in
def channel_account(request: HttpRequest, key: str) -> HttpResponse:
    """The account at the provider. Secrets are never shown again."""
    shown = _load(request, key)
    if not shown.asks:
        raise Http404(f"{shown.label} needs no account.")
    form = SettingsForm(sent(request), asked=KINDS[key].account, known=dict(shown.settings), stored=shown.secrets_set)
    return dialog(
        request,
        form,
        lambda given: acts.save_account(key, given=given, **_by(request)),
        title=f"{'Change' if shown.row else 'Set up'} {shown.label}",
        text="Secrets are kept encrypted and never shown again.",
        said=f"{shown.label} is saved. Send a test to see whether it works.",
        back=reverse("channel", args=[key]),
    )


@require_POST
@signed_in
def channel_switch(request: HttpRequest, key: str) -> HttpResponse:
    """On or off, as the form says, so that a second click changes nothing."""
    shown = _load(request, key)
    on = request.POST.get("on") == "yes"
    said = f"{shown.label} is on." if on else f"{shown.label} is off: nothing leaves by it."
    return _done(request, lambda: acts.switch_channel(key, on=on, **_by(request)), reverse("channel", args=[key]), said)


@require_POST
@signed_in
def channel_remove(request: HttpRequest, key: str) -> HttpResponse:
    shown = _load(request, key)
    said = f"The account of {shown.label} is removed."
    return _done(request, lambda: acts.remove_account(key, **_by(request)), reverse("channel", args=[key]), said)


@require_http_methods(["GET", "POST"])
@signed_in
def channel_test(request: HttpRequest, key: str) -> HttpResponse:
    """A real test message to an address or place given here; what the provider says is shown either way."""
    shown = _load(request, key)
    if not shown.may_be_tried:
        raise Http404(f"{shown.label} cannot be tried from here.")
    mine = {"address": reader(request).email} if key == ChannelKey.EMAIL else {}
    form = SettingsForm(sent(request), asked=acts.test_settings(key), known=mine)

    def send(given: dict[str, Any]) -> str:
        outcome = acts.try_channel(key, given=given, **_by(request))
        if not outcome.accepted:
            raise ProcessError(_refusal(shown.label, outcome))
        messages.success(request, _success(shown.label, outcome))
        return reverse("channel", args=[key])

    return dialog(
        request,
        form,
        send,
        title=f"Test {shown.label}",
        text="A real message leaves at once. The answer may take ten seconds.",
        submit="Send the test",
        back=lambda where: where,
    )


def _success(label: str, outcome: Outcome) -> str:
    return f"{label} took the test message. It answered: {outcome.answer or 'nothing'}"


def _refusal(label: str, outcome: Outcome) -> str:
    return f"{label} did not take the test message. It answered: {outcome.answer or 'nothing'}"


def _done(request: HttpRequest, act: Any, back: str, said: str) -> HttpResponse:
    """Does it and goes back with a sentence; a refusal is that sentence."""
    try:
        act()
    except ProcessError as refusal:
        messages.error(request, refusal.message)
        return go(request, back)
    return go(request, back, said)


# --- Places -----------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
@signed_in
def place_new(request: HttpRequest) -> HttpResponse:
    """First the service, from tiles; then the place."""
    require(reader(request), "configure")
    key = request.GET.get("channel", "")
    if key not in acts.WITH_PLACES:
        fragment = "notifications/channels/_tiles.html"
        tiles = [one for one in queries.channels_shown() if one.has_places]
        whole = {"tiles": tiles, "title": "Where do people read?", "fragment": fragment}
        is_dialog = getattr(request, "htmx", False)
        return render(request, fragment if is_dialog else "incidents/desk_kit/dialog_page.html", whole)
    form = PlaceForm(sent(request), channel=key)
    return dialog(
        request,
        form,
        lambda given: acts.save_place(None, channel=key, changes=form.changes_of(given), **_by(request)),
        title=f"Add a place in {ChannelKey(key).label}",
        submit="Add",
        wide=True,
        said="The place is added. Send a test to see whether it works.",
        back=reverse("channels"),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def place_edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = _place(request, pk)
    secret = tuple(one.name for one in KINDS[row.channel].place if one.is_secret and row.sealed)
    form = PlaceForm(sent(request), initial=PlaceForm.initial_of(row), channel=row.channel, stored=secret)
    return dialog(
        request,
        form,
        lambda given: acts.save_place(pk, changes=form.changes_of(given), **_by(request)),
        title=row.name,
        text=f"Now: {row.address}" if secret else "",
        wide=True,
        said="The place is saved.",
        back=reverse("channels"),
    )


def _place(request: HttpRequest, pk: int) -> Destination:
    require(reader(request), "configure")
    return get_object_or_404(queries.places(), pk=pk)


@require_POST
@signed_in
def place_test(request: HttpRequest, pk: int) -> HttpResponse:
    row = _place(request, pk)
    outcome = acts.try_place(row, **_by(request))
    if outcome.accepted:
        messages.success(request, _success(f"“{row.name}”", outcome))
    else:
        messages.error(request, _refusal(f"“{row.name}”", outcome))
    return go(request, way_back(request, reverse("channels")))


@require_POST
@signed_in
def place_switch(request: HttpRequest, pk: int) -> HttpResponse:
    row = _place(request, pk)
    on = request.POST.get("on") == "yes"
    said = f"“{row.name}” hears again." if on else f"“{row.name}” hears nothing from now on."
    act = {"is_enabled": on}
    back = way_back(request, reverse("channels"))
    return _done(request, lambda: acts.save_place(pk, changes=act, **_by(request)), back, said)


@require_POST
@signed_in
def place_remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = _place(request, pk)
    said = f"“{row.name}” is removed. What was sent there stays in the log."
    back = way_back(request, reverse("channels"))
    return _done(request, lambda: acts.remove_place(pk, **_by(request)), back, said)
