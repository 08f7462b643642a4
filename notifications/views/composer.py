"""The composer of status updates, and what can still be done about one that was published."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incidents.actions import promises, update_drafts, updates
from incidents.errors import ProcessError
from incidents.models import MajorIncident, Organisation, StatusUpdate, UpdateDraft, User
from incidents.permissions import can, may_do_step, require, require_step, visible_incidents
from incidents.process import Audience
from incidents.queries.record import newest_text, public_drafts
from incidents.views.acting import attempt, done, show_dialog
from notifications import composer
from notifications.update_forms import PromiseForm, UpdateForm, promised_at, typed_texts
from notifications.update_queries import leaving_now, promise_record
from notifications.views.door import reader, signed_in

DIALOG = "notifications/updates/composer.html"


def find_incident(request: HttpRequest, ref: int) -> MajorIncident:
    return get_object_or_404(visible_incidents(reader(request)), pk=ref)


@signed_in
def update_composer(request: HttpRequest, ref: int) -> HttpResponse:
    """GET shows the composer with one's draft; POST publishes, or with `start` fills a field and publishes nothing."""
    incident, now = find_incident(request, ref), timezone.now()
    require(reader(request), "contribute", incident)
    if request.method == "POST" and not request.POST.get("start"):
        form = _form(incident, request.POST)
        marked = _marked(request)
        succeeded, update = attempt(form, lambda given: _publish(incident, given, marked, reader(request), now))
        if succeeded:
            return done(request, _said(update, now), back=reverse("war_room", args=[incident.ref]))
        if form.non_field_errors():  # perhaps for what came in between: now it has been seen
            typed = request.POST.copy()
            typed["seen"] = str(_newest(incident))
            form.data = typed
        return _show(request, incident, form)
    form = _form(incident, _filled(incident, request, now))
    return _show(request, incident, form, is_refused=False)


def _offered(request: HttpRequest, incident: MajorIncident) -> dict[str, Any]:
    """Entries of the record somebody marked as public drafts, and which of them are in the text already."""
    chosen = _marked(request)
    start, _, key = request.POST.get("start", "").partition(":")
    if start == "marked" and key.isascii() and key.isdigit():
        chosen.append(int(key))
    drafts = public_drafts(incident)
    return {
        "marked": [draft.pk for draft in drafts if draft.pk in chosen],
        "offered": [{"mark": draft, "words": newest_text(draft.event)} for draft in drafts if draft.pk not in chosen],
    }


def _form(incident: MajorIncident, typed: QueryDict | dict[str, Any]) -> UpdateForm:
    chosen = typed.getlist("audiences") if isinstance(typed, QueryDict) else typed.get("audiences", [])
    planned = composer.proposed_minutes(incident, [name for name in chosen if name in Audience.values])
    if isinstance(typed, QueryDict):
        return UpdateForm(typed, planned=planned)
    return UpdateForm(initial=typed, planned=planned)


def _marked(request: HttpRequest) -> list[int]:
    """Public drafts of the record that went into the text."""
    return [int(key) for key in request.POST.getlist("marked") if key.isascii() and key.isdigit() and len(key) < 10]


def _publish(
    incident: MajorIncident, given: dict[str, Any], marked: list[int], actor: User, now: datetime
) -> StatusUpdate:
    return updates.publish_update(
        incident.pk,
        texts=given["texts"],
        audiences=given["audiences"],
        next_update_at=promised_at(given["next_in"], now),
        corrects=given["corrects"],
        seen=given["seen"],
        marked=marked,
        actor=actor,
        at=now,
    )


def _said(update: StatusUpdate, now: datetime) -> str:
    until = update.undo_until
    if until is None or until <= now:
        return "The update is on its way."
    return f"The update leaves in {round((until - now).total_seconds())} s. Until then it can be taken back."


def _newest(incident: MajorIncident) -> int:
    return incident.updates.order_by("-pk").values_list("pk", flat=True).first() or 0


