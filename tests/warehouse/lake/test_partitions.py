"""Files of the lake: one for each account-day, replaced whole, read by anyone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from warehouse.errors import KeepsProvenError, UnknownTableError, WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.lake.proof.reconcile import Evidence
from warehouse.lake.records import Load
from warehouse.published.connections import CONFIG
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)


def test_what_is_put_in_comes_out_sorted_by_grain(days: Any, lake: Lake) -> None:
    days.put()

    found = lake.read("insights_hourly", account_id="11", date=DAY)

    assert found.schema == TABLES["insights_hourly"].arrow_schema
    assert found.equals(days.rows().sort_by([("ad_id", "ascending"), ("hour", "ascending")]))
    assert found["hour"].to_pylist() == [0, 1, 2, 0, 1, None]


def test_reading_can_take_an_account_a_day_or_all(days: Any, lake: Lake) -> None:
    for account in ("11", "12"):
        for day in (DAY, date(2026, 11, 20)):
            days.put(account=account, day=day)

    assert lake.read("insights_hourly").num_rows == 24
    assert lake.read("insights_hourly", account_id="12").num_rows == 12
    assert lake.read("insights_hourly", account_id="12", date=DAY).num_rows == 6
    assert lake.read("insights_hourly", account_id="13").num_rows == 0
    columns = ("spend", "account_id", "ad_id")
    for account in ("12", "13"):
        whole = lake.read("insights_hourly", account_id=account)
        some = lake.read("insights_hourly", account_id=account, columns=columns)
        assert some.equals(whole.select(columns))
    assert [(p.account_id, p.date) for p in lake.partitions("insights_hourly")] == [
        *(("11", date(2026, 11, 20)), ("11", DAY)),
        *(("12", date(2026, 11, 20)), ("12", DAY)),
    ]


def test_an_account_day_without_rows_is_a_file_too(days: Any, lake: Lake) -> None:
    days.put(0)

    assert lake.read("insights_hourly").num_rows == 0
    assert lake.load_of("insights_hourly", "11", DAY) == days.load(days.rows(0))


def test_loading_again_leaves_one_copy(days: Any, lake: Lake) -> None:
    days.put(40)
    days.put(6)

    assert lake.read("insights_hourly").num_rows == 6


def test_objects_have_one_file_per_account_and_accounts_one_file(lake: Lake) -> None:
    empty = {n: TABLES[n].arrow_schema.empty_table() for n in ("accounts", "ads")}
    lake.replace("accounts", empty["accounts"])
    lake.replace("ads", empty["ads"], account_id="11")

    files = [str(p.relative_to(lake.root)) for p in lake.root.rglob("*.parquet")]

    assert sorted(files) == ["accounts/data.parquet", "ads/account_id=11/data.parquet"]


def test_a_plain_hive_reader_of_pyarrow_sees_account_ids_as_text(days: Any, lake: Lake) -> None:
    days.put(account="111122223333444")

    found = ds.dataset(lake.root / "insights_hourly", partitioning="hive").to_table()

    assert set(found["account_id"].to_pylist()) == {"111122223333444"}
    assert set(found["date"].to_pylist()) == {"2026-11-21"}


def test_duckdb_reads_the_folders_with_their_types(days: Any, lake: Lake) -> None:
    days.put()
    query = (
        f"SELECT account_id, date, spend FROM read_parquet('{lake.root}/insights_hourly/*/*/*', "  # noqa: S608  ours
        "hive_types = {'account_id': VARCHAR, 'date': DATE}) ORDER BY spend DESC LIMIT 1"
    )

    with duckdb.connect(config=CONFIG) as connection:
        assert connection.sql(query).fetchall() == [("11", DAY, Decimal("4.010000"))]


def test_a_file_is_sorted_small_and_carries_its_load(days: Any, lake: Lake) -> None:
    days.put(500)

    file = pq.ParquetFile(lake.root / lake.key("insights_hourly", "11", DAY))

    assert {"account_id", "date"}.isdisjoint(file.schema_arrow.names)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert b"fbinsights.load" in file.metadata.metadata


def test_the_table_of_loads_is_read_from_the_footers(days: Any, lake: Lake) -> None:
    days.put(reason="sums agree", report_run_ids=("6", "7"), seconds=1.5, calls=4)
    days.put(account="12")

    [first, second] = lake.loads().to_pylist()

    assert (first["table_name"], first["account_id"]) == ("insights_hourly", "11")
    assert (first["rows"], first["spend"]) == (6, Decimal("10.05"))
    assert (first["report_run_ids"], first["seconds"], first["calls"]) == (["6", "7"], 1.5, 4)
    assert (second["account_id"], second["loaded_at"].tzinfo is not None) == ("12", True)


def test_every_column_of_the_table_of_loads_comes_back_from_a_footer(days: Any, lake: Lake) -> None:
    told = {
        "reason": "sums agree",
        "impressions": 1500,
        "clicks": 15,
        "control_impressions": 1501,
        "control_clicks": 16,
        "control_spend": Decimal("10.06"),
        "conversions": "proven",
        "conversions_reason": "all types agree",
        "is_over": True,
        "asked_at": NOW,
        "rejected": 1,
        "rejected_cells": 3,
        "repeated": 2,
        "missing_fields": ["conversions"],
        "report_run_ids": ["6", "7"],
        "calls": 4,
        "seconds": 1.5,
        "api_version": "v26.0",
        "run_id": "a1b2",
        "schema_version": 9,
    }
    days.put(**told)

    [row] = lake.loads().to_pylist()

    assert list(row) == [column.name for column in TABLES["loads"].columns]
    assert {name: row.pop(name) for name in told} == told
    assert row == {
        "table_name": "insights_hourly",
        "account_id": "11",
        "date": DAY,
        "rows": 6,
        "spend": Decimal("10.05"),
        "verdict": "proven",
        "loaded_at": NOW,
        "last_whole_hour": None,
        "day_gone": None,
    }


def test_a_proven_account_day_is_never_replaced_by_an_unproven_one(days: Any, lake: Lake) -> None:
    days.put()

    with pytest.raises(KeepsProvenError, match="spend is short"):
        days.put(4, verdict="unproven", reason="spend is short")
    with pytest.raises(KeepsProvenError, match="no load record"):
        lake.replace("insights_hourly", days.rows(4), account_id="11", date=DAY)

    assert lake.read("insights_hourly").num_rows == 6
    assert lake.load_of("insights_hourly", "11", DAY).proven  # type: ignore[union-attr]  # it is


def test_a_reload_that_changes_sums_is_remembered_with_the_rows(
    days: Any, lake: Lake, later: list[datetime]
) -> None:
    changes = [days.put(), days.put(loaded_at=later[0]), days.put(4, loaded_at=later[1])]
    days.put(6, loaded_at=later[2])

    assert [change is None for change in changes] == [True, True, False]
    assert [
        (r["rows_before"], r["rows_after"], r["spend_before"], r["spend_after"])
        for r in lake.restatements().to_pylist()
    ] == [
        (6, 4, Decimal("10.05"), Decimal("3.03")),
        (4, 6, Decimal("3.03"), Decimal("10.05")),
    ]


@pytest.mark.parametrize("account", ["act_11", "", "11/..", "..", "1 1", "\u0661"])
def test_an_account_id_that_is_not_digits_is_no_folder(account: str, lake: Lake) -> None:
    with pytest.raises(WarehouseError, match="digits without act_"):
        lake.key("ads", account, None)


def test_rows_of_another_account_day_are_refused(days: Any, lake: Lake) -> None:
    with pytest.raises(
        WarehouseError, match="Some new rows of insights_hourly are not of account_id 12"
    ):
        lake.replace("insights_hourly", days.rows(), account_id="12", date=DAY)
    with pytest.raises(WarehouseError, match="are not of date 2026-11-20"):
        lake.replace("insights_hourly", days.rows(), account_id="11", date=date(2026, 11, 20))
    with pytest.raises(
        WarehouseError, match="named by account_id and date, but account_id was given"
    ):
        lake.replace("insights_hourly", days.rows(), account_id="11")
    with pytest.raises(WarehouseError, match="columns of control_daily"):
        lake.replace("control_daily", days.rows(), account_id="11", date=DAY)
    with pytest.raises(WarehouseError, match="The load record is for"):
        days.put(table="control_daily")

    assert list(lake.root.rglob("*.parquet")) == []


def test_sums_beyond_64_bits_are_refused_and_not_wrapped_around(days: Any, lake: Lake) -> None:
    rows = days.rows()
    most = [str(2**63 - 1)] * rows.num_rows
    column = rows.schema.get_field_index("impressions")
    rows = rows.set_column(column, "impressions", pa.array(most).cast(pa.int64()))
    found = Evidence.of(TABLES["insights_hourly"], rows)
    load = Load.of("insights_hourly", "11", DAY, found, verdict="proven", loaded_at=NOW)

    assert load.impressions == 6 * (2**63 - 1)
    with pytest.raises(
        WarehouseError, match="sum of impressions over 6 rows does not fit into 64 bits"
    ):
        lake.replace("insights_hourly", rows, account_id="11", date=DAY, load=load)


def test_what_is_no_table_of_files_is_refused(lake: Lake) -> None:
    with pytest.raises(UnknownTableError, match="loads has no files in the lake"):
        lake.read("loads")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://bucket/lake",
        "s3://",
        "s3://b/lake",
        "s3://bucket/../lake",
        "s3://AKIA:hidden@bucket/lake",
        "s3://bucket/lake?endpoint_override=hidden",
    ],
)
def test_what_is_neither_a_folder_nor_a_bucket_is_refused_in_plain_words(url: str) -> None:
    with pytest.raises(WarehouseError, match="not have the form s3://bucket/prefix") as refused:
        Lake(url)
    assert "hidden" not in str(refused.value)


def test_times_of_loads_are_utc_whatever_zone_they_came_in(days: Any, lake: Lake) -> None:
    berlin = datetime.fromisoformat("2026-11-22T06:00:00+01:00")
    days.put(loaded_at=berlin)

    load = lake.load_of("insights_hourly", "11", DAY)

    assert load is not None
    assert load.loaded_at == berlin
    assert load.loaded_at.tzinfo is UTC


@pytest.mark.parametrize("below", ["", "lake", "deep/lake"])
def test_a_file_cannot_be_the_warehouse_nor_hold_one(below: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(WarehouseError, match=r"notes\.txt is a file"):
        Lake(tmp_path / "notes.txt" / below)


def test_a_folder_of_somebody_else_is_named_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)

    with pytest.raises(WarehouseError, match=f"Cannot write to {tmp_path}"):
        Lake(tmp_path / "deep" / "lake").require_writable()


@pytest.mark.parametrize(
    "folders",
    [
        *("account_id=1/date=2026-11-21 copy", "account_id=x/date=2026-11-21"),
        *("account_id=1/date=20261121", "account_id=1/date=2026-W47-6"),
    ],
)
def test_a_file_that_is_of_no_account_and_day_is_named_and_costs_no_other(
    folders: str, lake: Lake, days: Any, caplog: pytest.LogCaptureFixture
) -> None:
    days.put()
    path = lake.root / "insights_hourly" / folders / "data.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")

    [found] = lake.partitions("insights_hourly")
    [error] = lake.scan("insights_hourly").left_out.values()

    assert (found.account_id, found.date) == ("11", DAY)
    assert f"{path} (not an account/date partition)" in str(error)
    assert caplog.messages == [str(error)]
