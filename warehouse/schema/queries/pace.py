"""The view `today`: how far the open day of each account is, and whether that is usual.

Like is compared with like: hours up to the same label of the account's clock, on days that are
complete, and of the open day only those that are whole (`loads.last_whole_hour`). People follow
their clock, so on a day with a clock change the hours up to 14:00 are still those that the clock
showed, one more or one less in real time; only the share of the day that has gone is measured in
seconds. A day that is complete and on which an object had no row counts with 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.columns import ACCOUNT_ID, ACCOUNT_NAME, MONEY, UTC
from warehouse.schema.insights import INSIGHTS_DAILY, INSIGHTS_HOURLY
from warehouse.schema.queries.budgets import budgets, running
from warehouse.schema.queries.results import RESULTS, sum_of
from warehouse.schema.records import LOADS
from warehouse.schema.table import Column, View
from warehouse.schema.verdicts import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["TODAY"]

#: What a usual day is made of: the last same weekdays, by how many days ago they were.
SAME_WEEKDAYS: Final = (7, 14, 21, 28)

#: Days that are looked at, by how many days ago they were: the open one, yesterday, a week ago, …
AGO: Final = (0, 1, *SAME_WEEKDAYS)

#: No projection from a smaller share of a usual day, and from fewer same weekdays with spend: one
#: hour more would double it, and one day has no spread.
LEAST_SHARE: Final = 0.03
LEAST_WEEKDAYS: Final = 2

#: What is added up by the hour → the column of insights_hourly, type of a sum, meaning, unit.
MEASURES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "spend": ("spend", "DECIMAL(38, 6)", "Spend", MONEY),
    "impressions": ("impressions", "BIGINT", "Impressions", ""),
    "clicks": ("clicks", "BIGINT", "All clicks", ""),
    "link_clicks": ("inline_link_clicks", "BIGINT", "Clicks on links", ""),
}

_HOURS: Final = INSIGHTS_HOURLY.name
_DAYS: Final = INSIGHTS_DAILY.name

_UNTIL: Final = "up to the end of last_whole_hour"


def _columns() -> Iterator[tuple[Column, str]]:
    """The columns, each with its SQL."""
    yield ACCOUNT_ID, "account_id"
    yield ACCOUNT_NAME, "account_name"
    yield Column("level", "text", "account, campaign or ad: add up one level only"), "level"
    yield (
        Column("object_id", "id", "Campaign or ad; NULL at the level account"),
        "nullif(object_id, '')",
    )
    yield Column("object_name", "text", "Its name now"), "object_name"
    yield Column("campaign_id", "id", "Campaign that an ad belongs to"), "campaign_id"
    yield (
        Column("effective_status", "text", "Status of the campaign or ad when it was last listed"),
        "effective_status",
    )
    yield Column("account_currency", "text", "Currency of the money here"), "account_currency"
    yield Column("account_timezone", "text", "Zone of the account's clock"), "account_timezone"
    yield (
        Column(
            *("date", "date"),
            "The account's open day: its newest day in insights_hourly, which was not over when "
            "Meta was asked. An account whose newest day is over is not here",
        ),
        "date",
    )
    yield Column("asked_at", "instant", "When Meta was asked for its hours", UTC), "asked_at"
    for name in ("last_whole_hour", "day_gone"):
        yield LOADS.column(name), name
    for name, (_, _, meaning, unit) in MEASURES.items():
        yield from _columns_of(name, meaning, unit)
    yield from _pace()
    yield from _results()


def _columns_of(name: str, meaning: str, unit: str) -> Iterator[tuple[Column, str]]:
    """A metric: so far, and up to the same hour of other days."""
    kind = "money_sum" if name == "spend" else "count"
    median = "money_sum" if name == "spend" else "elapsed"
    nothing = "NULL if that day is not complete"
    for column, of, more in (
        (name, kind, "so far, all hours that Meta had: the newest ones still grow"),
        (f"{name}_whole", kind, _UNTIL),
        (f"{name}_yesterday", kind, f"up to the same hour of the day before; {nothing}"),
        (f"{name}_week_ago", kind, f"up to the same hour a week before; {nothing}"),
        (f"{name}_usual", median, "up to the same hour: median of the same_weekdays"),
    ):
        yield Column(column, of, f"{meaning} {more}", unit), column


def _pace() -> Iterator[tuple[Column, str]]:
    yield (
        Column(
            *("same_weekdays", "count"),
            "How many of the last four same weekdays are complete, and so count as usual",
        ),
        "same_weekdays",
    )
    yield (
        Column(
            *("usual_share", "elapsed"),
            f"Share of a whole day's spend, of 1, that these weekdays had {_UNTIL}: their median",
        ),
        "usual_share",
    )
    some = f"at least {LEAST_WEEKDAYS} of these weekdays had spend, and usual_share is 3 %"
    for name, meaning in (
        ("projected_spend", f"Spend at the end of the day: spend_whole / usual_share, if {some}"),
        ("projected_low", "The same by the weekday that had spent the largest share by then"),
        ("projected_high", "The same by the one with the smallest; NULL if that had spent nothing"),
    ):
        yield Column(name, "elapsed", f"{meaning}; never less than spend", MONEY), name
    yield (
        Column(
            *("budget", "money_limit"),
            "Daily budget of an active campaign, or the sum of those of its active ad sets if they "
            "have the budgets, never both; of an account, the sum over its campaigns. NULL if any "
            "of it is not by the day, as a lifetime budget, and for ads. Meta keeps to it on "
            "average: it may spend more on one day",
            MONEY,
        ),
        "budget",
    )
    yield Column("note", "text", "Why a number is missing, in words"), _note()


def _results() -> Iterator[tuple[Column, str]]:
    where = "in insights_daily, as of results_asked_at; NULL if it has none, or is not loaded"
    for one in RESULTS:
        yield Column(one.number, "decimal", f"{one.action_type} {where}", "count"), one.number
        yield Column(one.value, "decimal", f"Value of {one.action_type} {where}", MONEY), one.value
    yield (
        Column(
            *("results_asked_at", "instant"),
            "When Meta was asked for the results. They are known by the day only, and come in for "
            "days afterwards",
            UTC,
        ),
        "results_asked_at",
    )


def _sql(columns: Sequence[tuple[Column, str]]) -> str:
    parts = {
        "opened": _opened(),
        "days": _days(),
        "ads_by_day": _ads_by_day(),
        "by_day": _by_day(),
        "running": running(),
        "budgets": budgets(),
        "objects": _objects(),
        "facts": _facts(),
        "results": _results_by_object(),
    }
    named = ", ".join(f"{name} AS ({sql})" for name, sql in parts.items())
    selected = ", ".join(f"{sql} AS {column.name}" for column, sql in columns)
    return (
        f"WITH {named} FROM (FROM facts JOIN opened USING (account_id) SELECT *, {_projected()}) "
        "LEFT JOIN results USING (account_id, level, object_id) "
        "LEFT JOIN budgets USING (account_id, level, object_id) "
        "LEFT JOIN (FROM accounts SELECT account_id, account_name, account_currency, "
        "account_timezone) USING (account_id) "
        f"SELECT {selected}"
    )


def _opened() -> str:
    """The open day of each account."""
    return (
        "FROM loads SELECT account_id, date, coalesce(asked_at, loaded_at) AS asked_at, "
        f"last_whole_hour, day_gone WHERE table_name = '{_HOURS}' "
        "QUALIFY date = max(date) OVER (PARTITION BY account_id) AND is_over IS false"
    )


def _days() -> str:
    """The open day and those of the days before that are complete, by how long `ago` they were."""
    return (
        f"FROM opened AS o, (SELECT unnest({[*AGO]}) AS ago) JOIN loads AS l "
        f"ON l.table_name = '{_HOURS}' AND l.account_id = o.account_id AND l.date = o.date - ago "
        f"SELECT o.account_id, l.date, ago, o.last_whole_hour WHERE ago = 0 OR ({GOOD})"
    )


def _ads_by_day() -> str:
    """What each ad did on each of these days, and `…_whole`: up to the same hour."""
    sums = ", ".join(
        f"sum({column})::{kind} AS {name}, "
        f"sum({column}) FILTER (hour <= last_whole_hour)::{kind} AS {name}_whole"
        for name, (column, kind, _, _) in MEASURES.items()
    )
    return (
        f"FROM {_HOURS} JOIN days USING (account_id, date) SELECT account_id, ago, ad_id, "
        f"max(campaign_id) AS campaign_id, max(ad_name) AS ad_name, "
        f"max(campaign_name) AS campaign_name, {sums} GROUP BY account_id, ago, ad_id"
    )


def _levels(source: str, group: str, sums: str) -> str:
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


def _by_day() -> str:
    sums = ", ".join(
        f"sum({name})::{kind} AS {name}"
        for metric, (_, kind, _, _) in MEASURES.items()
        for name in (metric, f"{metric}_whole")
    )
    return _levels("ads_by_day", "account_id, ago", sums)


def _objects() -> str:
    """Everything that had rows on one of the days, or is active."""
    ads = (
        "FROM (FROM ads_by_day SELECT account_id, ad_id, max(campaign_id) AS campaign_id, "
        "arg_min(ad_name, ago) AS ad_name GROUP BY account_id, ad_id) AS d "
        "FULL JOIN (FROM ads SEMI JOIN opened USING (account_id)) AS a USING (account_id, ad_id) "
        "SELECT account_id, 'ad' AS level, ad_id AS object_id, "
        "coalesce(a.ad_name, d.ad_name) AS object_name, "
        "coalesce(d.campaign_id, a.campaign_id) AS campaign_id, effective_status "
        "WHERE d.ad_id IS NOT NULL OR effective_status = 'ACTIVE'"
    )
    campaigns = (
        "FROM (FROM ads_by_day SELECT account_id, campaign_id, "
        "arg_min(campaign_name, ago) AS campaign_name GROUP BY account_id, campaign_id) AS d "
        "FULL JOIN (FROM campaigns SEMI JOIN opened USING (account_id)) AS c "
        "USING (account_id, campaign_id) SELECT account_id, 'campaign', campaign_id, "
        "coalesce(c.campaign_name, d.campaign_name), NULL, effective_status "
        "WHERE d.account_id IS NOT NULL OR effective_status = 'ACTIVE'"
    )
    account = "FROM opened SELECT account_id, 'account', '', NULL, NULL, NULL"
    return f"{ads} UNION ALL {campaigns} UNION ALL {account}"


def _facts() -> str:
    """One row per object: the open day next to the others."""
    whole = (
        "CASE WHEN last_whole_hour IS NOT NULL THEN coalesce({name}_whole, 0) END AS {name}_whole"
    )
    grid = ", ".join(
        f"coalesce({name}, 0) AS {name}, {whole.format(name=name)}" for name in MEASURES
    )
    usual = "FILTER (ago >= 7)"
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
        f"object_name, campaign_id, effective_status, ago, {grid}) "
        "SELECT account_id, level, object_id, any_value(object_name) AS object_name, "
        "any_value(campaign_id) AS campaign_id, any_value(effective_status) AS effective_status, "
        f"{', '.join(facts)}, count(*) {usual} AS same_weekdays, "
        f"count(*) {spending} AS spending_weekdays, median({share}) {spending} AS usual_share, "
        f"min({share}) {spending} AS least_share, max({share}) {spending} AS most_share "
        "GROUP BY account_id, level, object_id"
    )


def _results_by_object() -> str:
    """Results of the open day by ad, campaign and account, as far as insights_daily has them."""
    names = [name for one in RESULTS for name in (one.number, one.value)]
    found = ", ".join(
        f"{sum_of(field, one.action_type)} AS {name}"
        for one in RESULTS
        for field, name in (("actions", one.number), ("action_values", one.value))
    )
    ads = (
        f"FROM {_DAYS} JOIN opened USING (account_id, date) SELECT account_id, campaign_id, ad_id, "
        f"{found} GROUP BY account_id, campaign_id, ad_id"
    )
    sums = ", ".join(f"sum({name}) AS {name}" for name in names)
    added = _levels(f"({ads})", "account_id", sums)
    loaded = (
        "FROM loads SEMI JOIN opened USING (account_id, date) SELECT account_id, "
        f"coalesce(asked_at, loaded_at) AS results_asked_at WHERE table_name = '{_DAYS}'"
    )
    return f"FROM ({added}) JOIN ({loaded}) USING (account_id)"


def _projected() -> str:
    enough = f"spending_weekdays >= {LEAST_WEEKDAYS} AND usual_share >= {LEAST_SHARE}"
    shares = {
        "projected_spend": "usual_share",
        "projected_low": "most_share",
        "projected_high": "nullif(least_share, 0)",
    }
    return ", ".join(
        f"CASE WHEN {enough} AND {share} IS NOT NULL "
        f"THEN greatest(spend_whole::DOUBLE / {share}, spend::DOUBLE) END AS {name}"
        for name, share in shares.items()
    )


def _note() -> str:
    """Why there is no projection, and why no budget, in words."""
    by = "lpad((last_whole_hour + 1)::VARCHAR, 2, '0') || ':00'"
    few = (
        "CASE {n} WHEN 0 THEN 'None' ELSE 'Only ' || {n} END || ' of the last four ' || "
        "dayname(date) || 's ' || CASE {n} WHEN 0 THEN '{were}' WHEN 1 THEN '{was}' "
        "ELSE '{were}' END || '.'"
    )
    not_complete = few.format(n="same_weekdays", was="is complete", were="are complete")
    idle = few.format(n="spending_weekdays", was="had any spend", were="had any spend")
    early = f"{LEAST_SHARE:.0%}".replace("%", " %")
    projection = (
        "CASE WHEN last_whole_hour IS NULL "
        "THEN 'Too early to say. No hour of the day is whole yet.' "
        f"WHEN same_weekdays < {LEAST_WEEKDAYS} THEN 'Nothing to compare with. ' || {not_complete} "
        f"WHEN spending_weekdays < {LEAST_WEEKDAYS} THEN 'Nothing to compare with. ' || {idle} "
        f"WHEN usual_share < {LEAST_SHARE} THEN 'Too early to say. Usually less than {early} of a "
        f"day''s spend has happened by ' || {by} || '.' END"
    )
    budget = (
        "CASE WHEN coalesce(unknown, 0) = 0 THEN NULL WHEN level = 'campaign' "
        "THEN 'Its budget is not by the day.' ELSE 'Campaigns whose budget is not by the day: ' "
        "|| unknown || '.' END"
    )
    return f"nullif(concat_ws(' ', {projection}, {budget}), '')"


_MADE: Final = tuple(_columns())

TODAY: Final = View(
    "today",
    ("account_id", "level", "object_id"),
    "The open day of each account, its campaigns and its ads: spend so far, the same hours of "
    "yesterday, of a week ago and of a usual day, budget, and the spend projected for the end of "
    "the day. Compared are hours up to the same label of the account's clock, on complete days.",
    tuple(column for column, _ in _MADE),
    _sql(_MADE),
)
