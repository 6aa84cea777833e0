"""Loads of 5 accounts and 7 days under quotas that block for minutes; time passes for nobody else.

What a load may do at best follows from the quota: points drain away at a rate, a limit that nobody
has told it of is found by one call that is refused, and nobody calls while it rests.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.limits.quota import QUOTAS, Quota
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.state.cooldowns import cooldowns_of
from tests.clock import Calling, VirtualClock
from tests.pace import PATIENCE_SECONDS
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.storage.bucket import Bucket
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from warehouse.storage.store import Store

    Start = Callable[[Quota], "Company"]

#: On the hour, because minutes of quotas are the clock's.
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
ACCOUNTS: Final = 5

#: No two neighbours: seven report runs for each account.
DAYS: Final = [date(2026, 11, day) for day in (2, 4, 6, 8, 10, 12, 14)]

#: So wide that nothing blocks; each test narrows what it is about.
WIDE: Final = replace(
    QUOTAS["limited"],
    score=10_000,
    insights=100_000,
    management=100_000,
    app_insights=100_000,
    app_per_user=100_000,
    insights_per_ad=0,
    management_per_ad=0,
)


class Company:
    """A sandbox whose quotas and report runs go by the clock of those who call it."""

    def __init__(self, folder: Path, quota: Quota, store_of: Callable[[int], Store]) -> None:
        self.folder = folder
        self.store_of = store_of
        self.clock = VirtualClock(NOW)
        self.sandbox = Sandbox(
            world="hostile", now=self.clock, accounts=ACCOUNTS, quota=quota, run_seconds=20.0
        )

    def use_up(self, calls: int, path: str, account_ids: Sequence[str]) -> None:
        """Somebody else's calls."""
        bearer = {"Authorization": f"Bearer {self.sandbox.token}"}
        day = f'{{"since":"{DAYS[0]}","until":"{DAYS[0]}"}}'
        with httpx.Client(base_url=f"{self.sandbox.url}/v26.0", headers=bearer) as other:
            for n in range(calls):
                account_id = account_ids[n % len(account_ids)]
                params = {"time_range": day} if path else {}
                other.get(f"/act_{account_id}{path}", params=params)
        self.sandbox.reset_calls()

    def loads(self, number: int, *, apart_seconds: float = 0.0) -> Sequence[Mapping[str, float]]:
        """What `load` gives, of so many on several machines that share what they know of limits.
        Each begins so long after the one before.
        """
        all_are_there = Barrier(
            number, timeout=PATIENCE_SECONDS
        )  # before one of them lets time go on
        with ThreadPoolExecutor(number) as pool:
            ends = [
                pool.submit(self.load, n, apart_seconds * n, all_are_there) for n in range(number)
            ]
            return [one.result() for one in ends]

    def load(
        self, number: int = 0, after_seconds: float = 0.0, all_are_there: Barrier | None = None
    ) -> Mapping[str, float]:
        """Load everything; when the last day of each account was done, by the clock."""
        accounts = {
            one["account_id"]: Account(one["account_id"], one["timezone_name"], one["currency"])
            for one in self.sandbox.world()["accounts"]
        }
        ended: dict[str, float] = {}
        with (
            self.clock.deciding(),
            GraphClient(
                self.sandbox.token,
                base_url=self.sandbox.url,
                sleep=self.clock.sleep,
                clock=self.clock.seconds,
                jitter=random.Random(number).random,  # noqa: S311  # seeded, no secret
                transport=Calling(self.clock),
                cooldowns=cooldowns_of(self.store_of(number), self.clock.seconds),
            ) as client,
        ):
            if all_are_there:
                all_are_there.wait()
            self.clock.sleep(after_seconds)
            loader = Loader(
                client,
                Lake(self.folder / f"{number}"),
                accounts,
                f"run {number}",
                now=self.clock,
                wait=self.clock.wait,
            )
            wanted = [AccountDay(key, day) for key in accounts for day in DAYS]
            for outcome in loader.load(HOURLY_REPORT, wanted):
                assert outcome.load, outcome
                assert outcome.load.proven, outcome
                ended[outcome.account_day.account_id] = self.clock.seconds()
        return ended

    def blocked(self, what: str) -> Mapping[str, int]:
        """By account, or ``app``: blocks, calls into_blocks, or all that were refused."""
        told: Mapping[str, Any] = self.sandbox.calls()["blocked"]
        return {key: one[what] for key, one in told.items() if one[what]}


