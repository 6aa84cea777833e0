"""Tables: what is in them, how pages become rows, where rows are kept, and how analysts query.

`warehouse.open(url)` is where analysts start. Nothing here knows HTTP or Dagster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warehouse.published.opened import open  # noqa: A004  read as `warehouse.open`, like `gzip.open`

__all__ = ["open"]


def __getattr__(name: str) -> Any:
    """Import DuckDB only when the warehouse is opened: the command line starts without it."""
    if name == "open":
        from warehouse.published import opened  # noqa: PLC0415  late on purpose, see above

        return opened.open
    raise AttributeError(f"module 'warehouse' has no attribute {name!r}")
