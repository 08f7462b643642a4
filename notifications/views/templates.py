"""Words of messages: the list by moment and audience, the editor with its variables, preview and test message."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from incidents.errors import Invalid, ProcessError
from incidents.models import User
from incidents.permissions import can, require
from incidents.templatetags.records import number_of
from incidents.views.dialogs import attempt, go, sent
from notifications import template_settings, words
from notifications.messages import Facts
from notifications.models import TemplateVersion
from notifications.plan_forms import AboutForm, TemplateForm
from notifications.template_language import FILTERS
from notifications.template_settings import Slot, all_slots, find_slot
from notifications.views.door import reader, signed_in
from notifications.words import Sources

VERSIONS_SHOWN = 30


def _slot(moment: str, audience: str) -> Slot:
    found = find_slot(moment, audience)
    if found is None:
        raise Http404("There are no such words.")
    return found


@require_GET
@signed_in
def template_list(request: HttpRequest) -> HttpResponse:
    require(reader(request), "view_desk")
    groups: dict[str, dict[str, list[Slot]]] = {}
    for slot in sorted(all_slots(), key=lambda one: one.order):
        groups.setdefault(slot.group, {}).setdefault(slot.moment, []).append(slot)
    context = {"groups": [(title, list(moments.values())) for title, moments in groups.items()]}
    return render(request, "notifications/templates/templates.html", context)


@signed_in
def template(request: HttpRequest, moment: str, audience: str) -> HttpResponse:
    """The editor; whoever may not change the words reads them."""
    slot = _slot(moment, audience)
    require(reader(request), "view_desk" if request.method == "GET" else "configure_communication")
    now = slot.sources
    initial = {"subject": now.subject, "text": now.text, "short": now.short, "based_on": slot.number}
    form = TemplateForm(sent(request), initial=initial)
    if request.method == "POST" and attempt(form, lambda given: _save(slot, given, reader(request))):
        said = "Saved. It counts from the next message on."
        return go(request, reverse("template", args=[moment, audience]), said)
    context = {
        "slot": slot,
        "form": form,
        "about": AboutForm(reader=reader(request)),
        "variables": words.known_to("text", slot.moment, slot.audience),
        "subject_variable": words.SUBJECT,
        "filters": list(FILTERS),
        "history": _history(slot),
        "may_change": can(reader(request), "configure_communication"),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "notifications/templates/template.html", context, status=status)


def _typed(given: dict[str, Any]) -> Sources:
    return Sources(*(str(given.get(part, "")).replace("\r\n", "\n") for part in ("subject", "short", "text")))


def _save(slot: Slot, given: dict[str, Any], actor: User) -> TemplateVersion:
    return template_settings.save_template(
        slot.moment, slot.audience, _typed(given), note=given["note"], based_on=given["based_on"], actor=actor,
        at=timezone.now(),
    )  # fmt: skip


def _history(slot: Slot) -> list[dict[str, Any]]:
    """The versions, newest first, each with what it changed. One query."""
    rows = TemplateVersion.objects.filter(moment=slot.moment, audience=slot.audience).select_related("created_by")
    newest = list(rows.order_by("-number")[: VERSIONS_SHOWN + 1])
    found = []
    for row, older in zip(newest[:VERSIONS_SHOWN], [*newest[1:], None], strict=False):
        sources = [words.sources_of(one, slot.moment, slot.audience) for one in (older, row)]
        found.append({"version": row, "changes": template_settings.differences(*sources)})
    return found


@require_POST
@signed_in
def template_preview(request: HttpRequest, moment: str, audience: str) -> HttpResponse:
    """What the words in the editor would say on the sample or a real incident, or why they may not be. A fragment."""
    slot = _slot(moment, audience)
    require(reader(request), "view_desk")
    context: dict[str, Any] = {"recommended": template_settings.RECOMMENDED_SHORT}
    status = 200
    try:
        about = _about(request)
        context["wording"] = template_settings.preview(slot.moment, slot.audience, _typed(request.POST.dict()), **about)
    except Invalid as refusal:
        context["errors"], status = refusal.errors.items(), 422
    return render(request, "notifications/templates/_preview.html", context, status=status)


def _about(request: HttpRequest) -> dict[str, Any]:
    """The chosen incident's facts; nothing for the sample, and for one that this person may not see."""
    form = AboutForm(request.POST, reader=reader(request))
    if not form.is_valid():
        raise Invalid(incident="This incident cannot be chosen. Take another one or the sample.")
    incident = form.cleaned_data["incident"]
    return {"facts": Facts.of(incident)} if incident else {}


@require_POST
@signed_in
def template_do(request: HttpRequest, moment: str, audience: str, act: str) -> HttpResponse:
    """`test` sends what stands in the editor to oneself; `restore` an older version (`number`); `shipped`."""
    slot = _slot(moment, audience)
    actor = reader(request)
    require(actor, "configure_communication")
    back = reverse("template", args=[moment, audience])
    by: dict[str, Any] = {"actor": actor, "at": timezone.now()}
    if act == "test":
        return _test(request, slot)
    said = ""
    try:
        if act == "shipped":
            template_settings.restore_shipped(slot.moment, slot.audience, **by)
            said = "The shipped words count again."
        elif act == "restore":
            said = _restore(slot, number_of(request.POST.get("number", "")) or 0, by)
        else:
            raise Http404
    except ProcessError as refusal:
        messages.error(request, refusal.message)
    return go(request, back, said)


def _restore(slot: Slot, number: int, by: dict[str, Any]) -> str:
    rows = TemplateVersion.objects.filter(moment=slot.moment, audience=slot.audience)
    older = rows.filter(number=number).first()
    if older is None:
        raise Invalid(number="There is no such version of these words.")
    template_settings.restore_version(older, **by)
    return f"Version {older.number} counts again, as a new version."


def _test(request: HttpRequest, slot: Slot) -> HttpResponse:
    actor = reader(request)
    try:
        template_settings.send_test(
            slot.moment, slot.audience, _typed(request.POST.dict()), actor=actor, **_about(request)
        )
    except Invalid as refusal:
        context = {"errors": refusal.errors.items() or [("", [refusal.message])]}
        return render(request, "notifications/templates/_preview.html", context, status=422)
    return render(request, "notifications/templates/_sent.html", {"address": actor.email})
