"""The schema `fivetran`: the columns that Fivetran's dbt package reads, and what is in them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import pytest

from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import READY
from warehouse.published.build import create
from warehouse.schema.catalog import OWN
from warehouse.schema.views.fivetran import fivetran_views

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What the package's sources declare, version 1.4.2: view, column, type.
COLUMNS: Final = Path(__file__).with_name("fivetran_columns.csv")

#: The package's types → those that a column of ours may have.
TYPES: Final = {
    "int": ("BIGINT",),
    "string": ("VARCHAR",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP WITH TIME ZONE",),
    "float": ("DOUBLE", "DECIMAL(18,6)", "BIGINT"),
}

REPORTS: Final = read_reports(sorted(READY.glob("*.yaml")))


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """A published file of all ready reports, in memory and without rows."""
    with duckdb.connect() as connection:
        for statements in create(REPORTS.catalog):
            connection.execute(statements)
        yield connection


def types_in(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    rows = connection.execute(
        "FROM duckdb_columns() SELECT table_name, column_name, data_type "
        "WHERE schema_name = 'fivetran'"
    ).fetchall()
    return {(view, column): kind for view, column, kind in rows}


def test_every_column_that_the_package_reads_is_there_with_its_type(
    empty: duckdb.DuckDBPyConnection,
) -> None:
    with COLUMNS.open(encoding="utf-8", newline="") as file:
        wanted = {(row["view"], row["column"]): row["type"] for row in csv.DictReader(file)}
    there = types_in(empty)

    assert len(wanted) > 100
    assert {
        key: there.get(key) for key, kind in wanted.items() if there.get(key) not in TYPES[kind]
    } == {}


def test_the_columns_of_a_view_are_those_that_its_description_lists(
    empty: duckdb.DuckDBPyConnection,
) -> None:
    described = [
        (view.name, column.name)
        for view in fivetran_views(REPORTS.catalog.tables, REPORTS.catalog.views)
        for column in view.columns
    ]

    assert sorted(types_in(empty)) == sorted(described)


def test_a_view_exists_only_where_its_report_does() -> None:
    own = {view.name for view in fivetran_views(OWN.tables, OWN.views)}
    others = {
        view.name for view in fivetran_views(REPORTS.catalog.tables, REPORTS.catalog.views)
    } - own

    assert {"basic_ad", "basic_ad_actions", "ad_history", "creative_history"} <= own
    assert {"demographics_country", "demographics_region_actions", "basic_campaign"} <= others


def test_the_views_answer_in_a_file_that_is_attached(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "ours.duckdb") as connection:
        for statements in create(REPORTS.catalog):
            connection.execute(statements)
    with duckdb.connect() as connection:  # as dbt does
        connection.execute(f"ATTACH '{tmp_path}/ours.duckdb' AS lake (READ_ONLY)")
        views = fivetran_views(REPORTS.catalog.tables, REPORTS.catalog.views)
        found = {
            view.name: connection.execute(f"FROM lake.fivetran.{view.name}").fetchall()
            for view in views
        }

    assert found == {view.name: [] for view in views}


def test_budgets_are_in_the_smallest_coin_and_links_keep_their_tags(
    empty: duckdb.DuckDBPyConnection,
) -> None:
    with empty.cursor() as connection:
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO accounts BY NAME SELECT unnest(['1', '2']) AS account_id, "
            "unnest(['EUR', 'JPY']) AS account_currency"
        )
        connection.execute(
            "INSERT INTO campaigns_history BY NAME SELECT unnest(['1', '2']) AS account_id, "
            "unnest(['10', '20']) AS campaign_id, 12 AS daily_budget, now() AS valid_from"
        )
        connection.execute(
            "INSERT INTO creatives_history BY NAME SELECT '1' AS account_id, '30' AS creative_id, "
            "'https://a.example' AS link, 'utm_source=fb&note=a=b&flag' AS url_tags, "
            """'{"template_data": {"link": "https://a.example"}}' AS object_story_spec, """
            "now() AS valid_from"
        )
        budgets = connection.execute(
            "FROM fivetran.campaign_history SELECT id, daily_budget ORDER BY id"
        ).fetchall()
        creative = connection.execute(
            "FROM fivetran.creative_history SELECT page_link, template_page_link, url_tags"
        ).fetchone()
        connection.execute("ROLLBACK")

    assert budgets == [(10, 1200), (20, 12)]
    assert creative is not None
    assert creative[:2] == (None, "https://a.example")
    assert [(one["key"], one["value"]) for one in json.loads(creative[2])] == [
        ("utm_source", "fb"),
        ("note", "a=b"),
        ("flag", ""),
    ]
