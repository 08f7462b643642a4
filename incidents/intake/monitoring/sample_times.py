"""The times in examples: now, as each tool writes it. An example sent twice is two occurrences, as in life."""

from django.utils import timezone


def iso() -> str:
    """2026-03-02T09:14:07.123Z"""
    return timezone.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def this_hour() -> str:
    """When the hour began: the mark of an occurrence that fires and, some minutes later, resolves."""
    return timezone.now().strftime("%Y-%m-%dT%H:00:00Z")


def seconds() -> int:
    """Whole seconds since 1970."""
    return int(timezone.now().timestamp())


def written(pattern: str) -> str:
    """UTC by a strftime pattern."""
    return timezone.now().strftime(pattern)
