"""The verdicts through the real path: the sandbox over a socket, the loader, the lake."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph import GraphClient
from fbgraph.reports.engine import wait_for_any
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.failures import Failures
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import CONTROL, HOURLY_REPORT, Report
from pipelines.reports.spec import ReportSpec
from tests.clock import Clock
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Future

    from pipelines.loading.load_result import Outcome

DAY = date(2026, 11, 22)
TOKYO, BERLIN = "Asia/Tokyo", "Europe/Berlin"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(world="hostile", now=clock) as running:
        yield running


@pytest.fixture
def load(sandbox: Sandbox, client: GraphClient, lake: Lake, clock: Clock) -> Callable[..., Outcome]:
    def loading(
        zone: str = BERLIN, day: date = DAY, report: Any = HOURLY_REPORT, **more: Any
    ) -> Outcome:
        store_accounts(lake, discover(client).rows, clock.now)
        knowing = Lake(lake.root, catalog=lake.catalog.with_table(report.table))
        loader = Loader(
            *(client, knowing, accounts_in(lake), f"run {clock.now}"), now=clock, **more
        )
        [outcome] = loader.load(report, [AccountDay(account_in(sandbox, zone), day)])
        return outcome

    return loading


def account_in(sandbox: Sandbox, zone: str) -> str:
    accounts = sandbox.world()["accounts"]
    return next(str(a["account_id"]) for a in accounts if a["timezone_name"] == zone)


# -- a day that is not over --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "over_at"),
    [
        (BERLIN, date(2026, 11, 22), "2026-11-23T02:00:00+00:00"),
        (TOKYO, date(2026, 11, 22), "2026-11-22T18:00:00+00:00"),
        (BERLIN, date(2026, 10, 25), "2026-10-26T02:00:00+00:00"),  # 25 hours
        (BERLIN, date(2026, 10, 24), "2026-10-25T01:00:00+00:00"),  # the clock changes afterwards
    ],
)
def test_a_day_is_provisional_until_three_hours_after_its_end_by_the_accounts_clock(
    load: Callable[..., Outcome], clock: Clock, zone: str, day: date, over_at: str
) -> None:
    clock.now = datetime.fromisoformat(over_at) - timedelta(hours=3, seconds=1)
    within = load(zone, day).load
    clock.now += timedelta(hours=3)
    before = load(zone, day).load
    clock.now += timedelta(seconds=1)
    after = load(zone, day).load

    assert within
    assert before
    assert after
    assert within.reason.startswith("the day was not over when Meta was asked; ")
    assert (before.verdict, before.is_over) == ("provisional", False)
    assert [one.last_whole_hour for one in (within, before, after)] == [19, 22, None]
    assert before.reason.startswith("the day had not been over for 3 hours when Meta was asked; ")
    assert (after.verdict, after.is_over, after.asked_at) == ("proven", True, clock.now)


def test_an_open_day_that_does_not_add_up_says_by_how_much_after_one_second_look(
    sandbox: Sandbox, load: Callable[..., Outcome], clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    sandbox.use("wrong_rows")

    found = load().load

    assert found
    assert found.verdict == "provisional"
    assert "short of the account's total" in found.reason
    assert len(sandbox.calls()["runs"]) == 2


def test_totals_of_an_open_day_are_provisional_too(
    load: Callable[..., Outcome], clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    found = load(report=CONTROL).load
    by_the_hour = load(delay=timedelta(hours=1)).load

    assert found
    assert (found.verdict, found.is_over, found.last_whole_hour) == ("provisional", False, 9)
    assert by_the_hour
    assert (by_the_hour.last_whole_hour, by_the_hour.day_gone) == (11, 0.5)  # at 13:00


@pytest.mark.parametrize("verdict", ["proven", "unproven", "unprovable"])
def test_an_open_day_never_replaces_one_that_was_over_whatever_its_verdict(
    sandbox: Sandbox, load: Callable[..., Outcome], lake: Lake, clock: Clock, verdict: str
) -> None:
    """A run that began before the day was over may end after another one loaded the day."""
    spec = ReportSpec(
        name="insights_image",
        level="ad",
        fields=("impressions", "spend"),
        breakdowns=("image_asset",),
    )
    report = Report.of(spec) if verdict == "unprovable" else HOURLY_REPORT
    sandbox.use(*(["wrong_rows"] if verdict == "unproven" else []))
    closed = load(report=report).load
    sandbox.use()
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    late = load(report=report)

    assert closed
    assert (closed.verdict, closed.is_over) == (verdict, True)
    assert (late.load, lake.load_of(report.name, *late.account_day)) == (None, closed)
    assert "was kept" in late.error


@pytest.mark.parametrize(("minutes", "verdict"), [(-10, "provisional"), (10, "proven")])
def test_a_report_run_that_another_process_downloads_is_as_old_as_its_creation(  # fixtures
    sandbox: Sandbox,
    load: Callable[..., Outcome],
    lake: Lake,
    clock: Clock,
    impatient: dict[str, Any],
    minutes: int,
    verdict: str,
) -> None:
    created = clock.now = datetime(2026, 11, 23, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    cell = AccountDay(account_in(sandbox, BERLIN), DAY)

    def die_with_a_run(futures: Collection[Future[Any]], seconds: float) -> Any:
        done = wait_for_any(futures, seconds)
        if lake.store.find(".runs/insights_hourly/*/*.json"):
            raise KeyboardInterrupt
        return done

    with GraphClient(sandbox.token, base_url=sandbox.url, **impatient) as client:
        store_accounts(lake, discover(client).rows, clock.now)
        first = Loader(*(client, lake, accounts_in(lake), "killed"), now=clock, wait=die_with_a_run)
        with pytest.raises(KeyboardInterrupt):
            list(first.load(HOURLY_REPORT, [cell]))
    clock.now += timedelta(minutes=40)  # over, whenever the run was created
    resumed = load().load
    runs = [run["id"] for run in sandbox.calls()["runs"]]
    clock.now += timedelta(hours=1)
    again = load().load

    assert resumed
    assert list(resumed.report_run_ids) == runs
    assert len(runs) == 1
    assert (resumed.asked_at, resumed.loaded_at) == (created, created + timedelta(minutes=40))
    assert (resumed.verdict, resumed.is_over) == (verdict, verdict == "proven")
    assert again
    assert (again.verdict, again.asked_at) == ("proven", clock.now)


# -- emptiness ---------------------------------------------------------------------------------


def stored(lake: Lake, cell: AccountDay) -> list[bytes]:
    return [
        lake.store.read(lake.key(table, *cell)) for table in ("insights_hourly", "control_daily")
    ]


def test_a_day_that_had_rows_becomes_empty_by_a_second_look_an_hour_later(
    sandbox: Sandbox, load: Callable[..., Outcome], lake: Lake, clock: Clock
) -> None:
    cell = load().account_day
    before, first = stored(lake, cell), clock.now
    sandbox.use("empty_hour:600")

    looks = []
    for minutes in (0, 30, 59):
        clock.now = first + timedelta(minutes=minutes)
        looks.append(load())
    kept = stored(lake, cell)
    failed = Failures(lake.store, "insights_hourly").of_day(*cell)
    clock.now = first + timedelta(minutes=60)
    last = load()

    assert [(one.load, one.kind) for one in looks] == [(None, "empty")] * 3
    assert kept == before
    assert failed
    assert failed.empty_since == first.isoformat()
    assert "Load it again after 2026-11-23 21:00 UTC" in looks[-1].error
    assert "--accept-empty" in looks[-1].error
    assert last.load
    assert (last.load.verdict, last.load.rows) == ("proven", 0)
    assert lake.read("control_daily", account_id=cell.account_id, date=cell.day).num_rows == 0
    assert Failures(lake.store, "insights_hourly").of_day(*cell) is None


def test_rows_that_come_back_are_loaded_and_the_next_emptiness_is_a_first_one(
    sandbox: Sandbox, load: Callable[..., Outcome], clock: Clock
) -> None:
    load()
    sandbox.use("empty_hour:600")
    empty = load()
    sandbox.use()
    clock.now += timedelta(hours=2)
    back = load()
    sandbox.use("empty_hour:600")
    again = load()

    assert (empty.kind, again.kind) == ("empty", "empty")
    assert back.load
    assert back.load.proven


def test_a_first_look_by_a_clock_that_was_behind_is_none(
    sandbox: Sandbox, load: Callable[..., Outcome], clock: Clock
) -> None:
    first = clock.now
    load()
    sandbox.use("empty_hour:600")

    looks = []
    for minutes in (-180, 1, 60):
        clock.now = first + timedelta(minutes=minutes)
        looks.append(load())

    assert [one.kind for one in looks] == ["empty", "empty", ""]
    assert "Load it again after 2026-11-23 21:00 UTC" in looks[1].error
    assert looks[-1].load


def test_a_person_may_accept_that_a_day_is_empty(
    sandbox: Sandbox, load: Callable[..., Outcome]
) -> None:
    load()
    sandbox.use("empty_hour:600")

    found = load(accept_empty=True).load

    assert found
    assert (found.verdict, found.rows) == ("proven", 0)


def test_a_first_load_without_rows_and_totals_is_proven_but_not_where_there_were_totals(
    sandbox: Sandbox, load: Callable[..., Outcome]
) -> None:
    load(BERLIN, report=CONTROL)
    sandbox.use("empty_hour:600")

    first, had_totals = load(TOKYO), load(BERLIN)

    assert first.load
    assert (first.load.verdict, first.load.rows) == ("proven", 0)
    assert had_totals.kind == "empty"
    assert "the account's totals loaded at 2026-11-23 20:00 UTC were kept" in had_totals.error


def test_totals_that_vanish_are_kept_until_a_second_look(
    sandbox: Sandbox, load: Callable[..., Outcome], clock: Clock
) -> None:
    load(report=CONTROL)
    sandbox.use("empty_hour:600")

    first = load(report=CONTROL)
    clock.now += timedelta(hours=1)
    second = load(report=CONTROL)

    assert (first.load, first.kind) == (None, "empty")
    assert second.load
    assert second.load.rows == 0


def test_totals_that_a_report_brought_back_make_the_next_emptiness_a_first_one(
    sandbox: Sandbox, load: Callable[..., Outcome], lake: Lake, clock: Clock
) -> None:
    """Whoever asks for totals, a failure of theirs is over."""
    load()
    sandbox.use("empty_hour:600")
    empty = load(report=CONTROL)
    sandbox.use()
    clock.now += timedelta(hours=2)
    load()
    failed = Failures(lake.store, CONTROL.name).of_day(*empty.account_day)
    sandbox.use("empty_hour:600")
    clock.now += timedelta(days=1)
    again = load(report=CONTROL)

    assert (empty.kind, failed, again.kind) == ("empty", None, "empty")
    assert lake.read(CONTROL.name, account_id=again.account_day.account_id).num_rows == 1


# -- breakdowns and rounding -------------------------------------------------------------------


@pytest.mark.parametrize("report", ["insights_hourly", "insights_age_gender"])
def test_rows_without_the_breakdown_that_was_asked_for_are_unproven_and_replace_nothing_proven(
    sandbox: Sandbox, load: Callable[..., Outcome], lake: Lake, report: str
) -> None:
    load(BERLIN, report=KNOWN.by_name[report])
    sandbox.use("breakdowns_ignored")

    again, first = (
        load(BERLIN, report=KNOWN.by_name[report]),
        load(TOKYO, report=KNOWN.by_name[report]),
    )

    assert "is proven and was kept" in again.error
    assert "no row has the requested breakdown: " in again.error
    assert first.load
    assert first.load.verdict == "unproven"
    assert first.load.control.impressions == first.load.impressions
    assert lake.load_of(report, *again.account_day)


@pytest.mark.parametrize("report", ["insights_hourly", "insights_daily", "insights_age_gender"])
@pytest.mark.parametrize("zone", [TOKYO, BERLIN])
@pytest.mark.parametrize("back", range(10))
def test_rows_that_were_rounded_one_by_one_are_proven_and_all_there(
    sandbox: Sandbox, load: Callable[..., Outcome], lake: Lake, report: str, zone: str, back: int
) -> None:
    """The fewer the rows, the less may be off."""
    sandbox.use("rounded_spend")

    found = load(zone, DAY - timedelta(days=back), KNOWN.by_name[report]).load

    assert found
    assert found.proven, found.reason
    hourly, coin = report == "insights_hourly", 1 if zone == TOKYO else Decimal("0.01")
    assert abs(found.control.spend - found.totals.spend) <= coin * (60 if hourly else 12)
    if report != "insights_age_gender":  # the truth is of ads
        told = sandbox.truth(found.account_id, found.date, None if hourly else ())
        rows = lake.read(report, account_id=found.account_id, date=found.date)
        assert sorted(map(str, rows["spend"].to_pylist())) == sorted(
            f"{Decimal(row['spend']):.6f}" for row in told["rows"]
        )


def test_rounding_leaves_some_totals_other_than_their_rows(
    sandbox: Sandbox, load: Callable[..., Outcome]
) -> None:
    sandbox.use("rounded_spend")

    off = {
        name: [
            found.control.spend - found.totals.spend
            for back in range(4)
            if (found := load(TOKYO, DAY - timedelta(days=back), KNOWN.by_name[name]).load)
        ]
        for name in ("insights_hourly", "insights_daily")
    }

    assert all(any(differences) for differences in off.values()), off
