"""Wakes a worker. Only a hint: what it misses, the sweep finds within five seconds."""

from incidents.wake_up import wake_for

DELIVER = "notifications.tasks.sweep_deliveries"


def ring() -> None:
    """After the commit, asks a worker to look into the outbox; several rings at once are one."""
    wake_for(DELIVER)
