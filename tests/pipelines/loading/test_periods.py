"""Reports by week and month, from the sandbox into lake, published file and Dagster's grid."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.cli.commands.status import run_status
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.refreshing.changes import find_changes, reload
from pipelines.loading.session import Session
from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import READY, preset_files
from tests.clock import Clock
from tests.pipelines.docs.test_questions import BY_PERIOD, QUESTIONS
from tests.pipelines.loading.tampering import CONTROL_PAGES, REPORT_PAGES, Tampering
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import httpx

    from pipelines.loading.load_result import Outcome
    from pipelines.reports.catalog import Reports
    from warehouse.lake.records import Load

WEEKLY, MONTHLY = "insights_weekly_reach", "insights_monthly_reach"

#: A Wednesday, and a Monday three hours and more after the end of that week in every zone.
OPEN = datetime(2026, 11, 18, 20, tzinfo=UTC)
OVER = datetime(2026, 11, 23, 20, tzinfo=UTC)

LAST_WEEK, THIS_WEEK = date(2026, 11, 9), date(2026, 11, 16)
LAST_MONTH, THIS_MONTH = date(2026, 10, 1), date(2026, 11, 1)

#: The same by day.
DAILY = read_reports([READY / "insights_campaign_daily.yaml"]).by_name["insights_campaign_daily"]

REPORTS = read_reports(READY.glob("insights_*ly_reach.yaml"), preset_files())


class World(NamedTuple):
    """A sandbox and a lake of it, and the time of both."""

    sandbox: Sandbox
    lake: Lake
    clock: Clock
    reports: Reports

    def load(
        self,
        report: str,
        firsts: Sequence[date],
        accounts: Sequence[str] = (),
        transport: httpx.BaseTransport | None = None,
    ) -> Sequence[Outcome]:
        with self.client(transport) as client:
            store_accounts(self.lake, discover(client).rows, self.clock.now)
            loader = Loader(
                *(client, self.lake, accounts_in(self.lake), f"run of {self.clock.now}"),
                now=self.clock,
            )
            ids = accounts or self.sandbox.account_ids
            wanted = [AccountDay(account_id, first) for account_id in ids for first in firsts]
            return list(loader.load(self.reports.by_name[report], wanted))

    def client(self, transport: httpx.BaseTransport | None = None) -> GraphClient:
        own = Clock()  # waits for nothing
        return GraphClient(
            *(self.sandbox.token,),
            base_url=self.sandbox.url,
            transport=transport,
            sleep=own.sleep,
            clock=own.seconds,
        )

    def people(self, account_id: str, since: date, until: date) -> dict[str, tuple[Any, ...]]:
        """Campaign → impressions, spend and people of a range: sums of what its days truly
        delivered, and the people of its days as the sandbox's README has them.
        """
        shown: defaultdict[str, int] = defaultdict(int)
        spent: defaultdict[str, Decimal] = defaultdict(Decimal)
        for n in range((until - since).days + 1):
            for row in self.sandbox.truth(account_id, since + timedelta(days=n), ())["rows"]:
                shown[row["campaign_id"]] += int(row["impressions"])
                spent[row["campaign_id"]] += Decimal(row["spend"])
        by_day: defaultdict[str, list[int]] = defaultdict(list)
        with self.client() as client:
            for row in client.account(account_id).insights(**DAILY.params(since, until)):
                by_day[str(row["campaign_id"])].append(int(str(row["reach"])))
        return {
            one: (shown[one], spent[one], max(days) + (sum(days) - max(days)) // 2)
            for one, days in by_day.items()
        }

    def loaded(self, report: str, account_id: str, first: date) -> dict[str, tuple[Any, ...]]:
        """The same of the lake."""
        rows = self.lake.read(report, account_id=account_id, date=first).to_pylist()
        return {
            row["campaign_id"]: (row["impressions"], row["spend"], row["reach"]) for row in rows
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock = Clock(OPEN)
    lake = Lake(tmp_path_factory.mktemp("work") / "data", clock, catalog=REPORTS.catalog)
    with Sandbox(now=clock) as sandbox:
        yield World(sandbox, lake, clock, REPORTS)


def _loads(outcomes: Sequence[Outcome]) -> Sequence[Load]:
    assert [one.error for one in outcomes if one.error] == []
    return [one.load for one in outcomes if one.load]


def test_a_week_is_provisional_while_it_goes_on_then_proven_and_its_people_are_its_own(
    world: World,
) -> None:
    world.clock.now = OPEN
    before = _loads(world.load(WEEKLY, [LAST_WEEK, THIS_WEEK]))
    stops = {
        row["date_stop"]
        for row in world.lake.read(WEEKLY, date=THIS_WEEK).select(["date_stop"]).to_pylist()
    }
    world.clock.now = OVER
    after = _loads(world.load(WEEKLY, [THIS_WEEK]))
    again = _loads(world.load(WEEKLY, [THIS_WEEK]))

    assert {load.verdict for load in before if load.date == LAST_WEEK} == {"proven"}
    assert {load.verdict for load in before if load.date == THIS_WEEK} == {"provisional"}
    reasons = {load.reason for load in before if load.date == THIS_WEEK}
    assert all(why.startswith("the week was not over when Meta was asked; ") for why in reasons)
    assert stops == {date(2026, 11, 18), date(2026, 11, 19)}  # it is Thursday in Auckland
    assert {load.verdict for load in (*after, *again)} == {"proven"}
    rows = {(load.account_id, load.rows, load.spend) for load in after}
    assert rows == {(load.account_id, load.rows, load.spend) for load in again}
    for account_id in world.sandbox.account_ids:
        truth = world.people(account_id, THIS_WEEK, date(2026, 11, 22))
        assert world.loaded(WEEKLY, account_id, THIS_WEEK) == truth
    table = world.lake.read(WEEKLY, date=THIS_WEEK).to_pylist()
    assert {(row["date"], row["date_stop"]) for row in table} == {(THIS_WEEK, date(2026, 11, 22))}


def test_a_month_has_people_of_its_own_who_are_fewer_than_those_of_its_weeks(
    world: World,
) -> None:
    world.clock.now = OVER
    loads = _loads(world.load(MONTHLY, [LAST_MONTH, THIS_MONTH]))

    assert {load.verdict for load in loads if load.date == LAST_MONTH} == {"proven"}
    assert {load.verdict for load in loads if load.date == THIS_MONTH} == {"provisional"}
    for account_id in world.sandbox.account_ids[:2]:
        truth = world.people(account_id, LAST_MONTH, date(2026, 10, 31))
        assert world.loaded(MONTHLY, account_id, LAST_MONTH) == truth
        weeks = [date(2026, 10, 5) + timedelta(days=7 * n) for n in range(3)]
        of_weeks = [world.people(account_id, day, day + timedelta(days=6)) for day in weeks]
        for campaign_id, (_, _, people) in truth.items():
            parts = [week.get(campaign_id, (0, 0, 0))[2] for week in of_weeks]
            assert max(parts) <= people
    assert any(loads)


@pytest.mark.parametrize(
    ("page", "key", "value", "verdict"),
    [
        (REPORT_PAGES, "date_stop", "2026-11-21", "failed"),
        (REPORT_PAGES, "date_start", "2026-11-17", "failed"),
        (CONTROL_PAGES, "date_stop", "2026-11-21", "failed"),
        (CONTROL_PAGES, "impressions", "1", "unproven"),
    ],
)
def test_rows_of_another_range_are_rejected_and_totals_are_those_of_the_week(
    world: World, tmp_path: Path, page: str, key: str, value: str, verdict: str
) -> None:
    world.clock.now = OVER
    fresh = world._replace(lake=Lake(tmp_path, world.clock, catalog=REPORTS.catalog))

    def spoil(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if "impressions" in row:
                row[key] = value

    [outcome] = fresh.load(
        WEEKLY, [THIS_WEEK], world.sandbox.account_ids[:1], Tampering(page, spoil)
    )

    assert (outcome.load.verdict if outcome.load else "failed") == verdict
    assert value in (outcome.error or (outcome.load.reason if outcome.load else ""))


def test_what_meta_no_longer_keeps_is_refused_by_name_and_newer_weeks_load(world: World) -> None:
    world.clock.now = OVER
    oldest = date(2023, 10, 23)  # 37 months before, a Monday
    firsts = [oldest + timedelta(days=n) for n in (-14, -7, 0, 7)]

    outcomes = world.load(WEEKLY, firsts, world.sandbox.account_ids[:1])

    failed = {one.account_day.day: one.error for one in outcomes if one.error}
    assert sorted(failed) == firsts[:2]
    assert all(why.startswith("Older than Meta keeps: (#3018)") for why in failed.values())
    [odd] = world.load(WEEKLY, [date(2026, 11, 17)], world.sandbox.account_ids[:1])
    assert odd.error == "no week begins on 2026-11-17: load the one that begins on 2026-11-16"


def test_questions_about_fatigue_and_the_people_of_a_month_have_the_right_answers(
    world: World,
) -> None:
    world.clock.now = OVER
    [account_id, *_] = world.sandbox.account_ids
    world.load(WEEKLY, [LAST_WEEK, THIS_WEEK], [account_id])
    world.load(MONTHLY, [LAST_MONTH], [account_id])
    publish(world.lake.root, catalog=REPORTS.catalog)
    with warehouse.open(world.lake.root) as opened:
        tired, of_month = (opened.arrow(QUESTIONS[n]).to_pylist() for n in sorted(BY_PERIOD))
        [(name,)] = opened.sql(
            f"from accounts select account_name where account_id = '{account_id}'"
        ).fetchall()
        named = "from insights_weekly_reach select campaign_id, campaign_name"
        names = dict(opened.sql(named).fetchall())

    for first in (LAST_WEEK, THIS_WEEK):
        truth = world.people(account_id, first, first + timedelta(days=6))
        found = [row for row in tired if (row["account_name"], row["week"]) == (name, first)]
        assert sorted((row["campaign_name"], row["reach"]) for row in found) == sorted(
            (names[campaign_id], people) for campaign_id, (_, _, people) in truth.items()
        )
    changes = [row for row in tired if row["more_often"] is not None]
    assert any(row["ctr_change"] is not None and row["week"] == THIS_WEEK for row in changes)
    truth = world.people(account_id, LAST_MONTH, date(2026, 10, 31))
    found = [row for row in of_month if (row["account_name"], row["month"]) == (name, LAST_MONTH)]
    costs = {row["reach"]: row["per_thousand"] for row in found if row["reach"]}
    paid = {people: float(1000 * spend / people) for _, spend, people in truth.values() if people}
    assert costs == pytest.approx(paid, abs=0.006)
    assert {(row["until"], row["verdict"]) for row in found} == {(date(2026, 10, 31), "proven")}


def test_status_and_failures_go_by_the_week(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.clock.now = OVER
    good, bad = world.sandbox.account_ids[:2]
    world.load(WEEKLY, [LAST_WEEK, THIS_WEEK], [good, bad])
    world.sandbox.use("forbidden_account")
    world.load(WEEKLY, [LAST_WEEK], [bad])
    world.sandbox.use()
    environ = {"WAREHOUSE_URL": str(world.lake.root)}

    code = run_status(
        *(environ, REPORTS, date(2026, 11, 12), date(2026, 11, 18)),
        accounts=[good, bad],
        reports=[WEEKLY],
    )

    out, err = capsys.readouterr()
    assert code == 1
    assert [" ".join(line.split()[-7:-4]) for line in out.splitlines()[2:]] == [
        "2 weeks 2",
        "2 weeks 1",
    ]
    assert f"  {WEEKLY}: {LAST_WEEK}\n    failed: (#200)" in err
    publish(world.lake.root, catalog=REPORTS.catalog)
    with warehouse.open(world.lake.root) as opened:
        failed = f"from failures select date, command where account_id = '{bad}'"
        [row] = opened.sql(failed).fetchall()
    command = f"fbinsights backfill --since {LAST_WEEK} --until {LAST_WEEK} --account act_{bad}"
    assert row == (LAST_WEEK, f"{command} --report {WEEKLY}")
    world.load(WEEKLY, [LAST_WEEK], [bad])


def test_a_refresh_loads_every_week_and_month_of_the_lookback(world: World) -> None:
    world.clock.now = OVER
    [account_id, *_] = world.sandbox.account_ids
    with world.client() as client:
        session = Session(client, world.lake, "refresh", world.clock, Recording())
        found = find_changes(
            *(session, world.reports, discover(client), [f"act_{account_id}"], OVER),
            full=False,
            begins=date(2025, 10, 23),
        )
        reload(session, world.reports.by_name, found)

    weeks = [one.day for one in found.to_reload[WEEKLY]]
    assert weeks == [date(2026, 11, 23) - timedelta(days=7 * n) for n in range(5)]
    assert [one.day for one in found.to_reload[MONTHLY]] == [THIS_MONTH, LAST_MONTH]
    assert not found.failed
    file = publish(world.lake.root, catalog=REPORTS.catalog)
    assert file.rows[WEEKLY] > file.rows[MONTHLY] > 0
