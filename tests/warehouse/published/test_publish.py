"""The published file: whole, read-only, always there, and never in anybody's way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq
import pytest

import warehouse
from warehouse.decode.rows import Reject
from warehouse.errors import ChangedKindError, WarehouseError
from warehouse.lake.parquet import footer, records
from warehouse.lake.partitions import Lake
from warehouse.published import master
from warehouse.published.manifest import freeze, lake_files
from warehouse.published.master import CONFIG
from warehouse.published.publish import publish
from warehouse.schema.catalog import Catalog
from warehouse.schema.long_form import long_actions
from warehouse.schema.sql import duckdb_type
from warehouse.schema.table import Column
from warehouse.schema.tables import TABLES
from warehouse.schema.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable


DAY = date(2026, 11, 21)
NAMES = [*TABLES, *VIEWS]
GROUPS = " FROM insights_hourly GROUP BY campaign_id ORDER BY campaign_id"

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

#: A reader in a process of its own that opens, asks and closes for as long as it may, and ends by
#: saying how often. Within what it opened, `loads` must tell of exactly the rows there are.
ASKER = """
import sys, threading, warehouse
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
asked = 0
while not stop.is_set() or not asked:
    with warehouse.open({url!r}) as opened:
        [(rows, told, marks)] = opened.sql(
            "SELECT (FROM insights_hourly SELECT count(*)), (FROM loads SELECT sum(rows)::BIGINT),"
            " (FROM account_daily SELECT count(*))"
        ).fetchall()
        assert (rows, marks) == (told or 0, opened.arrow("FROM loads WHERE rows > 0").num_rows)
    asked += 1
print(asked)
"""

#: A publisher in a process of its own, for as long as it may.
PUBLISHING = """
from warehouse.published.publish import publish
while True:
    publish({url!r})
"""

#: A publisher in a process of its own that dies at `{where}`.
PUBLISHER = """
import os, signal
import pathlib, shutil
from warehouse.lake.partitions import Lake
from warehouse.published import master, publish
{where} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
publish.publish({url!r})
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
    grain = ", ".join(TABLES["rejects"].grain)

    assert changed == [(6, 4)]
    assert [r[:3] for r in unreadable] == [(a, 1, "spend") for a in ("11", "11", "12")]
    assert [r[3] for r in unreadable] == [later[1], later[2], later[2]]
    assert len(ask(lake.root, f"FROM rejects SELECT DISTINCT {grain}")) == len(unreadable)


def test_a_load_in_the_middle_of_a_publish_is_left_for_the_next(
    days: Any, lake: Lake, tmp_path: Path
) -> None:
    days.put(6)
    [file] = lake_files(lake)
    [frozen] = freeze(lake, [file], tmp_path)
    days.put(40)

    assert frozen.path.name == "11,2026-11-21,data.parquet"
    assert frozen.stamp == file.stamp != lake_files(lake)[0].stamp
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
        *("shutil.copyfile", "pathlib.Path.chmod", "pathlib.Path.rename", "publish.sync_folder"),
        *("publish._point", "pathlib.Path.symlink_to", "pathlib.Path.replace"),
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


@pytest.mark.parametrize("small_disk", [16], indirect=True)
def test_a_full_disk_fails_the_publish_and_leaves_the_old_file(
    make_days: Callable[[Path], Any], small_disk: Path
) -> None:
    days = make_days(small_disk / "lake")
    days.put(6)
    publish(days.lake.root)
    days.put(40)
    filler = small_disk / "filler"
    with suppress(OSError):
        filler.write_bytes(bytes(16_000_000))

    with pytest.raises(
        WarehouseError, match=r"No space left .* The previously published file is unchanged"
    ):
        publish(days.lake.root)

    assert ask(days.lake.root, "FROM insights_hourly SELECT count(*)") == [(6,)]
    filler.unlink()
    publish(days.lake.root)
    assert ask(days.lake.root, "FROM insights_hourly SELECT count(*)") == [(40,)]


