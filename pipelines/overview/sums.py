"""What days add up to: ratios are made from sums, never averaged. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DayNumbers", "Sums", "per"]


class DayNumbers(NamedTuple):
    """What an account delivered on a day. Results are None if `insights_daily` of it is not
    loaded.
    """

    spend: Decimal = Decimal()
    impressions: int = 0
    clicks: int = 0
    purchases: Decimal | None = None
    purchase_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over days. Results are None if no day has them; `result_spend` is what was spent on the
    days that do.
    """

    spend: Decimal
    impressions: int
    clicks: int
    purchases: Decimal | None
    purchase_value: Decimal | None
    result_spend: Decimal

    @classmethod
    def of(cls, days: Iterable[DayNumbers]) -> Self:
        """The sums of days."""
        days = list(days)
        results = [day for day in days if day.purchases is not None]
        purchases = (
            sum((day.purchases or Decimal() for day in results), Decimal()) if results else None
        )
        value = (
            sum((day.purchase_value or Decimal() for day in results), Decimal())
            if results
            else None
        )
        return cls(
            spend=sum((day.spend for day in days), Decimal()),
            impressions=sum(day.impressions for day in days),
            clicks=sum(day.clicks for day in days),
            purchases=purchases,
            purchase_value=value,
            result_spend=sum((day.spend for day in results), Decimal()),
        )

    @property
    def cpa(self) -> float | None:
        """Spend per purchase."""
        return per(self.result_spend, self.purchases)

    @property
    def roas(self) -> float | None:
        """Value of purchases per spend."""
        return per(self.purchase_value, self.result_spend)

    @property
    def ctr(self) -> float | None:
        """Clicks per impression."""
        return per(self.clicks, self.impressions)

    @property
    def cpm(self) -> float | None:
        """Spend per 1,000 impressions."""
        return per(1000 * self.spend, self.impressions)


def per(value: Decimal | int | None, of: Decimal | int | None) -> float | None:
    """A ratio; None if it is not known or would divide by zero."""
    return float(value) / float(of) if value is not None and of else None
