"""The list fields of a table in long form: one row per entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from warehouse.schema.columns import ACCOUNT_NAME
from warehouse.schema.sql import literal, name
from warehouse.schema.table import Column, View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warehouse.schema.table import Table

__all__ = ["flat", "long_actions"]

#: Columns that the long form keeps next to the breakdowns, if the table has them.
KEPT_COLUMNS: Final[Sequence[str]] = (
    *("account_id", "campaign_id", "adset_id", "ad_id", "date", "hour"),
    *("hour_start_utc", "account_currency"),
)

#: Names of the objects, where the table has them. They follow all older columns, which keep their
#: positions.
NAMES: Final[Sequence[str]] = ("account_name", "campaign_name", "adset_name", "ad_name")

#: A window as Graph names it: for how long, then from what on.
_WINDOW: Final = re.compile(r"(\d\w*?)_(\w+)")

#: The same in words, where it is a number of days.
_NUMBER_OF_DAYS: Final = re.compile(r"(\d+)d_(\w+)")

#: What a window is counted from, in words.
_SINCE: Final[Mapping[str, str]] = {"click": "a click", "view": "a view", "ev": "an engaged view"}


def flat(window: str) -> str:
    """The name of a window that SQL takes without quotes: ``click_7d`` for ``7d_click``."""
    turned = _WINDOW.sub(r"\2_\1", window)
    return f"window_{turned}" if turned[0].isdigit() or turned == "default" else turned


def _attributed(window: str) -> str:
    """What the column of a window holds."""
    days = _NUMBER_OF_DAYS.fullmatch(window)
    if days is None or days[2] not in _SINCE:
        return f"The same, attributed by the window {window}"
    unit = "day" if days[1] == "1" else "days"
    return f"The same, attributed within {days[1]} {unit} of {_SINCE[days[2]]}"


def _older(window: str) -> str:
    """What the column of a window under Graph's name holds."""
    new = flat(window)
    if new == window:
        return _attributed(window)
    return f"The same as {new}, under its older name, which SQL takes in quotes only"


def long_actions(table: Table) -> View | None:
    """One row per entry of a list field; None for a table that has no list.

    A window has two columns: one under Graph's name, which is the older, and one under a name
    that needs no quotes.
    """
    lists = [column for column in table.columns if column.kind == "actions"]
    if not lists:
        return None
    others = [column for column in table.grain if column not in KEPT_COLUMNS]
    kept = _those_of(table, (*KEPT_COLUMNS, *others))
    names = [column for column in _those_of(table, NAMES) if column not in kept]
    windows = list(dict.fromkeys(window for column in lists for window in column.windows))
    flattened = {flat(window): window for window in windows if flat(window) != window}
    entries = (*kept, *_entry_columns(lists, windows))
    # A table of account-days has the account's id, and its name only if a report asks for it.
    joined = [] if any(column.name == ACCOUNT_NAME.name for column in names) else [ACCOUNT_NAME]
    selected = [
        *(f"e.{name(column.name)}" for column in entries),
        *(f"a.{name(column.name)}" for column in joined),
        *(f"e.{name(column.name)}" for column in names),
        *(f"e.{name(window)} AS {name(new)}" for new, window in flattened.items()),
    ]
    join = " LEFT JOIN accounts AS a ON a.account_id = e.account_id" if joined else ""
    parts = (_entries(table, column, (*kept, *names), windows) for column in lists)
    return View(
        f"{table.name}_actions",
        (*table.grain, "list_field", "action_type", *lists[0].keys),
        f"The list fields of {table.name} in long form: one row per action type.",
        (
            *entries,
            *joined,
            *names,
            *(Column(new, "decimal", _attributed(old)) for new, old in flattened.items()),
        ),
        f"FROM ({' UNION ALL '.join(parts)}) AS e{join} SELECT {', '.join(selected)}",
    )


def _entry_columns(lists: Sequence[Column], windows: Sequence[str]) -> Sequence[Column]:
    """What an entry of one of these lists has."""
    fields = ", ".join(column.name for column in lists)
    return (
        Column("list_field", "text", f"Field that has the entry: {fields}"),
        Column("action_type", "text", "Type of the action; types overlap, do not add them up"),
        *(Column(key, "text", f"Action breakdown {key}") for key in lists[0].keys),
        Column("value", "decimal", "Its count, or its money in the fields of values"),
        *(Column(window, "decimal", _older(window)) for window in windows),
    )


def _entries(table: Table, column: Column, kept: Sequence[Column], windows: Sequence[str]) -> str:
    """The entries of one list field, with the windows of all the table's lists."""
    names = ", ".join(name(kept_one.name) for kept_one in kept)
    selected = [
        *(name(kept_one.name) for kept_one in kept),
        f"{literal(column.name)} AS list_field",
        *(f"entry.{name(key)}" for key in ("action_type", *column.keys, "value")),
        *(
            f"entry.{name(window)}" if window in column.windows else f"NULL AS {name(window)}"
            for window in windows
        ),
    ]
    return (
        f"FROM (FROM {name(table.name)} SELECT {names}, unnest({name(column.name)}) AS entry) "
        f"SELECT {', '.join(selected)}"
    )


def _those_of(table: Table, names: Sequence[str]) -> list[Column]:
    return [table.column(column) for column in names if column in table.arrow_schema.names]
