"""Pages of hourly insights as Meta would send them, on disk: what the benchmarks decode."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.listings import discover
from pipelines.reports import REPORTS
from warehouse.decode import Account

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Pages", "pages_on_disk"]

LAST_DAY: Final = date(2026, 11, 21)
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)

#: Account, its days, and the files of its pages.
Pages = tuple[Account, "Sequence[date]", "Sequence[Path]"]


def pages_on_disk(folder: Path, *, days: int, scale: int) -> Pages:
    """Pull one account's report from the sandbox and write its pages to `folder`."""
    asked = [LAST_DAY - timedelta(days=n) for n in reversed(range(days))]
    with (
        Sandbox(now=lambda: NOW, scale=scale) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        row = discover(client).rows[0]
        account = Account(row["account_id"], row["timezone_name"], row["currency"])
        params = REPORTS["insights_hourly"].params(asked[0], asked[-1])
        report_run_id = client.account(account.account_id).run_report(params)
        files = []
        for n, page in enumerate(client.node(report_run_id).insights().pages()):
            files.append(folder / f"{n:06}.json")
            files[-1].write_bytes(page.body)
    return account, asked, files
