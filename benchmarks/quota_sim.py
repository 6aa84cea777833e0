"""Calls per hour against quota, of a company of any size.

    python -m benchmarks.quota_sim                               the table of docs/scaling.md
    python -m benchmarks.quota_sim --accounts 800 --rows 4000    a company of your own

What is asked comes from the planner that a backfill uses (`cut`, `cost_of`), what a refresh asks
from its rules, and how fast from those of the engine: polls, report runs in flight, fewer of them
and rests where a limit fills. What is allowed is Meta's for each access tier. Accounts are taken to
be alike, and share what the processes have in flight. Nothing is called; a test holds small
companies against the engine itself and the sandbox.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, fields, replace
from datetime import date
from math import ceil
from typing import TYPE_CHECKING, Final

from fbgraph.limits.throttle import cooldown_seconds
from fbgraph.limits.usage import Limit
from fbgraph.objects.report_run import DONE_PERCENT, poll_seconds
from fbgraph.reports.allowance import ACCOUNT_RUNS, APP_RUNS, allowed, patience
from pipelines.cli.forecasts import PACES, RUN_SECONDS, Pace
from pipelines.loading.estimate import (
    POLLS_PER_RUN,
    UNKNOWN_ROWS,
    Cost,
    cost_of,
    cut,
    listing_calls,
)
from pipelines.loading.loader import THREADS
from pipelines.loading.refreshing.refresh import FRESH_DAYS, lookback
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


__all__ = [
    "COMPANIES",
    "HOURLY",
    "Company",
    "Forecast",
    "backfill",
    "forecast",
    "listings",
    "objects",
    "refresh",
    "render",
]

#: Points of a call that creates a report run; one that reads has 1. Source: Marketing API, Rate
#: limiting.
WRITE_POINTS: Final = 3

#: ads_api_access_tier → (calls for insights that an account has in an hour, and more for each
#: active ad). Source: Marketing API, Rate limiting.
HOURLY: Final[Mapping[str, tuple[int, int]]] = {
    "development_access": (600, 400),
    "standard_access": (190_000, 400),
}

#: Seconds of a page of a listing. Ours: Meta publishes none.
PAGE_SECONDS: Final = 1.0

#: Table → its objects for each ad that there ever was. Ours: companies differ widely.
OF_ADS: Final[Mapping[str, float]] = {
    "campaigns": 0.05,
    "adsets": 0.25,
    "ads": 1.0,
    "creatives": 1.0,
    "images": 0.5,
    "videos": 0.2,
    "custom_conversions": 0.01,
    "custom_audiences": 0.05,
    "activities": 0.02,  # of three days, which is what a refresh reads
}

HOUR_SECONDS: Final = 3600.0
HALF: Final = 0.5

#: Points that nobody uses up.
UNLIMITED: Final = 1e12

#: The day that days are counted back from; only how many there are matters.
TODAY: Final = date(2026, 11, 23)

_ACCOUNT: Final = "1"


@dataclass(frozen=True, slots=True)
class Company:
    """Accounts that are alike: `rows` of an account-day of one report, and `ads` that are active.

    Days that Meta has `moved` among the older ones of the lookback, and `processes` that load.
    `library`: ads that each account has ever had and not deleted, and as many creatives; of what
    else there is, `OF_ADS` says how many. 0: nothing but what reports cannot do without is listed.
    """

    accounts: int
    rows: int = UNKNOWN_ROWS
    ads: int = 50
    reports: int = 2
    moved: int = 2
    processes: int = 1
    library: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a load of a company costs, and how long it takes at an access tier.

    `busiest` are the calls of its busiest hour; `share` those of one account in it, as a part of
    what the account has in an hour; `peak` is the highest share of an account's score. `bound_by`
    is what a faster load would have to have more of.
    """

    runs: int
    calls: int
    hours: float
    busiest: int
    share: float
    peak: float
    bound_by: str


