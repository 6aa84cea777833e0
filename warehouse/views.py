"""The views of the published file: sums of what is additive, ratios made from the sums.

A ratio is never averaged and reach is never summed; action types overlap, so they are never
added up. A row without its hour stays apart from hour 0: its hour is NULL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warehouse.schema import ACTION_LISTS, INSIGHTS_HOURLY, MONEY
from warehouse.table import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["VIEWS", "View"]


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

#: What belongs to a key, and so is the same in all rows of a group.
BESIDE: Final[Mapping[str, Sequence[str]]] = {
    "account_id": ("account_currency", "account_timezone"),
    "campaign_id": ("campaign_name", "objective"),
    "hour": ("hour_start_utc", "hour_end_utc", "hour_seconds"),
}


def _roll_up(name: str, grain: tuple[str, ...], meaning: str) -> View:
    """Sum `insights_hourly` over all that is not in `grain`."""
    beside = [column for key in grain for column in BESIDE.get(key, ())]
    selected = [
        *grain,
        *(f"max({column}) AS {column}" for column in beside),
        *(f"sum({metric})::{kind} AS {metric}" for metric, kind in ADDITIVE.items()),
        *(f"({sql})::DOUBLE AS {column.name}" for column, sql in RATIOS.items()),
    ]
    columns = (*(INSIGHTS_HOURLY.column(c) for c in (*grain, *beside, *ADDITIVE)), *RATIOS)
    sql = f"FROM insights_hourly SELECT {', '.join(selected)} GROUP BY {', '.join(grain)}"
    return View(name, grain, meaning, columns, sql)


def _long_actions() -> View:
    """One row per entry of a list field."""
    grain = ("account_id", "campaign_id", "adset_id", "ad_id", "date", "hour")
    kept = (*grain, "hour_start_utc", "account_currency")
    selects = [
        f"FROM (FROM insights_hourly SELECT {', '.join(kept)}, unnest({field.name}) AS entry) "
        f"SELECT {', '.join(kept)}, '{field.name}' AS list_field, entry.*"
        for field in ACTION_LISTS
    ]
    fields = ", ".join(field.name for field in ACTION_LISTS)
    columns = (
        *(INSIGHTS_HOURLY.column(name) for name in kept),
        Column("list_field", "text", f"Field the entry stands in: {fields}"),
        Column("action_type", "text", "Type of the action; types overlap, do not add them up"),
        Column("value", "decimal", "Its count, or in the fields of values its money"),
    )
    return View(
        "insights_hourly_actions",
        ("account_id", "ad_id", "date", "hour", "list_field", "action_type"),
        "The list fields of insights_hourly in long form: one row per action type.",
        columns,
        " UNION ALL ".join(selects),
    )


VIEWS: Mapping[str, View] = {
    view.name: view
    for view in (
        _roll_up(
            "campaign_hourly",
            ("account_id", "campaign_id", "date", "hour"),
            "insights_hourly summed by campaign and hour.",
        ),
        _roll_up(
            "campaign_daily",
            ("account_id", "campaign_id", "date"),
            "insights_hourly summed by campaign and day, rows without an hour included.",
        ),
        _roll_up(
            "account_hourly",
            ("account_id", "date", "hour"),
            "insights_hourly summed by account and hour.",
        ),
        _roll_up(
            "account_daily",
            ("account_id", "date"),
            "insights_hourly summed by account and day, rows without an hour included.",
        ),
        _long_actions(),
    )
}
