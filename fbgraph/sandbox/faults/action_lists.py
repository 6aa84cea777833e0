"""Faults in lists of actions: entries are missing where they are split, or lists are refused in
totals.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fbgraph.sandbox.faults.hooks import Fault, Making
    from fbgraph.sandbox.insights.extent import InsightsRequest

__all__ = ["REFUSALS_OF_LISTS", "lose_action_type", "lose_window", "refuse_lists"]

ACTION_LISTS: Final = ("actions", "action_values", "conversions", "conversion_values")

#: word → the refusal of a call for totals with lists of actions.
REFUSALS_OF_LISTS: Final[Mapping[str, str]] = {
    "too_much": "too_much_data",
    "no_data": "breakdown_without_data",
    "unknown": "unknown",
}


def lose_action_type(fault: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """Rows below the account have no entry of this type."""

    def kept(entries: list[Any]) -> list[Any]:
        return [entry for entry in entries if _of(entry).get("action_type") != fault.word]

    return _below_account(rows, making, kept)


def lose_window(fault: Fault, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
    """Entries of rows below the account lack this window; their `value` stays."""

    def kept(entries: list[Any]) -> list[Any]:
        return [_without(entry, fault.word) for entry in entries]

    return _below_account(rows, making, kept)


def _of(entry: Any) -> Mapping[str, Any]:
    """An entry as an object; empty where another fault has made something else of it."""
    return entry if isinstance(entry, dict) else {}


def _without(entry: Any, key: str) -> Any:
    return {one: entry[one] for one in entry if one != key} if _of(entry) else entry


def _below_account(
    rows: Iterator[bytes], making: Making, change: Callable[[Any], Any]
) -> Iterator[bytes]:
    query = making.query
    if query.level == "account" or not set(ACTION_LISTS) & set(query.fields):
        return rows
    return (_changed(row, change) for row in rows)


def _changed(row: bytes, change: Callable[[Any], Any]) -> bytes:
    values = json.loads(row)
    found = {
        name: change(value) if name in ACTION_LISTS else value for name, value in values.items()
    }
    return compact({name: value for name, value in found.items() if value != []})


def refuse_lists(fault: Fault, insights_request: InsightsRequest) -> None:
    """Totals of an account with lists of actions are refused; without them they are not."""
    query = insights_request.query
    if (
        query.level == "account"
        and not insights_request.is_run
        and set(ACTION_LISTS) & set(query.fields)
    ):
        raise refused(REFUSALS_OF_LISTS[fault.word])
