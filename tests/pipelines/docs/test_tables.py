"""The data dictionary in docs/ is what the tables say now."""

from __future__ import annotations

from pathlib import Path

from fbgraph.catalog.fields import ACTION_BREAKDOWNS, BREAKDOWNS
from pipelines.reports.docs import render_breakdowns
from tests.reports import KNOWN
from warehouse.schema.comments import render

DOCS = Path(__file__).parents[3] / "docs" / "tables.md"


def test_the_committed_dictionary_does_not_lag_behind_the_tables() -> None:
    assert DOCS.read_text(encoding="utf-8") == render(KNOWN.catalog), (
        "write it anew: fbinsights docs > docs/tables.md"
    )


def test_the_committed_page_of_breakdowns_does_not_lag_behind_the_rules() -> None:
    text = (DOCS.parent / "breakdowns.md").read_text(encoding="utf-8")

    assert text == render_breakdowns(), (
        "write it anew: fbinsights docs --breakdowns > docs/breakdowns.md"
    )


def test_the_page_of_breakdowns_has_each_and_what_is_known_of_them_together() -> None:
    text = render_breakdowns()

    for name in BREAKDOWNS | ACTION_BREAKDOWNS:
        assert f"`{name}`" in text
    for line in (
        "| `age` + `gender` | works | Insights API > Breakdowns, 2026-09 | recorded responses, ",
        "| `*_asset` + `age` | documented | Asset feed > Insights, 2024-05 |  |  |",
        "| `impression_device` alone | seen |  | live requests, 2026-06 |",
        "| `platform_position` alone | refused |  |  | live requests, 2026-06 |",
    ):
        assert line in text


def test_the_dictionary_has_every_table_view_and_column() -> None:
    text = render(KNOWN.catalog)

    columns = {t.name: t.columns for t in KNOWN.catalog.tables.values()}
    columns |= {v.name: v.columns for v in KNOWN.catalog.views.values()}
    for name, listed in columns.items():
        assert f"## {name}" in text
        assert all(f"| `{column.name}` |" in text for column in listed)
