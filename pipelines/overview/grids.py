"""The two grids of accounts and days: may a day be trusted, and did Meta change it. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipelines.overview.trust import Trust
from pipelines.overview.window import WINDOW_DAYS
from pipelines.overview.wording import money
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.overview.reading import AccountPage

__all__ = ["AxisLabel", "Key", "Row", "Square", "Squares", "restated_grid", "trust_grid"]

#: On a phone more columns than these would be too narrow to be told apart: weeks are shown then.
MOST_COLUMNS: Final = WINDOW_DAYS + 2

#: Steps of a change, as a share of the spend of the day.
CHANGE_STEPS: Final = (0.02, 0.05)

#: Every this many columns one is named.
TICK_EVERY: Final = 7


@dataclass(frozen=True, slots=True)
class Square:
    """A square: its column, its kind (a CSS class), and what it says when pointed at."""

    at: int
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """An account: its squares, in words for who does not see them, and what they add up to."""

    name: str
    cells: Sequence[Square]
    described: str
    sum: str


@dataclass(frozen=True, slots=True)
class AxisLabel:
    """A name of a column, and where it is, in percent of the width."""

    left: float
    words: str


@dataclass(frozen=True, slots=True)
class Key:
    """What a kind of square means."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Squares:
    """Squares of accounts by day, or by week. `one`: what a square is."""

    label: str
    words: str
    rows: Sequence[Row]
    columns: int
    ticks: Sequence[AxisLabel]
    one: str
    kinds: Sequence[Key] = ()


class _Columns:
    """Columns of days, the same for all accounts, although each has its own calendar."""

    def __init__(self, pages: Sequence[AccountPage]) -> None:
        self.first = min(page.window.since for page in pages)
        days = (max(page.window.until for page in pages) - self.first).days + 1
        self.length = 1 if days <= MOST_COLUMNS else 7
        self.number = -(-days // self.length)
        self.one = "one day" if self.length == 1 else "one week"

    def of(self, days: Iterable[date]) -> Mapping[int, Sequence[date]]:
        found: dict[int, list[date]] = {}
        for day in days:
            found.setdefault((day - self.first).days // self.length, []).append(day)
        return found

    def ticks(self) -> Sequence[AxisLabel]:
        every = TICK_EVERY if self.length == 1 else max(1, self.number // 4)
        first = (-self.first.weekday()) % 7 if self.length == 1 else 0
        columns = range(first, self.number - 1, every) or range(1)
        return [AxisLabel(100 * at / self.number, self.name(at)) for at in columns]

    def name(self, at: int) -> str:
        day = self.first + timedelta(days=at * self.length)
        return f"{day.day} {day:%b}"


def trust_grid(pages: Sequence[AccountPage]) -> Squares:
    """May the days be trusted. In a week the worst day counts."""
    columns = _Columns(pages)
    ranks = list(Trust)
    seen: set[Trust] = set()
    rows = []
    for page in pages:
        cells = []
        for at, days in columns.of(page.window.days).items():
            worst = max((page.trust[day] for day in days), key=lambda one: ranks.index(one.trust))
            seen.add(worst.trust)
            title = f"{page.name}, {worst.date}: {worst.trust}. {worst.reason}"
            cells.append(Square(at, worst.trust.name.lower(), title))
        counts = Counter(one.trust for one in page.shown_trust)
        number = len(page.window.days)
        described = ", ".join(f"{counts[kind]} {kind}" for kind in Trust if counts[kind])
        good = counts[Trust.PROVEN] + counts[Trust.UNPROVABLE]
        rows.append(Row(page.name, cells, f"{page.name}: {described}", f"{good} of {number}"))
    kinds = [Key(kind.name.lower(), str(kind)) for kind in Trust if kind in seen]
    label = "Accounts by day: may the numbers be trusted"
    return Squares(label, "", rows, columns.number, columns.ticks(), columns.one, kinds)


def restated_grid(pages: Sequence[AccountPage]) -> Squares:
    """By how much the spend of days changed after it was first loaded."""
    columns = _Columns(pages)
    changed = sum(len(_changed(page)) for page in pages)
    label = "Accounts by day: what Meta changed afterwards"
    rows = [_restated_row(page, columns) for page in pages] if changed else []
    words = _restated_words(pages)
    return Squares(label, words, rows, columns.number, columns.ticks(), columns.one)


def _changed(page: AccountPage) -> Mapping[date, Decimal]:
    """Days of the window whose spend has changed: by how much."""
    return {
        day: moved.after - moved.before
        for day, moved in page.restated.items()
        if day in page.window and moved.after != moved.before
    }


def _restated_words(pages: Sequence[AccountPage]) -> str:
    shares = [
        abs(float(change / page.restated[day].before)) if page.restated[day].before else 1.0
        for page in pages
        for day, change in _changed(page).items()
    ]
    if not shares:
        return "Nothing that was loaded has changed since."
    days = counted(len(shares), "account-day")
    return (
        f"{days} had other spend when loaded again, by {100 * max(shares):.1f} % of the day's at"
        " most. The new values replaced the old ones; each change is in the table restatements."
    )


def _restated_row(page: AccountPage, columns: _Columns) -> Row:
    changed = _changed(page)
    cells = []
    for at, days in columns.of(page.window.days).items():
        known = [day for day in days if day in page.numbers or day in changed]
        moved = sum((changed.get(day, Decimal()) for day in days), Decimal())
        before = sum((page.restated[day].before for day in days if day in changed), Decimal())
        kind = _step(moved, before) if known else "none"
        words = f"{_signed(moved, page.currency)} since" if moved else "as first loaded"
        cells.append(Square(at, kind, f"{page.name}, {columns.name(at)}: {words}"))
    changes = _signed(sum(changed.values(), Decimal()), page.currency)
    described = f"{page.name}: {counted(len(changed), 'day')} changed, {changes}"
    return Row(page.name, cells, described, changes if changed else "")


def _step(moved: Decimal, before: Decimal) -> str:
    if not moved:
        return "r0"
    if moved < 0:
        return "r4"
    share = float(moved / before) if before else 1.0
    return f"r{1 + sum(share > step for step in CHANGE_STEPS)}"


def _signed(value: Decimal, currency: str) -> str:
    return f"{'+' if value > 0 else ''}{money(value, currency, exact=True)}"
