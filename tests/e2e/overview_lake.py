"""A lake to make a page of: really loaded from the sandbox, with damage planted, and published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.objects import keep_pictures, load_objects
from pipelines.loading.partitions import AccountDay
from pipelines.overview.page import overview_of
from pipelines.overview.window import Window
from tests.objects import NEEDED
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["DIFFERS", "FAILED", "MISSING", "NOW", "WINDOW", "Made", "loaded", "plant", "written"]

NOW: Final = datetime(2026, 11, 23, 17, tzinfo=UTC)
WINDOW: Final = Window(date(2026, 11, 17), date(2026, 11, 22))

#: Of the first account: a day that does not add up, one that failed, one that nobody loaded.
DIFFERS, FAILED, MISSING = (date(2026, 11, day) for day in (18, 20, 21))


@dataclass(frozen=True)
class Made:
    """A lake, its page, and the accounts in it, by name."""

    lake: Lake
    path: Path
    account_ids: Sequence[str]


def loaded(
    folder: Path,
    hours: Sequence[date],
    days: Sequence[date],
    *,
    number: int,
    without: Sequence[date],
) -> tuple[Lake, Sequence[str]]:
    """A lake with the first accounts of the sandbox, and these days of `insights_hourly` and of
    `insights_daily`: all but some of the first account.
    """
    lake = Lake(folder / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(now=lambda: NOW) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        accounts = sandbox.account_ids[:number]
        found = discover(client, accounts)
        store_accounts(lake, found.rows, NOW)
        wanted_objects = {**NEEDED, "creatives": OBJECT_TABLES["creatives"]}
        load_objects(client, lake, wanted_objects, accounts, lambda: NOW)
        keep_pictures(client, lake, accounts, lambda: NOW)
        loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: NOW)
        broken = {AccountDay(accounts[0], day) for day in without}
        for report, span in (("insights_hourly", hours), ("insights_daily", days)):
            wanted = [AccountDay(one, day) for one in accounts for day in span]
            loads = loader.load(KNOWN.by_name[report], [one for one in wanted if one not in broken])
            assert all(outcome.load for outcome in loads)
    return lake, accounts


def written(lake: Lake, accounts: Sequence[str], window: Window | None) -> Made:
    publish(lake.root, catalog=KNOWN.catalog)
    path = lake.root.parent / "page.html"
    with warehouse.open(lake.root) as opened:
        page = overview_of(opened, lake.store.read, NOW, window)
    path.write_text(page.html, encoding="utf-8")
    return Made(lake, path, accounts)


def plant(lake: Lake, account_id: str) -> None:
    for report in ("insights_hourly", "insights_daily"):
        load = lake.load_of(report, account_id, DIFFERS)
        assert load is not None
        assert load.spend is not None
        rows = lake.read(report, account_id=account_id, date=DIFFERS)
        short = replace(
            load,
            verdict="unproven",
            reason="spend differs",
            control_spend=load.spend + Decimal("12.34"),
        )
        (lake.root / report / f"account_id={account_id}" / f"date={DIFFERS}/data.parquet").unlink()
        lake.replace(report, rows, account_id=account_id, date=DIFFERS, load=short)
