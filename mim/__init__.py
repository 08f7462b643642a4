"""The project. The Celery application is loaded with it, so that every process queues to the configured broker."""

from mim.celery import app as celery_app

__all__ = ["celery_app"]
