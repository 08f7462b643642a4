"""The project itself as an app: what must be loaded in every process."""

from django.apps import AppConfig


class MimConfig(AppConfig):
    name = "mim"

    def ready(self) -> None:
        """Loads the Celery application, or tasks would be published to a broker that nobody configured."""
        from mim import celery, sweep_marks  # noqa: F401
