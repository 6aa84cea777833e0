"""Counts and values in words, as reasons, messages and summaries have them."""

from __future__ import annotations

from typing import Final

__all__ = ["brief", "counted"]

#: Most characters of a value that a message or a line of the log repeats.
LONGEST_VALUE: Final = 80


def brief(value: str) -> str:
    """A value as a message repeats it: cut where it is long. The table `rejects` has more of it."""
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"


def counted(number: int, one: str, many: str = "") -> str:
    """Like ``1 row`` and ``1,204 rows``. `many` is the plural where it is not `one` and an s:
    ``counted(n, "row adds", "rows add")``.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
