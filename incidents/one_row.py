"""What every request asks for, with SQL made once: Django makes it anew for each call, at ten times the cost."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Field, Model

M = TypeVar("M", bound=Model)


class Columns(Generic[M]):
    """The columns of a model as a part of a row, and the instance they make."""

    def __init__(self, model: type[M], alias: str) -> None:
        self.model, self.alias = model, alias

    @cached_property
    def fields(self) -> Sequence[Field]:
        return self.model._meta.concrete_fields

    @cached_property
    def sql(self) -> str:
        quote = connection.ops.quote_name
        return ", ".join(f"{self.alias}.{quote(str(field.column))}" for field in self.fields)

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self.fields]

    @cached_property
    def _converters(self) -> list[tuple[int, Callable[..., Any], Any]]:
        return [
            (place, converter, field.get_col(field.model._meta.db_table))
            for place, field in enumerate(self.fields)
            for converter in field.get_db_converters(connection)
        ]

    def instance(self, values: Sequence[Any]) -> M:
        """As the ORM would have loaded it."""
        row = list(values)
        for place, converter, expression in self._converters:
            row[place] = converter(row[place], expression, connection)
        return self.model.from_db(connection.alias, self._names, row)


def one_row(sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """The first row, None without any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()
