"""Wakes a worker. Only a hint: what it misses, the sweep finds within five seconds."""

from incidents.errands import after_commit


def ring() -> None:
    """After the commit, asks a worker to look into the outbox; several rings at once are one."""
    after_commit("deliver due messages", _call)


def _call() -> None:
    from notifications.tasks import sweep_deliveries  # the task imports what rings

    sweep_deliveries.apply_async(ignore_result=True, retry=False, expires=60)
