"""The open day of an account: read from the view `today`, and put into words and bars."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from pipelines.overview.drawing import SpendBar, bar
from pipelines.overview.wording import money, percent
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from warehouse.published.opened import Warehouse

__all__ = ["TodayNumbers", "TodayWords", "hours_of", "open_days", "words_of_today"]

#: Meta may spend this many times a daily budget on one day, and seven times it from Sunday to
#: Saturday. Source: docs/graph-api.md, budgets.
MOST_OF_DAY: Final = 1.75
DAYS_OF_WEEK: Final = 7

#: From this far off the usual on, the day is said to be faster or slower.
AS_USUAL: Final = 0.15

TODAY_SQL: Final = """\
select account_id, date, asked_at, last_whole_hour, day_gone, spend, spend_whole, spend_usual,
       same_weekdays, coalesce(note, '')
from today where level = 'account'"""

#: Of the campaigns whose budget is by the day.
BUDGETS_SQL: Final = """\
with budgets as (
  select account_id, date as open_day, object_id as campaign_id, budget, spend,
         projected_spend, projected_low, projected_high
  from today where level = 'campaign' and budget is not null
)
select account_id, count(*), sum(budget), sum(budgets.spend),
       case when count(projected_spend) = count(*) then sum(projected_spend) end,
       case when count(projected_low) = count(*) then sum(projected_low) end,
       case when count(projected_high) = count(*) then sum(projected_high) end,
       coalesce(sum(week.spend), 0)
from budgets
left join (
  select account_id, campaign_id, open_day, sum(campaign_daily.spend) as spend
  from campaign_daily join budgets using (account_id, campaign_id)
  where date between open_day - (isodow(open_day) % 7)::integer and open_day
  group by all
) as week using (account_id, campaign_id, open_day)
group by all"""

#: The hours of the open day, and of the same weekdays that count as usual.
TODAY_HOURS_SQL: Final = """\
select account_id, date, hour, coalesce(spend, 0)
from account_hourly
join (select account_id, date as open_day from today where level = 'account') using (account_id)
where hour is not null
      and (date = open_day or is_complete and (open_day - date) in (7, 14, 21, 28))"""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Campaigns with daily budgets: how many there are, what the budgets add up to, and what the
    campaigns have spent: today, at its end, and since Sunday.
    """

    number: int
    budget: Decimal
    spend: Decimal
    projected: Decimal | None
    projected_low: Decimal | None
    projected_high: Decimal | None
    week: Decimal


