"""From a command line to what is to be loaded, checked against what the token sees. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from fbgraph import act_id
from fbgraph.errors import RequestError
from pipelines.errors import ConfigError
from pipelines.loading.listings import text_of
from pipelines.loading.partitions import AccountDay, today_in
from pipelines.reports.catalog import REPORTS, broken_reports, require_reports
from pipelines.reports.spec import FIRST_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from fbgraph.http.paging import Row
    from pipelines.loading.listings import Discovery

__all__ = ["Plan", "demand_begun", "plan_of"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill is to load: nothing of it is known to be impossible.

    `refused`: ``act_123`` → why it is not among the accounts though it should be. `broken`: the
    same of reports, by name, where all of them were meant.
    """

    accounts: Sequence[Row]
    days: Sequence[date]
    reports: Sequence[str]
    refused: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def account_days(self) -> Sequence[AccountDay]:
        """Newest day first."""
        ids = [row["account_id"] for row in self.accounts]
        return [AccountDay(account_id, day) for day in reversed(self.days) for account_id in ids]


def plan_of(
    found: Discovery,
    days: tuple[date, date],
    accounts: Sequence[str],
    reports: Sequence[str],
    now: datetime,
) -> Plan:
    """Check a command line against what the token sees; `days` are the first and the last one.

    Raises ConfigError that says what is possible instead.
    """
    since, until = days
    require_reports(reports)
    if since < FIRST_DAY:
        raise ConfigError(
            f"--since {since} is too early: Meta keeps 37 months; the first day is {FIRST_DAY}."
        )
    chosen = _chosen(found, accounts)
    refused = {} if accounts else {act_id(i): why for i, why in found.refused.items()}
    for row in chosen:
        today = today_in(row["timezone_name"], now)
        if until > today:
            raise ConfigError(
                f"--until {until} has not begun in act_{row['account_id']}"
                f" ({row['timezone_name']}), where it is {today}."
            )
    every_day = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    broken = {} if reports else broken_reports()
    return Plan(chosen, every_day, tuple(reports) or tuple(REPORTS), refused, broken)


def demand_begun(plan: Plan) -> None:
    """Raise ConfigError for a plan with days before one of its reports begins."""
    for name in plan.reports:
        start = REPORTS[name].spec.start_date
        if plan.days[0] < start:
            raise ConfigError(
                f"--since {plan.days[0]} is before the start_date of {name}, {start}. Use a later"
                " day, change start_date, or name other reports with --report."
            )


def _chosen(found: Discovery, accounts: Sequence[str]) -> Sequence[Row]:
    visible = {act_id(row["account_id"]): row for row in found.rows}
    refused = {act_id(account_id): why for account_id, why in found.refused.items()}
    try:
        wanted = list(dict.fromkeys(act_id(account.strip()) for account in accounts))
    except RequestError as error:
        raise ConfigError(f"--account: {error}") from None
    missing = [key for key in wanted if key not in visible]
    whys = [f"{key}: {refused[key]}" for key in missing or refused if key in refused]
    if whys and (missing or not visible):
        raise ConfigError("This cannot be loaded:\n  " + "\n  ".join(whys))
    if not visible:
        raise ConfigError("The token does not see any ad account. Give its user access to one.")
    if missing:
        names = "\n".join(f"  {key}  {text_of(row, 'name')}" for key, row in visible.items())
        raise ConfigError(f"The token does not see {', '.join(missing)}. It sees:\n{names}")
    return [visible[key] for key in wanted or visible]
