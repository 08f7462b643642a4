"""Communication plans: the list, one plan with its preview and versions, the editor, and the switch on an incident."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from incidents.actions import plans as acts
from incidents.errors import Invalid, ProcessError, Stale
from incidents.models import PlanVersion
from incidents.permissions import can, require, visible_incidents
from incidents.process import Audience
from incidents.queries import plans as reading
from incidents.templatetags.records import number_of
from incidents.views.dialogs import dialog, go, sent
from notifications import plan_preview, plan_queries, plan_settings
from notifications.page_queries import target_words
from notifications.plan_forms import LookForm, NewPlanForm, PlanForm, SwitchForm
from notifications.plans import plan_of
from notifications.views.door import reader, signed_in


def _newest(key: str) -> PlanVersion:
    found = reading.newest_version(key)
    if found is None:
        raise Http404("There is no such communication plan.")
    return found


def _version(key: str, number: str) -> tuple[PlanVersion, PlanVersion]:
    """The version asked for ("" means the newest), and the newest."""
    newest = _newest(key)
    if not number or number_of(number) == newest.number:
        return newest, newest
    rows = PlanVersion.objects.select_related("plan__service", "created_by")
    return get_object_or_404(rows, plan__key=key, number=number_of(number) or 0), newest


@require_GET
@signed_in
def plan_list(request: HttpRequest) -> HttpResponse:
    require(reader(request), "view_desk")
    versions = reading.newest_versions()
    rows = [(one, plan_queries.how_rows(one)[0].cells) for one in versions]
    may_change = can(reader(request), "configure_communication")
    context = {"rows": rows, "audiences": list(Audience), "may_change": may_change}
    return render(request, "notifications/plans/plans.html", context)


@signed_in
def plan_new(request: HttpRequest) -> HttpResponse:
    """A plan of its own for one service or tier, beginning as what counts for it now."""
    require(reader(request), "configure_communication")
    return dialog(
        request,
        NewPlanForm(sent(request)),
        lambda given: acts.make_plan(**given, actor=reader(request), at=timezone.now()),
        title="A plan of its own",
        text="It begins as what counts for the service or tier now. Change it on the next page.",
        submit="Make it",
        back=lambda made: reverse("plan_edit", args=[made.plan.key]),
    )


@require_GET
@signed_in
def plan(request: HttpRequest, key: str) -> HttpResponse:
    """The newest version, or an older one by `?version=`; changed cells are marked."""
    require(reader(request), "view_desk")
    shown, newest = _version(key, request.GET.get("version", ""))
    history = plan_queries.history(newest)
    before = next((one.version for one in history if one.version.number == shown.number - 1), None)
    context = {
        "version": shown,
        "newest": newest,
        "audiences": list(Audience),
        "moment_rows": plan_queries.moment_rows(shown, before),
        "how_rows": plan_queries.how_rows(shown, before),
        "history": history,
        "look": LookForm(reader=reader(request)),
        "may_change": can(reader(request), "configure_communication"),
    }
    return render(request, "notifications/plans/plan.html", context)


@signed_in
def plan_edit(request: HttpRequest, key: str) -> HttpResponse:
    require(reader(request), "configure_communication")
    version = _newest(key)
    form = PlanForm(sent(request), version=version)
    if request.method == "POST" and _save(request, form):
        said = "Saved. New major incidents get this version; those under way keep theirs until somebody switches."
        return go(request, reverse("plan", args=[key]), said)
    context = {"form": form, "version": version, "look": LookForm(sent(request), reader=reader(request))}
    return render(request, "notifications/plans/edit.html", context, status=422 if request.method == "POST" else 200)


def _save(request: HttpRequest, form: PlanForm) -> bool:
    """A refusal stands above the table and at its audience. After somebody else's version the next saving is based on
    theirs, once seen."""
    if not form.is_valid():
        return False
    given = form.cleaned_data
    try:
        plan_settings.save_plan(
            form.version, form.content(), bridge=given["bridge"], note=given["note"], based_on=given["based_on"],
            actor=reader(request), at=timezone.now(),
        )  # fmt: skip
    except Invalid as refusal:
        form.refuse(refusal.errors)
        return False
    except Stale as refusal:
        form.add_error(None, f"{refusal.message} Cells that differ from it are marked; save again to keep yours.")
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["based_on"] = form.version.number  # type: ignore[index]
        return False
    return True


@require_POST
@signed_in
def plan_preview_now(request: HttpRequest, key: str) -> HttpResponse:
    """What somebody would get: by the version in force, or by what stands in the editor. A fragment."""
    require(reader(request), "configure_communication")
    version, _ = _version(key, request.POST.get("version", ""))
    about = LookForm(request.POST, reader=reader(request))
    if not about.is_valid():
        return render(request, "notifications/plans/_look.html", {"form": about}, status=422)
    shown = plan_of(version)
    if "based_on" in request.POST:
        typed = PlanForm(request.POST, version=version)
        typed.is_valid()
        shown = plan_of(PlanVersion(plan=version.plan, number=version.number, content=typed.content()))
    given = {name: about.cleaned_data[name] for name in ("moment", "audience", "person", "incident")}
    look = plan_preview.look(shown, **given, targets=dict(target_words()))
    return render(request, "notifications/plans/_look.html", {"look": look})


@require_POST
@signed_in
def plan_do(request: HttpRequest, key: str, act: str) -> HttpResponse:
    """`restore` an older version (`number`), or `withdraw` a plan of its own."""
    require(reader(request), "configure_communication")
    by: dict[str, Any] = {"actor": reader(request), "at": timezone.now()}
    back, said = reverse("plan", args=[key]), ""
    try:
        if act == "restore":
            older, newest = _version(key, request.POST.get("number", ""))
            plan_settings.restore_plan(older, based_on=newest.number, **by)
            said = f"Version {older.number} counts again, as a new version."
        elif act == "withdraw":
            acts.withdraw(_newest(key).plan, **by)
            back, said = reverse("plan_list"), "Withdrawn. New incidents follow the plan of their severity."
        else:
            raise Http404
    except ProcessError as refusal:
        messages.error(request, refusal.message)
    return go(request, back, said)


@signed_in
def plan_switch(request: HttpRequest, ref: int) -> HttpResponse:
    """The incident goes on under another plan, or under the newest version of its own."""
    incident = get_object_or_404(visible_incidents(reader(request)), pk=ref)
    require(reader(request), "command", incident)
    now = reading.version_of(incident)
    offered = [one for one in reading.newest_versions() if one.pk is None or one.pk != now.pk]
    return dialog(
        request,
        SwitchForm(sent(request), versions=offered),
        lambda given: acts.switch(ref, **given, actor=reader(request), at=timezone.now()),
        title="Switch the communication plan",
        text=f"{incident.ref} runs under {now}. Another one counts from the next message on.",
        submit="Switch",
        said="Switched. It counts from the next message on.",
        back=reverse("war_room", args=[ref]),
    )
