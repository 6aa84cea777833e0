"""May the numbers of these days be used? What the page to look at knows of them, as data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from fbgraph.errors import RequestError
from pipelines.agents.bounds import RefusedError
from pipelines.agents.results import exact
from pipelines.overview.reading import days_of
from pipelines.overview.trust import DayTrust, Trust, banner
from pipelines.overview.window import Window
from warehouse.decode.hours import over_at, today_in
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from pipelines.agents.bounds import Bounds
    from pipelines.overview.reading import AccountPage
    from warehouse.published.opened import Warehouse

__all__ = ["AccountTrust", "trust"]

#: The most days of one call: each may have a reason of its own.
MOST_DAYS: Final = 100

#: Of a day that goes on, nothing is missing yet.
NOT_LOADED_YET: Final = "not loaded yet"


@dataclass(frozen=True)
class AlikeDays:
    """Neighbouring days that are in the same state. `spend` is what the tables have of them (None:
    nothing was loaded, which is not 0), `spend_missing` what Meta's own total has and the tables do
    not (negative: they have too much; None: not known). `command` loads them again, where that is
    needed; a person runs it.
    """

    first: str
    last: str
    days: int
    trust: str
    reason: str
    spend: str | None
    spend_missing: str | None
    command: str


@dataclass(frozen=True)
class MovedDay:
    """A day whose spend Meta changed after it was over and loaded."""

    date: str
    spend_at_first: str
    spend_now: str


@dataclass(frozen=True)
class StaleDay:
    """A day whose totals Meta has changed since it was loaded: a refresh loads it again. The spends
    are those totals.
    """

    date: str
    table: str
    spend_then: str
    spend_since: str
    seen_at: str


@dataclass(frozen=True)
class OtherLoads:
    """Loads of a table whose rows, or whose conversions, are not proven."""

    table: str
    first: str
    last: str
    days: int
    verdict: str
    reason: str
    conversions: str | None
    conversions_reason: str | None


@dataclass(frozen=True)
class FailedLoad:
    """A load that failed at the last try. `date` is None for a listing of objects."""

    table: str
    date: str | None
    failing_since: str | None
    reason: str
    command: str


@dataclass(frozen=True)
class AccountTrust:
    """What is known of an account's days, oldest first. `verdict` answers in a sentence; `counts`
    are days by trust. `spend` is what the tables have, `spend_not_proven` the part of it on days
    that are not proven, `spend_known_missing` what is known not to be in it.
    """

    account_id: str
    account_name: str
    currency: str
    timezone: str
    since: str
    until: str
    verdict: str
    counts: dict[str, int]
    spend: str
    spend_not_proven: str
    spend_known_missing: str
    days: list[AlikeDays]
    moved: list[MovedDay]
    stale: list[StaleDay]
    other_loads: list[OtherLoads]
    failures: list[FailedLoad]


#: Totals that were asked for after a load, and are not those that it was compared with.
STALE_SQL: Final = """\
select l.date, l.table_name, l.control_spend, c.spend, c.loaded_at
from loads as l
join loads as c on c.table_name = 'control_daily' and c.account_id = l.account_id
  and c.date = l.date and c.loaded_at > l.loaded_at
where l.table_name in ('insights_hourly', 'insights_daily') and l.account_id = $account
  and l.date between $since and $until and l.is_over
  and (l.control_impressions, l.control_clicks, l.control_spend)
      is distinct from (c.impressions, c.clicks, c.spend)
order by all"""

OTHERS_SQL: Final = """\
select table_name, min(date), max(date), count(*), verdict, coalesce(reason, ''), conversions,
       conversions_reason
from loads
where account_id = $account and date between $since and $until
  and table_name not in ('insights_hourly', 'control_daily')
  and (verdict <> 'proven' or conversions not in ('proven', 'unprovable'))