def _filled(incident: MajorIncident, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What the fields hold when the composer opens, and after one of its buttons filled one."""
    seen = {"seen": _newest(incident)}
    start = request.POST.get("start", "")
    if start == "afresh":
        update_drafts.discard(incident, actor=reader(request))
        return {**_first(incident, request.POST.get("corrects", "")), **seen}
    if start:
        typed: dict[str, Any] = {name: request.POST.get(name, "") for name in UpdateForm.base_fields}
        typed["audiences"] = request.POST.getlist("audiences")
        return {**typed, **_started(incident, typed, start, now)}
    corrects = request.GET.get("corrects", "")
    draft = UpdateDraft.objects.filter(incident=incident, author=reader(request)).first()
    if draft is not None and draft.content.get("corrects", "") == corrects:
        return {**draft.content, **seen}
    return {**_first(incident, corrects), **seen}


def _first(incident: MajorIncident, corrects: str) -> dict[str, Any]:
    """The words of the update to be put right, or nothing: a suggestion is one button away."""
    wrong = _wrong(incident, corrects)
    if wrong is None:
        return {"audiences": list(Audience.values)}
    return {**composer.fields_of(wrong), "audiences": wrong.reached, "corrects": wrong.pk}


def _wrong(incident: MajorIncident, corrects: object) -> StatusUpdate | None:
    number = str(corrects or "")
    return incident.updates.filter(pk=number).first() if number.isascii() and number.isdigit() else None


def _started(incident: MajorIncident, typed: dict[str, Any], start: str, now: datetime) -> dict[str, Any]:
    """One field from the common text, from the facts, emptied again, or all from somebody's draft."""
    name, _, source = start.partition(":")
    if name == "draft" and source.isdigit():
        other = UpdateDraft.objects.filter(incident=incident, pk=source).first()
        return dict(other.content) if other else {}
    if name == "marked" and source.isdigit():
        taken = [newest_text(mark.event) for mark in public_drafts(incident) if mark.pk == int(source)]
        return {"text": "\n\n".join(filter(None, [str(typed.get("text") or "").strip(), *taken])), "focus": "text"}
    if name not in (*Audience.values, "text"):
        return {}
    field = "text" if name == "text" else f"text_{name}"
    if source == "facts":
        due = promised_at(str(typed.get("next_in") or ""), now)
        words = composer.suggestion(incident, Audience.MANAGEMENT if name == "text" else name, next_update_at=due)
        return {field: words, "focus": field}
    return {field: typed["text"] if source == "common" else "", "focus": field if source == "common" else "text"}


def _show(request: HttpRequest, incident: MajorIncident, form: UpdateForm, *, is_refused: bool = True) -> HttpResponse:
    given = form.data if form.is_bound else form.initial
    person, now = reader(request), timezone.now()
    if focus := (form.initial.get("focus") if not form.is_bound else ""):
        form.fields[focus].widget.attrs["autofocus"] = True
    draft = UpdateDraft.objects.filter(incident=incident, author=person).first()
    context = {
        "incident": incident,
        "own": [
            {
                "audience": name,
                "label": Audience(name).label,
                "field": form[f"text_{name}"],
                "has_words": bool(given.get(f"text_{name}") or form[f"text_{name}"].errors)
                or form.initial.get("focus") == f"text_{name}",
            }
            for name in Audience.values
        ],
        "corrects": _wrong(incident, given.get("corrects")),
        "draft": draft,
        "writers": composer.others_writing(incident, person, now),
        "may_publish": may_do_step(person, incident, "inform"),
        "organisation": Organisation.current(),
        **_offered(request, incident),
        "act": {"title": "Publish an update"},
    }
    response = show_dialog(request, form, fragment=DIALOG, back=reverse("war_room", args=[incident.ref]), **context)
    response.status_code = 422 if is_refused else 200
    return response


@require_POST
@signed_in
def update_draft(request: HttpRequest, ref: int) -> HttpResponse:
    """Saves what stands in the composer, and answers what differs, what should not leave, and who else is writing."""
    incident, now = find_incident(request, ref), timezone.now()
    require(reader(request), "contribute", incident)
    content: dict[str, Any] = {name: request.POST.get(name, "") for name in update_drafts.FIELDS}
    content["audiences"] = request.POST.getlist("audiences")
    common, texts = typed_texts(request.POST)
    try:
        draft, problem = update_drafts.save(incident, content=content, actor=reader(request), at=now), ""
    except ProcessError as refusal:
        draft, problem = None, refusal.message
    context = {
        "incident": incident,
        "draft": draft,
        "problem": problem,
        "looked_over": composer.look_over(common, texts),
        "writers": composer.others_writing(incident, reader(request), now),
    }
    return render(request, "notifications/updates/_looked_over.html", context)


@require_GET
@signed_in
def update_leaving(request: HttpRequest, ref: int) -> HttpResponse:
    """What is being written, what waits and can be taken back, who got what was. A slot of the war room."""
    incident = find_incident(request, ref)
    person, now = reader(request), timezone.now()
    may_contribute = can(person, "contribute", incident)
    context = {
        "incident": incident,
        "writers": [one for one in composer.others_writing(incident, person, now) if one.is_fresh],
        "shown": leaving_now(incident, now) if may_contribute else None,
        "may_publish": may_contribute and may_do_step(person, incident, "inform"),
        "promises": promise_record(incident),
        "now": now,
    }
    return render(request, "notifications/updates/_leaving.html", context)


@require_POST
@signed_in
def update_undo(request: HttpRequest, ref: int, pk: int) -> HttpResponse:
    """Takes back what has not left."""
    incident = find_incident(request, ref)
    update = get_object_or_404(incident.updates, pk=pk)
    back = reverse("war_room", args=[incident.ref])
    require_step(reader(request), incident, "inform")
    try:
        updates.undo_update(update.pk, actor=reader(request), at=timezone.now())
    except ProcessError as refusal:
        context = {"title": "It was not taken back", "sentence": refusal.message, "back": back}
        return render(request, "incidents/desk_kit/refused.html", context, status=422)
    return done(request, "Taken back. The war room shows who has it already.", back=back)


@require_http_methods(["GET", "POST"])
@signed_in
def promise(request: HttpRequest, ref: int) -> HttpResponse:
    """Moves or withdraws the promised next update, with a reason."""
    incident = find_incident(request, ref)
    require_step(reader(request), incident, "inform")
    form = PromiseForm(request.POST if request.method == "POST" else None)
    back = reverse("war_room", args=[incident.ref])
    if request.method == "POST":
        by: dict[str, Any] = {"actor": reader(request), "at": timezone.now()}

        def act(given: dict[str, Any]) -> None:
            if given["due_at"] is None:
                promises.withdraw(incident.pk, reason=given["reason"], **by)
            else:
                promises.move(incident.pk, due_at=given["due_at"], reason=given["reason"], **by)

        if attempt(form, act)[0]:
            return done(request, "The promise was changed.", back=back)
    words = {"title": "Promised next update", "submit": "Save"}
    return show_dialog(
        request,
        form,
        fragment="notifications/updates/promise.html",
        back=back,
        act=words,
        incident=incident,
        promises=promise_record(incident),
    )
