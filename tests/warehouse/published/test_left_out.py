"""What cannot be published costs itself: the rest is, and what was published of it stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import warehouse
from tests.warehouse.lake.damaged import WAYS
from warehouse.published.publish import lag, publish
from warehouse.schema.tables import TABLES
from warehouse.storage.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)
ROWS = "FROM insights_hourly SELECT account_id, count(*) GROUP BY ALL ORDER BY ALL"


def ask(url: object, query: str) -> list[Any]:
    with warehouse.open(str(url)) as opened:
        return opened.sql(query).fetchall()


def path_of(lake: Lake, account: str) -> Path:
    return lake.root / lake.key("insights_hourly", account, DAY)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_keeps_nothing_else_from_being_published(
    way: str, days: Any, lake: Lake
) -> None:
    days.put(6)
    days.put(6, account="12")
    days.put(6, account="13")
    before = publish(lake.root)
    WAYS[way](path_of(lake, "12"))
    days.put(20, account="13")

    published = publish(lake.root)
    again = publish(lake.root)

    assert ask(lake.root, ROWS) == [("11", 6), ("12", 6), ("13", 20)]
    assert ask(lake.root, "FROM loads SELECT sum(rows)::INT") == [(32,)]
    [(path, why)] = published.left_out.items()
    assert path == str(path_of(lake, "12"))
    assert f"{path} is damaged: " in why
    assert "`fbinsights backfill --since 2026-11-21 --until 2026-11-21 --account act_12" in why
    record = lag(lake).published
    assert record is not None
    assert record.left_out == (why,)
    assert (before.left_out, again.left_out, again.version) == (
        {},
        published.left_out,
        published.version,
    )
    days.put(10, account="12")
    assert publish(lake.root).left_out == {}
    assert ask(lake.root, ROWS) == [("11", 6), ("12", 10), ("13", 20)]


@pytest.mark.parametrize(
    ("way", "account"), [(way, ("11", "12")[n % 2]) for n, way in enumerate(WAYS)]
)
def test_nor_does_it_from_the_first_publish(way: str, account: str, days: Any, lake: Lake) -> None:
    days.put(6)
    days.put(6, account="12")
    WAYS[way](path_of(lake, account))

    published = publish(lake.root)

    assert list(published.left_out) == [str(path_of(lake, account))]
    assert ask(lake.root, ROWS) == [({"11": "12", "12": "11"}[account], 6)]


def test_files_are_read_directly_again_when_what_was_in_the_way_is_gone(
    days: Any, lake: Lake
) -> None:
    days.put(6)
    stray = lake.root / "insights_hourly/account_id=1/date=2026-11-21 copy/data.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    views = "FROM duckdb_views() SELECT view_name WHERE schema_name = 'lake' ORDER BY ALL"
    publish(lake.root)
    without = {view for (view,) in ask(lake.root, views)}

    shutil.rmtree(stray.parent)
    publish(lake.root)

    assert {view for (view,) in ask(lake.root, views)} - without == {"insights_hourly"}
    assert ask(lake.root, "FROM lake.insights_hourly SELECT count(*)") == [(6,)]


@pytest.mark.parametrize("content", [b"", b"x" * 300])
def test_a_damaged_file_of_rejects_or_of_objects_costs_itself(
    content: bytes, days: Any, lake: Lake
) -> None:
    days.put(6)
    row = [{"ad_id": "1", "account_id": "11"}]
    ads = pa.Table.from_pylist(row, schema=TABLES["ads"].arrow_schema)
    lake.replace("ads", ads, account_id="11")
    publish(lake.root)
    rejects = lake.root / "rejects/insights_hourly/12/2026-11-21/20261121T000000.000000Z.parquet"
    damaged = [rejects, lake.root / lake.key("ads", "11", None)]
    for path in damaged:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    days.put(8)

    published = publish(lake.root)

    assert sorted(published.left_out) == sorted(map(str, damaged))
    assert "Move it out of the warehouse" in published.left_out[str(rejects)]
    assert "`fbinsights refresh --account act_11`" in published.left_out[str(damaged[1])]
    assert ask(lake.root, ROWS) == [("11", 8)]
    assert ask(lake.root, "FROM ads SELECT ad_id") == [("1",)]


@pytest.mark.parametrize(
    "folders", ["account_id=x/date=2026-11-21", "account_id=11/date=2026-11-21 copy"]
)
def test_an_odd_folder_is_named_and_costs_nothing(folders: str, days: Any, lake: Lake) -> None:
    days.put(6)
    odd = lake.root / "insights_hourly" / folders
    shutil.copytree(path_of(lake, "11").parent, odd)

    published = publish(lake.root)

    [why] = published.left_out.values()
    assert f"Unexpected file {odd}/data.parquet" in why
    assert ask(lake.root, ROWS) == [("11", 6)]


#: A publish by somebody who is not root, so that permissions count; that one owns the lake.
STRANGER = """
import os, sys
from warehouse.published.publish import publish
os.setgid(65534); os.setuid(65534)
published = publish(sys.argv[1])
print(*published.left_out)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("closed", ["account_id=12", "account_id=12/date=2026-11-21", "."])
def test_a_folder_that_may_not_be_read_keeps_what_was_published_of_it(
    closed: str, open_days: Any
) -> None:
    days, lake = open_days, open_days.lake
    days.put(6)
    days.put(6, account="12")
    publish(lake.root)
    days.put(8)
    folder = (lake.root / "insights_hourly" / closed).resolve()
    for path in (lake.root, *lake.root.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    os.chown(folder, 0, 0)
    folder.chmod(0o700)

    said = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", STRANGER, str(lake.root)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout

    assert str(folder) in said
    kept = [("11", 8 if closed != "." else 6), ("12", 6)]
    assert ask(lake.root, ROWS) == kept


def test_an_object_that_the_bucket_refuses_keeps_what_was_published_of_it(
    make_days: Callable[[str], Any], s3: S3
) -> None:
    days = make_days(f"s3://{s3.new_bucket()}/lake")
    assert isinstance(days.lake.store, Bucket)
    days.put(6)
    days.put(6, account="12")
    publish(days.lake.store.name(), catalog=days.lake.catalog)
    days.put(20)
    days.put(20, account="12")
    s3.hidden.add("account_id=12/")

    published = publish(days.lake.store.name(), catalog=days.lake.catalog)

    [(path, why)] = published.left_out.items()
    assert path.endswith("insights_hourly/account_id=12/date=2026-11-21/data.parquet")
    assert "AccessDenied" in why
    assert "s3:GetObject" in why
    assert ask(days.lake.store.name(), ROWS) == [("11", 20), ("12", 6)]
    s3.hidden.clear()
    assert publish(days.lake.store.name(), catalog=days.lake.catalog).left_out == {}
    assert ask(days.lake.store.name(), ROWS) == [("11", 20), ("12", 20)]
