"""What notifications listens to: the one door upwards."""

from incidents.events import event_recorded
from notifications import escalation, fan_out


def connect() -> None:
    # Paging first: who is paged for a candidate gets no second message that it was raised.
    event_recorded.connect(escalation.on_event, dispatch_uid="notifications.escalation")
    event_recorded.connect(fan_out.on_event, dispatch_uid="notifications.fan_out")
