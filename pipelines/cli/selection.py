"""The selection of what to load: from a command line, checked against what the token sees. No
I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from fbgraph.errors import RequestError
from pipelines.errors import ConfigError
from pipelines.escaping import escaped
from pipelines.loading.accounts.discovery import text_of
from pipelines.loading.partitions import AccountDay
from pipelines.reports.spec import FIRST_DAY
from warehouse.decode.hours import today_in
from warehouse.schema.periods import Period
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from fbgraph.http.paging import Row
    from pipelines.loading.accounts.discovery import Discovery
    from pipelines.reports.catalog import Report, Reports

__all__ = ["Plan", "keys_of", "not_begun", "plan_of", "require_begun", "require_started"]

#: How far the earliest time zones are ahead of UTC.
FIRST_ZONE: Final = timedelta(hours=14)

#: Accounts that are named one by one; of more, their number.
_NAMED_ACCOUNTS: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill is to load.

    `reports` by name; `has_every_report`: they are all that exist; `has_every_account`: its
    accounts are all that the token sees. `refused`: ``act_123`` → why it is not among the accounts
    though it should be. `broken`: the same for reports, by name, if all of them were meant.
    `todays`: account (digits) → its own today; its later days have not begun and are skipped.
    `listed`: tables of objects that a backfill lists.
    """

    accounts: Sequence[Row]
    days: Sequence[date]
    reports: Mapping[str, Report]
    has_every_report: bool = True
    refused: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    todays: Mapping[str, date] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    has_every_account: bool = False

    @property
    def wanted(self) -> Mapping[str, Sequence[AccountDay]]:
        """The account-days to load, by report, newest first; only those that have begun."""
        return {
            name: [one for one in self._all_of(report) if self._has_begun(one)]
            for name, report in self.reports.items()
        }

    @property
    def skipped(self) -> Mapping[str, Sequence[AccountDay]]:
        """Those that have not begun, by report, newest first."""
        return {
            name: [one for one in self._all_of(report) if not self._has_begun(one)]
            for name, report in self.reports.items()
        }

    def _all_of(self, report: Report) -> Sequence[AccountDay]:
        starts = report.starts(self.days)
        return [AccountDay(i, day) for day in reversed(starts) for i in self.account_ids]

    def _has_begun(self, one: AccountDay) -> bool:
        return one.day <= self.todays.get(one.account_id, date.max)

    @property
    def account_ids(self) -> Sequence[str]:
        return [row["account_id"] for row in self.accounts]

    @property
    def names(self) -> Mapping[str, str]:
        """``act_123`` → its name."""
        return {act_id(row["account_id"]): text_of(row, "name") for row in self.accounts}

    def days_of(self, account_id: str, report: Report) -> Sequence[date]:
        """The days of an account in a report that have begun, oldest first; or the weeks or months,
        by their first days.
        """
        starts = report.starts(self.days)
        return [day for day in starts if self._has_begun(AccountDay(account_id, day))]


def plan_of(  # noqa: PLR0913  # a command line, and what it is checked against
    found: Discovery,
    known: Reports,
    days: tuple[date, date],
    now: datetime,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
) -> Plan:
    """Check a command line against what the token sees and which reports are `known`; `days` are
    the first and the last one.

    Raises ConfigError that says what is possible instead.
    """
    since, until = days
    known.require(reports)
    if since < FIRST_DAY:
        raise ConfigError(
            f"--since {since} is too early: Meta keeps 37 months; the first day is {FIRST_DAY}."
        )
    require_begun("--until", until, now)
    chosen = _chosen(found, accounts)
    refused = {} if accounts else {act_id(i): why for i, why in found.refused.items()}
    todays = {row["account_id"]: today_in(row["timezone_name"], now) for row in chosen}
    every_day = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    named = {name: known.by_name[name] for name in reports or known.by_name}
    broken = {} if reports else known.why_broken()
    has_every = len(named) == len(known.by_name)
    objects = known.catalog.listed
    listed = frozenset(row.name for row in objects if row.is_needed or row.mentioned_by)
    has_all = len(chosen) == len(found.rows)
    return Plan(chosen, every_day, named, has_every, refused, broken, todays, listed, has_all)