@dataclass(frozen=True, slots=True)
class TodayNumbers:
    """A row of the view `today` of an account, and spend by date and hour of the account's clock:
    of that day, and of those that it is compared with.
    """

    day: date
    asked_at: datetime
    last_whole_hour: int | None
    day_gone: float | None
    spend: Decimal
    spend_whole: Decimal | None
    spend_usual: Decimal | None
    same_weekdays: int
    note: str
    budgets: Budgets | None = None
    hours: dict[date, dict[int, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BudgetBar:
    """A bar about a budget, and what it says in words."""

    title: str
    svg: str
    words: str


@dataclass(frozen=True, slots=True)
class TodayWords:
    """What the page says of an open day. `hours`: there is something to draw."""

    sentence: str
    usual: str
    hours: bool
    budgets: Sequence[BudgetBar]
    budget_note: str


def open_days(opened: Warehouse) -> Mapping[str, TodayNumbers]:
    """The open day of each account that has one."""
    found = {}
    for account_id, day, asked_at, *rest in opened.sql(TODAY_SQL).fetchall():
        found[account_id] = TodayNumbers(day, asked_at.astimezone(UTC), *rest)
    hours: dict[str, dict[date, dict[int, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for account_id, day, hour, spend in opened.sql(TODAY_HOURS_SQL).fetchall():
        hours[account_id][day][hour] = spend
    budgets = {row[0]: Budgets(*row[1:]) for row in opened.sql(BUDGETS_SQL).fetchall()}
    return {
        account_id: replace(day, hours=hours[account_id], budgets=budgets.get(account_id))
        for account_id, day in found.items()
    }


def hours_of(open_day: TodayNumbers, currency: str) -> Mapping[str, Sequence[Any]]:
    """Cumulative spend by the hour, as columns: the day up to its last whole hour, from there to
    the newest one, and the least, the median and the most of the days that it is compared with.
    """
    today = _cumulative(open_day.hours.get(open_day.day, {}))
    usual = [_cumulative(open_day.hours[day]) for day in open_day.hours if day != open_day.day]
    newest = 1 + max(open_day.hours.get(open_day.day, {}), default=-1)
    whole = 0 if open_day.last_whole_hour is None else open_day.last_whole_hour + 1
    columns: dict[str, list[Any]] = {
        name: [] for name in ("hour", "today", "running", "low", "median", "high", "says")
    }
    for hour in range(25):
        others = [day[hour] for day in usual]
        columns["hour"].append(hour)
        columns["today"].append(today[hour] if hour <= min(whole, newest) else None)
        columns["running"].append(today[hour] if whole <= hour <= newest else None)
        columns["low"].append(min(others, default=None))
        columns["median"].append(median(others) if others else None)
        columns["high"].append(max(others, default=None))
        known = money(today[hour], currency) if hour <= newest else "not yet"
        compared = f", usually {money(median(others), currency)}" if others else ""
        columns["says"].append(f"by {hour:02}:00: {known}{compared}")
    return columns


def _cumulative(hours: Mapping[int, Decimal]) -> Sequence[float]:
    sums = [0.0]
    for hour in range(24):
        sums.append(sums[-1] + float(hours.get(hour, 0)))
    return sums


#: What to do where the page knows nothing of today.
NOTHING_YET: Final = (
    "Nothing of today has been loaded yet. Turn on the schedule intraday in Dagster, or run"
    " fbinsights refresh --today."
)


def words_of_today(open_day: TodayNumbers | None, currency: str, today: date) -> TodayWords:
    """What the page says of it. `today`: the account's date when the page is made."""
    if open_day is None:
        return TodayWords(NOTHING_YET, "", hours=False, budgets=(), budget_note="")
    number = open_day.same_weekdays
    usual = f"the last {number} {open_day.day:%A}s, from the least to the most" if number else ""
    return TodayWords(
        _which_day(open_day, today) + _sentence(open_day, currency),
        usual,
        hours=bool(open_day.hours.get(open_day.day)),
        budgets=_budget_bars(open_day, currency),
        budget_note=_budget_note(open_day.budgets, currency),
    )


def _which_day(open_day: TodayNumbers, today: date) -> str:
    if open_day.day == today:
        return ""
    return f"{NOTHING_YET} The day below is {_named(open_day.day)}: "


def _named(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%b}"


def _sentence(open_day: TodayNumbers, currency: str) -> str:
    asked = f"Asked {open_day.asked_at.day} {open_day.asked_at:%b, %H:%M} UTC."
    if open_day.last_whole_hour is None or open_day.spend_whole is None:
        so_far = money(open_day.spend, currency, exact=True)
        return f"Too early to say. {so_far} so far, all of it in hours that still grow. {asked}"
    by = f"{money(open_day.spend_whole, currency, exact=True)} by {_end(open_day)}"
    if not open_day.spend_usual:
        return f"{by}. {open_day.note or 'Nothing to compare with.'} {asked}"
    share = float(open_day.spend_whole / open_day.spend_usual)
    word = "As usual"
    if abs(share - 1) > AS_USUAL:
        word = "Faster than usual" if share > 1 else "Slower than usual"
    weekday = f"{open_day.day:%A}s"
    return (
        f"{word}: {by}, {percent(share, 0)} of the median of the last {open_day.same_weekdays}"
        f" {weekday} at that hour. {asked}"
    )


def _end(open_day: TodayNumbers) -> str:
    return f"{(open_day.last_whole_hour or 0) + 1:02}:00"


def _budget_bars(open_day: TodayNumbers, currency: str) -> Sequence[BudgetBar]:
    if not open_day.budgets:
        return ()
    bars = (_day_bar, _week_bar)
    return [one(open_day, open_day.budgets, currency) for one in bars]


def _day_bar(open_day: TodayNumbers, of: Budgets, currency: str) -> BudgetBar:
    most = MOST_OF_DAY * float(of.budget)
    words = f"{money(of.spend, currency)} of {money(of.budget, currency)} so far"
    if of.projected is not None:
        words += f", about {money(of.projected, currency)} by midnight"
    if of.projected_low is not None and of.projected_high is not None:
        low, high = (money(one, currency) for one in (of.projected_low, of.projected_high))
        words += f" ({low} to {high})"
    svg = bar(
        SpendBar(
            filled=float(of.spend) / most,
            hatched=float(of.projected or of.spend) / most,
            ticks=[1 / MOST_OF_DAY],
            mark=None if open_day.day_gone is None else open_day.day_gone / MOST_OF_DAY,
            title=words,
        )
    )
    full = (
        "Thick line: how much of the day is over; thin line: the budget; full width:"
        f" {MOST_OF_DAY} times that, the most of one day."
    )
    return BudgetBar(_named(open_day.day), svg, f"{words}. {full}")


def _week_bar(open_day: TodayNumbers, of: Budgets, currency: str) -> BudgetBar:
    most = DAYS_OF_WEEK * float(of.budget)
    weekday = open_day.day.isoweekday() % 7
    gone = (weekday + (open_day.day_gone or 0.0)) / DAYS_OF_WEEK
    words = f"{money(of.week, currency)} of at most {money(most, currency)}"
    share = float(of.week) / most
    sunday = open_day.day - timedelta(days=weekday)
    since = f"This week, since Sunday {sunday.day} {sunday:%b}"
    svg = bar(SpendBar(share, share, [], gone, words))
    return BudgetBar(since, svg, f"{words}. Thick line: how much of the week is over.")


def _budget_note(budgets: Budgets | None, currency: str) -> str:
    if budgets is None:
        return "No active campaign has a daily budget, so there is nothing to keep pace with."
    number, a_day = counted(budgets.number, "campaign"), money(budgets.budget, currency)
    return (
        f"{number} with daily budgets, {a_day} a day. That is an average: Meta may spend up to"
        " 75 % more on one day, and no more than seven of them from Sunday to Saturday."
    )
