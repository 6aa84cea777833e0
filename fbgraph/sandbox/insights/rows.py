"""A query → its rows: the numbers of its objects, written as its fields.

Rows stream object by object, so a large account-day is never held in full here.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import HOUR_LABELS, HOURLY, LEVELS
from fbgraph.sandbox.insights.assets import shown
from fbgraph.sandbox.insights.columns import CATALOGUE, COLUMNS, Measured
from fbgraph.sandbox.insights.extent import subjects
from fbgraph.sandbox.insights.splits import split_ad
from fbgraph.sandbox.objects.filters import row_matches
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.world.days import dates, periods
from fbgraph.sandbox.world.delivery import NOTHING, add

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from fbgraph.sandbox.insights.query import Query, Sort
    from fbgraph.sandbox.world.delivery import Numbers, Table
    from fbgraph.sandbox.world.nodes import WorldNode

    #: The numbers of one ad on one day, by hour.
    Tables = Callable[[WorldNode, date], Table]
    Row = dict[str, Any]
    #: What distinguishes the rows of an object and a time: the hour (None where it is missing), 0
    #: without a breakdown, or the values of the others.
    Slot = int | tuple[str, ...] | None

__all__ = ["Report", "report_of", "rows", "written"]

#: Bytes that a report and each of its rows take besides their JSON.
OVERHEAD: Final = 50


class Report:
    """The rows of a query, each as the JSON that pages are made of, written once and when needed.

    Pages are read from the front, so nobody waits for two million rows to see the first thousand.
    """

    def __init__(self, rows: Iterator[bytes], summary: Row | None = None) -> None:
        self.summary = summary
        self.size = OVERHEAD  # bytes that it holds, about
        self._coming = rows
        self._written: list[bytes] = []

    def upto(self, count: int) -> Sequence[bytes]:
        """At least the first `count` rows, or all if there are fewer."""
        for row in islice(self._coming, max(0, count - len(self._written))):
            self._written.append(row)
            self.size += len(row) + OVERHEAD
        return self._written


def report_of(
    query: Query,
    node: WorldNode,
    tables: Tables,
    change: Callable[[Iterator[bytes]], Iterator[bytes]],
) -> Report:
    """The report of a query, with its summary if it asks for one. `change` is that of scenarios."""
    return Report(change(written(query, node, tables)), _summary(query, node, tables))


def written(query: Query, node: WorldNode, tables: Tables) -> Iterator[bytes]:
    """All rows of a query as JSON."""
    return map(compact, rows(query, node, tables))


def rows(query: Query, node: WorldNode, tables: Tables) -> Iterator[Row]:
    """All rows of a query, sorted if it says how, else object by object."""
    found = _unsorted(query, node, tables)
    return iter(sorted(found, key=_sort_key(query.sort))) if query.sort else found


def _unsorted(query: Query, node: WorldNode, tables: Tables) -> Iterator[Row]:
    write = _writer(query)
    for subject, ads in subjects(query, node):
        tally = _tally(query, ads, tables)
        for (start, stop, slot), of_days in tally.items():
            row = write(subject, start, stop, of_days)
            if isinstance(slot, tuple):
                row |= {
                    name: shown(name, value, subject, start)
                    for name, value in zip(query.splits, slot, strict=True)
                }
            elif query.hourly and slot is not None:
                row[HOURLY] = HOUR_LABELS[slot]
            if row_matches(row, query.conditions):
                yield row


def _tally(
    query: Query, ads: Sequence[WorldNode], tables: Tables
) -> dict[tuple[date, date, Slot], Sequence[Numbers]]:
    """Numbers of each day by (start, stop, slot). Without a breakdown every hour falls into one."""
    heaps: dict[tuple[date, date, Slot], dict[date, list[Numbers]]] = {}
    is_split = bool(query.splits)
    is_cut = query.hourly or is_split
    for start, stop in periods(query.since, query.until, query.increment):
        for day in dates(start, stop):
            if query.hourly_from and day < query.hourly_from:
                continue
            for ad in ads:
                table = tables(ad, day)
                for slot, numbers in (_parts(query, ad, table) if is_split else table).items():
                    key = (start, stop, slot if is_cut else 0)
                    heaps.setdefault(key, {}).setdefault(day, []).append(numbers)
        if _has_zero_rows(query) and not is_cut:
            heaps.setdefault((start, stop, 0), {start: [NOTHING]})
    return {key: [_together(heap) for heap in days.values()] for key, days in heaps.items()}


def _together(heap: Sequence[Numbers]) -> Numbers:
    return add(heap) if len(heap) > 1 else heap[0]


def _has_zero_rows(query: Query) -> bool:
    """Whether days without delivery have a row: those of an account whose attribution setting is
    asked for had one in recordings (keboola's connector, 2026-06).
    """
    return query.level == LEVELS[0] and "attribution_setting" in query.fields


def _parts(query: Query, ad: WorldNode, table: Table) -> dict[tuple[str, ...], Numbers]:
    return split_ad(ad, add(table.values()), query.splits) if table else {}


def _writer(query: Query) -> Callable[[WorldNode, date, date, Sequence[Numbers]], Row]:
    """How this query's rows are written: its fields in their order, then the dates."""
    readers = [(_key(name), _reader(name, hourly=query.hourly)) for name in query.fields]
    used = [(name, reader) for name, reader in readers if reader is not None]

    def write(node: WorldNode, start: date, stop: date, of_days: Sequence[Numbers]) -> Row:
        row = Measured(
            *(node, start, stop, _together(of_days), query.hourly, query.windows),
            partners=query.partners,
            by_type=query.by_type,
            days=of_days,
        )
        found = {name: value for name, read in used if (value := read(row)) is not None}
        found["date_start"] = str(start)
        found["date_stop"] = str(stop)
        return found

    return write


def _key(field: str) -> str:
    """The key under which a field comes back. Source: Insights API, as connectors see it."""
    return "results" if field == "objective_results" else field


def _reader(field: str, *, hourly: bool) -> Callable[[Measured], Any] | None:
    """How to read a field; None for one that has no value here, so that rows lack it."""
    rule = CATALOGUE[field].hourly if hourly else "ok"
    if rule == "zero":
        return lambda _: "0"
    return None if rule in ("absent", "omitted") else COLUMNS.get(_key(field))


def _sort_key(sort: Sort) -> Callable[[Row], float]:
    sign = -1 if sort.descending else 1

    def key(row: Row) -> float:
        value = row.get(sort.field)
        if isinstance(value, list):
            of_type = (v for v in value if v["action_type"] == sort.action_type)
            value = next((item["value"] for item in of_type), None)
        return sign * float(value or 0)

    return key


def _summary(query: Query, node: WorldNode, tables: Tables) -> Row | None:
    """Totals over all rows, never a count of them. Source: Insights API reference."""
    if not query.summary:
        return None
    total = replace(query, fields=query.summary, hourly_from=None, splits=(), increment="all_days")
    ads = [ad for _, of_subject in subjects(query, node) for ad in of_subject]
    tally = _tally(total, ads, tables)
    of_days = next(iter(tally.values()), [NOTHING])
    row = _writer(total)(node, query.since, query.until, of_days)
    return {key: value for key, value in row.items() if not key.endswith(("_id", "_name"))}
