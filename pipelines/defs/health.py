"""How the whole lake is, and what commands have done: two assets that nothing loads. Refreshes and
commands record a dot of each as they end, so that their plots go over time.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

import warehouse
from pipelines.escaping import escaped_for_markdown
from warehouse.decode.hours import over_at
from warehouse.errors import WarehouseError
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph import GraphClient
    from pipelines.asset_keys import AssetKeys
    from pipelines.loading.load_result import Outcome, Target
    from pipelines.loading.recording import Command
    from pipelines.loading.session import Loads
    from warehouse.lake.partitions import Lake

__all__ = ["Health", "command_event", "health_events", "health_specs", "measured"]

_log = logging.getLogger(__name__)

HEALTH: Final = "health"
COMMAND_LINE: Final = "command_line"

#: Days over which the share of proven account-days is taken.
LOOKBACK: Final = timedelta(days=28)

#: Failures that the page of a command names; `fbinsights status` has all.
NAMED: Final = 50

_HOUR: Final = timedelta(hours=1)

#: Of each account the newest day that is whole: its rows, and what was spent on it. From the loads
#: alone: the rows themselves may be hundreds of millions. Weeks and months are not days.
_NEWEST: Final = """
with days as (
  from loads select account_id, date, sum(rows) as rows,
    coalesce(max(control_spend), max(spend)) as spend
  where table_name in ({names}) and is_over and verdict <> 'unproven'
    and table_name not in (select table_name from duckdb_columns() where column_name = 'date_stop')
  group by all
), newest as (from days select account_id, max(date) as date group by account_id)
from newest join days using (account_id, date) join accounts using (account_id)
select account_id, date, rows, spend, account_currency, account_timezone
where account_timezone is not null
"""
_COUNTED: Final = """
from loads select sum(rows),
  count(*) filter (date >= '{since}' and is_over and verdict <> 'unprovable'),
  count(*) filter (date >= '{since}' and is_over and verdict = 'proven')
where table_name in ({names})
"""


@dataclass(frozen=True, slots=True)
class Health:
    """How a lake is: `rows` of all reports; `newest_rows` and `spend` (by currency) of each
    account's newest whole day; `proven` percent of the account-days of the last 28 days; `failed`
    loads that were not made good; `lag` hours since the newest whole day of each account ended;
    `quota` percent of the busiest limit.
    """

    rows: int
    newest_rows: int
    spend: Mapping[str, Decimal]
    proven: float | None
    failed: int
    lag: Sequence[float]
    quota: float | None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Numbers alone: Dagster plots each of them over time."""
        lag = (
            {"lag_hours_typical": median(self.lag), "lag_hours_worst": max(self.lag)}
            if self.lag
            else {}
        )
        return {
            "proven_percent": self.proven,
            "failed": self.failed,
            **{name: round(hours, 1) for name, hours in lag.items()},
            **{f"spend_{code}": float(spend) for code, spend in sorted(self.spend.items())},
            "rows_newest_day": self.newest_rows,
            "rows": self.rows,
            "quota_percent": self.quota,
        }


def measured(
    url: str, reports: Collection[str], client: GraphClient | None, now: datetime
) -> Health:
    """How a lake is, by its published file and by the limits that a client knows of. Raises
    WarehouseError.
    """
    names = ", ".join(f"'{name}'" for name in reports)  # of a-z, 0-9 and _ alone
    since = now.date() - LOOKBACK
    with warehouse.open(url) as opened:
        newest = opened.sql(_NEWEST.format(names=names)).fetchall()
        [(rows, over, proven)] = opened.sql(_COUNTED.format(names=names, since=since)).fetchall()
        [(failed,)] = opened.sql("from failures select count(*)").fetchall()
    spend: defaultdict[str, Decimal] = defaultdict(Decimal)
    for _, _, _, spent, currency, _ in newest:
        spend[currency or "unknown"] += spent or 0
    shares = client.usage().values() if client else ()
    return Health(
        rows=rows or 0,
        newest_rows=sum(row[2] for row in newest),
        spend=spend,
        proven=round(100 * proven / over, 2) if over else None,
        failed=failed,
        lag=[_hours_since(day, zone, now) for _, day, _, _, _, zone in newest],
        quota=max(shares, default=None),
    )


