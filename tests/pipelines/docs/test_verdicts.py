"""The queries of docs/verdicts.md, asked of a warehouse that was really loaded: each must give what
the page shows.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.commands.query import run_query
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import Report
from pipelines.reports.spec import ReportSpec
from tests.clock import NOW
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome

TEXT = (Path(__file__).parents[3] / "docs" / "verdicts.md").read_text(encoding="utf-8")

#: Section → its queries, each with what is shown below it.
SHOWN = {
    section.split("\n")[0]: found
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)
    if (found := re.findall(r"```sql\n(.*?)```\n\n```\n(.*?)```", section, re.DOTALL))
}

YESTERDAY, TODAY = date(2026, 11, 22), date(2026, 11, 23)


def test_each_query_gives_what_the_page_shows(
    sandbox: Sandbox,
    client: GraphClient,
    load: Callable[..., Sequence[Outcome]],
    lake: Lake,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second, third = sandbox.account_ids[:3]

    def load_report(report: Report) -> None:
        knowing = Lake(lake.root, catalog=lake.catalog.with_table(report.table))
        loader = Loader(client, knowing, accounts_in(lake), "run-1", now=lambda: NOW)
        assert all(one.load for one in loader.load(report, [AccountDay(first, YESTERDAY)]))

    load([YESTERDAY, TODAY], [first])
    load([YESTERDAY], [third])
    images = ReportSpec(
        name="insights_image",
        level="ad",
        fields=("impressions", "spend"),
        breakdowns=("image_asset",),
    )
    load_report(Report.of(images))
    sandbox.use("wrong_rows")
    load([YESTERDAY], [second])
    sandbox.use("actions_missing")
    load_report(KNOWN.by_name["insights_daily"])
    sandbox.use("empty_hour:60")
    load([YESTERDAY], [third])
    publish(lake.root)

    environ = {"WAREHOUSE_URL": str(lake.root)}
    given: dict[str, list[tuple[str, str]]] = {}
    for section, queries in SHOWN.items():
        for sql, _ in queries:
            run_query(environ, sql, "table")
            given.setdefault(section, []).append((sql, capsys.readouterr().out))

    assert given == SHOWN
    assert list(SHOWN) == [
        *("Proven", "Provisional", "Unproven", "Unprovable", "Empty days", "Conversions")
    ]
    assert len(SHOWN["Conversions"]) == len(re.findall("```sql", TEXT)) - 5