def same_folder(tmp_path: Path, _: pytest.FixtureRequest) -> Callable[[int], Store]:
    return lambda _: Folder(tmp_path)


def same_bucket(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[int], Store]:
    bucket = request.getfixturevalue("s3").new_bucket()
    return lambda number: Bucket(bucket, "lake", tmp_path / f"machine{number}")


@pytest.fixture(params=[same_folder])
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Start]:
    with ExitStack() as stack:
        store_of = request.param(tmp_path, request)

        def starting(quota: Quota) -> Company:
            company = Company(tmp_path, quota, store_of)
            stack.enter_context(company.sandbox)
            return company

        yield starting


def test_resting_by_the_headers_a_load_is_never_blocked_by_the_smallest_score(start: Start) -> None:
    """Meta's score of limited access: a read has 1 point, a write 3, and 60 drain away in 300 s."""
    company = start(replace(WIDE, score=60, block_seconds=300))

    company.load()

    spent = {kind: one["count"] for kind, one in company.sandbox.calls()["spent"].items()}
    points = 3 * spent["create_run"] + sum(spent[k] for k in ("poll_run", "read_run", "insights"))
    least_seconds = (points / ACCOUNTS - 60) / (60 / 300)
    assert company.blocked("refused") == {}
    assert least_seconds > 0
    assert company.clock.seconds() < 2 * least_seconds + 120


def test_a_limit_of_the_hour_that_others_used_up_blocks_each_account_once(start: Start) -> None:
    company = start(replace(WIDE, insights=100))
    company.use_up(99 * ACCOUNTS, "/insights", company.sandbox.account_ids)
    company.clock.sleep(56 * 60)

    company.load()

    once = dict.fromkeys(company.sandbox.account_ids, 1)
    assert company.blocked("blocks") == once
    assert company.blocked("into_blocks") == {}


def test_an_account_that_is_blocked_is_called_once_and_holds_up_nobody(start: Start) -> None:
    company = start(replace(WIDE, score=60, block_seconds=900))
    first, *others = company.sandbox.account_ids
    company.use_up(61, "", [first])

    ended = company.load()

    assert company.blocked("refused") == {first: 1}
    assert max(ended[account_id] for account_id in others) < 900 < ended[first]


def test_while_the_whole_app_is_blocked_one_call_at_a_time_finds_out_how_long(start: Start) -> None:
    """Meta does not say how long: after one minute, two and four more somebody looks. Beside these
    calls only a poll is refused that was on its way when the block came.
    """
    company = start(replace(WIDE, app_insights=800))
    company.use_up(799, "/insights", company.sandbox.account_ids)
    company.clock.sleep(55 * 60)

    company.load()

    assert company.blocked("blocks") == {"app": 1}
    assert company.blocked("into_blocks")["app"] <= 3


@pytest.mark.parametrize(
    "start", [same_folder, pytest.param(same_bucket, marks=pytest.mark.slow)], indirect=True
)
def test_two_loads_share_what_they_know_of_limits(start: Start) -> None:
    """Together they call into blocks no more often than one of them would alone."""
    company = start(replace(WIDE, score=60, block_seconds=400))
    company.use_up(61 * ACCOUNTS, "", company.sandbox.account_ids)

    ended = company.loads(2, apart_seconds=100.0)

    assert [len(one) for one in ended] == [ACCOUNTS, ACCOUNTS]
    assert company.blocked("refused") == dict.fromkeys(company.sandbox.account_ids, 1)


@pytest.mark.parametrize("start", [same_bucket], indirect=True)
def test_two_loads_of_the_same_accounts_rest_together_and_are_never_blocked(start: Start) -> None:
    company = start(replace(WIDE, score=60, block_seconds=300))

    ended = company.loads(2)

    assert [len(one) for one in ended] == [ACCOUNTS, ACCOUNTS]
    assert company.blocked("refused") == {}
