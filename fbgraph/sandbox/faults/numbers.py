"""Faults that change numbers and rows: restatements, lost rows, hours, order."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.objects.filters import Condition
from fbgraph.sandbox.world.days import local_date, real_hours
from fbgraph.sandbox.world.delivery import Numbers, add
from fbgraph.sandbox.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from fbgraph.sandbox.faults.hooks import Fault, Making, View
    from fbgraph.sandbox.insights.query import Query
    from fbgraph.sandbox.insights.rows import Tables
    from fbgraph.sandbox.world.delivery import Table
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = [
    "arrive_late",
    "count_elapsed_hours",
    "fall_silent",
    "ignore_breakdowns",
    "lose_a_row",
    "lose_hour_key",
    "repeat_totals",
    "restate",
    "restate_days",
    "round_rows",
    "show_twice",
    "shuffle",
]

# --- tables ---------------------------------------------------------------------------------

#: Meta changes a day's numbers for so long. Source: Insights API, Best practices.
RESTATED_DAYS: Final = 28


def restate(_: Fault, tables: Tables, view: View) -> Tables:
    """Half of the ads' finished days of the last weeks move by a few percent."""

    def restated(ad: WorldNode, day: date) -> Table:
        table = tables(ad, day)
        if not _may_move(ad, day, view):
            return table
        thrown = random.Random(f"restated/{ad.id}/{day}")  # noqa: S311  seeded, no secret
        percent = 100 + thrown.choice((0, 0, 0, -3, 2, 4))
        return {hour: _scaled(numbers, percent) for hour, numbers in table.items()}

    return restated


