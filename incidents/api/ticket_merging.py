"""Two tickets about one matter become one, one about two becomes two."""

from typing import Any

from rest_framework import serializers

from incidents import permissions
from incidents.actions import merging, tickets
from incidents.api.fields import Level, Ref, ServiceName, Text
from incidents.api.shapes import MomentIn, ReasonIn
from incidents.api.tickets import TicketVerb, ticket_rows
from incidents.models import Ticket, TicketKind


class TicketMergeIn(MomentIn):
    into = Ref("INC", permissions.visible_tickets, help_text="The ticket that goes on.")
    reason = Text(required=False, allow_blank=True)


class MergeTicket(TicketVerb):
    """Puts this duplicate into the ticket that goes on. Answers the duplicate, which says where it went."""

    In = TicketMergeIn

    def act(self, record: Ticket, **given: Any) -> None:
        target = given.pop("into")
        merging.merge(record.pk, into_id=target.pk, actor=self.actor, **given)


class UnmergeTicket(TicketVerb):
    """It was no duplicate."""

    In = ReasonIn

    def act(self, record: Ticket, **given: Any) -> None:
        merging.unmerge(record.pk, actor=self.actor, **given)


class TicketSplitIn(MomentIn):
    title = serializers.CharField(max_length=250)
    description = Text(
        required=False, allow_blank=True, help_text="Absent: the text of the comment, when it is public."
    )
    comment = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="Its id.")
    kind = serializers.ChoiceField(TicketKind.choices, required=False)
    service = ServiceName(required=False, allow_null=True, max_length=120)
    impact = Level(required=False)
    urgency = Level(required=False)


class SplitTicket(TicketVerb):
    """A comment, or a part, becomes a ticket of its own. Answers the new ticket."""

    In = TicketSplitIn

    def act(self, record: Ticket, **given: Any) -> Ticket:
        made = merging.split(record.pk, comment_id=given.pop("comment", None), actor=self.actor, **given)
        return ticket_rows(self.actor).get(pk=made.pk)


class KeepOpenIn(MomentIn):
    reason = Text(required=False, allow_blank=True, max_length=200, help_text="Empty: resolved with the others again.")


class KeepOpenTicket(TicketVerb):
    """Resolving its major incident leaves it open, because something else is wrong, too."""

    In = KeepOpenIn

    def act(self, record: Ticket, **given: Any) -> None:
        tickets.keep_open(record.pk, reason=given.pop("reason", ""), actor=self.actor, **given)
