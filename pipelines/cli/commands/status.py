"""`fbinsights status`: which account-days are loaded, proven, stale or failed.

Everything comes from the lake: it makes no request and needs no token.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from fbgraph import act_id
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.failures import (
    failure_lines,
    grouped,
    object_lines,
    object_values,
    unread_lines,
    unread_values,
)
from pipelines.cli.output.json_lines import account_day_line, print_json, total_line
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import print_note, width_of
from pipelines.cli.selection import keys_of, not_begun, require_begun
from pipelines.cli.states import GOOD, RARE, Cell, State, state_of
from pipelines.cli.summary import command_name, number_of
from pipelines.errors import ConfigError
from pipelines.escaping import escaped
from pipelines.loading.accounts.stored import account_names, accounts_in
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import Target
from pipelines.loading.partitions import AccountDay
from pipelines.loading.refreshing.refresh import lookback
from pipelines.reports.catalog import CONTROL
from pipelines.settings import FIRST_DAY, settings_of
from pipelines.state.history import history_since
from warehouse.decode.hours import over_at, today_in
from warehouse.errors import WarehouseError
from warehouse.lake.defects.failures import NO_RIGHT, without_day
from warehouse.lake.defects.rejects import unread_columns
from warehouse.published.known import lake_with_records
from warehouse.published.publish import lag
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from pipelines.loading.failures import Failed
    from pipelines.reports.catalog import Report, Reports
    from warehouse.decode.pages import Account
    from warehouse.lake.changes import Lag
    from warehouse.lake.defects.rejects import UnreadColumn
    from warehouse.lake.partitions import Lake
    from warehouse.lake.records import Load

__all__ = ["Overview", "overview_of", "run_status"]


#: Columns that may be left out on a narrow terminal, the first one first.
_SPARE_STATES: Final = (
    "days",
    *map(str, (*sorted(RARE & GOOD), State.STALE, State.UNPROVEN, State.MISSING)),
)


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of a lake. `days`: the days that were asked for, by account (digits). `todays`:
    account → its own today. `begins`: the first day of the lake's history. `broken`: reports that
    cannot be loaded, and why. `behind`: how far the published file is. `objects`: what failed of
    objects and accounts, (table, account) → the failure, and the command that tries it again.
    `unread`: columns of objects with rejects; they cost no exit code.
    """

    cells: Sequence[Cell]
    days: Mapping[str, Sequence[date]]
    todays: Mapping[str, date]
    begins: date
    broken: Mapping[str, str]
    behind: Lag
    objects: Mapping[tuple[str, str], tuple[Failed, str]]
    unread: Sequence[UnreadColumn] = ()

    @property
    def wrong(self) -> Sequence[Cell]:
        """The account-days that are not in order."""
        return [cell for cell in self.cells if cell.state not in GOOD]

    @property
    def exit_code(self) -> int:
        failed = any(one.kind != NO_RIGHT for one, _ in self.objects.values())
        return SOME_FAILED if self.wrong or self.broken or failed else ALL_DONE

    def why_empty(self) -> str:
        """Why there is no account-day to show; "" if there is one."""
        if self.cells:
            return ""
        if all(day < self.begins for days in self.days.values() for day in days):
            return f"There is nothing to show: the history of this lake begins on {self.begins}."
        return "Nothing of these days was ever loaded. Add --since to see what is missing."


def run_status(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    known: Reports,
    since: date | None,
    until: date | None,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
    style: Style = FOR_PEOPLE,
) -> int:
    """Print the state of account-days, by default those of the last 28 days; returns the exit code.

    Without `since` an account begins with the first day that was ever tried. The code is 0 if all
    of them are proven, or unprovable by their report, or provisional because their day was not
    over, each report can be loaded, and no objects failed but for want of a right that nothing
    else needs; otherwise 1. Where some `reports` are named, nothing is said of objects. Raises
    ConfigError.
    """
    settings = settings_of(environ)
    lake = lake_with_records(settings.warehouse_url, known.catalog)
    names = account_names(lake)
    there = _accounts(lake, accounts, names)
    known.require(reports)
    now = datetime.now(UTC)
    require_begun("--since", since, now)
    require_begun("--until", until, now)
    begins = history_since(lake, settings.history_since, now.date())
    found = overview_of(lake, known, there, reports, (since, until), begins, now)
    if accounts:
        found = replace(
            found, objects={of: one for of, one in found.objects.items() if of[1] in found.days}
        )
    if style.is_json:
        _print_json(found, names, {one.account_id: one.currency for one in there})
    else:
        _print(found, names, now, style)
    return found.exit_code


