"""Views in the schema `fivetran` of reports: `basic_ad`, `demographics_country` and the others, and
the lists of each in long form.

Names and breakdowns: https://fivetran.com/docs/connectors/applications/facebook-ads/prebuilt-reports;
columns: Fivetran's dbt package (https://github.com/fivetran/dbt_facebook_ads, 1.4.2). What is in
them is ours: archived and deleted ads too, and money that is exact where Fivetran has a float.

A view exists where our report does. An empty one would look like no delivery, and a missing one is
an error that names it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.schema.columns import DATE, MONEY, UTC
from warehouse.schema.insights import INSIGHTS_DAILY
from warehouse.schema.periods import Period
from warehouse.schema.sql import duckdb_type, literal, name
from warehouse.schema.table import KINDS, Column, Table, View

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["report_views"]

#: What is in every view, in the order of Fivetran's documentation: column → SQL.
_COMMON: Final[Mapping[Column, str]] = {
    Column("impressions", "count", "Times an ad was on screen"): "impressions",
    Column("inline_link_clicks", "count", "Clicks on links"): "inline_link_clicks",
    Column(
        "reach", "size", "People who saw an ad; NULL where ours is of parts that do not add up"
    ): "reach",
    Column("frequency", "elapsed", "Impressions per person reached"): "frequency",
    Column("spend", "money", "Money spent, exact where Fivetran has a float", MONEY): "spend",
    Column("cpc", "elapsed", "Spend per click", MONEY): "spend / nullif(clicks, 0)",
    Column("cpm", "elapsed", "Spend per 1,000 impressions", MONEY): (
        "1000.0 * spend / nullif(impressions, 0)"
    ),
    Column("ctr", "elapsed", "Clicks per 100 impressions", "percent"): (
        "100.0 * clicks / nullif(impressions, 0)"
    ),
    Column("cost_per_inline_link_click", "elapsed", "Spend per click on a link", MONEY): (
        "spend / nullif(inline_link_clicks, 0)"
    ),
    Column("inline_link_click_ctr", "elapsed", "Clicks on links per 100 impressions", "percent"): (
        "100.0 * inline_link_clicks / nullif(impressions, 0)"
    ),
}

_LOADED_AT: Final = Column("_fivetran_synced", "instant", "When the day was loaded", UTC)
_ID: Final = Column("_fivetran_id", "text", "Key of the row: a digest of what identifies it")

#: In long form: Fivetran's name of a list in a view's name → our column.
_LONG_LISTS: Final[Mapping[str, str]] = {"actions": "actions", "action_values": "action_values"}

#: Windows whose columns Fivetran's tables have; those of ours that it has not follow.
_WINDOWS: Final = ("1d_view", "7d_click", "28d_click")
_WINDOW_OF_DAYS: Final = re.compile(r"(\d+)d_(\w+)")

#: Columns by our names: Fivetran's own type of `account_id` is a number in some views.
_ACCOUNT_NUMBER: Final = Column("account_id", "number", "Ad account")
_ACCOUNT_TEXT: Final = Column("account_id", "text", "Ad account")


class _Report(NamedTuple):
    """One view: our table, what identifies its rows next to `date`, and what else it has."""

    view: str
    table: str
    keys: Sequence[Column]
    others: Sequence[Column] = ()


def _breakdown(view: str, table: str, *keys: str) -> _Report:
    return _Report(
        view, table, (_ACCOUNT_TEXT, *(Column(k, "text", f"Breakdown {k}") for k in keys))
    )


_AD_ID: Final = Column("ad_id", "text", "Ad")
_ADSET_ID: Final = Column("adset_id", "text", "Ad set")
_CAMPAIGN_ID: Final = Column("campaign_id", "text", "Campaign")
_NAME_OF: Final[Mapping[str, Column]] = {
    kind: Column(f"{kind}_name", "text", f"Name of the {word} when the day was loaded")
    for kind, word in (("ad", "ad"), ("adset", "ad set"), ("campaign", "campaign"))
}

#: The days of ads come from `ad_daily`: from hours where days are not loaded.
_AD_DAILY: Final = "ad_daily"

_REPORTS: Final[Sequence[_Report]] = (
    _Report("basic_ad", _AD_DAILY, (_AD_ID,), (_ACCOUNT_NUMBER, _NAME_OF["ad"], _NAME_OF["adset"])),
    _Report(
        *("basic_ad_set", "insights_adset_daily", (_ADSET_ID,)),
        (_ACCOUNT_NUMBER, _NAME_OF["adset"], _NAME_OF["campaign"]),
    ),
    _Report(
        "basic_campaign",
        "insights_campaign_daily",
        (_CAMPAIGN_ID,),
        (_ACCOUNT_NUMBER, _NAME_OF["campaign"]),
    ),
    _breakdown("demographics_age", "insights_age_gender", "age"),
    _breakdown("demographics_gender", "insights_age_gender", "gender"),
    _breakdown("demographics_age_and_gender", "insights_age_gender", "age", "gender"),
    _breakdown("demographics_country", "insights_country", "country"),
    _breakdown("demographics_region", "insights_region", "region"),
    _breakdown("delivery_device", "insights_device_platform", "device_platform"),
    _breakdown("delivery_platform", "insights_publisher", "publisher_platform"),
)


def report_views(tables: Mapping[str, Table], views: Collection[str]) -> Iterator[View]:
    """The views of reports that are among these tables and views, and have what one needs."""
    for report in _REPORTS:
        of_ads = report.table == _AD_DAILY and _AD_DAILY in views
        table = tables.get(INSIGHTS_DAILY.name if of_ads else report.table)
        if table is None or "loads" not in tables or not _fits(table, report):
            continue
        yield _sums(report, table)
        for suffix, column in _LONG_LISTS.items():
            entries = next((c for c in table.columns if c.name == column), None)
            if entries is not None and entries.entry and entries.by_type and not entries.keys:
                yield _entries(report, table, entries, suffix)


def _fits(table: Table, report: _Report) -> bool:
    needed = {column.name for column in (*report.keys, *report.others)} | {"date", "spend"}
    return table.period is Period.DAY and needed <= {column.name for column in table.columns}


def _digest(report: _Report, *more: str) -> str:
    keys = ", ".join((*(name(column.name) for column in report.keys), "date", *more))
    return f"md5(concat_ws('|', {keys}))"


def _sums(report: _Report, table: Table) -> View:
    """One row for each key and day: the sum of our rows, which may be of finer parts."""
    kept = {column: name(column.name) for column in (*report.keys, DATE, *report.others)}
    made = {**kept, _ID: _digest(report), **_COMMON, _LOADED_AT: "loaded_at"}
    grain = tuple(column.name for column in (*report.keys, DATE))
    rows = _of_ads() if report.table == _AD_DAILY else _of_table(report, table)
    meaning = f"{report.table} by {', '.join(grain)}, as Fivetran's report {report.view} names it."
    return View(report.view, grain, meaning, tuple(made), f"FROM ({rows}) SELECT {_typed(made)}")


def _of_ads() -> str:
    return (
        "FROM main.ad_daily LEFT JOIN (FROM main.insights_daily SELECT account_id, ad_id, date, "
        "reach, frequency) USING (account_id, ad_id, date) LEFT JOIN (FROM main.loads SELECT "
        "account_id, date, table_name AS source, loaded_at) USING (account_id, date, source)"
    )


def _of_table(report: _Report, table: Table) -> str:
    columns = {column.name for column in table.columns}
    keys = ["account_id", *(c.name for c in report.keys if c.name != "account_id"), "date"]
    others = [column.name for column in report.others if column.name not in keys]
    is_whole = {*table.grain} == {*keys}
    selected = [
        *map(name, keys),
        *(f"max({name(column)}) AS {name(column)}" for column in others),
        *(
            f"sum({metric})::{kind} AS {metric}"
            if metric in columns
            else f"NULL::{kind} AS {metric}"
            for metric, kind in _ADDITIVE.items()
        ),
        *(
            f"max({metric}) AS {metric}" if is_whole and metric in columns else f"NULL AS {metric}"
            for metric in ("reach", "frequency")
        ),
    ]
    return (
        f"FROM (FROM main.{name(table.name)} SELECT {', '.join(selected)} GROUP BY "
        f"{', '.join(map(name, keys))}) LEFT JOIN {_loaded(table)} USING (account_id, date)"
    )


_ADDITIVE: Final[Mapping[str, str]] = {
    "impressions": "BIGINT",
    "clicks": "BIGINT",
    "inline_link_clicks": "BIGINT",
    "spend": "DECIMAL(38, 6)",
}


def _loaded(table: Table) -> str:
    where = f"table_name = {literal(table.name)}"
    return f"(FROM main.loads SELECT account_id, date, loaded_at WHERE {where})"


def _entries(report: _Report, table: Table, entries: Column, suffix: str) -> View:
    """One row for each type of action of each key and day."""
    windows = {_flat(window): window for window in (*_WINDOWS, *entries.windows)}
    keys = ", ".join(_grouped(report))
    what = "Its money" if suffix == "action_values" else "How many"
    made = {
        **{column: name(column.name) for column in (*report.keys, DATE)},
        _ID: _digest(report),
        Column("index", "number", "Its place among the actions of its row, from 0"): (
            f"row_number() OVER (PARTITION BY {keys} ORDER BY action_type) - 1"
        ),
        Column("action_type", "text", "Type of the action; types overlap"): "action_type",
        Column("value", "decimal", f"{what}, by the attribution setting of its ad set"): "value",
        Column("inline", "decimal", "NULL: Meta has no such window any more"): "NULL",
        **{
            Column(column, "decimal", f"The same by the window {window}"): column
            if window in entries.windows
            else "NULL"
            for column, window in windows.items()
        },
        _LOADED_AT: "loaded_at",
    }
    summed = {"value": "value", **{c: w for c, w in windows.items() if w in entries.windows}}
    sums = (f"sum(entry.{name(field)}) AS {name(column)}" for column, field in summed.items())
    grouped = [*_grouped(report), "entry.action_type"]
    grain = (*(column.name for column in (*report.keys, DATE)), "index")
    meaning = (
        f"{entries.name} of {table.name}, one row per type, as Fivetran's {report.view} has it."
    )
    sql = (
        f"FROM (FROM (FROM main.{name(table.name)} SELECT {', '.join(_grouped(report))}, "
        f"unnest({entries.name}) AS entry) SELECT {', '.join(grouped)}, {', '.join(sums)} "
        f"GROUP BY {', '.join(grouped)}) LEFT JOIN {_loaded(table)} USING (account_id, date) "
        f"SELECT {_typed(made)}"
    )
    return View(f"{report.view}_{suffix}", grain, meaning, tuple(made), sql)


def _grouped(report: _Report) -> Sequence[str]:
    """What the rows of a view are put together by: the account too, by which loads are found."""
    keys = [column.name for column in report.keys if column.name != "account_id"]
    return [*map(name, ("account_id", *keys, "date"))]


def _flat(window: str) -> str:
    return _WINDOW_OF_DAYS.sub(r"_\1_d_\2", window)


def _typed(made: Mapping[Column, str]) -> str:
    return ", ".join(
        f"({sql})::{duckdb_type(KINDS[column.kind])} AS {name(column.name)}"
        for column, sql in made.items()
    )
