"""Proof of actions: pure comparisons of a day's lists of actions with the account's own.

Spend can be right while purchases are missing: rows that lose an action type, a window or all
actions off Meta have the same impressions, clicks and spend. So each list is summed per action
type and attribution window and compared with the account's own list of the same day.

In recordings of Meta's responses the parent's count equals the sum of its children in 1,600 of
1,600 pairs of day and action type, off-Meta actions and windows included. What does not add up by
Meta's own rules is not compared, and the reason says why: `why_not`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.decode.actions import LISTS, Key, Sum, lists_of, why_not
from warehouse.decode.hours import why_not_over
from warehouse.decode.money import offset_of
from warehouse.decode.values import UnreadableError
from warehouse.lake.proof.reconcile import plain, spend_tolerance
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from warehouse.decode.actions import Sums
    from warehouse.schema.table import Column, Table

__all__ = ["Proof", "prove"]

#: Counts are whole, except for models of attribution that share one action among ads: those come
#: as fractions, and each row's is rounded. To how many digits is not documented, and none was seen
#: in 78,000 recorded entries; hundredths are our guess.
FRACTION: Final = Decimal("0.01")

#: How long after a day is over (`over_at`) conversions still arrive by the minute, also between the
#: requests for rows and totals. `refresh` loads the day once more afterwards.
SETTLING: Final = timedelta(hours=48)

#: The share of the account's total by which such a day may be off for that reason: Meta adds a few
#: percent in the first days, and the requests are minutes to an hour apart. Our choice.
SETTLING_SHARE: Final = Decimal("0.01")

#: Types that a reason names at most; the others are only counted.
NAMED: Final = 3

_NOTHING: Final = Decimal()


class Proof(NamedTuple):
    """Whether actions add up (a verdict of `warehouse.schema.verdicts`), and why."""

    verdict: str
    reason: str


def prove(  # noqa: PLR0913  # everything that a verdict depends on
    table: Table,
    rows: Sums,
    control: Sums,
    *,
    windows: Collection[str],
    currency: str,
    missing_fields: Collection[str] = (),
    unreadable: bool = False,
    since_over: timedelta = SETTLING,
) -> Proof:
    """Compare the sums of an account-day's rows with those of the account itself.

    A key that only one side has is a difference; a key that neither has proves nothing. `windows`
    are those that the account's totals have; only windows of both are compared, and `value` is in
    both. `missing_fields` did not come with the rows. `unreadable`: some rows or cells could not be
    read, which may explain a shortfall. `since_over`: how long the day had been over at the time of
    the request, negative if it was not; a difference that time explains is provisional.
    """
    if reason := why_not(table):
        return Proof(UNPROVABLE, reason)
    lists = [column for column in lists_of(table) if column.name not in missing_fields]
    if not lists:
        names = ", ".join(column.name for column in lists_of(table))
        return Proof(UNPROVABLE, f"Meta did not deliver {names}")
    keys = _compared(lists, windows, rows, control)
    off = [key for key in keys if _differs(key, rows, control, currency)]
    left_out = _left_out(table, lists, windows)
    if off:
        short = unreadable and any(_missing(key, rows, control) > 0 for key in off)
        explained = ", which the unreadable rows or values may explain" if short else ""
        described = f"{_described(off, rows, control)}{explained}{left_out}"
        not_over = why_not_over(since_over, table.period)
        time = not_over or _why_settling(since_over, off, rows, control)
        return Proof(PROVISIONAL, f"{time}; {described}") if time else Proof(UNPROVEN, described)
    if not keys:
        nothing = "neither the rows nor the account's totals have actions"
        return Proof(PROVEN, f"{nothing}{left_out}")
    types = len({key.action_type for key in keys})
    names = ", ".join(column.name for column in lists)
    many = counted(types, "action type adds", "action types add")
    return Proof(PROVEN, f"{names}: {many} up to the account's total{left_out}")


def _compared(
    lists: Iterable[Column], windows: Collection[str], rows: Sums, control: Sums
) -> Sequence[Key]:
    """The keys that either side has, in their order: of these lists, and of windows of both."""
    both = {
        (column.name, window)
        for column in lists
        for window in ("value", *column.windows)
        if window == "value" or window in windows
    }
    found = (key for key in {**rows, **control} if (key.field, key.window) in both)
    return sorted(found, key=_sort_key)


def _sort_key(key: Key) -> tuple[object, ...]:
    """Lists in their order, types by name; `value` before its windows."""
    return tuple(LISTS).index(key.field), key.action_type, key.window != "value", key.window


def _missing(key: Key, rows: Sums, control: Sums) -> Decimal:
    """How much the rows lack; negative where they have too much."""
    return control.get(key, Sum()).value - rows.get(key, Sum()).value


def _why_settling(since_over: timedelta, off: Iterable[Key], rows: Sums, control: Sums) -> str:
    """How the first days after the end explain what is off; empty if they do not."""
    is_small = all(
        abs(_missing(key, rows, control)) <= SETTLING_SHARE * abs(control.get(key, Sum()).value)
        for key in off
    )
    if since_over < SETTLING and is_small:
        return "at most 1 % is off, which may have arrived between the requests for rows and totals"
    return ""


def _differs(key: Key, rows: Sums, control: Sums, currency: str) -> bool:
    some, whole = rows.get(key, Sum()), control.get(key, Sum())
    return abs(whole.value - some.value) > _tolerance(key, some, whole, currency)


def _tolerance(key: Key, rows: Sum, control: Sum, currency: str) -> Decimal:
    """Money of n rows may be off by the effect of rounding each to the smallest coin; counts must
    be exact, unless they are fractions.
    """
    if LISTS[key.field]:
        try:
            unit = Decimal(1) / offset_of(currency)
        except UnreadableError:  # an unknown currency: no tolerance
            return _NOTHING
    else:
        is_whole = all(one.value == one.value.to_integral_value() for one in (rows, control))
        unit = _NOTHING if is_whole else FRACTION
    return spend_tolerance(rows.values, unit)


def _described(off: Sequence[Key], rows: Sums, control: Sums) -> str:
    """What differs: the types that are off by the largest share first, each with its windows."""
    by_type: dict[tuple[str, str], list[Key]] = {}
    for key in off:
        by_type.setdefault((key.field, key.action_type), []).append(key)

    def share(keys: Iterable[Key]) -> Decimal:
        return max(
            abs(_missing(key, rows, control))
            / max(abs(control.get(key, Sum()).value), abs(rows.get(key, Sum()).value))
            for key in keys
        )

    worst = sorted(by_type, key=lambda of: -share(by_type[of]))  # stable: else in their order
    described = [
        f"{field} {action_type}: "
        + ", ".join(
            f"{key.window} {plain(rows.get(key, Sum()).value)}"
            f" of {plain(control.get(key, Sum()).value)}"
            for key in by_type[field, action_type]
        )
        for field, action_type in worst[:NAMED]
    ]
    more = len(worst) - NAMED
    return "; ".join([*described, f"and {more} more"] if more > 0 else described)


def _left_out(table: Table, lists: Sequence[Column], windows: Collection[str]) -> str:
    names = [c.name for c in lists_of(table) if c not in lists]
    own = {window: None for c in lists for window in c.windows if window not in windows}
    described = [*names, *(f"the window {window}" for window in own)]
    return f"; not compared: {', '.join(described)}" if described else ""
