"""Proof of totals: pure comparisons of an account-day's rows with the totals that they must add
up to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.decode import arrow
from warehouse.decode.actions import plus
from warehouse.schema.periods import Period
from warehouse.schema.verdicts import METRICS, PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warehouse.decode.actions import Sums
    from warehouse.schema.table import Table

__all__ = [
    "Difference",
    "Evidence",
    "Totals",
    "Verdict",
    "compare",
    "duplicates_of_grain",
    "plain",
    "prove",
    "spend_tolerance",
    "too_many_rejects",
]

#: More rejects than this share of an account-day fail it (docs/verdicts.md#unproven).
REJECTS_SHARE: Final = Decimal("0.01")

#: The smallest coin of a currency with hundredths, in major units.
CENT: Final = Decimal("0.01")

_MILLIONTH: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of an account-day; `spend` in the account's currency, major units."""

    impressions: int = 0
    clicks: int = 0
    spend: Decimal = Decimal()

    @classmethod
    def of(cls, rows: pa.Table) -> Self:
        """Add up the rows of insights or of `control_daily`. Null counts as nothing."""
        return cls(
            impressions=int(_sum(rows, "impressions")),
            clicks=int(_sum(rows, "clicks")),
            spend=_sum(rows, "spend"),
        )

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.impressions + other.impressions,
            self.clicks + other.clicks,
            self.spend + other.spend,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What proves or disproves an account-day: its `rows`, their `totals`, and their faults.

    `repeated` rows came more than once and were counted once; `duplicates` are keys of the grain
    that different rows share; `rejected` rows could not be read, and `rejected_cells` of the
    others are NULL because they could not. `spending` rows are those whose spend Meta may have
    rounded. `seen`: breakdowns that rows with impressions have; `lost`: requested breakdowns that
    no row has. `actions`: sums of its lists, if they can be compared.
    """

    rows: int = 0
    totals: Totals = Totals()
    spending: int = 0
    seen: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    repeated: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejected_cells: int = 0
    actions: Sums = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, rows: pa.Table, *, rejected: int = 0) -> Self:
        """The evidence of an account-day whose rows are all in memory."""
        twice = duplicates_of_grain(table, rows).num_rows
        found = cls.of_part(table, rows, duplicates=twice)
        return replace(found.whole(table), rejected=rejected)

    @classmethod
    def of_part(
        cls, table: Table, rows: pa.Table, *, repeated: int = 0, duplicates: int = 0
    ) -> Self:
        """The evidence of some of its rows; what is `lost` is known when all parts are in."""
        return cls(
            rows=rows.num_rows,
            totals=Totals.of(rows),
            spending=_spending(rows),
            seen=_seen(table, rows),
            repeated=repeated,
            duplicates=duplicates,
        )

    def __add__(self, other: Evidence) -> Evidence:
        """Both parts together."""
        return Evidence(
            rows=self.rows + other.rows,
            totals=self.totals + other.totals,
            spending=self.spending + other.spending,
            seen=self.seen | other.seen,
            repeated=self.repeated + other.repeated,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
            rejected_cells=self.rejected_cells + other.rejected_cells,
            actions=plus(self.actions, other.actions),
        )

    def whole(self, table: Table) -> Self:
        """All parts are in. Rows without impressions may lack a breakdown: their actions happened
        after the ad was shown, and Meta does not say when (docs/graph-api.md#days-and-hours).
        """
        delivered = self.totals.impressions if "impressions" in table.fields else self.rows
        lost = frozenset(table.breakdowns) - self.seen if delivered else frozenset()
        return replace(self, lost=lost)


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of rows and control. `missing` is control less rows: positive, rows are short."""

    metric: str
    rows: Decimal
    control: Decimal
    tolerance: Decimal

    @property
    def missing(self) -> Decimal:
        return self.control - self.rows

    @property
    def within(self) -> bool:
        return abs(self.missing) <= self.tolerance

    def __str__(self) -> str:
        return f"{self.metric} {plain(self.rows)} of {plain(self.control)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the rows are proven, why (a sentence), and how each metric compares.

    `verdict` is one of `warehouse.schema.verdicts`. `may_change`: another load could lead to
    another one, because numbers differ, rows share a key or lack a breakdown.
    """

    verdict: str
    reason: str
    differences: Sequence[Difference] = ()
    may_change: bool = False

    @property
    def proven(self) -> bool:
        return self.verdict == PROVEN


def prove(  # noqa: PLR0913  # everything that a verdict depends on
    found: Evidence,
    control: Totals | None,
    *,
    not_over: str = "",
    coin: Decimal = CENT,
    missing_fields: Sequence[str] = (),
    no_sums: str = "",
    period: Period = Period.DAY,
) -> Verdict:
    """Prove that the rows are the whole account-day, each row once.

    `control` is what Meta reports for the account as a whole; None if it returned no row, as for a
    day without delivery. Rejected rows and missing fields leave a day unproven, and the reason says
    how much of the difference they can explain. Decoding has already checked that every row is of
    the account and the day. `no_sums` says why the rows of a report cannot be added up; such a day
    is unprovable unless something is wrong with it. `not_over`: that rows or totals were requested
    before the day was over, in words (`why_not_over`); the day is provisional then, whether it adds
    up or not. A breakdown that all rows lack does not depend on time, and leaves any day unproven.
    `coin` is the currency's smallest; `period` is what the rows cover, for the reason.
    """
    verdict = _as_of_a_whole(period, found, control, coin, missing_fields, no_sums)
    if not not_over or found.lost:
        return verdict
    return replace(verdict, verdict=PROVISIONAL, reason=f"{not_over}; {verdict.reason}")


def _as_of_a_whole(  # noqa: PLR0913, PLR0917  # as `prove`
    period: Period,
    found: Evidence,
    control: Totals | None,
    coin: Decimal,
    missing_fields: Sequence[str],
    no_sums: str,
) -> Verdict:
    tolerance = spend_tolerance(found.spending, coin)
    differences = () if no_sums else compare(found.totals, control or Totals(), tolerance)
    keys = counted(found.duplicates, "key has", "keys have")
    may_change = bool(found.duplicates or found.lost or not all(d.within for d in differences))
    faults = [
        *([_lost(found.lost)] if found.lost else ()),
        *([f"{keys} more than one row"] if found.duplicates else ()),
        *_shortfalls(differences, found.rejected, missing_fields),
        *([f"{counted(found.rejected, 'row')} could not be read"] if found.rejected else ()),
        *([f"Meta did not deliver {', '.join(missing_fields)}"] if missing_fields else ()),
    ]
    if faults and control is None and not no_sums:
        faults.append(f"Meta returned no total of the account for this {period}")
    if faults:
        return Verdict(UNPROVEN, "; ".join(faults), differences, may_change)
    if no_sums:
        return Verdict(UNPROVABLE, no_sums)
    if control is None:
        reason = "no delivery: Meta returned no rows and no total"
    else:
        sums = ", ".join(f"{item.metric} {plain(item.control)}" for item in differences)
        reason = f"{counted(found.rows, 'row adds', 'rows add')} up to the account's total: {sums}"
    return Verdict(PROVEN, reason, differences)


def _sum(rows: pa.Table, name: str) -> Decimal:
    """Add up a column as decimals: Arrow's sum of integers goes wrong silently beyond 64 bits."""
    if name not in rows.schema.names:
        return Decimal()
    values = rows[name]
    exact = values if pa.types.is_decimal(values.type) else values.cast(pa.decimal128(38))
    return pc.sum(exact).as_py() or Decimal()


def spend_tolerance(rows: int, coin: Decimal = CENT) -> Decimal:
    """How far the spend of `rows` may be off, in major units of the account's currency.

    Meta rounds the spend of each row to the smallest `coin`. Each rounding is off by at most half
    a coin, so n of them by n/2 at most; and as they go up as often as down, the standard deviation
    of their sum is √(n/12) coins. Four of them are exceeded once in 16,000 days. One coin never
    raises an alarm, unless no rounding could explain it.
    """
    usual = max(Decimal(1), 4 * (Decimal(rows) / 12).sqrt())
    most = min(usual, Decimal(rows) / 2) * coin
    return most.quantize(_MILLIONTH, ROUND_CEILING)  # the finest that Meta shows


def compare(found: Totals, control: Totals, spend_off: Decimal) -> Sequence[Difference]:
    """Compare each metric with its control. Counts are exact; spend may be off by `spend_off`."""
    tolerance = {"impressions": Decimal(), "clicks": Decimal(), "spend": spend_off}
    return [
        Difference(
            metric,
            Decimal(getattr(found, metric)),
            Decimal(getattr(control, metric)),
            tolerance[metric],
        )
        for metric in METRICS
    ]


def duplicates_of_grain(table: Table, rows: pa.Table) -> pa.Table:
    """Keys with more than one row; the column `rows` says how many. A null equals a null."""
    keys = rows.select(list(table.grain))
    if rows.num_rows == _distinct(keys):
        return arrow.empty(keys.schema.append(pa.field("rows", pa.int64())))
    by_key = keys.group_by(list(table.grain)).aggregate([([], "count_all")])
    by_key = by_key.rename_columns([*table.grain, "rows"])
    return by_key.filter(pc.greater(by_key["rows"], 1))


def too_many_rejects(rejected: int, rows: int) -> bool:
    """Whether more than 1 % of all rows, the `rows` that loaded and the rejected, is unreadable."""
    return rejected > REJECTS_SHARE * (rejected + rows)


def _distinct(keys: pa.Table) -> int:
    """How many different keys there are: each column as small numbers, combined one by one."""
    together = None
    for column in keys.columns:
        codes = _codes(column)
        if together is None:
            together = codes
        else:
            width = arrow.int64s([(pc.max(codes).as_py() or 0) + 1])[0]
            together = _codes(pc.add(pc.multiply(together, width), codes))
    return 0 if together is None else int(pc.count_distinct(together).as_py())


def _codes(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Number the different values from 0, null among them."""
    encoded = values.combine_chunks().dictionary_encode(null_encoding="encode")
    chunks = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    return pa.chunked_array([c.indices.cast(pa.int64()) for c in chunks], type=pa.int64())


def _shortfalls(
    differences: Sequence[Difference], rejected: int, missing_fields: Sequence[str]
) -> Sequence[str]:
    """Differences beyond their tolerance that no missing field explains."""
    faults = []
    for item in differences:
        if item.within or item.metric in missing_fields:
            continue
        # Unreadable rows can explain a shortfall, never an excess.
        explained = (
            ", which the unreadable rows may explain" if rejected and item.missing > 0 else ""
        )
        short = "short of" if item.missing > 0 else "more than"
        faults.append(f"{item}, {plain(abs(item.missing))} {short} the account's total{explained}")
    return faults


def _lost(breakdowns: Iterable[str]) -> str:
    names = ", ".join(sorted(breakdowns))
    return f"no row has the requested breakdown: {names}"


def _spending(rows: pa.Table) -> int:
    """Rows whose spend may have been rounded: with spend, or with impressions that cost less than
    half a coin.
    """
    if "spend" not in rows.schema.names:
        return 0
    counts = pc.not_equal(rows["spend"], arrow.constant("0", 1, rows["spend"].type)[0])
    if "impressions" in rows.schema.names:
        counts = pc.or_kleene(counts, pc.greater(rows["impressions"], arrow.int64s([0])[0]))
    return int(pc.sum(counts).as_py() or 0)


def _seen(table: Table, rows: pa.Table) -> frozenset[str]:
    """Breakdowns that a row with impressions has; any row, if impressions were not requested."""
    columns = [column for column in table.columns if column.breakdown]
    if not columns or not rows.num_rows:
        return frozenset()
    shown = None
    if "impressions" in rows.schema.names:
        shown = pc.greater(rows["impressions"], arrow.int64s([0])[0])
    return frozenset(column.source for column in columns if _has_any(rows[column.name], shown))


def _has_any(values: pa.ChunkedArray, shown: pa.ChunkedArray | None) -> bool:
    there = values.is_valid()
    return pc.any(there if shown is None else pc.and_(there, shown)).as_py() is True


def plain(number: Decimal) -> str:
    """A number without trailing zeros."""
    return f"{number.normalize():f}"
