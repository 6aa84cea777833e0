"""A project as the code of 2026-11-28 left it (lake, Dagster home, own report) goes on.

`2026-11-28.tar.xz` was made by that code against its own sandbox, with two accounts in Tokyo and
Kolkata: a day that was still open, an unproven one, failed ones of a third account, two restated
ones, a report run in flight, a limit of an account, and a schedule that is turned on.
"""

from __future__ import annotations

import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

import warehouse
from warehouse.catalog import publish
from warehouse.lake import Lake

MADE: Final = Path(__file__).with_name("2026-11-28.tar.xz")

#: What the code of that day had published, without the report of its own.
ROWS: Final = {
    "accounts": 7, "campaigns": 20, "adsets": 33, "ads": 62,
    **{f"{table}_history": rows for table, rows in
       {"accounts": 7, "campaigns": 20, "adsets": 33, "ads": 62}.items()},
    "insights_hourly": 1245, "insights_daily": 82, "insights_age_gender": 923,
    "control_daily": 8, "restatements": 2, "rejects": 0,
}  # fmt: skip

#: Of the hours of both accounts: impressions, clicks, spend.
SUMS: Final = {
    "500100027310042": (189678, 2932, Decimal(174432)),
    "500100037310042": (118248, 1749, Decimal("9890.17")),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with tarfile.open(MADE) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "project"


def test_the_lake_publishes_all_that_was_published_before(project: Path) -> None:
    published = publish(project / "data")

    assert {table: published.rows[table] for table in ROWS} == ROWS
    with warehouse.open(project / "data") as opened:
        found = opened.sql(
            "select account_id, sum(impressions), sum(clicks), sum(spend)"
            " from insights_hourly group by account_id"
        ).fetchall()
    assert {account: tuple(sums) for account, *sums in found} == SUMS


def test_records_of_loads_are_read_as_they_were_written(project: Path) -> None:
    loads = Lake(project / "data").loads().to_pylist()

    tried = {(load["table_name"], load["verdict"]) for load in loads}
    assert ("insights_hourly", "unproven") in tried
    assert all(load["schema_version"] == 1 for load in loads)
    assert {load["conversions"] for load in loads} == {None}
