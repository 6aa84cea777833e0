"""A table keeps its key as long as it has files: rows of two could not be told apart."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.warehouse.lake.mine import DAY, MINE, file_of, put, rows_of
from warehouse.errors import ChangedKeyError
from warehouse.lake.definitions import lake_tables, require_same_key
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.s3 import S3

#: MINE without a breakdown: one row stands for all hours of an image.
COARSER = replace(
    MINE,
    grain=MINE.grain[:-1],
    columns=tuple(column for column in MINE.columns if column.name != "hour"),
)

TOLD = (
    "mine: breakdowns changed from [hours, image] to [image] since the table mine was loaded, and"
    " rows of both must not mix: undo the change, or give the report another name. To start the"
    " table over, remove the folder {} first"
)


@pytest.fixture(params=["folder", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "lake")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3://{s3.new_bucket()}/lake"


def test_rows_of_another_key_are_refused_while_the_table_has_files(url: str) -> None:
    lake = Lake(url)
    put(lake)

    with pytest.raises(ChangedKeyError) as caught:
        put(Lake(url), COARSER, DAY + timedelta(1))

    assert str(caught.value) == TOLD.format(lake.store.name("mine"))
    assert [where.date for where in lake.partitions(MINE)] == [DAY]
    assert lake_tables(lake.store, OWN).catalog.tables["mine"] == MINE


def test_who_publishes_with_another_key_publishes_what_the_lake_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)

    with caplog.at_level(logging.WARNING):
        published = publish(lake.root, catalog=OWN.with_table(COARSER))

    assert (published.rows["mine"], published.left_out) == (1, {})
    assert [r.message for r in caplog.records] == [TOLD.format(lake.root / "mine")]
    assert rows_of(lake.root, "SELECT hour FROM mine") == [(7,)]
    put(lake, MINE, DAY + timedelta(1))
    assert publish(lake.root).rows["mine"] == 2


def test_a_table_without_files_may_have_any_key(url: str) -> None:
    lake = Lake(url)
    put(lake)
    lake.store.delete(f"mine/account_id=11/date={DAY}/data.parquet")

    put(lake, COARSER)

    assert lake_tables(lake.store, OWN).catalog.tables["mine"] == COARSER
    assert rows_of(url, "SELECT columns('hour|image_id') FROM mine") == [("7",)]


def test_a_damaged_definition_refuses_nobody(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    file_of(lake).write_text("{}")

    require_same_key(lake.store, COARSER)
