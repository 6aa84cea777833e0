"""The views of the published file: sums of what is additive, ratios made from the sums.

A ratio is never averaged and reach is never summed; action types overlap, so they are never
added up. A row without its hour stays apart from hour 0: its hour is NULL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from warehouse.schema import INSIGHTS_DAILY, INSIGHTS_HOURLY, MONEY
from warehouse.sql import name
from warehouse.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["VIEWS", "View", "long_actions", "views_on"]


@dataclass(frozen=True)
class View:
    """A query under a name. `columns` are what it gives, in order; `sql` is its SELECT."""

    name: str
    grain: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]
    sql: str


#: What may be added up, and the type the sum is kept in: DuckDB's own would be HUGEINT, which
#: Python's tables have no integer for.
ADDITIVE: Final[Mapping[str, str]] = {
    "impressions": "BIGINT",
    "clicks": "BIGINT",
    "spend": "DECIMAL(38, 6)",
    "social_spend": "DECIMAL(38, 6)",
    "inline_link_clicks": "BIGINT",
    "inline_post_engagement": "BIGINT",
    "full_view_impressions": "BIGINT",
}

#: A ratio's column → what it is made of. A division by zero gives NULL.
RATIOS: Final[Mapping[Column, str]] = {
    Column("ctr", "elapsed", "Clicks per 100 impressions", "percent"): (
        "100.0 * sum(clicks) / nullif(sum(impressions), 0)"
    ),
    Column("cpc", "elapsed", "Spend per click", MONEY): "sum(spend) / nullif(sum(clicks), 0)",
    Column("cpm", "elapsed", "Spend per 1,000 impressions", MONEY): (
        "1000.0 * sum(spend) / nullif(sum(impressions), 0)"
    ),
}

#: The type of action that has all purchases, on Meta and off, each once.
PURCHASE: Final = "omni_purchase"

#: What only insights by the day know, and what is made of it.
_OF_DAILY: Final = "NULL where it has none, or where insights_daily is not loaded (`loads` tells)"
PURCHASES: Final[Mapping[Column, str]] = {
    Column(
        "purchases",
        "decimal",
        f"Actions of type {PURCHASE} in insights_daily; {_OF_DAILY}",
        "count",
    ): "purchases",
    Column("purchase_value", "decimal", f"What they were worth; {_OF_DAILY}", MONEY): (
        "purchase_value"
    ),
    Column("cpa", "elapsed", "Spend per purchase", MONEY): (
        "(daily_spend / nullif(purchases, 0))::DOUBLE"
    ),
    Column("roas", "elapsed", "Worth of purchases per unit of spend", "ratio"): (
        "(purchase_value / nullif(daily_spend, 0))::DOUBLE"
    ),
}

#: What belongs to a key, and so is the same in all rows of a group.
BESIDE: Final[Mapping[str, Sequence[str]]] = {
    "account_id": ("account_currency", "account_timezone"),
    "campaign_id": ("campaign_name", "objective"),
    "hour": ("hour_start_utc", "hour_end_utc", "hour_seconds"),
}


def _roll_up(table: Table, view: str, grain: tuple[str, ...], meaning: str) -> View:
    """Sum a table over all that is not in `grain`."""
    beside = [column for key in grain for column in BESIDE.get(key, ())]
    selected = [
        *grain,
        *(f"max({column}) AS {column}" for column in beside),
        *(f"sum({metric})::{kind} AS {metric}" for metric, kind in ADDITIVE.items()),
        *(f"({sql})::DOUBLE AS {column.name}" for column, sql in RATIOS.items()),
    ]
    columns = (*(table.column(c) for c in (*grain, *beside, *ADDITIVE)), *RATIOS)
    sql = f"FROM {table.name} SELECT {', '.join(selected)} GROUP BY {', '.join(grain)}"
    return View(view, grain, meaning, columns, sql)


def _with_purchases(view: View) -> View:
    """The same by the day, beside the purchases that insights_daily has."""
    keys = ", ".join(view.grain)
    made = ", ".join(f"{sql} AS {column.name}" for column, sql in PURCHASES.items())
    sums = ", ".join(
        f"sum(list_sum([e.value FOR e IN {field} IF e.action_type = '{PURCHASE}'])) AS {as_name}"
        for field, as_name in (("actions", "purchases"), ("action_values", "purchase_value"))
    )
    sql = (
        f"FROM ({view.sql}) LEFT JOIN (FROM insights_daily SELECT {keys}, {sums}, "
        f"sum(spend) AS daily_spend GROUP BY {keys}) USING ({keys}) "
        f"SELECT {', '.join(column.name for column in view.columns)}, {made}"
    )
    return replace(view, columns=(*view.columns, *PURCHASES), sql=sql)


#: Columns that the long form of a table's lists keeps beside breakdowns, if the table has them.
KEPT: Final[Sequence[str]] = (
    *("account_id", "campaign_id", "adset_id", "ad_id", "date", "hour"),
    *("hour_start_utc", "account_currency"),
)


def long_actions(table: Table) -> View | None:
    """One row per entry of a list field; None for a table that has no list."""
    others = [column for column in table.grain if column not in KEPT]
    kept = [table.column(c) for c in (*KEPT, *others) if c in table.arrow_schema.names]
    lists = [column for column in table.columns if column.kind == "actions"]
    if not lists:
        return None
    windows = list(dict.fromkeys(window for column in lists for window in column.windows))
    names = ", ".join(name(column.name) for column in kept)
    keys = lists[0].keys
    of_keys = "".join(f', entry."{key}"' for key in keys)
    selects = [
        f"FROM (FROM {name(table.name)} SELECT {names}, unnest({name(column.name)}) AS entry) "
        f"SELECT {names}, '{column.name}' AS list_field, entry.action_type{of_keys}, entry.value"
        + "".join(
            f', entry."{window}"' if window in column.windows else f', NULL AS "{window}"'
            for window in windows
        )
        for column in lists
    ]
    fields = ", ".join(column.name for column in lists)
    columns = (
        *kept,
        Column("list_field", "text", f"Field the entry stands in: {fields}"),
        Column("action_type", "text", "Type of the action; types overlap, do not add them up"),
        *(Column(key, "text", f"Action breakdown {key}") for key in keys),
        Column("value", "decimal", "Its count, or in the fields of values its money"),
        *(Column(w, "decimal", f"The same, attributed within {w}") for w in windows),
    )
    return View(
        f"{table.name}_actions",
        (*table.grain, "list_field", "action_type", *keys),
        f"The list fields of {table.name} in long form: one row per action type.",
        columns,
        " UNION ALL ".join(selects),
    )


def views_on(hourly: Table, daily: Table) -> Sequence[View]:
    """All views, on the two tables of insights."""
    return (
        _roll_up(
            hourly,
            "campaign_hourly",
            ("account_id", "campaign_id", "date", "hour"),
            "insights_hourly summed by campaign and hour.",
        ),
        _with_purchases(
            _roll_up(
                hourly,
                "campaign_daily",
                ("account_id", "campaign_id", "date"),
                "insights_hourly summed by campaign and day, rows without an hour included; "
                "purchases are those of insights_daily.",
            )
        ),
        _roll_up(
            hourly,
            "account_hourly",
            ("account_id", "date", "hour"),
            "insights_hourly summed by account and hour.",
        ),
        _with_purchases(
            _roll_up(
                hourly,
                "account_daily",
                ("account_id", "date"),
                "insights_hourly summed by account and day, rows without an hour included; "
                "purchases are those of insights_daily.",
            )
        ),
        *(view for table in (hourly, daily) if (view := long_actions(table))),
    )


#: Those of the tables here; `registry` adds those of reports.
VIEWS: Final[dict[str, View]] = {
    view.name: view for view in views_on(INSIGHTS_HOURLY, INSIGHTS_DAILY)
}
