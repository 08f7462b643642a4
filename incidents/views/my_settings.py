"""My settings: name, phone, time zone and appearance; roles and seats to read."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from incidents.actions.people import edit_person
from incidents.forms.people import MySettingsForm
from incidents.models import User
from incidents.permissions import can
from incidents.queries.access import live_seats
from incidents.views.dialogs import attempt, go
from incidents.views.gate import Request, page

THEME_COOKIE = "theme"


@page()
def my_settings(request: Request) -> HttpResponse:
    me = User.objects.select_related("team", "line_manager").prefetch_related("role_rows").get(pk=request.user.pk)
    form = MySettingsForm(request.POST or None, initial=MySettingsForm.initial_of(me))

    def save(given: dict[str, Any]) -> None:
        edit_person(me.pk, changes=form.changes(), actor=request.user, at=timezone.now())

    if request.method == "POST" and attempt(form, save):
        response = go(request, reverse("my_settings"), "Your settings are saved.")
        if "theme" in form.changed_data:
            response.delete_cookie(THEME_COOKIE, samesite="Lax")  # this device chose before; now the person did
        return response
    context = {"form": form, "me": me, "seats": live_seats(me), "may_have_keys": can(me, "view_desk")}
    status = 422 if request.method == "POST" else 200
    return render(request, "incidents/my_settings/my_settings.html", context, status=status)
