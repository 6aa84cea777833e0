"""The open day of each account next to the same hours of earlier days, in SQL: parts of a WITH.

Like is compared with like: hours up to the same label of the account's clock, on days that are
complete, and of the open day only those that are whole (`loads.last_whole_hour`). People follow
their clock, so on a day with a clock change the hours up to 14:00 are still those that the clock
showed, one more or one less in real time. A day that is complete and on which an object had no row
counts with 0, unless its account had never spent anything by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.columns import MONEY
from warehouse.schema.insights import INSIGHTS_HOURLY
from warehouse.schema.verdicts import GOOD

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MEASURES",
    "SAME_WEEKDAYS",
    "ads_by_day",
    "by_day",
    "days",
    "facts",
    "levels",
    "objects",
    "opened",
]

#: What a usual day is made of: the last same weekdays, by how many days ago they were.
SAME_WEEKDAYS: Final = (7, 14, 21, 28)

#: Days that are looked at, by how many days ago they were: the open one, yesterday, a week ago, …
AGO: Final = (0, 1, *SAME_WEEKDAYS)

#: What is added up by the hour → the column of insights_hourly, type of a sum, meaning, unit.
MEASURES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "spend": ("spend", "DECIMAL(38, 6)", "Spend", MONEY),
    "impressions": ("impressions", "BIGINT", "Impressions", ""),
    "clicks": ("clicks", "BIGINT", "All clicks", ""),
    "link_clicks": ("inline_link_clicks", "BIGINT", "Clicks on links", ""),
}

_HOURS: Final = INSIGHTS_HOURLY.name


def opened() -> str:
    """The open day of each account."""
    return (
        "FROM loads SELECT account_id, date, coalesce(asked_at, loaded_at) AS asked_at, "
        f"last_whole_hour, day_gone WHERE table_name = '{_HOURS}' "
        "QUALIFY date = max(date) OVER (PARTITION BY account_id) AND is_over IS false"
    )


def days() -> str:
    """The open day and those of the days before that are complete, by how long `ago` they were.
    `has_begun`: the account had spent something by then; nothing is usual before.

    CROSS JOIN, not a comma: what is joined after a comma is correlated with what is before it, and
    DuckDB 1.5 refuses a LEFT JOIN of that.
    """
    return (
        f"FROM opened AS o CROSS JOIN (SELECT unnest({[*AGO]}) AS ago) JOIN loads AS l "
        f"ON l.table_name = '{_HOURS}' AND l.account_id = o.account_id AND l.date = o.date - ago "
        "LEFT JOIN (FROM loads SELECT account_id, min(date) AS begun "
        f"WHERE table_name = '{_HOURS}' AND spend > 0 GROUP BY account_id) AS b "
        "ON b.account_id = o.account_id "
        "SELECT o.account_id, l.date, ago, o.last_whole_hour, "
        "coalesce(l.date >= begun, false) AS has_begun "
        f"WHERE ago = 0 OR ({GOOD})"
    )


def ads_by_day() -> str:
    """What each ad did on each of these days, and `…_whole`: up to the same hour.

    No more columns, and first the dates: they decide how long `today` takes.
    """
    sums = ", ".join(
        f"sum({column})::{kind} AS {name}, "
        f"sum({column}) FILTER (hour <= last_whole_hour)::{kind} AS {name}_whole"
        for name, (column, kind, _, _) in MEASURES.items()
    )
    return (
        f"FROM (FROM {_HOURS} WHERE date IN (FROM days SELECT date)) "
        "JOIN days USING (account_id, date) SELECT account_id, ago, ad_id, "
        f"max(campaign_id) AS campaign_id, {sums} GROUP BY account_id, ago, ad_id"
    )


def levels(source: str, group: str, sums: str) -> str:
    """Rows of ads, added up by ad, by campaign and by account."""
    levels = {
        "account": "''",
        "campaign": "campaign_id",
        "ad": "ad_id",
    }
    return " UNION ALL ".join(
        f"FROM {source} SELECT {group}, '{level}' AS level, {key} AS object_id, {sums} GROUP BY ALL"
        for level, key in levels.items()
    )


def by_day() -> str:
    sums = ", ".join(
        f"sum({name})::{kind} AS {name}"
        for metric, (_, kind, _, _) in MEASURES.items()
        for name in (metric, f"{metric}_whole")
    )
    return levels("ads_by_day", "account_id, ago", sums)


def objects() -> str:
    """Everything that had rows on one of the days, or is active."""
    ads = (
        "FROM (FROM ads_by_day SELECT account_id, ad_id, max(campaign_id) AS campaign_id "
        "GROUP BY account_id, ad_id) AS d "
        "FULL JOIN (FROM ads SEMI JOIN opened USING (account_id)) AS a USING (account_id, ad_id) "
        "SELECT account_id, 'ad' AS level, ad_id AS object_id, "
        "a.ad_name AS object_name, "
        "coalesce(d.campaign_id, a.campaign_id) AS campaign_id, effective_status "
        "WHERE d.ad_id IS NOT NULL OR effective_status = 'ACTIVE'"
    )
    campaigns = (
        "FROM (FROM ads_by_day SELECT account_id, campaign_id "
        "GROUP BY account_id, campaign_id) AS d "
        "FULL JOIN (FROM campaigns SEMI JOIN opened USING (account_id)) AS c "
        "USING (account_id, campaign_id) SELECT account_id, 'campaign', campaign_id, "
        "c.campaign_name, NULL, effective_status "
        "WHERE d.account_id IS NOT NULL OR effective_status = 'ACTIVE'"
    )
    account = "FROM opened SELECT account_id, 'account', '', NULL, NULL, NULL"
    return f"{ads} UNION ALL {campaigns} UNION ALL {account}"


def facts() -> str:
    """One row per object: the open day next to the others."""
    whole = (
        "CASE WHEN last_whole_hour IS NOT NULL THEN coalesce({name}_whole, 0) END AS {name}_whole"
    )
    grid = ", ".join(
        f"coalesce({name}, 0) AS {name}, {whole.format(name=name)}" for name in MEASURES
    )
    usual = "FILTER (ago >= 7 AND has_begun)"
    spending = "FILTER (ago >= 7 AND spend > 0)"
    share = "(spend_whole / spend)::DOUBLE"
    facts = [
        f"{sql} AS {column}"
        for name in MEASURES
        for column, sql in (
            (name, f"max({name}) FILTER (ago = 0)"),
            (f"{name}_whole", f"max({name}_whole) FILTER (ago = 0)"),
            (f"{name}_yesterday", f"max({name}_whole) FILTER (ago = 1)"),
            (f"{name}_week_ago", f"max({name}_whole) FILTER (ago = 7)"),
            (f"{name}_usual", f"median({name}_whole) {usual}"),
        )
    ]
    return (
        "FROM (FROM objects JOIN days USING (account_id) LEFT JOIN by_day "
        "USING (account_id, level, object_id, ago) SELECT account_id, level, object_id, "
        f"object_name, campaign_id, effective_status, ago, has_begun, {grid}) "
        "SELECT account_id, level, object_id, any_value(object_name) AS object_name, "
        "any_value(campaign_id) AS campaign_id, any_value(effective_status) AS effective_status, "
        f"{', '.join(facts)}, count(*) {usual} AS same_weekdays, "
        f"count(*) {spending} AS spending_weekdays, median({share}) {spending} AS usual_share, "
        f"min({share}) {spending} AS least_share, max({share}) {spending} AS most_share "
        "GROUP BY account_id, level, object_id"
    )
