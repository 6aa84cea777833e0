"""Views by account, campaign, ad set and ad, by hour and day.

Roll-ups add up what is additive and compute ratios from the sums: a ratio is never averaged, reach
is never summed, and action types overlap, so they are never added up. A row without its hour stays
separate from hour 0: its hour is NULL.

A day is added up from either table of insights, account-day by account-day: from the hours where
they are loaded, from the days where they are not, or where only the days are proven. Results
(purchases, leads and the like) are only known by the day, so they always come from there; an ad may
have some on a day without delivery, and so without hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.schema.columns import ACCOUNT_NAME, MONEY
from warehouse.schema.insights import INSIGHTS_DAILY, INSIGHTS_HOURLY
from warehouse.schema.table import Column, View
from warehouse.schema.verdicts import GOOD
from warehouse.schema.views.results import RESULTS, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warehouse.schema.views.results import Result

__all__ = ["FORMULAS", "LEVELS", "SOURCE", "rollups"]

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

#: A ratio's column → its formula. A division by zero gives NULL.
RATIOS: Final[Mapping[Column, str]] = {
    Column("ctr", "elapsed", "Clicks per 100 impressions", "percent"): (
        "100.0 * clicks / nullif(impressions, 0)"
    ),
    Column("cpc", "elapsed", "Spend per click", MONEY): "spend / nullif(clicks, 0)",
    Column("cpm", "elapsed", "Spend per 1,000 impressions", MONEY): (
        "1000.0 * spend / nullif(impressions, 0)"
    ),
}


#: The action type of people who waited until the page behind a link had loaded.
LANDED: Final = "landing_page_view"

LANDING_PAGE_VIEWS: Final = Column(
    *("landing_page_views", "decimal"), f"Actions of type {LANDED} in insights_daily", "count"
)
LINK_CLICKS: Final = Column(
    "link_clicks", "count", "Clicks on links; the same as inline_link_clicks"
)

ROAS: Final = Column(
    "roas", "elapsed", "Value of purchases per unit of spend in insights_daily", "ratio"
)

IS_COMPLETE_HOUR: Final = Column(
    *("is_complete", "bool"),
    "Whether the day is over and its load of insights_hourly is proven (or unprovable); see loads",
)
IS_COMPLETE_DAY: Final = Column(
    *("is_complete", "bool"),
    "Whether the day is over and every load behind the row is proven (or unprovable): "
    "that of insights_daily and, if it is the source, that of insights_hourly; see loads",
)
IS_WHOLE: Final = Column(
    *("is_whole", "bool"),
    "Whether Meta had counted the hour when it was asked: all hours of a day that is over, those "
    "up to loads.last_whole_hour of an open one. Where it is false, the row still grows",
)
IS_LAST_HOUR: Final = Column(
    *("is_last_hour", "bool"),
    "Whether it is the hour that was running when Meta was asked. No row of a day has it where "
    "nothing was delivered in that hour yet, or none ran: a day that was over when Meta was asked",
)
SOURCE: Final = Column(
    *("source", "text"),
    "Table that everything except the results is added up from: insights_hourly if it has the "
    "account-day, otherwise insights_daily; also insights_daily if only that one is complete",
)


class Level(NamedTuple):
    """A level of views: its key next to the account's, and the columns that depend on that key, so
    that they are the same in all rows of a group.
    """

    key: tuple[str, ...]
    attributes: tuple[str, ...]
    word: str


_ACCOUNT: Final = ("account_currency", "account_timezone")
_CAMPAIGN: Final = (*_ACCOUNT, "campaign_name", "objective")
_ADSET: Final = (*_CAMPAIGN, "campaign_id", "adset_name", "optimization_goal")
_AD: Final = (*_ADSET, "adset_id", "ad_name")

LEVELS: Final[Mapping[str, Level]] = {
    "ad": Level(("ad_id",), _AD, "ad"),
    "adset": Level(("adset_id",), _ADSET, "ad set"),
    "campaign": Level(("campaign_id",), _CAMPAIGN, "campaign"),
    "account": Level((), _ACCOUNT, "account"),
}

#: What belongs to an hour.
_HOUR: Final = ("hour_start_utc", "hour_end_utc", "hour_seconds")

_HOURS: Final = INSIGHTS_HOURLY.name
_DAYS: Final = INSIGHTS_DAILY.name


def rollups() -> Iterator[View]:
    """The views of all levels, by the hour and by the day."""
    for name, level in LEVELS.items():
        yield _hourly(f"{name}_hourly", level)
        yield _daily(f"{name}_daily", level)


def _hourly(view: str, level: Level) -> View:
    grain = ("account_id", *level.key, "date", "hour")
    attributes = (*level.attributes, *_HOUR)
    made = {
        **{INSIGHTS_HOURLY.column(column): column for column in (*grain, *attributes, *ADDITIVE)},
        **{column: f"({sql})::DOUBLE" for column, sql in RATIOS.items()},
        ACCOUNT_NAME: "account_name",
        LINK_CLICKS: "inline_link_clicks",
        IS_COMPLETE_HOUR: "coalesce(is_good, false)",
        IS_WHOLE: "coalesce(is_over OR hour <= last_whole_hour, false)",
        IS_LAST_HOUR: "coalesce(asked_at >= hour_start_utc AND asked_at < hour_end_utc, false)",
    }
    sums = (
        f"FROM ({_sums(_HOURS, grain, attributes)}) LEFT JOIN (FROM loads SELECT account_id, date, "
        f"{GOOD} AS is_good, is_over, last_whole_hour, coalesce(asked_at, loaded_at) AS asked_at "
        f"WHERE table_name = '{_HOURS}') USING (account_id, date)"
    )
    meaning = f"insights_hourly summed by {level.word} and hour."
    return View(view, grain, meaning, tuple(made), _select(made, sums))


def _daily(view: str, level: Level) -> View:
    grain = ("account_id", *level.key, "date")
    purchases, *others = (_made_of(result) for result in RESULTS)
    made = {
        **{
            INSIGHTS_DAILY.column(column): column
            for column in (*grain, *level.attributes, *ADDITIVE)
        },
        **{column: f"({sql})::DOUBLE" for column, sql in RATIOS.items()},
        **purchases,
        ROAS: f"({FORMULAS[ROAS]})::DOUBLE",
        ACCOUNT_NAME: "account_name",
        LINK_CLICKS: "inline_link_clicks",
        LANDING_PAGE_VIEWS: LANDING_PAGE_VIEWS.name,
        **{column: sql for made_of in others for column, sql in made_of.items()},
        IS_COMPLETE_DAY: "is_good",
        # Not `if`, which DuckDB 2.0 writes into the file as a function that 1.5 lacks.
        SOURCE: f"CASE WHEN by_hour THEN '{_HOURS}' ELSE '{_DAYS}' END",
    }
    meaning = (
        f"By {level.word} and day: the sum of insights_hourly, including rows without an hour, or "
        "insights_daily for account-days whose hours are not loaded, or are not complete while "
        "insights_daily is. Results such as purchases are always from insights_daily."
    )
    return View(view, grain, meaning, tuple(made), _select(made, _of_both(grain, level.attributes)))


def _select(made: Mapping[Column, str], source: str) -> str:
    selected = (f"{sql} AS {column.name}" for column, sql in made.items())
    names = "FROM accounts SELECT account_id, account_name"
    return f"{source} LEFT JOIN ({names}) USING (account_id) SELECT {', '.join(selected)}"


def _sums(table: str, grain: Sequence[str], attributes: Sequence[str], *more: str) -> str:
    """Sum a table over all that is not in `grain`."""
    selected = [
        *grain,
        *(f"max({column}) AS {column}" for column in attributes),
        *(f"sum({metric})::{kind} AS {metric}" for metric, kind in ADDITIVE.items()),
        *more,
    ]
    return f"FROM {table} SELECT {', '.join(selected)} GROUP BY {', '.join(grain)}"


def _loaded(*tables: str) -> str:
    """Account-days of tables: whether the hours count, and whether every load that counts is good.

    `by_day`: hours are loaded but do not count, because the days are good and they are not.
    """
    names = ", ".join(f"'{table}'" for table in tables)
    good = {table: f"bool_or(table_name = '{table}' AND {GOOD})" for table in (_HOURS, _DAYS)}
    return (
        f"FROM (FROM loads SELECT account_id, date, bool_and({GOOD}) AS all_good, "
        f"bool_or(table_name = '{_HOURS}') AS has_hours, "
        f"has_hours AND {good[_DAYS]} AND NOT {good[_HOURS]} AS by_day "
        f"WHERE table_name IN ({names}) GROUP BY account_id, date) "
        "SELECT account_id, date, by_day, has_hours AND NOT by_day AS by_hour, "
        "all_good OR by_day AS is_good"
    )


def _of_both(grain: Sequence[str], attributes: Sequence[str]) -> str:
    """One row per key from hours and days, which have at most one row each for a key.

    Both are summed before they meet, so that filters and unused columns are left out early.
    """
    results = _results()
    days = (f"{sql} AS {column}" for column, sql in results.items())
    parts = (
        f"(FROM ({_sums(_HOURS, grain, attributes)}) SELECT *, true AS of_hours) UNION ALL BY NAME "
        f"(FROM ({_sums(_DAYS, grain, attributes, *days)}) SELECT *, false AS of_hours)"
    )
    selected = [
        *grain,
        # Names may have changed between the loads: those of the rows that are summed come first.
        *(
            f"coalesce(max({column}) FILTER (WHERE of_hours), max({column})) AS {column}"
            for column in attributes
        ),
        # Where hours are loaded, an ad without any had no delivery.
        *(
            f"(CASE WHEN bool_or(of_hours) THEN sum({metric}) FILTER (WHERE of_hours) "
            f"WHEN bool_or(by_hour) THEN 0 ELSE sum({metric}) END)::{kind} AS {metric}"
            for metric, kind in ADDITIVE.items()
        ),
        *(f"max({column}) AS {column}" for column in results),
        "bool_or(of_hours) OR coalesce(bool_or(by_hour), false) AS by_hour",
        "coalesce(bool_and(is_good), false) AS is_good",
    ]
    return (
        f"FROM (FROM ({parts}) LEFT JOIN ({_loaded(_HOURS, _DAYS)}) USING (account_id, date) "
        f"SELECT {', '.join(selected)} WHERE NOT (of_hours AND coalesce(by_day, false)) "
        f"GROUP BY {', '.join(grain)})"
    )


def _results() -> Mapping[str, str]:
    """Columns that only insights by the day have: name → SQL, in sums over its rows."""
    return {
        LANDING_PAGE_VIEWS.name: sum_of("actions", LANDED),
        **{result.number: sum_of("actions", result.action_type) for result in RESULTS},
        **{result.value: sum_of("action_values", result.action_type) for result in RESULTS},
        "daily_spend": "sum(spend)",
    }


def _made_of(result: Result) -> Mapping[Column, str]:
    """Columns of a kind of results → their SQL."""
    count, value, cost = _columns_of(result)
    return {count: count.name, value: value.name, cost: f"({FORMULAS[cost]})::DOUBLE"}


def _columns_of(result: Result) -> tuple[Column, Column, Column]:
    where = "NULL if it has none, or if insights_daily is not loaded (see `loads`)"
    return (
        Column(
            *(result.number, "decimal"),
            f"Actions of type {result.action_type} in insights_daily; {where}",
            "count",
        ),
        Column(result.value, "decimal", f"The value of these actions; {where}", MONEY),
        Column(result.cost, "elapsed", f"Spend in insights_daily per {result.one}", MONEY),
    )


#: Columns that are computed from others → formula. `daily_spend` is the spend of the rows of
#: insights_daily that the results are from.
FORMULAS: Final[Mapping[Column, str]] = {
    **RATIOS,
    **{_columns_of(result)[2]: f"daily_spend / nullif({result.number}, 0)" for result in RESULTS},
    ROAS: "purchase_value / nullif(daily_spend, 0)",
}
