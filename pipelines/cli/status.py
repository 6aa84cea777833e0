"""`fbinsights status`: which account-days are loaded, proven, stale or failed.

The lake knows it all: no call is made and no token needed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import click

from fbgraph import act_id
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.summary import command_name
from pipelines.cli.terminal import say, table_lines
from pipelines.errors import ConfigError
from pipelines.loading.failures import Failures
from pipelines.loading.listings import accounts_in
from pipelines.loading.partitions import AccountDay, key_of, today_in
from pipelines.loading.refresh import lookback, moved
from pipelines.reports.catalog import CATALOG, CONTROL, REPORTS, broken_reports, require_reports
from pipelines.settings import settings_of
from warehouse.lake.partitions import Lake
from warehouse.published.publish import lag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from pipelines.loading.failures import Failed
    from warehouse.decode.pages import Account
    from warehouse.lake.records import Load

__all__ = ["Cell", "State", "run_status", "state_of"]

#: Account-days that are named one by one; the rest is told as a number.
NAMED: Final = 20


class State(StrEnum):
    """How an account-day of a report stands; the first that holds."""

    FAILED = "failed"  # the last try failed; the lake has what an earlier one loaded, if any did
    MISSING = "not loaded"
    UNPROVEN = "unproven"
    PROVISIONAL = "provisional"  # its day was not over when it was loaded
    STALE = "stale"  # Meta's totals are no longer those that proved it
    UNPROVABLE = "unprovable"  # nothing is wrong; its report adds up to no total
    PROVEN = "proven"


#: States in which nothing is wrong.
GOOD: Final = frozenset({State.PROVISIONAL, State.UNPROVABLE, State.PROVEN})

#: States that few account-days are in: their columns are shown to who needs them.
RARE: Final = frozenset({State.PROVISIONAL, State.UNPROVABLE})


@dataclass(frozen=True, slots=True)
class Cell:
    """One account-day of one report, and what there is to say of it."""

    report: str
    account_day: AccountDay
    state: State
    why: str = ""

    def __str__(self) -> str:
        told = f"{self.report} {key_of(self.account_day)}: {self.state}"
        return f"{told}: {self.why}" if self.why else told


def state_of(load: Load | None, control: Load | None, failed: Failed | None) -> tuple[State, str]:
    """How an account-day stands, and why. `control` is the record of its totals."""
    if failed is not None:
        return State.FAILED, f"{failed.error} ({failed.at[:19].replace('T', ' ')} UTC)"
    if load is None:
        return State.MISSING, ""
    if not load.is_good:
        return State.UNPROVEN, load.reason
    if load.is_provisional:
        return State.PROVISIONAL, load.reason
    newer = control is not None and control.loaded_at > load.loaded_at
    if control is not None and newer and moved(load, control.totals):
        return State.STALE, f"Meta changed its totals by {control.loaded_at:%Y-%m-%d %H:%M} UTC"
    return (State.PROVEN, "") if load.proven else (State.UNPROVABLE, load.reason)


def run_status(
    environ: Mapping[str, str],
    since: date | None,
    until: date | None,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
) -> int:
    """Print how account-days stand, by default those of the last 28 days; returns the exit code.
    Without `since` an account begins with the first day that was ever tried.

    0 when all of them are proven, or unprovable by their report, or provisional because their day
    was not over, and each report can be loaded, else 1. Raises ConfigError.
    """
    lake = Lake(settings_of(environ).warehouse_url, catalog=CATALOG)
    names = dict(
        zip(
            *(lake.read("accounts")[name].to_pylist() for name in ("account_id", "account_name")),
            strict=True,
        )
    )
    known = accounts_in(lake)
    if not known:
        raise ConfigError(
            f"No account has been loaded into {lake.store.name()}. Check WAREHOUSE_URL, or run "
            f"`{command_name()} backfill --since DAY --until DAY`."
        )
    chosen = _chosen(known, accounts)
    now = datetime.now(UTC)
    cells = [
        cell
        for report in reports or REPORTS
        for account in chosen
        for cell in _cells(
            lake, report, account, _days(account, since, until, now), asked=bool(since)
        )
    ]
    for line in _table(cells, names):
        click.echo(line)
    bad = [cell for cell in cells if cell.state not in GOOD]
    _complain(bad)
    if (behind := lag(lake)).is_late(now):
        say(f"\n{behind}; `{command_name()} publish` brings it up to date.")
    broken = {} if reports else broken_reports()
    for name, why in broken.items():
        say(f"\n{name}: {why}")
    if unfinished := sum(cell.state is State.PROVISIONAL for cell in cells):
        say(
            f"\nProvisional account-days: {unfinished}. Their day was not over when Meta was asked;"
            f" `{command_name()} refresh` reloads them once it is."
        )
    return SOME_FAILED if bad or broken else ALL_DONE


def _chosen(known: Mapping[str, Account], wanted: Sequence[str]) -> Sequence[Account]:
    ids = [act_id(account.strip()).removeprefix("act_") for account in wanted]
    for account_id in ids:
        if account_id not in known:
            raise ConfigError(
                f"Nothing is known about act_{account_id}; `fbinsights doctor` says why."
            )
    return [known[account_id] for account_id in ids or known]


def _days(
    account: Account, since: date | None, until: date | None, now: datetime
) -> Sequence[date]:
    usual = lookback(today_in(account.timezone_name, now))
    first = since or min(usual[0], until or usual[0])
    last = until or usual[-1]
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _cells(
    lake: Lake, report: str, account: Account, days: Sequence[date], *, asked: bool
) -> Iterator[Cell]:
    """Each of these days; unless they were `asked` for, from the first that was ever tried."""
    require_reports([report])
    failures = Failures(lake.store, report).of(account.account_id)
    first = min(
        (w.date for w in lake.partitions(report, account.account_id) if w.date), default=None
    )
    begun = min([first, *failures]) if first else min(failures, default=None)
    days = [day for day in days if asked or begun is None or day >= begun]
    cells = [
        AccountDay(account.account_id, day)
        for day in days
        if day >= REPORTS[report].spec.start_date
    ]
    loads, controls = lake.loads_of(report, cells), lake.loads_of(CONTROL.name, cells)
    for cell, load, control in zip(cells, loads, controls, strict=True):
        yield Cell(report, cell, *state_of(load, control, failures.get(cell.day)))


def _table(cells: Sequence[Cell], names: Mapping[str, str]) -> Sequence[str]:
    counted: dict[tuple[str, str], Counter[State]] = {}
    for cell in cells:
        counted.setdefault((cell.account_day.account_id, cell.report), Counter())[cell.state] += 1
    there = {cell.state for cell in cells}
    states = [state for state in reversed(State) if state in there or state not in RARE]
    header = ("account", "name", "report", "days", *map(str, states))
    rows = [
        (
            *(act_id(account_id), names.get(account_id), report, counts.total()),
            *(counts[state] for state in states),
        )
        for (account_id, report), counts in counted.items()
    ]
    return table_lines(header, rows)


def _complain(cells: Sequence[Cell]) -> None:
    """Name what is not as it should be, the most urgent first, and what to do."""
    named = sorted(
        (cell for cell in cells if cell.state is not State.MISSING),
        key=lambda cell: list(State).index(cell.state),
    )
    for cell in named[:NAMED]:
        say(str(cell))
    if len(named) > NAMED:
        say(f"and {len(named) - NAMED} more")
    if cells:
        say(
            f"\n`{command_name()} refresh` reloads what is stale, unproven or missing in the "
            "last 28"
            f" days;\n`{command_name()} backfill --since DAY --until DAY` loads any other day."
        )
