"""The simulation of `benchmarks/quota_sim.py` against the engine itself and the sandbox's quotas.

Time passes for nobody but the clock that both the engine and the sandbox go by.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from benchmarks.additions import most_creatives, render_objects, render_reports
from benchmarks.quota_sim import (
    COMPANIES,
    HOURLY,
    Company,
    backfill,
    forecast,
    listings,
    refresh,
    render,
)
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.limits.quota import QUOTAS
from pipelines.cli.forecasts import PACES, RUN_SECONDS
from pipelines.loading.estimate import UNKNOWN_ROWS, Cost, cost_of
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.loading.refreshing.refresh import FRESH_DAYS
from pipelines.reports.catalog import HOURLY_REPORT
from tests.clock import Calling, VirtualClock
from tests.objects import NEEDED
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
REPORT: Final = "insights_hourly"

#: Kinds of calls that a report costs.
KINDS: Final = ("create_run", "poll_run", "read_run", "insights")


class Counting(Calling):
    """Counts calls by the hour as Meta does: those in a batch, and not the batch."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._seconds = clock.seconds
        self.hours: Counter[int] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_batch = request.method == "POST" and not request.url.path.endswith("/insights")
        calls = request.read().count(b"relative_url") if is_batch else 1
        self.hours[int(self._seconds() // 3600)] += calls
        return super().handle_request(request)


def loaded(
    folder: Path, company: Company, days: Sequence[date], quota: str
) -> tuple[Mapping[str, Any], Mapping[int, int], float]:
    """What the sandbox tells of a load by the engine, calls by hour, and the hours it took."""
    clock = VirtualClock(NOW)
    counting = Counting(clock)
    with (
        Sandbox(
            world="hostile",
            now=clock,
            accounts=company.accounts,
            quota=quota,
            run_seconds=RUN_SECONDS,
        ) as sandbox,
        clock.deciding(),
        GraphClient(
            sandbox.token,
            base_url=sandbox.url,
            sleep=clock.sleep,
            clock=clock.seconds,
            jitter=random.Random(1).random,  # noqa: S311  # seeded, no secret
            transport=counting,
        ) as client,
    ):
        accounts = {
            one["account_id"]: Account(one["account_id"], one["timezone_name"], one["currency"])
            for one in sandbox.world()["accounts"]
        }
        loader = Loader(client, Lake(folder), accounts, "run", now=clock, wait=clock.wait)
        wanted = [AccountDay(key, day) for key in accounts for day in days]
        outcomes = list(loader.load(HOURLY_REPORT, wanted))
        assert all(one.load and one.load.proven for one in outcomes)
        return sandbox.calls(), counting.hours, clock.seconds() / 3600


def apart(count: int) -> Sequence[date]:
    """Days that have no neighbours: each is a report run of its own."""
    return [date(2026, 11, 22) - timedelta(days=2 * n) for n in range(count)]


def costs(days: Sequence[date], rows: int = 200) -> Sequence[Cost]:
    """What the planner foresees for days of few rows that are no neighbours."""
    return [cost_of([[day]], {day: rows}) for day in days]


@pytest.mark.parametrize(
    ("quota", "accounts", "runs", "bound_by"),
    [
        ("limited", 1, 4, "each account's score"),
        ("limited", 5, 14, "each account's score"),
        ("limited", 1, 120, "each account's score"),  # for more than an hour
        ("full", 10, 4, "report runs in flight"),
    ],
)
def test_at_the_small_end_the_engine_takes_the_calls_and_the_time_foreseen(
    tmp_path: Path, quota: str, accounts: int, runs: int, bound_by: str
) -> None:
    company = Company(accounts, rows=200, reports=1)
    days = apart(runs)
    told = forecast(company, costs(days), QUOTAS[quota].tier)

    calls, by_hour, hours = loaded(tmp_path, company, days, quota)

    made = sum(calls["spent"][kind]["count"] for kind in KINDS)
    assert calls["blocked"] == {}
    assert told.bound_by == bound_by
    assert len(calls["runs"]) == told.runs
    assert sum(by_hour.values()) == made
    assert made == pytest.approx(told.calls, rel=0.15)
    assert max(by_hour.values()) == pytest.approx(told.busiest, rel=0.15)
    assert hours == pytest.approx(told.hours, rel=0.25)


def test_a_refresh_asks_for_the_newest_days_and_for_those_that_moved() -> None:
    looks, *runs = refresh(Company(1, reports=3, moved=2))

    assert (looks.runs, looks.calls) == (0, len(NEEDED) + 1)
    assert sorted(run.rows for run in runs) == [
        *[UNKNOWN_ROWS] * 6,
        *[FRESH_DAYS * UNKNOWN_ROWS] * 3,
    ]


def test_more_processes_help_where_report_runs_in_flight_are_the_limit_and_not_beyond() -> None:
    one, four, many = (
        forecast(company, backfill(company, 28), "standard_access")
        for company in (Company(500, processes=n) for n in (1, 4, 1000))
    )

    assert (one.bound_by, many.bound_by) == ("report runs in flight", "Meta's time for report runs")
    assert one.hours == pytest.approx(4 * four.hours, rel=0.1)
    assert many.hours < four.hours


def test_the_documentation_has_the_table_that_is_printed_now() -> None:
    text = (Path(__file__).parents[3] / "docs" / "scaling.md").read_text(encoding="utf-8")

    most = [
        f"| {n} | {most_creatives(Company(500, processes=n), 'development_access'):,} |"
        for n in (1, 2, 4)
    ]

    assert render(COMPANIES) in text, "write it anew: python -m benchmarks.quota_sim"
    assert render_reports() in text, "write it anew: python -m benchmarks.additions"
    assert render_objects() in text, "write it anew: python -m benchmarks.additions"
    assert [line for line in most if line not in text] == []


def test_listings_come_before_report_runs_and_the_more_there_is_to_list_the_later_those_begin() -> (
    None
):
    tier = "development_access"
    each = [Company(500, library=n) for n in (0, 1000, 5000, 20_000)]
    hours = [forecast(one, refresh(one), tier).hours for one in each]
    [small, large] = [listings(Company(1, library=n)) for n in (100, 20_000)]

    assert hours == sorted(hours)
    assert forecast(each[-1], refresh(each[-1]), tier).bound_by == "listings of objects"
    assert set(small.values()) <= {1, 2}
    assert (large["ads"], large["creatives"]) == (40, 400)


def test_the_hourly_figures_are_those_that_the_sandbox_counts_by() -> None:
    """Both have them from Meta's documentation, each for itself."""
    of_sandbox = {q.tier: (q.insights, q.insights_per_ad) for q in QUOTAS.values()}
    points = {q.tier: (q.score, q.decay_seconds) for q in QUOTAS.values()}

    assert of_sandbox == HOURLY
    assert points == {tier: (pace.points, pace.decay_seconds) for tier, pace in PACES.items()}