def backfill(company: Company, days: int) -> Sequence[Cost]:
    """Report runs of one account, and what each costs, for a number of neighbouring days."""
    return _costs(company, lookback(TODAY, days))


def refresh(company: Company) -> Sequence[Cost]:
    """The same for a daily refresh: the newest days, those that moved, and what it looks with: the
    account's objects, and its totals of the lookback in one call.
    """
    days = lookback(TODAY)
    older = days[:-FRESH_DAYS]
    moved = older[:: ceil(len(older) / company.moved)] if company.moved else []
    looks = Cost(0, 1 + sum(listings(company).values()))
    return [looks, *_costs(company, [*moved, *days[-FRESH_DAYS:]])]


def listings(company: Company) -> Mapping[str, int]:
    """Table → calls that list it on a day on which it is due: of some tables that is one in seven,
    on which one account in seven is.
    """
    return {
        name: listing_calls(OBJECT_TABLES[name], objects(company, name))
        for name in OF_ADS
        if company.library or OBJECT_TABLES[name].is_needed
    }


def objects(company: Company, table: str) -> int:
    """Objects of an account in a table."""
    return ceil(company.library * OF_ADS[table])


def listing_seconds(company: Company) -> float:
    """Seconds in which a refresh lists the objects of all accounts, before any report run: by calls
    that are under way at once, and accounts that are due.
    """
    pages = sum(
        calls / OBJECT_TABLES[name].listed_every_days for name, calls in listings(company).items()
    )
    at_once = THREADS * company.processes
    return company.accounts * pages * PAGE_SECONDS / at_once


def _costs(company: Company, days: Sequence[date]) -> Sequence[Cost]:
    rows = dict.fromkeys(days, company.rows)
    return [cost_of([run], rows) for _ in range(company.reports) for run in cut(days, rows)]


