"""What notifications listens to: the one door upwards."""

from incidents.events import event_recorded
from notifications.fan_out import on_event


def connect() -> None:
    event_recorded.connect(on_event, dispatch_uid="notifications.fan_out")
