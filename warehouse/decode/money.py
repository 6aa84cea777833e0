"""Money as Meta counts it: the smallest coin of a currency, and the numbers that mean "no limit".

Insights have major units with their decimals; accounts and their objects have minor units, whole
numbers of the smallest coin that Meta's interfaces know.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from warehouse.decode.values import UnreadableError
from warehouse.schema.currencies import HUNDREDTHS, WHOLE_UNITS

__all__ = [
    "amount_text",
    "is_no_limit",
    "major_units",
    "money_text",
    "offset_of",
    "places_of",
    "smallest_coin",
]

#: The largest number of 64 bits, and what remains of it with up to four more decimals or after a
#: float has rounded it. Source: Campaign reference, `spend_cap`: "Set the value to
#: 922337203685478 to remove the spend cap".
_NO_LIMIT: Final = re.compile(r"92233720368547[78][0-9]{0,4}")


def offset_of(currency: object) -> int:
    """How many minor units make a major one. Raises UnreadableError for an unknown currency: a
    guess could be wrong by a factor of 100.
    """
    code = currency if isinstance(currency, str) else ""
    if code in WHOLE_UNITS:
        return 1
    if code in HUNDREDTHS:
        return 100
    raise UnreadableError(f"the smallest coin of the currency {currency!r} is not known")


def smallest_coin(currency: object) -> Decimal:
    """What amounts are rounded to. For an unknown currency a hundredth: too small a tolerance is
    better than too large a one.
    """
    try:
        return Decimal(1) / offset_of(currency)
    except UnreadableError:
        return Decimal("0.01")


def places_of(currency: object) -> int:
    """How many decimals people expect in amounts of a currency: none if its smallest coin at Meta
    is the whole unit.
    """
    return 0 if smallest_coin(currency) == 1 else 2


def amount_text(amount: Decimal | float, currency: object) -> str:
    """Like ``1,204.50``, and ``1,205`` of JPY."""
    return f"{amount:,.{places_of(currency)}f}"


def money_text(amount: Decimal | float, currency: str) -> str:
    """Like ``1,204.50 EUR`` and ``1,205 JPY``."""
    return f"{amount_text(amount, currency)} {currency}".rstrip()


def major_units(minor: str, currency: object) -> str:
    """Turn minor units, an integer of 64 bits as text, into exact major units as text."""
    value = Decimal(minor) / offset_of(currency)  # at most 19 digits of the context's 28
    return format(value, "f")


def is_no_limit(minor: object) -> bool:
    """Whether a cap or a budget is Meta's number for "no limit"."""
    is_number = isinstance(minor, str | int) and not isinstance(minor, bool)
    return is_number and _NO_LIMIT.fullmatch(str(minor)) is not None
