"""Counts in words, as reasons, messages and summaries say them."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, one: str, many: str = "") -> str:
    """Like ``1 row`` and ``1,204 rows``. `many` is the plural where it is not `one` and an s:
    ``counted(n, "row adds", "rows add")``.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