def _hours_since(day: date, zone: str, now: datetime) -> float:
    return max((now - over_at(zone, day)) / _HOUR, 0.0)


def health_events(
    lake: Lake,
    reports: Collection[str],
    client: GraphClient | None,
    keys: AssetKeys,
    now: datetime,
) -> Iterator[dg.AssetMaterialization]:
    """How a lake is that was just published; only a warning where it cannot be measured."""
    try:
        health = measured(lake.store.name(), reports, client, now)
    except (WarehouseError, OSError) as error:
        _log.warning("The health of the lake cannot be recorded: %s", error)
        return
    shown = {name: value for name, value in health.metadata.items() if value is not None}
    yield dg.AssetMaterialization(keys(HEALTH), metadata=shown)


def command_event(
    command: Command,
    every: Sequence[Loads],
    names: Mapping[str, str | None],
    keys: AssetKeys,
    now: datetime,
) -> dg.AssetMaterialization:
    """What a command did: `every` load of it. `names` of accounts by their digits."""
    failed, unproven = command.failed, command.unproven
    outcomes = {one.report.name: one.outcomes for one in every}
    loads = [one.load for some in outcomes.values() for one in some if one.load]
    summary = _summary(command, outcomes)
    return dg.AssetMaterialization(
        keys(COMMAND_LINE),
        description=f"{command.words}: {summary}",
        metadata={
            "command": command.words,
            "what": summary,
            "began_at": f"{command.began_at:%Y-%m-%d %H:%M:%S} UTC",
            "host": command.host,
            "loaded": len(loads),
            "failed": len(failed),
            "unproven": len(unproven),
            "rows": sum(load.rows for load in loads),
            "calls": sum(load.calls for load in loads),
            "seconds": round((now - command.began_at).total_seconds(), 1),
            **({"failures": _table(failed, names)} if failed else {}),
            **({"unproven_days": _table(unproven, names)} if unproven else {}),
        },
    )


def _summary(command: Command, outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """A command in a line: what was loaded of each report, failed and is unproven."""
    by_report = {
        report: sum(one.load is not None for one in some) for report, some in outcomes.items()
    }
    loaded = counted(sum(by_report.values()), "account-day")
    per_report = ", ".join(f"{number} of {report}" for report, number in by_report.items())
    unproven = f", {len(command.unproven):,} unproven" if command.unproven else ""
    stopped = f" Stopped: {command.stopped}" if command.stopped else ""
    return (
        f"{loaded} loaded ({per_report or 'none was requested'}), {len(command.failed) or 'none'}"
        f" failed{unproven}.{stopped}"
    )


def _table(
    failed: Mapping[Target, str], names: Mapping[str, str | None]
) -> dg.MarkdownMetadataValue:
    """What failed or is unproven, as a table in Markdown."""
    lines = []
    for target, why in [*failed.items()][:NAMED]:
        name = names.get(target.account.removeprefix("act_")) or ""
        who = f"{name} ({target.account})" if name else target.account
        lines.append((who, target.table, str(target.day or ""), why))
    if len(failed) > NAMED:
        lines.append((f"and {len(failed) - NAMED} more", "", "", ""))
    head = "| account | table | day | reason |\n| --- | --- | --- | --- |\n"
    rows = [f"| {' | '.join(map(escaped_for_markdown, line))} |" for line in lines]
    return dg.MetadataValue.md(head + "\n".join(rows))


#: asset → its description.
_DESCRIBED: Final[Mapping[str, str]] = {
    HEALTH: "How the whole lake is, after each refresh and each command that loaded. Its plots: the"
    " percentage of account-days of the last 28 days that are proven, loads that failed and were"
    " not made good, hours since each account's newest whole day ended, spend by currency and rows"
    " of those days, all rows, and the busiest of Meta's limits.",
    COMMAND_LINE: "What commands in a terminal (fbinsights backfill, refresh) have loaded: they"
    " start no runs, so each records here what it did and what failed, with Meta's reason.",
}


def health_specs(keys: AssetKeys) -> Sequence[dg.AssetSpec]:
    """Both assets. Nothing loads them."""
    return [
        dg.AssetSpec(keys(name), group_name=keys.group_of(name, "daily"), description=does)
        for name, does in _DESCRIBED.items()
    ]
