"""What `docs --dbt` writes is what is published. Without dbt; `make test-dbt` runs dbt on it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from click.testing import CliRunner

import warehouse
from pipelines.cli.main import cli
from pipelines.reports.catalog import reports_of
from tests.reports import KNOWN
from warehouse.published.dbt import render_sources
from warehouse.schema.tables import TABLES

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "dbt" / "models" / "sources.yml"
PUBLISHED = ["warehouse_duckdb"]

#: A kind of object of one's own, as `fbinsights add` writes it.
OWN_OBJECTS = ROOT / "pipelines" / "project" / "ready_tables" / "pixels.yaml"


def tables_in(text: str) -> dict[str, Any]:
    [source] = yaml.safe_load(text)["sources"]
    return {table["name"]: table for table in source["tables"]}


def column_tests(text: str, table: str, column: str) -> list[Any]:
    [found] = [one for one in tables_in(text)[table]["columns"] if one["name"] == column]
    return list(found.get("data_tests", []))


@pytest.fixture(scope="module")
def known() -> str:
    return render_sources(KNOWN.catalog, PUBLISHED)


def test_the_example_does_not_lag_behind_what_is_built_in(tmp_path: Path) -> None:
    built_in = reports_of({"FB_REPORTS": str(tmp_path)}).catalog

    assert EXAMPLE.read_text(encoding="utf-8") == render_sources(built_in, PUBLISHED), (
        "write it again: cd examples/dbt && ../../.venv/bin/fbinsights docs --dbt"
        " > models/sources.yml"
    )


def test_every_column_is_in_the_published_file_with_its_type(tmp_path: Path) -> None:
    own = tmp_path / "reports"
    own.mkdir()
    shutil.copy(OWN_OBJECTS, own)
    catalog = reports_of({"FB_REPORTS": str(own)}).catalog
    described = {
        (name, column["name"], column["data_type"])
        for name, table in tables_in(render_sources(catalog, PUBLISHED)).items()
        for column in table["columns"]
    }
    with warehouse.open(tmp_path / "lake", catalog=catalog) as opened:
        published = opened.sql(
            "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            " WHERE schema_name = 'main' AND NOT internal"
        ).fetchall()

    assert described == set(published)
    assert len({name for name, *_ in described}) > 40


def test_a_grain_is_tested_as_a_whole_and_its_parts_are_not_null(known: str) -> None:
    tables = tables_in(known)

    assert tables["insights_age_gender"]["data_tests"] == [
        {
            "unique": {
                "name": "insights_age_gender_has_one_row_per_grain",
                "arguments": {
                    "column_name": 'row("account_id", "campaign_id", "date", "age", "gender")'
                },
            }
        }
    ]
    assert column_tests(known, "insights_age_gender", "campaign_id") == ["not_null"]
    assert column_tests(known, "insights_age_gender", "age") == []  # Meta may leave it out
    assert column_tests(known, "campaigns", "campaign_id") == ["unique", "not_null"]
    assert column_tests(known, "failures", "date") == []


def test_verdicts_are_the_four_that_there_are(known: str) -> None:
    verdicts = ["proven", "provisional", "unproven", "unprovable"]
    is_one_of_them = {"accepted_values": {"arguments": {"values": verdicts}}}

    assert column_tests(known, "loads", "verdict") == [is_one_of_them]
    assert column_tests(known, "loads", "conversions") == [is_one_of_them]


def test_a_table_that_is_loaded_by_day_is_as_fresh_as_its_newest_load(known: str) -> None:
    tables = tables_in(known)
    limits = {
        "warn_after": {"count": 30, "period": "hour"},
        "error_after": {"count": 54, "period": "hour"},
    }

    assert tables["insights_daily"]["config"] == {
        "loaded_at_query": "select max(loaded_at) from fbinsights.main.loads"
        " where table_name = 'insights_daily'",
        "freshness": limits,
    }
    assert {name for name, table in tables.items() if "config" in table} == {
        *("control_daily", "insights_age_gender", "insights_daily", "insights_hourly", "loads")
    }


def test_everything_depends_on_the_published_file_under_its_key_in_dagster() -> None:
    text = render_sources(KNOWN.catalog, ["meta", "warehouse_duckdb"], "loads")
    [source] = yaml.safe_load(text)["sources"]

    assert source["config"]["meta"] == {"dagster": {"asset_key": ["meta", "warehouse_duckdb"]}}
    assert list(tables_in(text)) == ["loads"]


def test_braces_in_a_description_are_not_for_dbt() -> None:
    loads = replace(TABLES["loads"], meaning="{{ campaign.name }}, {% if %}, {# x #}, {{{y}}}.")
    catalog = replace(KNOWN.catalog, tables={**KNOWN.catalog.tables, "loads": loads})
    described = tables_in(render_sources(catalog, PUBLISHED, "loads"))["loads"]["description"]
    rendered = jinja2.Template(described).render()

    assert rendered == f"{loads.meaning} One row per table_name, account_id, date."


def test_the_command_prints_one_table_and_refuses_one_that_does_not_exist() -> None:
    one = CliRunner().invoke(cli, ["docs", "loads", "--dbt"])
    none = CliRunner().invoke(cli, ["docs", "lods", "--dbt"])

    assert list(tables_in(one.stdout)) == ["loads"]
    assert none.exit_code == 2
    assert "There is no table or view 'lods'. Choose from: accounts" in none.stderr
