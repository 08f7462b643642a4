"""Who was told what, and what became of it."""

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from incidents.permissions import is_staff, visible_incidents
from incidents.process import Audience
from notifications import evidence
from notifications.models import ChannelKey, DeliveryState
from notifications.queries import told_by_audience, troubled_deliveries, visible_deliveries
from notifications.views.door import reader, signed_in
from notifications.views.paging import older_than

PAGE = 50
TROUBLES_SHOWN = 5


class DeliveryFilterForm(forms.Form):
    """Filters in the address; what cannot be read is left out and said."""

    state = forms.ChoiceField(choices=[("", "Any state"), *DeliveryState.choices], required=False)
    audience = forms.ChoiceField(choices=[("", "Any audience"), *Audience.choices], required=False)
    channel = forms.ChoiceField(choices=[("", "Any channel"), *ChannelKey.choices], required=False)
    incident = forms.RegexField(
        r"^(?i:MI-)\d{1,12}$",
        required=False,
        label="Major incident",
        error_messages={"invalid": "A reference looks like MI-12."},
        widget=forms.TextInput(attrs={"placeholder": "MI-12"}),
    )
    recipient = forms.CharField(max_length=254, required=False, widget=forms.TextInput(attrs={"placeholder": "name@…"}))

    def narrow(self) -> Q:
        """The rows these filters leave; a field with an error filters nothing."""
        given = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        found = Q()
        for name in ("state", "channel"):
            found &= Q(**{name: given[name]}) if given.get(name) else Q()
        found &= Q(audiences__contains=[given["audience"]]) if given.get("audience") else Q()
        found &= Q(incident=int(given["incident"][3:])) if given.get("incident") else Q()
        words = (given.get("recipient") or "").replace("\x00", "")
        return found & (Q(address__icontains=words) | Q(recipient__email__icontains=words) if words else Q())


@require_GET
@signed_in
def delivery_list(request: HttpRequest) -> HttpResponse:
    """Every message one may see, newest first, filtered by the address."""
    form = DeliveryFilterForm(request.GET)
    rows = visible_deliveries(reader(request)).filter(form.narrow())
    deliveries, older = older_than(rows, request, PAGE)
    query = request.GET.copy()
    query.pop("before", None)
    context = {"form": form, "deliveries": deliveries, "older": older, "query": query.urlencode()}
    return render(request, "notifications/deliveries.html", context)


@require_GET
@signed_in
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One message as it was worded, and its history."""
    row = get_object_or_404(visible_deliveries(reader(request)).select_related("event__actor"), pk=pk)
    return render(request, "notifications/delivery.html", {"delivery": row})


@require_GET
@signed_in
def incident_deliveries(request: HttpRequest, ref: int) -> HttpResponse:
    """The audiences of one incident with "n of m told", last told, next due, and what failed. A slot of its page."""
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    sees_people = is_staff(reader(request))
    troubles = list(troubled_deliveries(incident)[: TROUBLES_SHOWN + 1]) if sees_people else []
    context = {
        "incident": incident,
        "audiences": told_by_audience(incident),
        "troubles": troubles[:TROUBLES_SHOWN],
        "more_troubles": len(troubles) > TROUBLES_SHOWN,
        "sees_people": sees_people,
        "is_expanding": evidence.is_expanding(incident.pk),
    }
    return render(request, "notifications/deliveries/_told.html", context)
