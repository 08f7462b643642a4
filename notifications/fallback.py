"""When a channel fails, the next one in the person's order, so that a provider that is down leaves nobody untold."""

from datetime import datetime, timedelta

from notifications import fan_out, routing
from notifications.channels import Outcome
from notifications.models import Delivery
from notifications.policy import NORMAL, RULES, URGENT, Rule

PATIENCE: dict[int, timedelta] = {URGENT: timedelta(0), NORMAL: timedelta(seconds=30)}
"""How long a channel may fail before the next one is taken, by priority. A final refusal waits for nothing."""
USUAL_PATIENCE = timedelta(minutes=5)


def next_row(row: Delivery, outcome: Outcome, *, now: datetime) -> Delivery | None:
    """The unsaved message on the next channel; None when it may wait, has no other way, or went every way already.

    A page needs none: it goes to every address anyway. Nor has an address without an account, or a place many read.
    """
    if row.recipient is None or row.moment in routing.PAGES:
        return None
    if not outcome.is_final and now - row.queued_at < PATIENCE.get(row.priority, USUAL_PATIENCE):
        return None
    # Without further addresses the account's e-mail is left: of an address that was removed or stopped meanwhile.
    person = routing.Router.of([row.recipient], now).people.get(row.recipient.pk, routing.Person())
    same = Delivery.objects.filter(event=row.event_id, recipient=row.recipient)
    tried = set(same.values_list("channel", "address"))
    for place in routing.in_order(person, row.recipient.email.lower()):
        if (place.channel, place.address) not in tried:
            return _instead(row, place, now)
    return None


def _instead(row: Delivery, place: routing.Place, now: datetime) -> Delivery:
    rule = Rule(row.moment, valid_hours=RULES[row.event.kind].valid_hours if row.event.kind in RULES else 1)
    one = fan_out.Recipient(row.recipient, "", row.audience, tuple(row.audiences), row.priority)
    made = fan_out.row_for(row.event, rule, one, place, now)
    made.instead_of = row
    made.acknowledgement_wanted_by = row.acknowledgement_wanted_by
    made.valid_until = max(row.valid_until, now + timedelta(minutes=10))
    return made


def said(answer: str, instead: Delivery | None) -> str:
    """The reason on the failed row, with where the message went instead."""
    if instead is None:
        return answer
    return f"{answer.rstrip('.')}. Told by {instead.get_channel_display()} instead."
