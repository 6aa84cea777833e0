"""The published file: whole, read-only, always there, and never in anybody's way."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

import warehouse
from tests.warehouse.published.asking import ask, snapshots
from warehouse.decode.rows import Reject
from warehouse.lake.footers import read_footer, records
from warehouse.published.connections import CONFIG
from warehouse.published.manifest import LakeFile, freeze
from warehouse.published.master import DATABASE, Conditions, refresh
from warehouse.published.publish import publish
from warehouse.schema.sql import duckdb_type
from warehouse.schema.tables import TABLES
from warehouse.schema.views.listed import VIEWS

if TYPE_CHECKING:
    from warehouse.lake.partitions import Lake


DAY = date(2026, 11, 21)
NAMES = [*TABLES, *VIEWS]


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
    grain = ", ".join(TABLES["rejects"].grain)

    assert changed == [(6, 4)]
    assert [r[:3] for r in unreadable] == [(a, 1, "spend") for a in ("11", "11", "12")]
    assert [r[3] for r in unreadable] == [later[1], later[2], later[2]]
    assert len(ask(lake.root, f"FROM rejects SELECT DISTINCT {grain}")) == len(unreadable)


def only_file(lake: Lake) -> LakeFile:
    [one] = lake.scan("insights_hourly").files
    return LakeFile("insights_hourly", one.account_id, one.date, one.stamp, one.key)


def test_a_load_in_the_middle_of_a_publish_is_left_for_the_next(
    days: Any, lake: Lake, tmp_path: Path
) -> None:
    days.put(6)
    file = only_file(lake)
    [frozen] = freeze(lake, [file], tmp_path, {})
    days.put(40)

    assert frozen.path.name == "11,2026-11-21,data.parquet"
    assert frozen.stamp == file.stamp != only_file(lake).stamp
    assert pq.ParquetFile(frozen.path).metadata.num_rows == 6
    assert records([read_footer(frozen.path)])[0]["rows"].to_pylist() == [6]


def test_a_publish_without_news_leaves_the_snapshot_as_it_is(days: Any, lake: Lake) -> None:
    days.put()
    first, second = publish(lake.root), publish(lake.root)

    assert (second.snapshot, second.rows) == (first.snapshot, first.rows)
    assert snapshots(lake) == ["000001"]


def test_only_account_days_that_changed_are_copied(days: Any, lake: Lake) -> None:
    for account in ("11", "12", "13"):
        days.put(account=account)
    days.put(4, account="12", day=date(2026, 11, 20))
    publish(lake.root)
    before = stamps(lake)
    days.put(20, account="12")
    shutil.rmtree((lake.root / lake.key("insights_hourly", "13", DAY)).parent)
    published = publish(lake.root)
    after = stamps(lake)

    assert published.rows["insights_hourly"] == published.rows["loads"] + 27 == 30
    assert {key for key in before if after.get(key) != before[key]} == {("12", DAY), ("13", DAY)}
    with warehouse.open(lake.root) as opened:
        rows = opened.arrow("FROM insights_hourly ORDER BY account_id, date, ad_id, hour")
        loads = opened.arrow("FROM loads ORDER BY ALL")
        changed = opened.arrow("FROM restatements")
    assert rows.to_pylist() == lake.read("insights_hourly").to_pylist()
    assert loads.to_pylist() == lake.loads().to_pylist()
    assert changed.to_pylist() == lake.restatements().to_pylist()


def stamps(lake: Lake) -> dict[tuple[str, date], str]:
    rows = ask(lake.root, "FROM published.files SELECT account_id, date, stamp")
    return {(account_id, day): stamp for account_id, day, stamp in rows}


def test_a_master_that_grew_by_much_is_made_anew_in_order(days: Any, lake: Lake) -> None:
    folder = lake.root / ".snapshots" / ".master"

    def later(account: str) -> int:
        """Rows out of order once an account has come."""
        days.put(account=account)
        refresh(lake, folder, 0, Conditions(later_rows=10))
        with duckdb.connect(folder / DATABASE, read_only=True, config=CONFIG) as opened:
            counted = "FROM published.files SELECT coalesce(sum(rows) FILTER (later = 1), 0)"
            [(rows,)] = opened.sql(counted).fetchall()
        return int(rows)

    # One that is replaced again and again counts once.
    assert [later(account) for account in ("13", *9 * ["12"], "11")] == [0, *9 * [6], 12]
    assert later("10") == 0
    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        native = opened.arrow("FROM insights_hourly")
    assert native.to_pylist() == lake.read("insights_hourly").to_pylist()


@pytest.mark.parametrize("damage", [b"", b"not a database"])
def test_a_master_that_is_damaged_is_made_anew(damage: bytes, days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)
    days.put(40)
    (lake.root / ".snapshots" / ".master" / "warehouse.duckdb").write_bytes(damage)

    assert publish(lake.root).rows["insights_hourly"] == 40
    assert ask(lake.root, "FROM insights_hourly SELECT count(*)") == [(40,)]


def test_a_master_from_a_backup_is_published_under_a_new_version(
    days: Any, lake: Lake, tmp_path: Path
) -> None:
    days.put()
    assert refresh(lake, tmp_path / "master", 0).version == 1
    later = [refresh(lake, tmp_path / "master", after).version for after in (7, 8)]
    assert later == [8, 8]


def test_a_log_that_somebody_left_beside_the_link_cannot_hurt(days: Any, lake: Lake) -> None:
    days.put()
    link = publish(lake.root).path
    log = link.with_name("warehouse.duckdb.wal")
    log.write_bytes(b"of another snapshot")
    days.put(40)
    publish(lake.root)

    with duckdb.connect(link, read_only=True, config=CONFIG) as connection:
        assert connection.sql("FROM insights_hourly").count("*").fetchall() == [(40,)]


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


@pytest.mark.parametrize(
    "folders", ["account_id=11/date=2026-11-19", "account_id=011/date=2026-11-21"]
)
def test_a_copy_in_the_folder_of_another_account_day_is_named_and_counts_nothing(
    folders: str, lake: Lake, days: Any
) -> None:
    days.put()
    before = publish(lake.root).rows
    copy = lake.root / "insights_hourly" / folders
    shutil.copytree((lake.root / lake.key("insights_hourly", "11", DAY)).parent, copy)

    published = publish(lake.root)

    [said] = published.left_out.values()
    assert (
        f"{folders}/data.parquet is damaged: it was loaded as insights_hourly of account 11" in said
    )
    assert published.rows == before
    shutil.rmtree(copy)
    assert publish(lake.root).left_out == {}
