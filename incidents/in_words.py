"""PURE: lengths of time and amounts of money as people say them, the same on every page and in every report."""

from decimal import Decimal

NOTHING = "–"
CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


def duration_words(seconds: float) -> str:
    """42 s, 27 min, 1 h 07 min, 3 d 4 h: two units at most."""
    whole = round(seconds)
    if whole < 0:
        return f"−{duration_words(-whole)}"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        rest = whole % 60
        return f"{whole // 60} min {rest:02} s" if rest and whole < 600 else f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole // 60 % 60:02} min"
    return f"{whole // 86400} d {whole // 3600 % 24} h"


def money_words(amount: Decimal | float | None, currency: str) -> str:
    """An amount with its sign or code; cents only below 100. A dash for None."""
    if amount is None:
        return NOTHING
    size = abs(Decimal(amount))
    figure = f"{size:,.2f}" if size < 100 and size % 1 else f"{size:,.0f}"
    return f"{'−' if amount < 0 else ''}{CURRENCY_SIGNS.get(currency, currency + ' ')}{figure}"


def percent_words(change: float | None) -> str:
    """A change in per cent with its sign; a dash for None."""
    if change is None:
        return NOTHING
    rounded = round(change)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded)} %"
