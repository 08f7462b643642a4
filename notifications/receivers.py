"""What notifications listens to: the one door upwards."""

from typing import Any

from incidents.errands import after_commit
from incidents.events import event_recorded
from incidents.models import TimelineEvent
from notifications import escalation, fan_out, withdrawal
from notifications.policy import CHANGES_THE_STATUS_PAGE


def connect() -> None:
    # Paging first: who is paged for a candidate gets no second message that it was raised.
    event_recorded.connect(escalation.on_event, dispatch_uid="notifications.escalation")
    event_recorded.connect(withdrawal.on_event, dispatch_uid="notifications.withdrawal")
    event_recorded.connect(fan_out.on_event, dispatch_uid="notifications.fan_out")
    event_recorded.connect(on_public_change, dispatch_uid="notifications.status")


def on_public_change(sender: Any, event: TimelineEvent, **kwargs: Any) -> None:
    """Wakes a worker to write the status page anew; what is missed, the sweep finds."""
    if event.kind in CHANGES_THE_STATUS_PAGE:
        after_commit("write the status page", _write)


def _write() -> None:
    from notifications.tasks import write_status_page  # the task's room listens here

    write_status_page.apply_async(ignore_result=True, retry=False, expires=60)
