"""The queries of docs/verdicts.md, asked of a warehouse that was really loaded."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import warehouse
from warehouse.catalog import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph.sandbox import Sandbox
    from pipelines.outcome import Outcome
    from warehouse.lake import Lake

TEXT = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", TEXT, flags=re.MULTILINE)
QUERIES = {
    part.split("\n")[0]: found[0]
    for part in SECTIONS
    if (found := re.findall(r"```sql\n(.*?)```", part, re.DOTALL))
}

YESTERDAY, TODAY = date(2026, 11, 22), date(2026, 11, 23)


def test_each_verdict_is_found_by_its_query(
    sandbox: Sandbox, load: Callable[..., Sequence[Outcome]], lake: Lake
) -> None:
    first, second = sandbox.account_ids[:2]
    load([YESTERDAY, TODAY], [first])
    sandbox.use("wrong_rows")
    load([YESTERDAY], [second])
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        found = {name: opened.sql(sql).fetchall() for name, sql in QUERIES.items()}

    assert [row[:2] for row in found["Proven"]] == [(first, YESTERDAY)]
    assert {row[1:3] for row in found["Provisional"]} == {(first, TODAY)}
    assert [row[1:3] for row in found["Unproven"]] == [(second, YESTERDAY)]
    assert found["Unprovable"] == []
