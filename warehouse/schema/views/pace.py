"""The view `today`: how far the open day of each account is, and whether that is usual.

What is compared with what is in `same_hours`; only the share of the day that has gone is measured
in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.columns import ACCOUNT_ID, ACCOUNT_NAME, MONEY, UTC
from warehouse.schema.insights import INSIGHTS_DAILY
from warehouse.schema.records import LOADS
from warehouse.schema.table import Column, View
from warehouse.schema.views.budgets import budgets, running
from warehouse.schema.views.results import RESULTS, sum_of
from warehouse.schema.views.same_hours import (
    MEASURES,
    SAME_WEEKDAYS,
    ads_by_day,
    by_day,
    days,
    facts,
    levels,
    objects,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["TODAY"]

#: No projection from a smaller share of a usual day, and from fewer same weekdays with spend: one
#: hour more would double it, and one day has no spread.
LEAST_SHARE: Final = 0.03
LEAST_WEEKDAYS: Final = 2

#: What Meta said of a weekday is compared if it was asked at the same time of the day, within
#: these minutes: looks are an hour apart unless FB_INTRADAY_MINUTES says otherwise.
SAME_MINUTES: Final = 60

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
    yield (
        Column("object_name", "text", "Its name now; NULL if it was not listed yet"),
        "object_name",
    )
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
    yield from _known()


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
            "How many of the last four same weekdays count as usual: they are complete, and not "
            "before the account first spent something",
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
    spread = "a fifth day like these four ends outside of their range two times of five"
    for name, meaning in (
        ("projected_spend", f"Spend at the end of the day: spend_whole / usual_share, if {some}"),
        ("projected_low", f"The same by the weekday that had spent the largest share; {spread}"),
        ("projected_high", "The same by the one with the smallest; NULL if that had spent nothing"),
    ):
        yield Column(name, "elapsed", f"{meaning}; never less than spend", MONEY), name
    yield (
        Column(
            *("budget", "money_limit"),
            "Daily budget of an active campaign, or the sum of those of its active ad sets if they "
            "have the budgets, never both; of an account, the sum over its campaigns. NULL if any "
            "of it is not by the day, as a lifetime budget, and for ads. As they were last listed: "
            "refreshes and backfills do that, ticks do not. Meta keeps to it on average: it may "
            "spend more on one day",
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


def _known() -> Iterator[tuple[Column, str]]:
    """What Meta said when it was asked, next to what it said then: both as incomplete."""
    only = "At the level account only"
    yield (
        Column(
            *("known_at", "instant"),
            f"When the account's total was last asked for; see intraday_totals. {only}",
            UTC,
        ),
        "known_at",
    )
    yield (
        Column("known_spend", "money_sum", f"Spend that Meta knew of then. {only}", MONEY),
        "known_spend",
    )
    yield (
        Column(
            *("known_usual", "money_sum"),
            f"Spend that it knew of at that time of the day, give or take {SAME_MINUTES} minutes, "
            "on each of the last four same weekdays: their median; NULL if one of them was not "
            f"asked for then. {only}",
            MONEY,
        ),
        "known_usual",
    )


def _sql(columns: Sequence[tuple[Column, str]]) -> str:
    parts = {
        "opened": opened(),
        "days": days(),
        "ads_by_day": ads_by_day(),
        "by_day": by_day(),
        "running": running(),
        "budgets": budgets(),
        "objects": objects(),
        "facts": facts(),
        "results": _results_by_object(),
        "latest": _latest(),
        "known": _as_known(),
    }
    named = ", ".join(f"{name} AS ({sql})" for name, sql in parts.items())
    selected = ", ".join(f"{sql} AS {column.name}" for column, sql in columns)
    return (
        f"WITH {named} FROM (FROM facts JOIN opened USING (account_id) SELECT *, {_projected()}) "
        "LEFT JOIN results USING (account_id, level, object_id) "
        "LEFT JOIN budgets USING (account_id, level, object_id) "
        "LEFT JOIN known USING (account_id, level) "
        "LEFT JOIN (FROM accounts SELECT account_id, account_name, account_currency, "
        "account_timezone) USING (account_id) "
        f"SELECT {selected}"
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
    added = levels(f"({ads})", "account_id", sums)
    loaded = (
        "FROM loads SEMI JOIN opened USING (account_id, date) SELECT account_id, "
        f"coalesce(asked_at, loaded_at) AS results_asked_at WHERE table_name = '{_DAYS}'"
    )
    return f"FROM ({added}) JOIN ({loaded}) USING (account_id)"


def _latest() -> str:
    """The newest total of each open day."""
    return (
        "FROM intraday_totals AS t JOIN opened AS o USING (account_id, date) "
        "SELECT account_id, date, max(t.asked_at) AS known_at, "
        "arg_max(t.spend, t.asked_at) AS known_spend, arg_max(t.minute, t.asked_at) AS minute "
        "GROUP BY account_id, date"
    )


def _as_known() -> str:
    """That, and the totals of the same weekdays that were asked for nearest to the same minute."""
    off = "abs(t.minute - latest.minute)"
    same = (
        "FROM intraday_totals AS t JOIN latest ON latest.account_id = t.account_id "
        f"AND latest.date - t.date IN {SAME_WEEKDAYS} AND {off} <= {SAME_MINUTES} "
        f"SELECT t.account_id, t.date, arg_min(t.spend, {off}) AS spend "
        "GROUP BY t.account_id, t.date"
    )
    return (
        f"FROM latest LEFT JOIN (FROM ({same}) SELECT account_id, median(spend) AS known_usual "
        f"GROUP BY account_id HAVING count(*) = {len(SAME_WEEKDAYS)}) USING (account_id) "
        "SELECT account_id, 'account' AS level, known_at, known_spend, known_usual"
    )


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
    counts = "is complete and no earlier than the account''s first spend"
    not_complete = few.format(n="same_weekdays", was=counts, were=counts)
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
