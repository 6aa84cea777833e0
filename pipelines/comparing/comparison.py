"""The comparison: both sides by account and day, and those that differ with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb

from pipelines.comparing.evidence import facts_of, ours_by_day, purchases_of, theirs_by_day
from pipelines.comparing.reasons import Difference, differs, reasons_for
from pipelines.comparing.their_table import OURS, first_line, opened
from pipelines.errors import ConfigError
from warehouse.decode.hours import over_at
from warehouse.errors import UnknownZoneError
from warehouse.published.connections import CONFIG, connected
from warehouse.schema.sql import literal
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path
    from typing import Any

    from pipelines.comparing.evidence import AccountDayKey
    from pipelines.comparing.names import TheirColumns
    from pipelines.comparing.reasons import Reason

__all__ = ["Compared", "Comparison", "Selection", "compare"]

#: What a comparison may take; beyond that DuckDB writes to disk.
_MEMORY: Final = {"memory_limit": "1GB"}

#: Accounts that a message lists.
_MOST_ACCOUNTS: Final = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be compared: their file; its table, if it has several; columns by role, and only
    some days and accounts (digits).
    """

    source: str
    table: str
    columns: Mapping[str, str]
    since: date | None
    until: date | None
    accounts: Sequence[str]

    def __contains__(self, key: AccountDayKey) -> bool:
        account, day = key
        return (
            (self.since is None or self.since <= day)
            and (self.until is None or day <= self.until)
            and (not self.accounts or account in self.accounts)
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """An account-day that differs, and why."""

    difference: Difference
    reasons: Sequence[Reason]
    name: str | None

    @property
    def is_explained(self) -> bool:
        """Whether the reasons explain all of it exactly."""
        return bool(self.reasons) and all(reason.is_exact for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`days` is how many account-days were compared, `differing` those that are not the same.
    `unproven`: those that are the same, and whose load here is not proven: account, day, verdict.
    `unplaced`: how many of their rows have no account or no day.
    """

    columns: TheirColumns
    first: date
    last: date
    days: int
    unplaced: int
    unproven: Sequence[tuple[str, date, str]]
    differing: Sequence[Compared]


def compare(published: Path, wanted: Selection) -> Comparison:
    """Compare the published file with a table of another loader. It only reads. Raises ConfigError
    for a table that cannot be compared, with its columns and how to name them.
    """
    try:
        with (
            TemporaryDirectory(prefix="fbinsights_compare_") as spilled,
            connected(":memory:", CONFIG | _MEMORY | {"temp_directory": spilled}) as connection,
        ):
            return _compared(connection, published, wanted)
    except duckdb.Error as error:
        raise ConfigError(f"{wanted.source} cannot be compared: {first_line(error)}") from error


def _compared(
    connection: duckdb.DuckDBPyConnection, published: Path, wanted: Selection
) -> Comparison:
    connection.execute(f"ATTACH {literal(str(published.resolve()))} AS {OURS} (READ_ONLY)")
    [account_id] = wanted.accounts if len(wanted.accounts) == 1 else [""]
    columns, unplaced = opened(connection, wanted.source, wanted.table, wanted.columns, account_id)
    theirs = theirs_by_day(connection, columns)
    ours = ours_by_day(connection, columns.counted)
    known = _accounts_of(connection)
    every = _differences(wanted, ours, theirs, known)
    differing = {key: one for key, one in every.items() if differs(one)}
    connection.execute("CREATE TEMP TABLE differing (account VARCHAR, day DATE)")
    if differing:
        keys = ", ".join(f"({literal(account)}, DATE '{day}')" for account, day in differing)
        connection.execute(f"INSERT INTO differing VALUES {keys}")  # noqa: S608  quoted
    facts = facts_of(connection, columns) if differing else {}
    purchases = purchases_of(connection) if differing and "purchases" in columns.counted else {}
    compared = []
    for key, one in differing.items():
        more = replace(one, facts=facts.get(key, ()), purchases=purchases.get(key, ()))
        compared.append(Compared(more, reasons_for(more), known.get(key[0], _UNKNOWN).name))
    unproven = [
        (*key, str(one.verdict))
        for key, one in every.items()
        if key not in differing and one.here is not None and one.verdict != PROVEN
    ]
    days = [day for _, day in every]
    return Comparison(columns, min(days), max(days), len(every), unplaced, unproven, compared)


class _Account(NamedTuple):
    """What is known here of an account."""

    name: str | None
    currency: str | None
    zone: str | None


_UNKNOWN: Final = _Account(None, None, None)


def _accounts_of(connection: duckdb.DuckDBPyConnection) -> Mapping[str, _Account]:
    rows = connection.execute(
        f"FROM {OURS}.main.accounts SELECT account_id, account_name, account_currency, "
        "account_timezone"
    ).fetchall()
    return {account: _Account(*values) for account, *values in rows}


def _differences(
    wanted: Selection,
    ours: Mapping[AccountDayKey, Mapping[str, Any]],
    theirs: Mapping[AccountDayKey, Mapping[str, Any]],
    known: Mapping[str, _Account],
) -> Mapping[AccountDayKey, Difference]:
    """Every account-day that either side has, within what is wanted and the days of theirs, by
    account and day. Raises ConfigError if they have none in common.
    """
    chosen = [key for key in theirs if key in wanted]
    _require_common(wanted, ours, theirs, chosen)
    first = wanted.since or min(day for _, day in chosen)
    last = wanted.until or max(day for _, day in chosen)
    accounts_here, accounts_there = {one for one, _ in ours}, {one for one, _ in chosen}
    keys = {key for key in ours if key in wanted and first <= key[1] <= last} | {*chosen}
    made = {}
    for account, day in sorted(keys):
        of_account = known.get(account, _UNKNOWN)
        made[account, day] = Difference(
            account,
            day,
            **{"here": None, **ours.get((account, day), {})},
            **{"there": None, **theirs.get((account, day), {})},
            is_account_here=account in accounts_here,
            is_account_there=account in accounts_there,
            currency=of_account.currency,
            over_at=_over_at(of_account.zone, day),
        )
    return made


def _require_common(
    wanted: Selection,
    ours: Mapping[AccountDayKey, object],
    theirs: Mapping[AccountDayKey, object],
    chosen: Sequence[AccountDayKey],
) -> None:
    """Raise ConfigError if none of their `chosen` account-days is ours as well."""
    there_are = {account for account, _ in [*ours, *theirs]}
    if unknown := [f"act_{one}" for one in wanted.accounts if one not in there_are]:
        raise ConfigError(f"{unknown[0]} is neither here nor there. Check --account.")
    if not ours.keys() & {*chosen}:
        raise ConfigError(
            "Both have no account-day in common, so there is nothing to compare. There:"
            f" {_span(theirs)}. Here: {_span(ours)}. Check --since, --until and --account, or name"
            " other columns with --column date=NAME and --column account=NAME."
        )


def _span(days: Mapping[AccountDayKey, object]) -> str:
    if not days:
        return "none"
    accounts, dates = {account for account, _ in days}, {day for _, day in days}
    listed = ", ".join(sorted(accounts)[:_MOST_ACCOUNTS])
    more = f" and {len(accounts) - _MOST_ACCOUNTS} more" if len(accounts) > _MOST_ACCOUNTS else ""
    return f"accounts {listed}{more}, {min(dates)} to {max(dates)}"


def _over_at(zone: str | None, day: date) -> datetime | None:
    """When a day was over by the account's clock; None if that is not known."""
    try:
        return over_at(zone or "", day)
    except UnknownZoneError:
        return None