def overview_of(  # noqa: PLR0913, PLR0917  # a lake, and what of it is wanted
    lake: Lake,
    known: Reports,
    accounts: Sequence[Account],
    reports: Sequence[str],
    asked: tuple[date | None, date | None],
    begins: date,
    now: datetime,
) -> Overview:
    """The state of the account-days between the `asked` first and last one, of all `known` reports
    unless some are named. If none is asked for, a day is missing only when it counts as over:
    before that no load could prove it.
    """
    zones = {one.account_id: one.timezone_name for one in accounts}
    todays = {one.account_id: today_in(one.timezone_name, now) for one in accounts}
    days = {account_id: _days(today, *asked) for account_id, today in todays.items()}
    controls: dict[AccountDay, Load | WarehouseError | None] = {}
    cells = [
        cell
        for name in reports or known.by_name
        for account_id, today in todays.items()
        for cell in _cells(
            *(lake, known.by_name[name], account_id, begins, controls),
            [day for day in days[account_id] if day <= today],
            is_requested=bool(asked[0]),
        )
        if any(asked) or not _is_early(cell, zones[account_id], now)
    ]
    broken = {} if reports else known.why_broken()
    failed = {} if reports else without_day(lake.store, known.catalog.objects)
    rows = () if reports else known.catalog.objects.values()
    unread = unread_columns(lake.store, rows, todays)
    return Overview(cells, days, todays, begins, broken, lag(lake), failed, unread)


def _is_early(cell: Cell, zone: str, now: datetime) -> bool:
    """Whether a day that is not loaded does not count as over yet."""
    is_day = cell.period is Period.DAY
    return cell.state is State.MISSING and is_day and now < over_at(zone, cell.account_day.day)


def _print(found: Overview, names: Mapping[str, str | None], now: datetime, style: Style) -> None:
    """The table on stdout; on stderr what is not in order, and what to do."""
    for line in _table(found.cells, names, width_of(sys.stdout)):
        click.echo(line)
    if why := found.why_empty():
        print_note(why)
    for line in not_begun(found.days, found.todays):
        style.remark(line)
    is_untouched = all(cell.state is State.MISSING for cell in found.cells)
    _complain(found.wrong, names, width_of(sys.stderr), style, is_untouched=is_untouched)
    for line in object_lines(found.objects, names, width_of(sys.stderr)):
        style.error(line)
    for line in unread_lines(found.unread, width_of(sys.stderr)):
        style.error(line)
    if found.behind.is_late(now):
        style.remark(f"\n{found.behind}; `{command_name()} publish` brings it up to date.")
    for name, why in found.broken.items():
        style.error(f"\n{name}: {why}")
    _remark_provisional(found.cells, names, style)


def _remark_provisional(
    cells: Sequence[Cell], names: Mapping[str, str | None], style: Style
) -> None:
    """Which account-days were loaded too early to be proven, if any, and what reloads them."""
    unfinished = [cell for cell in cells if cell.state is State.PROVISIONAL]
    if not unfinished:
        return
    style.remark(
        f"\nProvisional account-days: {len(unfinished)}. They were loaded before their"
        f" {_word(cells)} had been over for 3 hours; `{command_name()} refresh` reloads"
        " them later."
    )
    for line in _named(unfinished, names, width_of(sys.stderr)):
        style.remark(line)


def _word(cells: Sequence[Cell]) -> str:
    """What the partitions of these reports are called: days, weeks or months."""
    return " or ".join(period for period in Period if any(one.period is period for one in cells))


def _print_json(
    found: Overview, names: Mapping[str, str | None], currencies: Mapping[str, str]
) -> None:
    """An object for each account-day, with the numbers that the lake has; and the totals."""
    for cell in found.cells:
        account_id = cell.account_day.account_id
        line = account_day_line(
            *(cell.account_day, cell.report, cell.state, cell.load),
            name=names.get(account_id),
            currency=currencies[account_id],
            error=cell.why if cell.state not in GOOD else "",
            loaded_at=cell.load and cell.load.loaded_at,
        )
        print_json(line)
    totals = {
        "verdicts": Counter(cell.state for cell in found.cells),
        "failures": [
            *({"table": key, "account": None, "error": why} for key, why in found.broken.items()),
            *map(object_values, found.objects, found.objects.values()),
        ],
        "rejects": [unread_values(one) for one in found.unread],
        "published": str(found.behind),
    }
    code = found.exit_code
    print_json(total_line("status", code, account_days=len(found.cells), **totals))


def _accounts(
    lake: Lake, wanted: Sequence[str], names: Mapping[str, str | None]
) -> Sequence[Account]:
    """The `wanted` accounts, or all that the lake has. Raises ConfigError if there is none."""
    there = {act_id(account_id): one for account_id, one in accounts_in(lake).items()}
    if not there:
        raise ConfigError(
            f"No account has been loaded into {lake.store.name()}. Check WAREHOUSE_URL, or run "
            f"`{command_name()} backfill --since DAY --until DAY`."
        )
    by_key = {key: names.get(one.account_id) for key, one in there.items()}
    keys = keys_of(wanted, by_key)
    if missing := [key for key in keys if key not in there]:
        known = "\n".join(f"  {key}  {escaped(name or '')}" for key, name in by_key.items())
        raise ConfigError(
            f"{lake.store.name()} does not have {', '.join(missing)}. It has:\n{known}\n"
            f"`{command_name()} doctor` says which accounts the token sees."
        )
    return [there[key] for key in keys or there]


