"""Tables made all at once."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState


class MakeTogether(Operation):
    """The tables of an app as they are after all these operations, for a new database only.

    One by one, Django draws every model again after each of them, because each touches what the others refer to:
    half a minute for our tables. Together they are drawn once. Only operations without a hand in data belong here.
    """

    reversible = True
    category = OperationCategory.ADDITION

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [], {"operations": list(self.operations)}

    def describe(self) -> str:
        return "Make all tables of the app"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)  # drawn models would be drawn again at each step
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for model in self._models(app_label, schema_editor, to_state):
            schema_editor.create_model(model)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for model in reversed(self._models(app_label, schema_editor, from_state)):
            schema_editor.delete_model(model)

    def _models(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState) -> list[Any]:
        alias = schema_editor.connection.alias
        names = [name for label, name in state.models if label == app_label]
        models = [state.apps.get_model(app_label, name) for name in names]
        return [model for model in models if self.allow_migrate_model(alias, model)]
