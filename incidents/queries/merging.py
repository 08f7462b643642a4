"""What merging a ticket will do, told before it is done."""

from dataclasses import dataclass

from django.db.models import Count

from incidents.models import Ticket


@dataclass(frozen=True)
class MergePreview:
    """Figures of the duplicates together. `told` are those who get a message, by name or address."""

    target: Ticket
    sources: list[Ticket]
    messages: int
    files: int
    told: list[str]
    joins: int | None
    problem: str = ""


def merge_preview(sources: list[Ticket], target: Ticket) -> MergePreview:
    """One query besides the tickets themselves."""
    found = Ticket.objects.filter(pk__in=[one.pk for one in sources]).aggregate(
        messages=Count("comments", distinct=True), files=Count("attachments", distinct=True)
    )
    others = [one for one in sources if not one.requester_id or one.requester_id != target.requester_id]
    told = [str(one.requester or one.requester_email) for one in others if one.requester_id or one.requester_email]
    parents = [one.major_incident_id for one in sources if one.major_incident_id]
    joins = parents[0] if parents and target.major_incident_id is None else None
    return MergePreview(
        target, sources, found["messages"], found["files"], list(dict.fromkeys(told)), joins, _why_not(sources, target)
    )


def _why_not(sources: list[Ticket], target: Ticket) -> str:
    """Why it will be refused, as far as that is known already; else nothing."""
    if target in sources:
        return "A ticket cannot be merged into itself."
    if target.merged_into_id:
        return f"{target.ref} was merged into INC-{target.merged_into_id} itself. Choose that one."
    if target.status == "closed":
        return f"{target.ref} is closed. Reopen it first."
    parents = {one.major_incident_id for one in [*sources, target]} - {None}
    return "They belong to different major incidents. Unlink one of them first." if len(parents) > 1 else ""