def _days(today: date, since: date | None, until: date | None) -> Sequence[date]:
    """The days that were asked for; there is nothing before FIRST_DAY."""
    usual = lookback(today)
    first = max(since or min(usual[0], until or usual[0]), FIRST_DAY)
    last = until or max(usual[-1], first)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _cells(  # noqa: PLR0913, PLR0917  # where the cells are, and from when
    lake: Lake,
    report: Report,
    account_id: str,
    begins: date,
    controls: dict[AccountDay, Load | WarehouseError | None],
    days: Sequence[date],
    *,
    is_requested: bool,
) -> Iterator[Cell]:
    """Each of these days; unless `is_requested`, from the first that was ever tried. Nothing is
    missing before the history of the lake `begins`. `controls` has the records of totals that were
    read, which all reports share.
    """
    failures = Failures(lake.store, report.name).of(account_id)
    firsts = report.starts(days)
    begun = None if is_requested else _begun(lake, report, account_id, firsts, failures)
    days = [day for day in firsts if begun is None or day >= begun]
    begins = max(begins, report.spec.start_date)
    cells = [AccountDay(account_id, day) for day in days if day >= begins or day in failures]
    loads = lake.records_of(report.name, cells)
    is_daily = report.period is Period.DAY  # the totals of weeks and months are not kept
    unread = [cell for cell in cells if is_daily and cell not in controls]
    controls.update(zip(unread, lake.records_of(CONTROL.name, unread), strict=True))
    for cell, load in zip(cells, loads, strict=True):
        control = controls[cell] if is_daily else None
        if isinstance(load, WarehouseError):
            yield Cell(report.name, cell, State.DAMAGED, str(load), period=report.period)
        elif isinstance(control, WarehouseError):
            yield Cell(report.name, cell, State.DAMAGED, str(control), load, report.period)
        else:
            state = state_of(load, control, failures.get(cell.day))
            yield Cell(report.name, cell, *state, load, report.period)


def _begun(
    lake: Lake, report: Report, account_id: str, days: Sequence[date], failures: Collection[date]
) -> date | None:
    """The first day that was ever tried, or the first of these if that is loaded."""
    if days and lake.records_of(report.name, [(account_id, days[0])])[0] is not None:
        return days[0]
    return min([*lake.loaded_days(report.name, account_id), *failures], default=None)


def _table(
    cells: Sequence[Cell], names: Mapping[str, str | None], width: int | None
) -> Sequence[str]:
    counted: dict[tuple[str, str], Counter[State]] = {}
    for cell in cells:
        counted.setdefault((cell.account_day.account_id, cell.report), Counter())[cell.state] += 1
    periods = {cell.report: cell.period for cell in cells}
    there = {cell.state for cell in cells}
    states = [state for state in reversed(State) if state in there or state not in RARE]
    header = ("account", "name", "report", "days", *map(str, states))
    rows = [
        (
            *(act_id(account_id), names.get(account_id), report),
            number_of(counts.total(), periods[report]),
            *(counts[state] for state in states),
        )
        for (account_id, report), counts in counted.items()
    ]
    return table_lines(header, rows, width, heads=("account", "name"), spare=_SPARE_STATES)


def _complain(
    cells: Sequence[Cell],
    names: Mapping[str, str | None],
    width: int | None,
    style: Style,
    *,
    is_untouched: bool,
) -> None:
    """Name what is not in order, the most urgent first, and what to do. `is_untouched`: nothing of
    all that was asked for was ever loaded, as after a first load that stopped at its beginning.
    """
    states = [*State]
    named = sorted(
        cells, key=lambda cell: (states.index(cell.state), -cell.account_day.day.toordinal())
    )
    for n, line in enumerate(_named(named, names, width)):
        style.error(line if n else f"\n{line}")
    if cells and is_untouched:
        style.remark(
            f"\nNone of these account-days has been loaded. `{command_name()} doctor` says what may"
            f" be in the way; `{command_name()} backfill --since DAY --until DAY` loads them."
        )
    elif cells:
        style.remark(
            f"\nOf the last 28 days, `{command_name()} refresh` loads again what failed or is"
            " damaged, stale or unproven, and what is not loaded though an earlier day is;"
            f"\n`{command_name()} backfill --since DAY --until DAY` loads any other day."
        )


def _named(
    cells: Sequence[Cell], names: Mapping[str, str | None], width: int | None
) -> Iterator[str]:
    """The account-days by account, each with its state and the reason."""
    why = {
        Target.of(cell.report, cell.account_day): ": ".join(filter(None, (cell.state, cell.why)))
        for cell in cells
    }
    by_key = {act_id(account_id): name for account_id, name in names.items()}
    yield from failure_lines(grouped(why), by_key, width)
