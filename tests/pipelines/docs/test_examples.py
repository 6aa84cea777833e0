"""`fbinsights docs`: the data dictionary, and statements for other engines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pipelines.cli.main import cli
from pipelines.cli.reading import ENGINES
from tests.reports import FOLDER, KNOWN
from warehouse.schema.comments import render
from warehouse.schema.external import DIALECTS, create_external

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def lake_of_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAREHOUSE_URL", "s3://bucket/lake")
    monkeypatch.setenv("FB_REPORTS", FOLDER)


def test_alone_it_prints_the_whole_dictionary_and_of_a_name_the_one_section() -> None:
    whole = CliRunner().invoke(cli, ["docs"])
    one = CliRunner().invoke(cli, ["docs", "account_daily"])

    assert (whole.exit_code, whole.stdout) == (0, render(KNOWN.catalog))
    assert one.stdout.startswith("## account_daily (view)\n")
    assert one.stdout in whole.stdout
    assert one.stdout.count("## ") == 1


@pytest.mark.parametrize("engine", DIALECTS)
def test_with_ddl_it_prints_statements_over_the_lake_reports_of_ones_own_included(
    engine: str,
) -> None:
    done = CliRunner().invoke(cli, ["docs", "--ddl", engine])

    assert done.exit_code == 0
    for name in ("accounts", "insights_hourly", "insights_age_gender"):
        table = KNOWN.catalog.tables[name]
        assert create_external(table, engine, "s3://bucket/lake") in done.stdout


def test_a_folder_becomes_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "./data")

    done = CliRunner().invoke(cli, ["docs", "accounts", "--ddl", "spark"])

    assert f"LOCATION 'file://{tmp_path / 'data'}/accounts'" in done.stdout


@pytest.mark.parametrize("arguments", [["nothing"], ["nothing", "--ddl", "trino"]])
def test_a_table_that_is_not_there_is_wrong_usage_that_lists_what_there_is(
    arguments: list[str],
) -> None:
    done = CliRunner().invoke(cli, ["docs", *arguments])

    assert done.exit_code == 2
    assert re.search(
        r"no table (or view )?'nothing'\. Choose from: accounts, campaigns", done.stderr
    )


def test_the_command_line_knows_all_engines() -> None:
    assert tuple(DIALECTS) == ENGINES
