"""Pages by key: "older" goes on below the last row, whatever arrived meanwhile."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)


def older_than(rows: QuerySet[Row], request: HttpRequest, size: int) -> tuple[list[Row], int | None]:
    """The newest `size` rows below `?before=`, and the key to go on with, None at the end."""
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-pk")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