group by all order by all"""

FAILURES_SQL: Final = """\
select table_name, date, failing_since, reason, command from failures
where account_id = $account and (date is null or date between $since and $until)
order by table_name, date"""


def trust(
    opened: Warehouse, _bounds: Bounds, asked: tuple[str, date, date], now: datetime
) -> AccountTrust:
    """What is known of the days `asked` for: an account's id, the first, the last. Days that have
    not begun at the account's clock are left out. Raises RefusedError.
    """
    account, since, until = asked
    _require_days(since, until)
    account_id = _digits(account)
    found = days_of(opened, now, Window(since, until), {account_id})
    if not found:
        raise RefusedError(_unknown(opened, account_id))
    [page] = found
    today = today_in(page.zone, now)
    if since > today:
        raise RefusedError(f"{since} has not begun in {page.zone}, where it is {today}.")
    until = min(until, today)
    days = [_judged(page, page.trust[day], now) for day in Window(since, until).days]
    given = {"account": account_id, "since": since, "until": until}
    return AccountTrust(
        *(account_id, page.name, page.currency, page.zone, str(since), str(until)),
        verdict=_verdict(page, days),
        counts=dict(Counter(kind for _, kind in days)),
        spend=_spend(page, [day for day, _ in days]),
        spend_not_proven=_spend(page, [d for d, _ in days if d.trust is not Trust.PROVEN]),
        spend_known_missing=exact(_missing([day for day, _ in days]) or Decimal()),
        days=[
            _alike(page, *known, [day for day, _ in run])
            for known, run in groupby(days, key=_what_is_known)
        ],
        moved=[
            MovedDay(str(day), exact(page.restated[day].before), exact(page.restated[day].after))
            for day in Window(since, until).days
            if day in page.restated
        ],
        stale=[StaleDay(*map(exact, row)) for row in opened.sql(STALE_SQL, given).fetchall()],
        other_loads=[
            OtherLoads(*map(exact, row)) for row in opened.sql(OTHERS_SQL, given).fetchall()
        ],
        failures=[
            FailedLoad(*map(exact, row)) for row in opened.sql(FAILURES_SQL, given).fetchall()
        ],
    )


def _require_days(since: date, until: date) -> None:
    if since > until:
        raise RefusedError(f"since ({since}) is after until ({until}).")
    if (number := (until - since).days + 1) > MOST_DAYS:
        raise RefusedError(
            f"{since} to {until} are {counted(number, 'day')}; ask about at most {MOST_DAYS} at a"
            " time. The table loads has all verdicts."
        )


def _digits(account: str) -> str:
    try:
        return act_id(account).removeprefix("act_")
    except RequestError as error:
        raise RefusedError(f"{error} The table accounts has all ids.") from None


def _unknown(opened: Warehouse, account_id: str) -> str:
    rows = opened.sql("select account_id from accounts order by all limit 20").fetchall()
    known = ", ".join(account for (account,) in rows)
    return f"There is no account {account_id}. The table accounts has {known or 'none yet'}."


def _judged(page: AccountPage, day: DayTrust, now: datetime) -> tuple[DayTrust, str]:
    """A day, and what is known of it in words."""
    if day.trust is Trust.MISSING and now < over_at(page.zone, day.date):
        return day, NOT_LOADED_YET
    return day, day.trust


def _verdict(page: AccountPage, days: Sequence[tuple[DayTrust, str]]) -> str:
    begun = [day for day, kind in days if kind != NOT_LOADED_YET]
    if not begun:
        return "Nothing of these days has been loaded yet; they are not over."
    return banner([(page.name, page.currency, begun)]).headline


def _what_is_known(judged: tuple[DayTrust, str]) -> tuple[str, str]:
    """What is known of a day, and why; one that adds up needs no explanation."""
    day, kind = judged
    return kind, "" if day.trust is Trust.PROVEN else day.reason


def _alike(page: AccountPage, kind: str, reason: str, days: Sequence[DayTrust]) -> AlikeDays:
    first, last = days[0], days[-1]
    command = first.command.replace(f"--until {first.date}", f"--until {last.date}")
    return AlikeDays(
        *(str(first.date), str(last.date), len(days), kind, reason),
        spend=None if first.trust in {Trust.MISSING, Trust.FAILED} else _spend(page, days),
        spend_missing=exact(_missing(days)),
        command="" if first.trust is Trust.PROVEN else command,
    )


def _spend(page: AccountPage, days: Sequence[DayTrust]) -> str:
    numbers = (page.numbers[day.date].spend for day in days if day.date in page.numbers)
    return str(exact(sum(numbers, Decimal())))


def _missing(days: Sequence[DayTrust]) -> Decimal | None:
    known = [day.short for day in days if day.trust is Trust.DIFFERS and day.short is not None]
    return sum(known, Decimal()) if known else None
