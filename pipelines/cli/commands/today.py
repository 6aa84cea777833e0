"""`fbinsights today`: how far the open day of each account is, and whether that is usual.

Everything comes from the published file: it makes no request and needs no token.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import click

import warehouse
from fbgraph import act_id
from pipelines.cli.commands.query import published_file
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.bars import glyphs_of
from pipelines.cli.output.json_lines import json_line, print_json, total_line
from pipelines.cli.output.pace import DayPace, account_lines, below_lines
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.terminal import width_of
from pipelines.cli.selection import keys_of
from pipelines.cli.summary import command_name
from pipelines.errors import ConfigError
from pipelines.escaping import escaped
from pipelines.settings import settings_of
from pipelines.watching.history import open_days
from pipelines.watching.look import ads_of
from pipelines.watching.message import began, who
from pipelines.watching.rules import CONFIRMED, concerns_of
from pipelines.watching.told import watched_of
from warehouse.decode.hours import today_in, zone_named
from warehouse.errors import UnknownZoneError
from warehouse.schema.sql import literal
from warehouse.storage.url import open_store
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipelines.cli.output.bars import Glyphs
    from pipelines.settings import Settings
    from pipelines.watching.open_day import OpenDay
    from pipelines.watching.told import WatchState
    from warehouse.published.opened import Warehouse

__all__ = ["run_today"]

#: Names of accounts in a line about several.
_MOST_NAMES: Final = 5


def run_today(
    environ: Mapping[str, str],
    accounts: Sequence[str] = (),
    now: datetime | None = None,
    style: Style = FOR_PEOPLE,
) -> int:
    """Print how today goes, of the accounts that are named with their campaigns and ads; 0 unless
    something stands out or Meta was asked about today for no account. Raises ConfigError for an
    account that the published file does not have, and WarehouseError.
    """
    now = now or datetime.now(UTC)
    names, paces, findings, nothing = _looked(environ, accounts, now)
    asked = {one.account_id for one in paces if one.level == "account" and one.is_asked(now)}
    quiet = nothing - asked
    code = SOME_FAILED if findings or not asked | quiet else ALL_DONE
    if style.is_json:
        _print_json(paces, findings, now, code)
        return code
    _print(paces, findings, now, is_whole=bool(accounts))
    idle = {one.account_id for one in paces if not accounts and _is_idle(one, findings, now)}
    for remark in _remarks(names, idle | quiet, asked | quiet):
        style.remark(remark)
    return code


class _Looked(NamedTuple):
    """What the published file has of today: the accounts (digits → what they are called), how each
    goes, what stands out about which, and those that have nothing to show.
    """

    names: Mapping[str, str]
    paces: Sequence[DayPace]
    findings: Mapping[str, Sequence[str]]
    nothing: frozenset[str]


def _looked(environ: Mapping[str, str], accounts: Sequence[str], now: datetime) -> _Looked:
    settings = settings_of(environ)
    with warehouse.open(published_file(environ).parent) as opened:
        known = _accounts(opened)
        chosen = _chosen(known, accounts)
        state = watched_of(open_store(settings.warehouse_url))
        days = [one for one in open_days(opened, now, state.counters) if one.account_id in chosen]
        nothing = _with_nothing(opened, {key: known[key][1] for key in chosen}, now)
        nothing |= {one.account_id for one in days if one.counted == 0}
        paces = _paces(opened, chosen, nothing, is_whole=bool(accounts))
        findings = {
            one.account_id: found
            for one in days
            if (found := _findings(opened, one, settings, state))
        }
    names = {key: known[key][0] or act_id(key) for key in chosen}
    return _Looked(names, paces, findings, frozenset(nothing))


def _with_nothing(opened: Warehouse, zones: Mapping[str, str], now: datetime) -> set[str]:
    """The accounts among these (digits → zone) for whose today Meta was asked and had nothing."""
    found = opened.sql(
        "FROM intraday_totals SELECT account_id, date GROUP BY ALL "
        "HAVING max(spend) = 0 AND max(impressions) = 0"
    ).fetchall()
    todays = {(key, today_in(zone, now)) for key, zone in zones.items()}
    return {account_id for account_id, day in found if (account_id, day) in todays}


def _findings(
    opened: Warehouse, day: OpenDay, settings: Settings, state: WatchState
) -> Sequence[str]:
    """What stands out about an account, in the words of the alerts."""
    lines = []
    for one in concerns_of(day, settings.watched, settings.intraday_minutes):
        alert = state.alert_of(day.account_id, one.kind)
        is_sure = one.kind not in CONFIRMED or (alert is not None and alert.day == day.today)
        line = began(one, ads_of(opened, one)).removeprefix(f"{who(day)}: ")
        line = f"{line[:1].upper()}{line[1:]}"
        lines.append(line if is_sure else f"{line} (Meta has not been asked again yet.)")
    return lines


def _accounts(opened: Warehouse) -> Mapping[str, tuple[str | None, str]]:
    """The accounts of the published file whose days have a zone, by their digits: name and zone.
    Raises ConfigError for a file of an earlier version.
    """
    if ("today",) not in opened.sql("FROM duckdb_views() SELECT view_name").fetchall():
        raise ConfigError(
            "The published file was made by an earlier version, without the view today. Run"
            f" `{command_name()} publish`."
        )
    rows = opened.sql(
        "FROM accounts SELECT account_id, account_name, account_timezone "
        "WHERE account_timezone IS NOT NULL ORDER BY account_name, account_id"
    ).fetchall()
    return {key: (name, zone) for key, name, zone in rows if _is_zone(zone)}


def _is_zone(name: str) -> bool:
    """Whether days can be told in a zone; one that is unknown costs its account alone."""
    try:
        zone_named(name)
    except UnknownZoneError:
        return False
    return True


def _chosen(known: Mapping[str, tuple[str | None, str]], wanted: Sequence[str]) -> Sequence[str]:
    """The `wanted` accounts, or all that there are, by their digits. Raises ConfigError."""
    if not known:
        raise ConfigError(
            f"No account has been loaded yet. Check WAREHOUSE_URL, run `{command_name()} refresh"
            " --today`, or turn on the schedule `intraday` in Dagster."
        )
    by_key = {act_id(key): name for key, (name, _) in known.items()}
    keys = keys_of(wanted, by_key)
    if missing := [key for key in keys if key not in by_key]:
        there = "\n".join(f"  {key}  {escaped(name or '')}" for key, name in by_key.items())
        raise ConfigError(f"{', '.join(missing)} has not been loaded. There are:\n{there}")
    return [key.removeprefix("act_") for key in keys or by_key]


def _paces(
    opened: Warehouse, accounts: Sequence[str], nothing: Collection[str], *, is_whole: bool
) -> Sequence[DayPace]:
    """Rows of the view `today`: those of accounts, and with `is_whole` all below them. `nothing`:
    the accounts for whose today Meta has nothing.
    """
    keys = ", ".join(map(literal, accounts))
    only = "" if is_whole else "AND level = 'account'"
    found = opened.arrow(
        f"FROM today WHERE account_id IN ({keys}) {only} "  # digits
        "ORDER BY account_name, account_id, level, object_id"
    )
    return [DayPace(row, row["account_id"] in nothing) for row in found.to_pylist()]


def _print(
    paces: Sequence[DayPace],
    findings: Mapping[str, Sequence[str]],
    now: datetime,
    *,
    is_whole: bool,
) -> None:
    """A block for each account; first the accounts where something stands out."""
    width, glyphs = width_of(sys.stdout), glyphs_of(sys.stdout)
    of_account = [[*rows] for _, rows in groupby(paces, lambda one: one.account_id)]
    shown = [rows for rows in of_account if is_whole or _happens(rows[0], findings, now)]
    shown.sort(key=lambda rows: rows[0].account_id not in findings)
    blocks = [block for rows in shown for block in _blocks(rows, findings, now, width, glyphs)]
    for n, block in enumerate(blocks):
        if n:
            click.echo()
        for line in block:
            click.echo(line)


def _is_idle(pace: DayPace, findings: Mapping[str, Sequence[str]], now: datetime) -> bool:
    return pace.is_asked(now) and pace.is_idle and pace.account_id not in findings


def _happens(pace: DayPace, findings: Mapping[str, Sequence[str]], now: datetime) -> bool:
    is_busy = pace.is_asked(now) and not pace.is_idle
    return is_busy or pace.account_id in findings


def _blocks(
    rows: Sequence[DayPace],
    findings: Mapping[str, Sequence[str]],
    now: datetime,
    width: int | None,
    glyphs: Glyphs,
) -> Iterator[Iterable[str]]:
    """What is printed about an account: `rows` are its own, and those of its campaigns and ads."""
    by_level = {level: [*of] for level, of in groupby(rows, lambda one: one.level)}
    [account] = by_level.pop("account")
    lines = findings.get(account.account_id, ())
    yield account_lines(account, now, width, glyphs, findings=lines, is_whole=bool(by_level))
    levels = ("campaign", "ad") if account.is_asked(now) else ()
    for level in (one for one in levels if one in by_level):
        yield below_lines(level, by_level[level], width, glyphs)


def _remarks(
    names: Mapping[str, str], without_spend: Collection[str], asked: Collection[str]
) -> Iterator[str]:
    """What is said about accounts that have no block of their own; `names` by their digits."""
    if without := [name for key, name in names.items() if key in without_spend]:
        yield f"\nNo spend today, as far as Meta has said: {_named(without)}."
    if unasked := [name for key, name in names.items() if key not in asked]:
        yield _unasked(unasked)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _unasked(names: Sequence[str]) -> str:
    return (
        f"\nToday has not been asked yet for {counted(len(names), 'account')}: {_named(names)}."
        f" Turn on the schedule `intraday` in Dagster, or run `{command_name()} refresh --today`."
    )


def _print_json(
    paces: Sequence[DayPace], findings: Mapping[str, Sequence[str]], now: datetime, code: int
) -> None:
    """An object for each row of the view, and the totals."""
    for pace in paces:
        found = findings.get(pace.account_id, ()) if pace.level == "account" else ()
        row = {"kind": "today", **pace.row, "is_asked": pace.is_asked(now), "findings": found}
        print_json(json_line(row))
    print_json(total_line("today", code, rows=len(paces), findings=findings))