def test_readers_are_never_in_the_way_of_loads_and_publishers_nor_those_of_them(
    days: Any, lake: Lake
) -> None:
    publish(lake.root)
    reader = python(ASKER.format(url=str(lake.root)))
    for n in range(15):
        days.put(10 + n, account=str(11 + n % 3), day=date(2026, 11, 1 + n % 4))
        publish(lake.root)
    answer, _ = reader.communicate()

    assert reader.returncode == 0
    assert int(answer) > 0
    assert ask(lake.root, "FROM loads SELECT count(*)") == [(12,)]


def test_publishers_killed_at_any_moment_leave_whole_files(days: Any, lake: Lake) -> None:
    publish(lake.root)
    reader = python(ASKER.format(url=str(lake.root)))
    for n in range(8):
        publisher = python(PUBLISHING.format(url=str(lake.root)))
        for m in range(4):
            days.put(10 + n, account=str(11 + m), day=date(2026, 11, 1 + n))
        with suppress(subprocess.TimeoutExpired):  # the moment comes when it comes
            publisher.wait(timeout=0.4 + 0.05 * n)
        publisher.kill()
        publisher.communicate()
    answer, _ = reader.communicate()
    publish(lake.root)

    assert reader.returncode == 0
    assert int(answer) > 0
    with warehouse.open(lake.root) as opened:
        native = opened.arrow("FROM insights_hourly ORDER BY account_id, date, ad_id, hour")
    assert native.to_pylist() == lake.read("insights_hourly").to_pylist()


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


def test_a_master_that_grew_by_much_is_made_anew_in_order(
    days: Any, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master, "LATER_ROWS", 10)
    for account in ("13", "12", "11"):
        days.put(account=account)
        publish(lake.root)
    [(later,)] = ask(lake.root, "FROM published.state SELECT later_rows")
    days.put(account="10")
    publish(lake.root)

    assert later == 12
    assert ask(lake.root, "FROM published.state SELECT later_rows") == [(0,)]
    assert snapshots(lake) == ["000002", "000003", "000004"]
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


def test_a_log_that_somebody_left_beside_the_link_cannot_hurt(days: Any, lake: Lake) -> None:
    days.put()
    link = publish(lake.root).path
    log = link.with_name("warehouse.duckdb.wal")
    log.write_bytes(b"of another snapshot")
    days.put(40)
    publish(lake.root)

    with duckdb.connect(link, read_only=True, config=CONFIG) as connection:
        assert connection.sql("FROM insights_hourly").count("*").fetchall() == [(40,)]


def younger(column: Column) -> Catalog:
    """Another catalog: `insights_hourly` with a column added or changed."""
    table = TABLES["insights_hourly"]
    others = tuple(c for c in table.columns if c.name != column.name)
    changed = replace(table, columns=(*others, column))
    listed = long_actions(changed)
    assert listed
    return Catalog(
        {**TABLES, table.name: changed}, {**VIEWS, listed.name: listed}, frozenset({table.name})
    )


def test_a_column_added_to_the_catalogue_is_null_in_older_files(days: Any, lake: Lake) -> None:
    days.put(account="12")
    publish(lake.root)
    catalog = younger(Column("reach", "count", "Accounts that saw it"))
    publish(lake.root, catalog=catalog)

    for schema in ("main", "lake"):
        rows = ask(lake.root, f"FROM {schema}.insights_hourly SELECT count(*), count(reach)")
        assert rows == [(6, 0)]
    lake = Lake(lake.root, catalog=catalog)
    assert lake.read("insights_hourly")["reach"].null_count == 6

    replace(days, lake=lake).put()
    publish(lake.root, catalog=catalog)
    for schema in ("main", "lake"):
        rows = ask(
            lake.root, f"FROM {schema}.insights_hourly SELECT count(*), typeof(any_value(reach))"
        )
        assert rows == [(12, "BIGINT")]


