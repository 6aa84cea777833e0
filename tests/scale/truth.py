"""What lies in a lake, and what the sandbox says that it served: row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.chaos.trial import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox import Sandbox
    from pipelines.loading.partitions import AccountDay
    from warehouse.lake.partitions import Lake

__all__ = ["TABLE", "rows_of", "true_rows"]

TABLE: Final = "insights_hourly"


def rows_of(lake: Lake, one: AccountDay) -> Sequence[tuple[Any, ...]]:
    table = lake.read(TABLE, account_id=one.account_id, date=one.day)
    return sorted(map(_row, table.select(list(COLUMNS)).to_pylist()), key=str)


def true_rows(sandbox: Sandbox, one: AccountDay) -> Sequence[tuple[Any, ...]]:
    return sorted(map(_row, sandbox.truth(*one)["rows"]), key=str)


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(read(row.get(name)) for name, read in COLUMNS.items())