def not_begun(days: Mapping[str, Iterable[date]], todays: Mapping[str, date]) -> Sequence[str]:
    """A line for each of the days, by account (digits), that has not begun there. `todays`: account
    → its own today.
    """
    ahead: dict[date, list[str]] = {}
    for account_id, wanted in days.items():
        for day in wanted:
            if day > todays[account_id]:
                ahead.setdefault(day, []).append(account_id)
    lines = []
    for day, ids in sorted(ahead.items()):
        named = ", ".join(act_id(account_id) for account_id in ids[:_NAMED_ACCOUNTS])
        more = f" and {len(ids) - _NAMED_ACCOUNTS} more" if len(ids) > _NAMED_ACCOUNTS else ""
        where = f"{counted(len(ids), 'account')} ({named}{more})"
        if len(ids) == 1:
            where = f"{named}, where it is {todays[ids[0]]}"
        lines.append(f"Skipped {day}: it has not begun in {where}.")
    return lines


def require_begun(option: str, day: date | None, now: datetime) -> None:
    """Raise ConfigError for a day that has not begun in any time zone."""
    latest = (now.astimezone(UTC) + FIRST_ZONE).date()
    if day and day > latest:
        raise ConfigError(
            f"{option} {day} has not begun anywhere. The last day that has is {latest}."
        )


def require_started(plan: Plan) -> None:
    """Raise ConfigError for a plan with days before one of its reports begins."""
    for name, report in plan.reports.items():
        start = report.spec.start_date
        if report.period is not Period.DAY and not report.starts(plan.days):
            raise ConfigError(
                f"No {report.period} of {name} that begins on {start} or later has a day from"
                f" {plan.days[0]} to {plan.days[-1]}. Use a later day, change start_date, or name"
                " other reports with --report."
            )
        if report.period is Period.DAY and plan.days[0] < start:
            raise ConfigError(
                f"--since {plan.days[0]} is before the start_date of {name}, {start}. Use a later"
                " day, change start_date, or name other reports with --report."
            )


def keys_of(accounts: Sequence[str], names: Mapping[str, str | None]) -> Sequence[str]:
    """``act_123`` of each of these values of --account, once. `names`: key → name of an account.

    Raises ConfigError for what is not an id; for a name it says the id.
    """
    keys = []
    for account in accounts:
        try:
            keys.append(act_id(account.strip()))
        except RequestError as error:
            same = [key for key, name in names.items() if name and name == account.strip()]
            advice = f" That is the name of {', '.join(same)}." if same else ""
            raise ConfigError(f"--account: {error}{advice}") from None
    return list(dict.fromkeys(keys))


def _chosen(found: Discovery, accounts: Sequence[str]) -> Sequence[Row]:
    visible = {act_id(row["account_id"]): row for row in found.rows}
    refused = {act_id(account_id): why for account_id, why in found.refused.items()}
    wanted = keys_of(accounts, {key: text_of(row, "name") for key, row in visible.items()})
    missing = [key for key in wanted if key not in visible]
    whys = [f"{key}: {refused[key]}" for key in missing or refused if key in refused]
    if whys and (missing or not visible):
        raise ConfigError("This cannot be loaded:\n  " + "\n  ".join(whys))
    if not visible:
        raise ConfigError("The token does not see any ad account. Give its user access to one.")
    if missing:
        names = "\n".join(
            f"  {key}  {escaped(text_of(row, 'name'))}" for key, row in visible.items()
        )
        raise ConfigError(f"The token does not see {', '.join(missing)}. It sees:\n{names}")
    return [visible[key] for key in wanted or visible]