def restate_days(fault: Fault, tables: Tables, view: View) -> Tables:
    """N percent of the account-days of the last weeks grow by a few percent, at least by one."""

    def restated(ad: WorldNode, day: date) -> Table:
        table = tables(ad, day)
        is_picked = dice(fault.name, ad.account.id, day) % 100 < fault.number
        if not (is_picked and _may_move(ad, day, view)):
            return table
        return {hour: Numbers._make([-(n * -104 // 100) for n in numbers])
                for hour, numbers in table.items()}  # fmt: skip

    return restated


def _may_move(ad: WorldNode, day: date, view: View) -> bool:
    age = local_date(ad.zone, view.now) - day
    return timedelta(days=1) <= age <= timedelta(days=RESTATED_DAYS)


def _scaled(numbers: Numbers, percent: int) -> Numbers:
    # No count that was there disappears: an hour with delivery keeps its row.
    return Numbers._make([max(n * percent // 100, min(n, 1)) for n in numbers])


def arrive_late(_: Fault, tables: Tables, view: View) -> Tables:
    """The first run that shows an account-day lacks a tenth of one ad; later ones have it all."""
    if view.times_shown != 1 or view.level == "account":
        return tables

    def early(ad: WorldNode, day: date) -> Table:
        table = tables(ad, day)
        if _first_delivering(tables, ad.account, day) is not ad:
            return table
        return {hour: _scaled(numbers, 90) for hour, numbers in table.items()}

    return early


def lose_a_row(_: Fault, tables: Tables, view: View) -> Tables:
    """From lists of ads one hour of each account-day is missing; totals keep it."""
    if view.level != "ad":
        return tables

    def lossy(ad: WorldNode, day: date) -> Table:
        table = tables(ad, day)
        if _first_delivering(tables, ad.account, day) is not ad:
            return table
        busiest = max(table, key=lambda hour: table[hour].impressions)
        return {hour: numbers for hour, numbers in table.items() if hour != busiest}

    return lossy


def fall_silent(fault: Fault, tables: Tables, view: View) -> Tables:
    """For N minutes since it was first asked, reports and totals alike have no rows."""
    if view.level is None:  # the truth
        return tables
    now = int(view.now.timestamp())
    since = fault.seen["since"] = min(fault.seen["since"] or now, now)
    return tables if now >= since + fault.number * 60 else lambda _, __: {}


def round_rows(_: Fault, tables: Tables, view: View) -> Tables:
    """Spend is finer than the smallest coin, and each row is rounded after it was added up: an
    hour of an ad, a day of an ad, the account's total. So the sum of rows differs from the total by
    what the rows lost or won, the less the fewer rows there are.
    """
    level = view.level or "ad"
    if level == "ad" and view.by_hour:
        return tables  # what the world has is what these rows were rounded to

    def rounded(ad: WorldNode, day: date) -> Table:
        table = dict(tables(ad, day))
        alike = list(ad.line[level].under("ad"))  # they are in the same rows
        for hours in _rows_of(table, view):
            if _first_with(alike, tables, day, hours) is not ad:
                continue
            lost = sum(_lost(one, tables(one, day), day, hours) for one in alike)
            hour = max(hours & table.keys(), key=lambda at: table[at].spend)
            table[hour] = table[hour]._replace(spend=table[hour].spend + round(lost))
        return table

    return rounded


def _rows_of(table: Table, view: View) -> Iterator[frozenset[int | None]]:
    """The hours of each row that an ad's day is a part of."""
    if view.by_hour:
        yield from (frozenset({hour}) for hour in table)
    elif table:
        yield frozenset({None, *range(24)})


def _first_with(
    ads: Sequence[WorldNode], tables: Tables, day: date, hours: frozenset[int | None]
) -> WorldNode | None:
    return next((ad for ad in ads if not hours.isdisjoint(tables(ad, day))), None)


def _lost(ad: WorldNode, table: Table, day: date, hours: frozenset[int | None]) -> float:
    """What some hours of an ad lost when each was rounded, in coins; negative if they won."""
    thrown = random.Random(f"rounded/{ad.id}/{day}")  # noqa: S311  seeded, no secret
    parts = [(hour, numbers.spend, thrown.uniform(-0.5, 0.5)) for hour, numbers in table.items()]
    return sum(part for hour, spend, part in parts if spend and hour in hours)


def _first_delivering(tables: Tables, account: WorldNode, day: date) -> WorldNode | None:
    ads = account.under("ad")
    return next((ad for ad in ads if any(n.impressions for n in tables(ad, day).values())), None)


# Where the numbers themselves move, so does the truth.


def lose_hour_key(_: Fault, tables: Tables, __: View) -> Tables:
    """The first ad of an account-day comes as one row without its hour."""

    def keyless(ad: WorldNode, day: date) -> Table:
        table = tables(ad, day)
        if not table or _first_delivering(tables, ad.account, day) is not ad:
            return table
        return {None: add(table.values())}

    return keyless


def count_elapsed_hours(_: Fault, tables: Tables, __: View) -> Tables:
    """Labels count hours since midnight instead of showing the clock, on days when it changes."""

    def counted(ad: WorldNode, day: date) -> Table:
        table = tables(ad, day)
        hours = real_hours(ad.zone, day)
        if set(hours) == {1}:
            return table
        return _by_elapsed(table, hours)

    return counted


def _by_elapsed(table: Table, hours: Sequence[int]) -> Table:
    found: dict[int | None, list[Numbers]] = {}
    for hour, numbers in table.items():
        if hour is None:
            found[None] = [numbers]
            continue
        first = sum(hours[:hour])
        for at, part in enumerate(_shared(numbers, hours[hour])):
            if part.impressions:
                found.setdefault(min(first + at, 23), []).append(part)
    return {hour: add(parts) for hour, parts in found.items()}


def _shared(numbers: Numbers, parts: int) -> Sequence[Numbers]:
    """What one label holds, shared out to its real hours; the last one takes the rest."""
    share = Numbers._make([n // parts for n in numbers])
    remaining = Numbers._make([n - (parts - 1) * (n // parts) for n in numbers])
    return [*[share] * (parts - 1), remaining]


# --- rows -----------------------------------------------------------------------------------


def shuffle(_: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """Each time that a report is read from its beginning, its rows have a different order."""
    if making.query.sort:
        return rows
    mixed = list(rows)
    random.Random(f"order/{making.reading}").shuffle(mixed)  # noqa: S311  seeded, no secret
    return iter(mixed)


def ignore_breakdowns(_: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """The rows of the same query without its breakdowns."""
    query = making.query
    if not (query.hourly or query.splits):
        return rows
    return making.write(replace(query, hourly_from=None, splits=()))


def repeat_totals(_: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """Each row of an account's own totals twice."""
    if making.query.level != "account":
        return rows
    return (row for row in rows for _ in range(2))


def show_twice(_: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """An object that is ACTIVE is seen as PAUSED as well, by a query that asks for the latter only.

    So it looks where an object is paused between two parts of a split.
    """
    query = making.query
    moved = next(
        (n for n in making.node.under(query.level) if n.effective_status == "ACTIVE"), None
    )
    if moved is None or not _asks_for_paused(query):
        return rows
    others = tuple(c for c in query.conditions if c.name != "effective_status")
    only = Condition(query.level, "id", "EQUAL", moved.id)
    return chain(rows, making.write(replace(query, conditions=(*others, only))))


def _asks_for_paused(query: Query) -> bool:
    own = [c for c in query.conditions if (c.level, c.name) == (query.level, "effective_status")]
    return any("PAUSED" in c.value and "ACTIVE" not in c.value for c in own if c.operator == "IN")
