"""One form in a dialog or on a page of its own, sent to one action."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from incidents.errors import Invalid, NotAccountable, ProcessError

FRAGMENT = "incidents/desk_kit/dialog.html"
PAGE = "incidents/desk_kit/dialog_page.html"


def put_errors(form: BaseForm, refusal: ProcessError) -> None:
    """Writes a refusal on the form: at its field when it names one the form has, above the form otherwise."""
    if not isinstance(refusal, Invalid) or not refusal.errors:
        form.add_error(None, refusal.message)
        return
    for name, sentences in refusal.errors.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


def attempt(form: BaseForm, act: Callable[[dict[str, Any]], Any]) -> bool:
    """Does the act with what the valid form says; False when the form or the process refused."""
    if not form.is_valid():
        return False
    try:
        form.result = act(form.cleaned_data)  # type: ignore[attr-defined]
    except NotAccountable:
        raise
    except ProcessError as refusal:
        put_errors(form, refusal)
        return False
    return True


def go(request: HttpRequest, url: str, said: str = "") -> HttpResponse:
    """To `url` with a sentence; htmx is told to go there instead of swapping the page into a dialog."""
    if said:
        messages.success(request, said)
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, even when that is nothing; None when it is only looked at."""
    return request.POST if request.method == "POST" else None


def way_back(request: HttpRequest, default: str) -> str:
    """Where the form, or the address of the dialog, says it came from, when that is an address of ours."""
    back = request.POST.get("back") or request.GET.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if is_ours else default


def dialog(
    request: HttpRequest,
    form: BaseForm,
    act: Callable[[dict[str, Any]], Any],
    *,
    title: str,
    back: str | Callable[[Any], str],
    said: str = "",
    **context: Any,
) -> HttpResponse:
    """Shows the form, or does the act and goes `back` (an address, or made from the act's result).

    A refusal answers 422 with the same form and everything that was typed. Further context: `text`, `submit`
    (the button's words), `danger`, `wide`, `template` (a fragment of its own instead of the plain form).
    """
    if request.method == "POST" and attempt(form, act):
        result = form.result  # type: ignore[attr-defined]
        return go(request, back(result) if callable(back) else back, said)
    fragment = context.pop("template", FRAGMENT)
    cancel = back if isinstance(back, str) else request.headers.get("Referer", "/")
    context |= {"form": form, "title": title, "fragment": fragment, "cancel": cancel, "action": request.get_full_path()}
    name = fragment if getattr(request, "htmx", False) else PAGE
    return render(request, name, context, status=422 if request.method == "POST" else 200)