def forecast(company: Company, costs: Sequence[Cost], tier: str) -> Forecast:
    """Let every account of a company make its calls, and look at the hours."""
    flight = min(ACCOUNT_RUNS, company.processes * APP_RUNS / company.accounts)
    pace = PACES[tier]
    listed = 0.0 if all(cost.runs for cost in costs) else listing_seconds(company)
    made = list(calls_of(costs, pace, flight, listed))
    hours = Counter(int(seconds // HOUR_SECONDS) for seconds, _ in made)
    waves = ceil(sum(cost.runs for cost in costs) / flight)
    unlimited = replace(pace, points=UNLIMITED)
    freely = max(seconds for seconds, _ in calls_of(costs, unlimited, flight, listed))
    base, per_ad = HOURLY[tier]
    return Forecast(
        runs=company.accounts * sum(cost.runs for cost in costs),
        calls=company.accounts * len(made),
        hours=max(made[-1][0], listed + waves * RUN_SECONDS) / HOUR_SECONDS,
        busiest=company.accounts * max(hours.values()),
        share=max(hours.values()) / (base + per_ad * company.ads),
        peak=max(percent for _, percent in made),
        bound_by=(
            "listings of objects"
            if listed > waves * RUN_SECONDS
            else _bound(made[-1][0] > 1.05 * freely, flight < ACCOUNT_RUNS)
        ),
    )


def _bound(by_score: bool, by_flight: bool) -> str:  # noqa: FBT001  # two answers, one word
    if by_score:
        return "each account's score"
    return "report runs in flight" if by_flight else "Meta's time for report runs"


def calls_of(
    costs: Sequence[Cost], pace: Pace, flight: float, listed: float = 0.0
) -> Iterator[tuple[float, float]]:
    """When each call of an account is made, in seconds, and the share of its score after it.

    `flight`: its report runs in flight where nothing holds them up. The score drains evenly, also
    until the objects of all accounts are `listed`: that is when report runs begin.
    """
    now = last = level = 0.0
    for n, cost in enumerate(costs):
        if cost.runs:
            now = max(now, listed)
        left = max(0.0, level - (now - last) * pace.points / pace.decay_seconds)
        usage = {Limit(_ACCOUNT): 100 * left / pace.points}
        # Runs that are in flight when the first of them is done were all asked without knowing it.
        ages = poll_ages(RUN_SECONDS if n >= flight else 0.0, patience(usage, _ACCOUNT))
        calls = cost.calls + (len(ages) - POLLS_PER_RUN) * cost.runs
        here = flight * allowed(usage, _ACCOUNT, ACCOUNT_RUNS) / ACCOUNT_RUNS
        every = ages[-1] / (here * calls) if cost.runs else 0.0
        for nth in range(calls):
            level = max(0.0, level - (now - last) * pace.points / pace.decay_seconds)
            level += WRITE_POINTS if nth == 0 and cost.runs else 1
            last, percent = now, 100 * level / pace.points
            yield now, percent
            now += max(every, cooldown_seconds(percent))


def poll_ages(took_seconds: float, times: float) -> Sequence[float]:
    """Ages at which a report run of `RUN_SECONDS` is polled, the last when it is found done.

    It reports its progress from half-time on. `took_seconds`: what another run took, if that is
    known. Waits are `times` as long as usual.
    """
    ages = [poll_seconds(0.0, 0)]
    while ages[-1] < RUN_SECONDS:
        part = ages[-1] / RUN_SECONDS
        percent = int(DONE_PERCENT * part) if part >= HALF else 0
        ages.append(ages[-1] + times * poll_seconds(ages[-1], percent, took_seconds=took_seconds))
    return ages


#: Companies that docs/scaling.md speaks of.
COMPANIES: Final = {
    "10 accounts": Company(10),
    "500 accounts": Company(500),
    "500 accounts, 4 processes": Company(500, processes=4),
    "500 accounts, 1,000 creatives each": Company(500, library=1000),
    "500 accounts, 10,000 creatives each, 2 processes": Company(500, library=10_000, processes=2),
    "10,000 accounts": Company(10_000),
    "10,000 accounts, 40 processes": Company(10_000, processes=40),
}


def lines(companies: Mapping[str, Company]) -> Iterator[Sequence[str]]:
    """A line for each access tier, company and load."""
    for tier in PACES:
        for name, company in companies.items():
            loads = {
                "refresh": refresh(company),
                "28 days": backfill(company, 28),
                "13 months": backfill(company, 395),
            }
            for load, costs in loads.items():
                load_forecast = forecast(company, costs, tier)
                yield (
                    *(
                        tier,
                        name,
                        load,
                        f"{load_forecast.runs:,}",
                        f"{load_forecast.calls:,}",
                        _span(load_forecast.hours),
                    ),
                    *(
                        f"{load_forecast.busiest:,}",
                        f"{load_forecast.share:.1%}",
                        f"{load_forecast.peak:.0f} %",
                    ),
                    load_forecast.bound_by,
                )


def _span(hours: float) -> str:
    minutes = ceil(60 * hours)
    return f"{minutes} min" if minutes < 120 else f"{hours:,.1f} h"  # noqa: PLR2004  # two hours


HEADER: Final = (
    *("access tier", "company", "load", "report runs", "calls", "takes"),
    *("busiest hour, calls", "of an account's hour", "of its score", "bound by"),
)


def render(companies: Mapping[str, Company]) -> str:
    """The table in Markdown."""
    rows = [HEADER, *lines(companies)]
    rule = "|---" * len(HEADER) + "|"
    rows_shown = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([rows_shown[0], rule, *rows_shown[1:]])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or that of a company of the arguments'."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quota_sim")
    for one in fields(Company):
        parser.add_argument(f"--{one.name}", type=int, help=f"default {one.default}")
    said = {name: n for name, n in vars(parser.parse_args(arguments)).items() if n is not None}
    own = {"yours": Company(**{"accounts": 1, **said})}
    print(render(own if said else COMPANIES))


if __name__ == "__main__":
    main()
