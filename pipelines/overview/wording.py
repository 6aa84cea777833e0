"""Numbers in words: money of a currency, shares, changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.decode.money import places_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

__all__ = ["NONE", "amount", "change", "money", "percent", "ratio"]

#: Shown where a number is not known.
NONE: Final = "\N{EN DASH}"

#: Signs that cannot be mistaken for another currency's; the others are shown by their code.
SIGNS: Final[Mapping[str, str]] = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "BRL": "R$",
    "AUD": "A$",
    "CAD": "C$",
    "NZD": "NZ$",
    "KRW": "₩",
    "ILS": "₪",
    "VND": "₫",
    "PHP": "₱",
    "TRY": "₺",
}

#: From here on the small coin says nothing.
ROUNDED_FROM: Final = 1000

#: A share of change below this is none.
LEAST_CHANGE: Final = 0.001


def money(value: Decimal | float | None, currency: str, *, exact: bool = False) -> str:
    """An amount with its currency's sign; without its small coin from a thousand on, unless
    `exact`.
    """
    if value is None:
        return NONE
    places = places_of(currency)
    size = abs(float(value))
    if size >= ROUNDED_FROM and not exact:
        places = 0
    sign = SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    minus = "\N{MINUS SIGN}" if value < 0 else ""
    return f"{minus}{sign}{size:,.{places}f}"


def amount(value: Decimal | float | None) -> str:
    """A count. Results may be fractions: those that are shared between ads."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def ratio(value: float | None) -> str:
    """A ratio such as ROAS."""
    return NONE if value is None else f"{value:.2f}\N{MULTIPLICATION SIGN}"


def percent(value: float | None, places: int = 2) -> str:
    """A share of 1 as percent."""
    return NONE if value is None else f"{100 * value:.{places}f}\N{NO-BREAK SPACE}%"


def change(now: Decimal | float | None, before: Decimal | float | None) -> float | None:
    """The share by which something changed; None where that means nothing."""
    if now is None or not before:
        return None
    share = float(now) / float(before) - 1
    return 0.0 if abs(share) < LEAST_CHANGE else share
