"""Wakes a worker for jobs that wait. Only a hint: what it misses, the sweep finds within five seconds."""

from celery import current_app

from incidents.errands import after_commit


def wake() -> None:
    """After the commit; several at once are one."""
    after_commit("run waiting jobs", _call)


def _call() -> None:
    options = {"ignore_result": True, "retry": False, "expires": 60}
    current_app.send_task("incidents.tasks.sweep_cascades", **options)
