"""Cells that a spreadsheet takes as text, never as a formula."""

from collections.abc import Iterable

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """Text that would begin a formula gets an apostrophe in front; numbers stay numbers."""
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def safe_row(values: Iterable[object]) -> list[object]:
    return [safe_cell(value) for value in values]
