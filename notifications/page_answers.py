"""Answers to a page from outside the product: a link, a button, a key on the telephone, an SMS."""

from datetime import datetime

from incidents.errors import NotAccountable, ProcessError
from incidents.permissions import is_usable
from notifications import escalation
from notifications.models import PageCall


def act(call: PageCall, what: str, *, at: datetime) -> str:
    """Answers as the person called: `what` "pass" passes it on, anything else takes it. Says why not, "" when done."""
    if not is_usable(call.person):
        return "This account has no access any more."
    try:
        if what == "pass":
            escalation.pass_on(call.page_id, actor=call.person, at=at)
        else:
            escalation.answer(call, at=at)
    except (NotAccountable, ProcessError) as refusal:
        return refusal.message
    return ""
