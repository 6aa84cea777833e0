"""The project of examples/dbt on a published file: what it builds is what the sandbox served."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

import warehouse
from tests.dbt.conftest import HERE
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.dbt.conftest import Loaded, Project


@pytest.fixture(scope="module")
def built(loaded: Loaded, project: Project) -> Project:
    """Built while the published file is published anew, again and again."""
    publishes = 0
    with project.start("dbt", "build", "--warn-error", "--show-all-deprecations") as building:
        while building.poll() is None:
            publish_again(loaded)
            publishes += 1
        printed = building.stdout.read() if building.stdout else ""
    assert building.returncode == 0, printed
    assert publishes > 1
    project.printed.write_text(printed)
    return project


def publish_again(loaded: Loaded) -> None:
    """Replace a day by the same rows and publish that."""
    [account_id, *_], [day, *_] = loaded.sandbox.account_ids, loaded.days
    where: Any = {"account_id": account_id, "date": day}
    load = loaded.lake.load_of("insights_hourly", account_id, day)
    assert load
    again = replace(load, loaded_at=datetime.now(UTC))
    loaded.lake.replace(
        "insights_hourly", loaded.lake.read("insights_hourly", **where), load=again, **where
    )
    publish(loaded.lake.root)


def asked(path: Path, query: str) -> list[Any]:
    with closing(duckdb.connect(path, read_only=True)) as connection:
        return connection.execute(query).fetchall()


def totals(rows: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], tuple[Any, ...]]:
    return {row[:2]: row[2:] for row in rows}


def test_each_day_of_the_daily_mart_is_what_the_sandbox_served(
    loaded: Loaded, built: Project
) -> None:
    mart = totals(
        asked(
            built.marts,
            "SELECT account_id, date, impressions, clicks, spend FROM account_performance_daily",
        )
    )

    served = {}
    for account_id in loaded.sandbox.account_ids:
        for day in loaded.days:
            sums = loaded.sandbox.truth(account_id, day)["sums"]
            numbers = int(sums["impressions"]), int(sums["clicks"]), Decimal(sums["spend"])
            served[account_id, day] = numbers
    assert mart == served
    assert sum(spend for *_, spend in served.values()) > 0


@pytest.mark.parametrize(
    ("mart", "view"),
    [
        ("account_performance_daily", "account_daily"),
        ("campaign_performance_weekly", "campaign_daily"),
        ("creative_utm_performance", "ad_daily"),
    ],
)
def test_a_mart_adds_up_to_the_view_that_it_is_made_of(
    mart: str, view: str, loaded: Loaded, built: Project
) -> None:
    added_up = "SELECT sum(impressions), sum(clicks), sum(spend), sum(purchases) FROM "
    with warehouse.open(loaded.lake.root) as opened:
        [published] = opened.sql(added_up + view).fetchall()

    assert asked(built.marts, added_up + mart) == [published]
    assert all(published)


def test_a_day_that_is_open_is_marked_and_one_that_is_proven_is_complete(
    loaded: Loaded, built: Project
) -> None:
    rows = asked(
        built.marts,
        "SELECT DISTINCT date, is_complete, why_incomplete IS NULL FROM account_performance_daily",
    )
    weeks = asked(built.marts, "SELECT DISTINCT is_complete FROM campaign_performance_weekly")

    oldest, _, today = loaded.days
    assert {row[1:] for row in rows if row[0] == oldest} == {(True, True)}
    assert {row[1:] for row in rows if row[0] == today} == {(False, False), (True, True)}
    assert weeks == [(False,)]  # three days are loaded


def test_spend_by_verdict_says_what_is_proven(built: Project) -> None:
    rows = asked(built.marts, "SELECT DISTINCT table_name, verdict FROM spend_trust ORDER BY ALL")
    shares = asked(
        built.marts,
        "SELECT round(sum(percent_of_spend), 6) FROM spend_trust GROUP BY account_id, table_name"
        " HAVING sum(spend) > 0",
    )

    assert rows == [
        (report, verdict)
        for report in ("insights_daily", "insights_hourly")
        for verdict in ("proven", "provisional")
    ]
    assert set(shares) == {(100.0,)}


def test_names_are_filled_into_utm_parameters(built: Project) -> None:
    rows = asked(
        built.marts,
        "SELECT count(*) FILTER (utm_source <> '(none)') > 0,"
        " count(*) FILTER (concat(utm_campaign, utm_content) LIKE '%{{%') FROM"
        " creative_utm_performance",
    )

    assert rows == [(True, 0)]


def test_the_catalogue_of_dbt_has_every_column_with_its_type(built: Project) -> None:
    code, printed = built.run("dbt", "docs", "generate")
    assert code == 0, printed
    [source] = yaml.safe_load((built.folder / "models" / "sources.yml").read_text())["sources"]
    catalog = json.loads((built.folder / "target" / "catalog.json").read_text())

    assert {
        one["metadata"]["name"]: {name: column["type"] for name, column in one["columns"].items()}
        for one in catalog["sources"].values()
    } == {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in source["tables"]
    }


def test_a_source_is_as_fresh_as_its_own_newest_load(built: Project) -> None:
    code, printed = built.run("dbt", "source", "freshness")
    found = re.findall(r"(PASS|ERROR STALE) freshness of fbinsights\.(\w+)", printed)

    assert code == 1
    assert sorted(found) == [
        ("ERROR STALE", "control_daily"),
        ("ERROR STALE", "insights_daily"),  # a week ago
        ("PASS", "insights_hourly"),  # loaded again while dbt built
        ("PASS", "loads"),
    ]


def test_the_example_says_what_it_consists_of(built: Project) -> None:
    [found] = re.findall("Found .*", (built.folder / "README.md").read_text())

    assert found in built.printed.read_text()


def test_dagster_opens_both_code_locations_of_the_workspace(built: Project) -> None:
    code, printed = built.run("dagster", "definitions", "validate", "-w", "workspace.yaml")

    assert code == 0, printed
    for location in ("fbinsights", "marts"):
        assert f"Validation successful for code location {location}." in printed


def test_dagster_builds_the_marts_after_each_publish(built: Project) -> None:
    code, printed = built.run("python", str(HERE / "follow.py"), "definitions.py")
    assert code == 0, printed
    seen = json.loads(printed.splitlines()[-1])

    assert seen.pop("checks") > 30
    assert seen == {
        "models": [
            *("account_performance_daily", "campaign_performance_weekly"),
            *("creative_utm_performance", "spend_trust"),
        ],
        "upstream": ["warehouse_duckdb"],
        "requested": [0, 4, 0, 4],
        "success": True,
        "failed": [],
    }


def test_dbt_asks_nobody_and_dagster_only_pypi_for_the_newest_dbt(
    built: Project, tmp_path: Path
) -> None:
    probe = "import socket; socket.create_connection(('example.com', 1))"
    code, _ = built.run("python", "-c", probe, TRIED_HOSTS=str(tmp_path / "tried"))
    tried = built.folder / "tried_hosts"

    assert code == 1
    assert (tmp_path / "tried").read_text() == "example.com\n"
    # dagster-dbt runs `dbt --version`, which looks for a newer one and does without.
    assert not tried.exists() or set(tried.read_text().split()) == {"pypi.org"}
