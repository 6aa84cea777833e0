"""A sandbox on a socket, a lake in a folder, and a loader between them that waits for nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT
from tests.clock import NOW, Clock
from tests.reports import KNOWN
from tests.seeds import dagster_at, seed_home, seed_lake
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import dagster as dg

    from pipelines.loading.load_result import Outcome

DAYS = [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]


@pytest.fixture
def impatient() -> dict[str, Any]:
    """Arguments of a client that waits for nothing and thinks that it did."""
    clock = Clock()
    return {"sleep": clock.sleep, "clock": clock.seconds}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(world="hostile", now=lambda: NOW) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox, impatient: dict[str, Any]) -> Iterator[GraphClient]:
    with GraphClient(sandbox.token, base_url=sandbox.url, **impatient) as opened:
        yield opened


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(seed_lake(tmp_path / "lake"), catalog=KNOWN.catalog)


@pytest.fixture
def instance(
    sandbox: Sandbox, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("FB_GRAPH_URL", sandbox.url)
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.token)
    monkeypatch.setenv("WAREHOUSE_URL", str(lake.root))
    with dagster_at(seed_home(tmp_path / "dagster")) as opened:
        yield opened


@pytest.fixture
def days() -> Sequence[date]:
    return DAYS


@pytest.fixture
def load(sandbox: Sandbox, client: GraphClient, lake: Lake) -> Callable[..., Sequence[Outcome]]:
    """Load days of all accounts, or of some, as one run would."""

    def loading(
        days: Sequence[date], account_ids: Sequence[str] = (), run_id: str = "run-1"
    ) -> Sequence[Outcome]:
        store_accounts(lake, discover(client).rows, NOW)
        loader = Loader(client, lake, accounts_in(lake), run_id, now=lambda: NOW)
        wanted = account_ids or sandbox.account_ids
        account_days = [AccountDay(account_id, day) for account_id in wanted for day in days]
        return list(loader.load(HOURLY_REPORT, account_days))

    return loading


@pytest.fixture
def truth_rows(sandbox: Sandbox) -> Callable[[str, date], list[tuple[Any, ...]]]:
    """What the sandbox served of an account-day: (ad, hour, impressions, clicks, spend)."""

    def rows(account_id: str, day: date) -> list[tuple[Any, ...]]:
        return sorted(map(_as_loaded, sandbox.truth(account_id, day)["rows"]), key=str)

    return rows


def _as_loaded(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["ad_id"],
        row["hour"],
        int(row["impressions"]),
        int(row["clicks"]),
        Decimal(row["spend"]),
    )


@pytest.fixture
def lake_rows(lake: Lake) -> Callable[[str, date], list[tuple[Any, ...]]]:
    """The same of the lake."""

    def rows(account_id: str, day: date) -> list[tuple[Any, ...]]:
        table = lake.read("insights_hourly", account_id=account_id, date=day)
        columns = ["ad_id", "hour", "impressions", "clicks", "spend"]
        return sorted((tuple(r.values()) for r in table.select(columns).to_pylist()), key=str)

    return rows
