"""E-mail in: where it comes from, what became of each mail, and what waits for a person."""

from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from incidents import imap, mail_reference, permissions
from incidents.actions import mail as mail_acts
from incidents.actions import mail_settings as acts
from incidents.forms.mail import AddressForm, MailboxForm, MailRulesForm
from incidents.models import InboundMail, Mailbox, MailRules, MailState, ReceivingAddress
from incidents.queries import mail as queries
from incidents.queries.paging import page_of
from incidents.views.dialogs import dialog, go, sent, way_back
from incidents.views.gate import Request, page

FOLDERS_SAID = 12


@page("view_mail")
def mail_in(request: Request) -> HttpResponse:
    """The mails, newest first, and beside them where they come in."""
    asked = {name: request.GET.get(name, "")[:200] for name in ("state", "q")}
    now = timezone.now()
    rules = MailRules.current()
    context = {
        "page": page_of(queries.inbound_mails(asked["state"], asked["q"]), queries.ORDER, request.GET.get("after", "")),
        "asked": asked,
        "states": MailState.choices,
        "counts": queries.counts_by_state(),
        "rules": rules,
        "listener": queries.listener(rules, now),
        "desk_address": mail_reference.desk_address(),
        "addresses": queries.receiving_addresses(),
        "mailboxes": queries.mailboxes(),
        "may_configure": permissions.can(request.user, "configure"),
        "is_narrow": any(asked.values()),
    }
    return render(request, "incidents/mail_in/mail_in.html", context)


# --- One mail -------------------------------------------------------------------------------------------
def _load(request: Request, pk: int) -> InboundMail:
    try:
        return queries.mail_for(request.user, pk)
    except InboundMail.DoesNotExist:
        raise Http404(f"There is no mail no. {pk} that you may see.") from None


@page()
def inbound_mail(request: Request, pk: int) -> HttpResponse:
    """Its headers, its words, and why it became what it became."""
    mail = _load(request, pk)
    context = {"mail": mail, "may_judge": permissions.can(request.user, "view_mail")}
    return render(request, "incidents/mail_in/mail.html", context)


@page()
def inbound_mail_source(request: Request, pk: int) -> HttpResponse:
    """Every byte as it came, as a download; never shown inside a page."""
    mail = _load(request, pk)
    response = HttpResponse(queries.source_of(mail), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="mail-{mail.pk}.eml"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


_ACTS = {
    "release": (mail_acts.release, "is released; in a moment it is a ticket or a comment."),
    "again": (mail_acts.try_again, "is processed again in a moment."),
    "aside": (mail_acts.put_aside, "is put aside."),
}


@page("view_mail")
@require_POST
def inbound_mail_do(request: Request, pk: int, act: str) -> HttpResponse:
    """release, again (by the same rules), aside."""
    mail = _load(request, pk)
    if act not in _ACTS:
        raise Http404
    do, words = _ACTS[act]
    do(mail.pk, actor=request.user, at=timezone.now())
    back = way_back(request, reverse("inbound_mail", args=[pk]))
    return go(request, back, f"“{mail.subject or '(no subject)'}” {words}")


# --- Addresses and rules ----------------------------------------------------------------------------------
@page("configure")
@require_http_methods(["GET", "POST"])
def receiving_address_new(request: Request) -> HttpResponse:
    return _address(request, AddressForm(sent(request)), None, title="New receiving address")


@page("configure")
@require_http_methods(["GET", "POST"])
def receiving_address_edit(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(ReceivingAddress, pk=pk)
    form = AddressForm(sent(request), initial=AddressForm.initial_of(row))
    return _address(request, form, row, title=row.address)


def _address(request: Request, form: BaseForm, row: ReceivingAddress | None, *, title: str) -> HttpResponse:
    return dialog(
        request,
        form,
        lambda given: acts.save_address(row.pk if row else None, changes=given, actor=request.user, at=timezone.now()),
        title=title,
        back=reverse("mail_in"),
        said="The address is saved.",
    )


@page("configure")
@require_POST
def receiving_address_remove(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(ReceivingAddress, pk=pk)
    acts.remove_address(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("mail_in"), f"Mail to {row.address} is refused from now on.")


@page("configure")
def mail_rules(request: Request) -> HttpResponse:
    return dialog(
        request,
        MailRulesForm(sent(request), initial=MailRulesForm.initial_of(MailRules.current())),
        lambda given: acts.save_rules(changes=given, actor=request.user, at=timezone.now()),
        title="Rules of e-mail in",
        back=reverse("mail_in"),
        said="The rules are saved.",
    )


# --- Mailboxes ----------------------------------------------------------------------------------------------
@page("configure")
@require_http_methods(["GET", "POST"])
def mailbox_new(request: Request) -> HttpResponse:
    return _mailbox(request, MailboxForm(sent(request), is_new=True), None, title="New mailbox")


@page("configure")
@require_http_methods(["GET", "POST"])
def mailbox_edit(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(Mailbox, pk=pk)
    form = MailboxForm(sent(request), initial=MailboxForm.initial_of(row))
    return _mailbox(request, form, row, title=row.name)


_PASSWORD_NEW = "The password is kept encrypted. Many providers want one made for this program."  # noqa: S105
_PASSWORD_KEPT = "An empty password keeps the one that is stored."  # noqa: S105


def _mailbox(request: Request, form: BaseForm, row: Mailbox | None, *, title: str) -> HttpResponse:
    def save(given: dict[str, Any]) -> Mailbox:
        return acts.save_mailbox(row.pk if row else None, changes=given, actor=request.user, at=timezone.now())

    return dialog(
        request,
        form,
        save,
        title=title,
        text=_PASSWORD_KEPT if row else _PASSWORD_NEW,
        wide=True,
        back=reverse("mail_in"),
        said="The mailbox is saved and polled at once. “Test” tells whether it works.",
    )


@page("configure")
@require_POST
def mailbox_remove(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(Mailbox, pk=pk)
    acts.remove_mailbox(pk, actor=request.user, at=timezone.now())
    return go(request, reverse("mail_in"), f"“{row.name}” is polled no more. What came from it stays.")


@page("configure")
@require_POST
def mailbox_test(request: Request, pk: int) -> HttpResponse:
    """Signs in and lists the folders, without touching a mail."""
    row = get_object_or_404(Mailbox, pk=pk)
    try:
        found = imap.folders(row)
    except imap.MailboxTrouble as trouble:
        messages.error(request, f"“{row.name}” does not work: {trouble}")
        return go(request, reverse("mail_in"))
    named = ", ".join(found[:FOLDERS_SAID]) + (" …" if len(found) > FOLDERS_SAID else "")
    return go(request, reverse("mail_in"), f"“{row.name}” works. It has the folders {named}.")
