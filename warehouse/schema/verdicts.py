"""The words of a verdict, and the three numbers that prove an account-day.

"Proven" means reconciled with Meta's own totals, which are requested separately: docs/verdicts.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "GOOD",
    "JUST_OVER",
    "METRICS",
    "NOT_OVER",
    "PROVEN",
    "PROVISIONAL",
    "UNPROVABLE",
    "UNPROVEN",
]

PROVEN: Final = "proven"
UNPROVEN: Final = "unproven"

#: The day was not over when its rows or totals were requested, whether they add up or not.
PROVISIONAL: Final = "provisional"

#: How the reason of a provisional day begins: of one whose end was to come, and of one whose last
#: hours Meta still counted.
NOT_OVER: Final = "the day was not over when Meta was asked"
JUST_OVER: Final = "the day had not been over for 3 hours when Meta was asked"

#: Nothing is known to be wrong, but the rows of such a report cannot be added up to a total.
UNPROVABLE: Final = "unprovable"

#: What is compared, in this order.
METRICS: Final[Sequence[str]] = ("impressions", "clicks", "spend")

#: In SQL, of `loads`: one that is as good as it can be. Its day was over, and no fault of it is
#: known.
GOOD: Final = f"verdict IN ('{PROVEN}', '{UNPROVABLE}') AND is_over IS NOT false"
