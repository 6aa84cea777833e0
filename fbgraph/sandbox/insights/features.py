"""Breakdowns that an account must enable first: numbers by them are there once it has.

Source: Marketing API, Feature Settings API, 2026-09-19.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import FEATURES, breakdowns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.insights.rows import Tables

__all__ = ["ALL_ENABLED", "opted_in"]

#: What an account has enabled, unless a scenario says otherwise: feature → first day with rows, ""
#: for all days.
ALL_ENABLED: Final[Mapping[str, str]] = dict.fromkeys(sorted(FEATURES), "")

#: Later than any day, as a text.
_NEVER: Final = "never"


def opted_in(
    tables: Tables, requested: Sequence[str], enabled: Callable[[], Mapping[str, str]]
) -> Tables:
    """The numbers that `requested` breakdowns show of an account that has `enabled` some features;
    it is only asked if one is needed.
    """
    known = breakdowns()
    needed = {known[name].feature for name in requested if name in known} - {""}
    if not needed:
        return tables
    there = enabled()
    since = max(there.get(name, _NEVER) for name in needed)
    return lambda ad, day: tables(ad, day) if since <= str(day) else {}
