"""A load replaces the file of accounts if it is damaged."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipelines.loading.accounts.discovery import discover
from pipelines.loading.session import load_accounts
from tests.clock import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome
    from warehouse.lake.partitions import Lake


def test_a_damaged_file_of_accounts_is_replaced_by_the_next_load(
    sandbox: Sandbox, client: GraphClient, lake: Lake, load: Callable[..., Sequence[Outcome]]
) -> None:
    [outcome] = load([date(2026, 11, 21)], sandbox.account_ids[:1])
    assert outcome.load is not None
    path = lake.root / "accounts" / "data.parquet"
    path.write_bytes(path.read_bytes()[:100])

    load_accounts(lake, discover(client), NOW)

    assert sorted(lake.read("accounts")["account_id"].to_pylist()) == sorted(sandbox.account_ids)
    [aside] = lake.root.glob(".damaged/*/accounts/data.parquet")
    assert aside.stat().st_size == 100
