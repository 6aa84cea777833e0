"""What is read of both sides: their sums by account and day, and what is known about the days that
differ.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipelines.comparing.names import ROLE_COLUMNS
from pipelines.comparing.reasons import Fact
from pipelines.comparing.their_table import OURS
from warehouse.schema.insights import INSIGHTS_DAILY, INSIGHTS_HOURLY
from warehouse.schema.verdicts import GOOD
from warehouse.schema.views.results import RESULTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from typing import Any

    import duckdb

    from pipelines.comparing.names import TheirColumns

__all__ = ["AccountDayKey", "facts_of", "ours_by_day", "purchases_of", "theirs_by_day"]

AccountDayKey = tuple[str, "date"]

#: Ads that a loader leaves out that does not ask for them by their status.
_GONE: Final = "effective_status IN ('ARCHIVED', 'DELETED')"

_BY_HOUR: Final = INSIGHTS_HOURLY.name
_BY_DAY: Final = INSIGHTS_DAILY.name


def theirs_by_day(
    connection: duckdb.DuckDBPyConnection, columns: TheirColumns
) -> Mapping[AccountDayKey, Mapping[str, Any]]:
    """For each account and day of theirs: `there`, `loaded_there`, `their_currencies`."""
    rows = connection.execute(
        "FROM theirs SELECT account, day, max(loaded), list(DISTINCT currency ORDER BY currency) "
        f"FILTER (currency <> ''), {_sums(columns.counted)} "
        "WHERE account <> '' AND day IS NOT NULL GROUP BY ALL"
    ).fetchall()
    return {
        (account, day): {
            "there": dict(zip(columns.counted, sums, strict=True)),
            "loaded_there": loaded,
            "their_currencies": currencies or (),
        }
        for account, day, loaded, currencies, *sums in rows
    }


def ours_by_day(
    connection: duckdb.DuckDBPyConnection, roles: Sequence[str]
) -> Mapping[AccountDayKey, Mapping[str, Any]]:
    """For each account and day that is loaded: `here`, `loaded_here` and `verdict` of the table
    that counts, as in account_daily.
    """
    hours, days = (f"table_name = '{table}'" for table in (_BY_HOUR, _BY_DAY))
    verdicts = {of: f"max(verdict) FILTER ({of})" for of in (hours, days)}
    loads = (
        f"FROM {OURS}.main.loads SELECT account_id, date, max(loaded_at) AS loaded_at, "
        f"CASE WHEN bool_or({hours}) AND NOT (bool_or({days} AND {GOOD}) "
        f"AND NOT bool_or({hours} AND {GOOD})) THEN {verdicts[hours]} ELSE {verdicts[days]} END "
        f"AS verdict, bool_or({days}) AS has_results WHERE {hours} OR {days} GROUP BY ALL"
    )
    rows = connection.execute(
        f"FROM ({loads}) LEFT JOIN {OURS}.main.account_daily USING (account_id, date) "
        f"SELECT account_id, date, any_value(loaded_at), any_value(verdict), "
        f"bool_or(has_results), {_sums(roles, ROLE_COLUMNS)} GROUP BY ALL"
    ).fetchall()
    return {
        (account, day): {
            "here": {
                role: number
                for role, number in zip(roles, sums, strict=True)
                if role != "purchases" or has_results
            },
            "loaded_here": loaded,
            "verdict": verdict,
        }
        for account, day, loaded, verdict, has_results, *sums in rows
    }


def facts_of(
    connection: duckdb.DuckDBPyConnection, columns: TheirColumns
) -> Mapping[AccountDayKey, Sequence[Fact]]:
    """What is known of the account-days in the temporary table `differing`."""
    found: defaultdict[AccountDayKey, list[Fact]] = defaultdict(list)
    for kind, sql in _questions(columns).items():
        cursor = connection.execute(sql)
        _, _, _, *roles = (str(column[0]) for column in cursor.description or ())
        for account, day, detail, *sums in cursor.fetchall():
            numbers = zip(roles, sums, strict=True)
            known = {role: number for role, number in numbers if number is not None}
            found[account, day].append(Fact(kind, known, str(detail)))
    return found


def _questions(columns: TheirColumns) -> Mapping[str, str]:
    """Kind of fact → the query for account, day, detail and sums by role."""
    ours, theirs = _sums([*ROLE_COLUMNS], ROLE_COLUMNS), _sums(columns.counted)
    mine = f"(FROM {OURS}.main.ad_daily WHERE (account_id, date) IN (FROM differing))"
    hourly = (
        f"(FROM {OURS}.main.insights_hourly SELECT *, inline_link_clicks AS link_clicks "
        "WHERE account_id IN (FROM differing SELECT account) AND date BETWEEN (FROM differing "
        "SELECT min(day) - 1) AND (FROM differing SELECT max(day) + 1))"
    )
    of_hours = _sums(["spend", "impressions", "clicks", "link_clicks"], ROLE_COLUMNS)
    recorded = ("spend", "impressions", "clicks")
    before = ", ".join(f"{role}_before::DECIMAL(38, 6) AS {role}" for role in recorded)
    plain = ", ".join(f"{role}::DECIMAL(38, 6) AS {role}" for role in recorded)
    minute = "strftime({}, '%Y-%m-%d %H:%M UTC')"
    asked = {
        "archived": f"FROM {mine} SEMI JOIN (FROM {OURS}.main.ads WHERE {_GONE}) USING (ad_id) "
        f"SELECT account_id, date, '', {ours} GROUP BY ALL",
        "no_hour": f"FROM {hourly} SELECT account_id, date, '', {of_hours} WHERE hour IS NULL "
        "GROUP BY ALL",
        "repeated": f"FROM theirs_once SELECT account, day, '', {theirs} GROUP BY ALL",
        "totals": f"FROM {OURS}.main.control_daily SELECT account_id, date, '', {plain}, "
        "inline_link_clicks::DECIMAL(38, 6) AS link_clicks",
        "restated": f"FROM {OURS}.main.restatements SELECT account_id, date, "
        f"{minute.format('loaded_at')}, {before} WHERE table_name IN ('{_BY_HOUR}', '{_BY_DAY}') "
        "ORDER BY loaded_at DESC",
        "before_end": f"FROM {OURS}.main.intraday_totals SELECT account_id, date, "
        f"{minute.format('asked_at')}, {plain} ORDER BY asked_at DESC",
        "zone": f"FROM {hourly} AS h, (FROM {OURS}.main.accounts SELECT "
        "account_timezone AS zone WHERE zone IS NOT NULL UNION VALUES ('UTC')) AS z "
        "SELECT h.account_id, "
        f"(h.hour_start_utc AT TIME ZONE z.zone)::DATE AS date, z.zone, {of_hours} "
        "WHERE z.zone <> h.account_timezone GROUP BY ALL",
        "shifted": f"FROM {OURS}.main.account_daily AS a, (VALUES ('before', 1), ('after', -1)) "
        f"AS s(which, days) SELECT account_id, date + days::INTEGER, which, {ours} GROUP BY ALL",
    }
    if "ad" in columns.by_role:
        asked |= _by_ad(columns, mine, hourly if "hour" in columns.by_role else "")
    if columns.keys and "loaded" in columns.by_role:
        keys = ", ".join(("account", "day", *(f"key_{n}" for n in range(len(columns.keys)))))
        asked["versions"] = (
            f"FROM (FROM theirs QUALIFY row_number() OVER (PARTITION BY {keys} "
            f"ORDER BY loaded DESC) = 1) SELECT account, day, '', {theirs} GROUP BY ALL"
        )
    return {
        kind: f"FROM ({sql}) AS found(account, day) WHERE (account, day) IN (FROM differing)"
        for kind, sql in asked.items()
    }


def _by_ad(columns: TheirColumns, mine: str, hourly: str) -> Mapping[str, str]:
    """The rows that only one side has: by ad, or by hour if theirs are."""
    rows, one, more, hour = mine, "ad", "", ""
    roles = [*ROLE_COLUMNS]
    if hourly:
        rows, one, more, hour = hourly, "hour", "AND o.hour IS NOT DISTINCT FROM t.hour", "t.hour"
        roles.remove("purchases")
    on = f"ON t.account = o.account_id AND t.day = o.date AND t.ad = o.ad_id {more}"
    plural = "{} || CASE WHEN {} = 1 THEN ' " + one + "' ELSE ' " + one + "s' END"
    number = f"count(DISTINCT (t.ad, {hour}))" if hour else "count(DISTINCT t.ad)"
    return {
        "missing_rows": f"FROM {rows} AS o ANTI JOIN theirs AS t {on} SELECT account_id, date, "
        f"{plural.replace('{}', 'count(*)')}, {_sums(roles, ROLE_COLUMNS)} GROUP BY ALL",
        "vanished": f"FROM theirs AS t ANTI JOIN {rows} AS o {on} SELECT account, day, "
        f"{plural.replace('{}', number)}, {_sums(columns.counted)} GROUP BY ALL",
    }


def purchases_of(
    connection: duckdb.DuckDBPyConnection,
) -> Mapping[AccountDayKey, Sequence[tuple[str, Decimal]]]:
    """Our purchases of the account-days in `differing`, as they would be by each window, and by the
    other action types of purchases.
    """
    cursor = connection.execute(
        f"FROM {OURS}.main.insights_daily_actions SELECT account_id, date, action_type, value, "
        "COLUMNS('^(click|view|ev)_.*') WHERE list_field = 'actions' "
        "AND action_type LIKE '%purchase' AND (account_id, date) IN (FROM differing)"
    )
    _, _, _, _, *windows = (str(column[0]) for column in cursor.description or ())
    sums: defaultdict[AccountDayKey, dict[str, Decimal]] = defaultdict(dict)
    for account, day, action_type, value, *numbers in cursor.fetchall():
        of_day = sums[account, day]
        named = {f"those of {action_type}": value}
        if action_type == RESULTS[0].action_type:
            named = {f"those of the window {w}": n for w, n in zip(windows, numbers, strict=True)}
        for what, number in named.items():
            if number is not None:
                of_day[what] = of_day.get(what, Decimal()) + number
    return {key: [*of_day.items()] for key, of_day in sums.items()}


def _sums(roles: Sequence[str], names: Mapping[str, str] | None = None) -> str:
    """The sums of numbers by role, as columns. What has no number counts as 0."""
    return ", ".join(
        f"coalesce(sum({names[role] if names else role}), 0)::DECIMAL(38, 6) AS {role}"
        for role in roles
    )
