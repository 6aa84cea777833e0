"""A cache of reports, so that the pages of one are cut from the same rows."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox.insights.rows import Report

__all__ = ["Shelf"]

#: Bytes of rows, and reports, kept at hand. What is dropped is computed again when it is read.
SHELF_BYTES: Final = 4_000_000_000
SHELF_REPORTS: Final = 500


class Shelf:
    """Reports at hand, the longest unused dropped first, the newest never."""

    def __init__(self, limit: int = SHELF_BYTES, most: int = SHELF_REPORTS) -> None:
        self._limit = limit
        self._most = most
        self._kept: OrderedDict[object, Report] = OrderedDict()

    def get(self, key: object, make: Callable[[], Report]) -> Report:
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self._is_full():
            self._kept.popitem(last=False)
        return self._kept[key]

    def _is_full(self) -> bool:
        # Reports grow while they are read, so their sizes are looked up each time.
        held = sum(report.size for report in self._kept.values())
        return held > self._limit or len(self._kept) > self._most
