"""What requesters answer once a major incident is resolved: works, or still broken. Enough of the latter reopen it."""

from datetime import datetime

from django.db import transaction

from incidents.actions import major_incidents
from incidents.actions.locking import lock_incident
from incidents.models import MajorIncident, Organisation
from incidents.process import EventKind, Stage
from incidents.queries.observations import still_broken_people


def reopen_failed_observations(*, at: datetime) -> int:
    """Reopens, as the system itself, every incident whose requesters say that it is still broken. Counts them."""
    threshold = max(1, Organisation.current().still_broken_to_reopen)
    resolved = MajorIncident.objects.filter(
        stage__in=[Stage.MAINTENANCE, Stage.CLOSED], resolved_at__isnull=False, merged_into__isnull=True
    )
    suspects = resolved.filter(
        tickets__events__payload__still_broken=True, tickets__events__kind=EventKind.TICKET_STATUS_CHANGED
    )
    reopened = 0
    for pk in list(suspects.distinct().values_list("pk", flat=True)):
        with transaction.atomic():
            incident = lock_incident(pk)
            if incident.stage not in (Stage.MAINTENANCE, Stage.CLOSED):
                continue
            people = still_broken_people(incident)
            if len(people) < threshold:
                continue
            reason = f"{len(people)} people answered “still broken” in the observation window."
            major_incidents.reopen(pk, reason=reason, actor=None, at=at)
            reopened += 1
    return reopened
