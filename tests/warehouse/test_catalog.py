"""The published file: whole, read-only, always there, and never in anybody's way."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq
import pytest

import warehouse
from warehouse.catalog import publish
from warehouse.errors import WarehouseError
from warehouse.kept import freeze, kept_files
from warehouse.lake import records
from warehouse.master import CONFIG
from warehouse.pages import Reject
from warehouse.parquet import footer
from warehouse.schema import TABLES
from warehouse.sql import duckdb_type
from warehouse.views import VIEWS

if TYPE_CHECKING:
    from warehouse.lake import Lake

DAY = date(2026, 11, 21)
NAMES = [*TABLES, *VIEWS]

#: A reader in a process of its own: counts rows, and counts them again when told to.
READER = """
import sys, warehouse
old = warehouse.open({url!r})
count = lambda opened: print(opened.sql("FROM insights_hourly SELECT count(*)").fetchall()[0][0])
count(old)
for line in sys.stdin:
    count(old)
    count(warehouse.open({url!r}))
"""

#: A publisher in a process of its own that dies at `{where}`.
PUBLISHER = """
import os, signal
import pathlib, shutil
from warehouse import catalog, master
{where} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
catalog.publish({url!r})
"""


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  our own code
        [sys.executable, "-uc", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def ask(url: Path, query: str) -> list[Any]:
    with warehouse.open(url) as opened:
        return opened.sql(query).fetchall()


def snapshots(lake: Lake) -> list[str]:
    return sorted(path.name for path in (lake.root / ".snapshots").glob("[!.]*"))


def test_opening_before_anything_was_loaded_gives_every_table_empty(lake: Lake) -> None:
    with warehouse.open(lake.root) as opened:
        counts = {name: opened.arrow(f"FROM {name}").num_rows for name in NAMES}

    assert counts == dict.fromkeys(NAMES, 0)


def test_a_publish_of_a_loaded_lake_has_the_lakes_rows_sorted_and_typed(
    days: Any, lake: Lake
) -> None:
    days.put(40, account="12")
    days.put(40)

    published = publish(lake.root)

    assert published.rows["insights_hourly"] == 80
    assert published.rows["loads"] == 2
    with warehouse.open(lake.root) as opened:
        native = opened.arrow("FROM insights_hourly")
        loads = opened.arrow("FROM loads")
    assert native.to_pylist() == lake.read("insights_hourly").to_pylist()
    assert loads.to_pylist() == lake.loads().to_pylist()
    assert [duckdb_type(f.type) for f in native.schema] == [
        duckdb_type(f.type) for f in TABLES["insights_hourly"].arrow_schema
    ]


def test_the_views_on_the_lake_give_the_same_as_the_tables(days: Any, lake: Lake) -> None:
    days.put(40)
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        for name in (table.name for table in TABLES.values() if table.partitions is not None):
            order = ", ".join(TABLES[name].grain)
            native, files = (
                opened.arrow(f"FROM {schema}.{name} ORDER BY {order}")
                for schema in ("main", "lake")
            )
            assert files.equals(native), name


def test_every_table_view_and_column_has_its_comment(lake: Lake) -> None:
    bare = ask(
        lake.root,
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal "
        "AND coalesce(comment, '') = '' UNION ALL "
        "SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL UNION ALL "
        "SELECT view_name, '' FROM duckdb_views() WHERE NOT internal AND comment IS NULL",
    )
    [(comment,)] = ask(
        lake.root,
        "SELECT comment FROM duckdb_columns() WHERE schema_name = 'main' "
        "AND table_name = 'insights_hourly' AND column_name = 'spend'",
    )
    assert bare == []
    assert comment == "Estimated money spent [account currency, major units]"


def test_restatements_and_rejects_are_published(
    days: Any, lake: Lake, later: list[datetime]
) -> None:
    days.put()
    days.put(4, loaded_at=later[1])
    reject = Reject(1, 2, "spend", '"12a"', "not a decimal number", '{"spend": "12a"}')
    for loaded_at in later[:3]:  # before the load that is published, with it, and a failed one
        load = days.load(days.rows(), loaded_at=loaded_at, run_id="r")
        lake.write_rejects(load, [reject])
    other = days.load(days.rows(account="12"), account="12", loaded_at=later[2])
    lake.write_rejects(other, [reject])  # never loaded
    publish(lake.root)

    changed = ask(lake.root, "SELECT rows_before, rows_after FROM restatements")
    unreadable = ask(lake.root, "SELECT account_id, n, column_name, loaded_at FROM rejects")

    assert changed == [(6, 4)]
    assert [r[:3] for r in unreadable] == [(a, 1, "spend") for a in ("11", "11", "12")]
    assert [r[3] for r in unreadable] == [later[1], later[2], later[2]]


def test_a_load_in_the_middle_of_a_publish_is_left_for_the_next(
    days: Any, lake: Lake, tmp_path: Path
) -> None:
    days.put(6)
    [file] = kept_files(lake)
    [frozen] = freeze([file], tmp_path)
    days.put(40)

    assert frozen.path.name == "11,2026-11-21,data.parquet"
    assert frozen.stamp == file.stamp != kept_files(lake)[0].stamp
    assert pq.ParquetFile(frozen.path).metadata.num_rows == 6
    assert records([footer(frozen.path)])[0]["rows"].to_pylist() == [6]


def test_a_reader_keeps_what_it_opened_and_sees_the_new_when_it_opens_again(
    days: Any, lake: Lake
) -> None:
    days.put(6)
    publish(lake.root)
    reader = python(READER.format(url=str(lake.root)))
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stdout.readline() == "6\n"

    for count in (10, 20, 30, 40):  # more often than snapshots are kept
        days.put(count)
        publish(lake.root)
    answers, _ = reader.communicate("again\n")

    assert answers.split() == ["6", "40"]


def test_within_one_process_too_an_old_reader_keeps_what_it_opened(days: Any, lake: Lake) -> None:
    count = "FROM insights_hourly SELECT count(*)"
    days.put(6)
    publish(lake.root)
    with warehouse.open(lake.root) as old:
        days.put(40)
        publish(lake.root)
        with warehouse.open(lake.root) as new:
            assert (old.sql(count).fetchall(), new.sql(count).fetchall()) == ([(6,)], [(40,)])


@pytest.mark.parametrize(
    "where",
    [
        *("master._replace", "master._refill_rejects", "master._keep_state", "master._count"),
        *("shutil.copyfile", "catalog.sync_folder", "catalog._point", "pathlib.Path.replace"),
    ],
)
def test_a_publisher_that_is_killed_leaves_the_old_file(where: str, days: Any, lake: Lake) -> None:
    days.put(6)
    publish(lake.root)
    days.put(40)
    killed = python(PUBLISHER.format(url=str(lake.root), where=where))
    killed.communicate()
    assert killed.returncode == -9

    assert ask(lake.root, "FROM insights_hourly SELECT count(*)") == [(6,)]
    publish(lake.root)
    assert ask(lake.root, "FROM insights_hourly SELECT count(*)") == [(40,)]
    assert all(name.isdigit() for name in snapshots(lake))


def test_three_snapshots_stay_read_only_behind_a_relative_link(days: Any, lake: Lake) -> None:
    for count in (10, 20, 30, 40):
        days.put(count)
        published = publish(lake.root)

    assert snapshots(lake) == ["000002", "000003", "000004"]
    assert published.path.readlink() == Path(".snapshots/000004/warehouse.duckdb")
    assert published.snapshot.stat().st_mode & 0o222 == 0
    assert [path.name for path in published.snapshot.parent.iterdir()] == ["warehouse.duckdb"]


def test_a_lake_that_is_moved_keeps_its_published_file(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)
    elsewhere = lake.root.rename(lake.root.with_name("else'where"))

    assert ask(elsewhere, "FROM insights_hourly SELECT count(*)") == [(6,)]
    publish(elsewhere)
    assert ask(elsewhere, "FROM lake.insights_hourly SELECT count(*)") == [(6,)]


def test_what_duckdb_is_told_directly_is_the_same_file(days: Any, lake: Lake) -> None:
    days.put()
    link = publish(lake.root).path

    with duckdb.connect(link, read_only=True, config=CONFIG) as connection:
        found = connection.sql("SELECT current_database(), sum(spend) FROM insights_hourly")
        assert found.fetchall() == [("warehouse", Decimal("10.05"))]


def test_a_data_frame_keeps_integers_decimals_and_zones(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        frame = opened.df("FROM insights_hourly ORDER BY hour, ad_id")

    assert isinstance(frame, pd.DataFrame)
    assert str(frame.dtypes["hour"]) == "int8[pyarrow]"
    assert str(frame.dtypes["spend"]) == "decimal128(18, 6)[pyarrow]"
    assert str(frame.dtypes["hour_start_utc"]) == "timestamp[us, tz=UTC][pyarrow]"
    assert frame["spend"].sum() == Decimal("10.05")
    assert frame["hour"].isna().sum() == 1


def test_instants_are_shown_in_utc(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)

    [(shown,)] = ask(lake.root, "SELECT min(hour_start_utc)::VARCHAR FROM insights_hourly")
    [(start,)] = ask(lake.root, "SELECT min(hour_start_utc) FROM insights_hourly")

    assert shown == "2026-11-20 23:00:00+00"
    assert start == datetime(2026, 11, 20, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT spent FROM insights_hourly", '"spent" not found'),
        ("SELEC 1", "syntax error"),
        ("FROM campaign", "campaign does not exist"),
        ("DELETE FROM loads", "read-only"),
        ("SELECT 'a'::INTEGER", "Could not convert"),
        ("", "gives no rows"),
    ],
)
def test_a_query_that_fails_says_what_duckdb_says(query: str, message: str, lake: Lake) -> None:
    with warehouse.open(lake.root) as opened, pytest.raises(WarehouseError, match=message):
        opened.arrow(query)


def test_an_open_result_does_not_block_the_next(days: Any, lake: Lake) -> None:
    days.put(40)
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        reader = opened.sql("FROM insights_hourly SELECT n: count(*)").to_arrow_reader()
        assert opened.arrow("FROM insights_hourly").num_rows == 40
        assert reader.read_all()["n"].to_pylist() == [40]


def test_importing_the_warehouse_imports_neither_duckdb_nor_pandas() -> None:
    code = (
        "import sys, warehouse, warehouse.decode, warehouse.lake, warehouse.checks; "
        "print(sorted({'duckdb', 'pandas', 'httpx', 'dagster'} & set(sys.modules)))"
    )

    assert python(code).communicate()[0] == "[]\n"