def test_a_column_taken_from_the_catalogue_leaves_older_files_readable(
    days: Any, lake: Lake
) -> None:
    before = younger(Column("reach", "count", "Accounts that saw it"))
    replace(days, lake=Lake(lake.root, catalog=before)).put()
    after = younger(Column("mood", "text", "How it felt"))  # in the place of `reach`
    lake = Lake(lake.root, catalog=after)
    replace(days, lake=lake).put(account="12")
    publish(lake.root, catalog=after)

    for schema in ("main", "lake"):
        rows = ask(lake.root, f"FROM {schema}.insights_hourly SELECT count(*), sum(clicks)")
        assert rows == [(12, 20)]
        with pytest.raises(WarehouseError, match="reach"):
            ask(lake.root, f"FROM {schema}.insights_hourly SELECT reach")
    assert lake.read("insights_hourly").num_rows == 12


def test_a_window_added_to_a_list_is_null_in_older_files(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)
    catalog = younger(Column("actions", "actions", "Actions", windows=("1d_view",)))
    publish(lake.root, catalog=catalog)
    lake = Lake(lake.root, catalog=catalog)

    entry = {"action_type": "like", "value": Decimal(4), "1d_view": None}
    assert ask(lake.root, "FROM insights_hourly SELECT actions[1] WHERE clicks = 4") == [(entry,)]
    assert entry in [a for r in lake.read("insights_hourly")["actions"].to_pylist() for a in r]


def test_a_changed_kind_is_refused_with_what_to_do_and_the_old_file_stays(
    days: Any, lake: Lake
) -> None:
    days.put()
    publish(lake.root)
    catalog = younger(Column("clicks", "money", "Clicks"))
    lake = Lake(lake.root, catalog=catalog)

    with pytest.raises(ChangedKindError, match=r"insights_hourly\.clicks is decimal.* new name"):
        publish(lake.root, catalog=catalog)
    with pytest.raises(ChangedKindError, match="reload the account-days"):
        lake.read("insights_hourly")
    assert ask(lake.root, "FROM insights_hourly SELECT sum(clicks)") == [(10,)]

    # with the new kind
    replace(days, lake=lake).put(loaded_at=datetime(2026, 11, 23, tzinfo=UTC))
    publish(lake.root, catalog=catalog)
    assert ask(lake.root, "FROM insights_hourly SELECT sum(clicks)") == [(Decimal(10),)]


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


def test_sums_are_as_wide_as_what_they_add_up_so_that_pandas_can_go_on(
    days: Any, lake: Lake
) -> None:
    days.put(40)
    publish(lake.root)
    query = "SELECT campaign_id, sum(clicks) AS clicks, sum(spend) AS spend, {} AS wide"

    with warehouse.open(lake.root) as opened:
        frame = opened.df(query.format("9223372036854775808::HUGEINT") + GROUPS)
        told = opened.arrow(query.format("10::DECIMAL(38, 6)") + GROUPS).schema

    assert [str(dtype) for dtype in frame.dtypes[1:]] == [
        "int64[pyarrow]",
        "decimal128(18, 6)[pyarrow]",
        "decimal128(38, 0)[pyarrow]",  # it fits into nothing else
    ]
    assert [str(field.type) for field in told][1:] == ["int64", *["decimal128(38, 6)"] * 2]
    costs = (frame["spend"] / frame["clicks"]).tolist()
    assert list(map(float, costs)) == pytest.approx([380.20 / 380, 361.19 / 361])
    assert frame["wide"].tolist() == [Decimal(2**63)] * 2


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
        ("", "returns no rows"),
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
        "import sys, warehouse, warehouse.decode.pages, warehouse.lake.partitions; "
        "import warehouse.lake.reconcile; "
        "print(sorted({'duckdb', 'pandas', 'httpx', 'dagster'} & set(sys.modules)))"
    )

    assert python(code).communicate()[0] == "[]\n"


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

    with pytest.raises(WarehouseError, match=f"{folders}.* as 2026-11-21 of account 11: move it"):
        publish(lake.root)

    shutil.rmtree(copy)
    assert publish(lake.root).rows == before
