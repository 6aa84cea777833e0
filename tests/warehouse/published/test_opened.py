"""What is asked of an opened warehouse: types, frames, zones, results and errors."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pytest

import warehouse
from tests.warehouse.published.asking import ask, python
from warehouse.errors import WarehouseError
from warehouse.published.connections import CONFIG
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from warehouse.lake.partitions import Lake

GROUPS = " FROM insights_hourly GROUP BY campaign_id ORDER BY campaign_id"


def test_what_duckdb_is_told_directly_is_the_same_file(days: Any, lake: Lake) -> None:
    days.put()
    link = publish(lake.root).path

    with duckdb.connect(link, read_only=True, config=CONFIG) as connection:
        found = connection.sql("SELECT current_database(), sum(spend) FROM insights_hourly")
        assert found.fetchall() == [("warehouse", Decimal("10.05"))]
    for config, read_only in ((CONFIG, True), ({}, False)):
        with (
            duckdb.connect(link, read_only, config),
            pytest.raises(WarehouseError, match=r"connect to it with read_only=True and no config"),
        ):
            warehouse.open(lake.root)


def test_a_data_frame_divides_describes_and_resamples(days: Any, lake: Lake) -> None:
    days.put(40)
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        frame = opened.df("FROM insights_hourly ORDER BY hour, ad_id")
        none = opened.df("FROM insights_hourly LIMIT 0")

    columns = ("date", "hour", "hour_start_utc", "clicks", "spend", "ad_name")
    types = ("datetime64[ms]", "Int8", "datetime64[us, UTC]", "Int64", "float64", "str")
    assert tuple(str(frame.dtypes[column]) for column in columns) == types
    assert tuple(none.dtypes) == tuple(frame.dtypes)  # whether or not there are rows
    assert frame["hour"].isna().sum() == 1
    assert frame["spend"].sum() == pytest.approx(741.39)
    costs = frame["spend"] / frame["clicks"]
    assert costs.max() == float("inf")  # no click: no error
    assert costs.median() == pytest.approx(1.0005, abs=0.0001)
    assert frame.describe()["spend"]["count"] == 40
    by_day = frame.set_index("hour_start_utc")["spend"].resample("D").sum()
    assert by_day.sum() == pytest.approx(frame.dropna(subset=["hour"])["spend"].sum())
    assert frame["spend"].cumsum().iloc[-1] == pytest.approx(741.39)


def test_an_exact_data_frame_keeps_integers_decimals_and_zones(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        frame = opened.df("FROM insights_hourly ORDER BY hour, ad_id", exact=True)

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
        frame = opened.df(query.format("9223372036854775808::HUGEINT") + GROUPS, exact=True)
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


def test_the_file_can_be_opened_twice_in_a_process(days: Any, lake: Lake) -> None:
    days.put()
    link = publish(lake.root).path
    query = "SELECT min(hour_start_utc)::VARCHAR FROM insights_hourly"

    with warehouse.open(lake.root) as opened, duckdb.connect(link, read_only=True) as other:
        assert other.sql(query).fetchall() == opened.sql(query).fetchall()
        opened.confine(lake.root)
        with warehouse.open(lake.root) as again:  # its settings are locked, and right
            assert again.sql(query).fetchall() == [("2026-11-20 23:00:00+00",)]
    with duckdb.connect(link, read_only=True) as other, warehouse.open(lake.root) as opened:
        assert other.sql(query).fetchall() == opened.sql(query).fetchall()


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
        "import warehouse.lake.proof.reconcile; "
        "print(sorted({'duckdb', 'pandas', 'httpx', 'dagster'} & set(sys.modules)))"
    )

    assert python(code).communicate()[0] == "[]\n"
