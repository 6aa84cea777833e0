"""Pages of hourly insights as they came from the socket, on disk: what is decoded and measured."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.serve import days_before
from warehouse.decode.pages import Account

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.serve import Served

__all__ = ["Pages", "keep", "kept"]

#: Rows of a page: enough that calls are few, and few enough that Meta would return them.
LIMIT: Final = 1000


class Pages(NamedTuple):
    """Whose pages, of which days, in which files."""

    account: Account
    days: Sequence[date]
    files: Sequence[Path]

    def bodies(self) -> Iterator[bytes]:
        return (path.read_bytes() for path in self.files)

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.files)


def keep(served: Served, days: int, folder: Path) -> Pages:
    """Pull one account's report and write its pages to `folder`."""
    from fbgraph import GraphClient  # noqa: PLC0415  not for who only reads them
    from pipelines.loading.accounts.discovery import discover  # noqa: PLC0415
    from pipelines.reports.catalog import HOURLY_REPORT  # noqa: PLC0415

    asked = days_before(days)
    folder.mkdir()
    with GraphClient(served.token, base_url=served.url) as client:
        [row] = discover(client, [served.account_id]).rows
        account = [row["account_id"], row["timezone_name"], row["currency"]]
        params = HOURLY_REPORT.params(asked[0], asked[-1])
        run = client.account(served.account_id).run_report(params)
        for n, page in enumerate(client.node(run).insights(limit=LIMIT).pages()):
            (folder / f"{n:06}.json").write_bytes(page.body)
    (folder / "about").write_text(json.dumps([account, [str(day) for day in asked]]))
    return kept(folder)


def kept(folder: Path) -> Pages:
    """Pages that were written before."""
    account, days = json.loads((folder / "about").read_text())
    return Pages(
        Account(*account), [date.fromisoformat(d) for d in days], sorted(folder.glob("*.json"))
    )
