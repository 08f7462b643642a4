"""The field of a state machine, which a migration sees as the plain text column it is."""

from typing import Any

from django_fsm import FSMField


class StateField(FSMField):
    """Only transitions change it.

    Each FSMField listens to every model that is made, to find its transitions. Migrations make thousands of models
    that have none, so setting up a database took most of a minute; their history knows a CharField instead.
    """

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        return name, "django.db.models.CharField", args, kwargs

    def clone(self) -> "StateField":
        """A copy for a migration's state: still protected, though the deconstruction does not say so."""
        *_, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs, protected=self.protected)
