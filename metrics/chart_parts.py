"""What a chart is made of: shapes only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """`unit` says how a number is read: seconds, money, share, change (per cent with a sign), or plain."""

    title: str
    unit: str = ""

    @property
    def is_number(self) -> bool:
        return bool(self.unit)


@dataclass(frozen=True)
class Chart:
    """`links` opens each row; `sentence` says what the picture shows."""

    key: str
    title: str
    sentence: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    option: dict[str, Any] | None
    links: Sequence[str] = field(default_factory=list)
    note: str = ""

    @property
    def linked_rows(self) -> list[tuple[Sequence[Cell], str]]:
        links = [*self.links, *[""] * (len(self.rows) - len(self.links))]
        return list(zip(self.rows, links, strict=True))

    @property
    def option_json(self) -> str:
        return json.dumps(self.option)

    @property
    def script_id(self) -> str:
        return f"{self.key}-chart"
