"""Folders above a lake mean nothing, whatever they are called."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest
import sqlglot
from sqlglot import exp

import warehouse
from tests.warehouse.schema.test_engines import block
from warehouse.decode import arrow
from warehouse.decode.rows import Reject
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.external import DIALECTS, create_external
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal
    from pathlib import Path

DAYS: Final = [date(2026, 11, 20), date(2026, 11, 21)]
ACCOUNTS: Final = ["11", "0012"]

#: Names that mean something to DuckDB, to a hive layout, to a shell or to SQL.
ABOVE: Final = (
    "date=2026-11-28",
    "account_id=5",
    "account_id=5/date=2026-11-28",
    "date=",
    "env=prod",
    "spend=1/loaded_at=2",
    "with space",
    'it\'s "quoted"',
    "[x]",
    "[date=1]",
    "st*r/**",
    "東京 ü",
    "a,b;c%20#{d}",
)

SUMS: Final = "select account_id, date, count(*), sum(spend) from {} group by all order by all"


@pytest.fixture(params=ABOVE)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param) / "lake"


def fill(days: Any) -> None:
    for account in ACCOUNTS:
        for day in DAYS:
            days.put(account=account, day=day)


def wanted(lake: Lake) -> list[tuple[str, date, int, Decimal]]:
    return sorted(
        (load["account_id"], load["date"], load["rows"], load["spend"])
        for load in lake.loads().to_pylist()
    )


def test_publishing_again_gives_the_same_rows_under_their_own_dates(
    root: Path, make_days: Callable[[Path], Any]
) -> None:
    days = make_days(root)
    fill(days)
    first = publish(root)
    days.put(4, account=ACCOUNTS[0], day=DAYS[1])
    again = publish(root)

    assert (first.rows["insights_hourly"], again.rows["insights_hourly"]) == (24, 22)
    assert (first.rows["loads"], again.rows["loads"]) == (4, 4)
    with warehouse.open(root) as opened:
        for relation in ("insights_hourly", "lake.insights_hourly"):
            assert opened.sql(SUMS.format(relation)).fetchall() == wanted(days.lake)


def test_rejects_and_objects_are_published_too(
    root: Path, make_days: Callable[[Path], Any]
) -> None:
    days = make_days(root)
    load = days.load(days.rows())
    days.lake.write_rejects(load, [Reject(1, 2, "spend", "12a", "not a number", "{}")])
    campaign = {"account_id": "11", "campaign_id": "7", "campaign_name": "Autumn"}
    rows = arrow.records(TABLES["campaigns"].arrow_schema, [campaign])
    days.lake.replace("campaigns", rows, account_id="11")

    published = [publish(root).rows for _ in range(2)]

    assert [(rows["rejects"], rows["campaigns"]) for rows in published] == [(1, 1)] * 2
    with warehouse.open(root) as opened:
        asked = "select account_id, campaign_id, campaign_name from lake.campaigns"
        assert opened.sql(asked).fetchall() == [("11", "7", "Autumn")]


@pytest.mark.parametrize("words", [("filter=",), ("TABLES",), ("pandas",), ("polars",)])
def test_other_engines_take_account_and_day_from_the_folders_of_the_table(
    words: Sequence[str], root: Path, make_days: Callable[[Path], Any]
) -> None:
    fill(make_days(root))
    names: dict[str, Any] = {"root": root}
    exec(block(*words), names)  # noqa: S102  # our own documentation

    found = names["table"] if "table" in names else names["frame"]
    cells = {(str(a), str(d)) for a, d in zip(found["account_id"], found["date"], strict=True)}
    days = DAYS[1:] if words == ("filter=",) else DAYS
    assert cells == {(account, str(day)) for account in ACCOUNTS for day in days}


def test_a_filter_on_account_and_day_opens_no_other_file(
    tmp_path: Path, make_days: Callable[[Path], Any]
) -> None:
    """Below a folder that looks like one of ours, too."""
    root = tmp_path / "date=2026-11-28"
    fill(make_days(root))
    publish(root)

    with warehouse.open(root) as opened:
        asked = (
            "explain analyze select sum(spend) from lake.insights_hourly"
            " where account_id = '0012' and date = DATE '2026-11-20'"
        )
        [(_, plan)] = opened.sql(asked).fetchall()
    assert re.search(r"Scanning Files: 1/4", plan)


def test_a_relative_path_a_link_and_a_slash_at_the_end_are_the_same_lake(
    tmp_path: Path, make_days: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "date=2026-11-28" / "lake"
    fill(make_days(root))
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(root.parent)

    for url in (root, "./lake", f"{root}/", tmp_path / "link", "../date=2026-11-28/./lake//"):
        assert publish(url).rows["insights_hourly"] == 24
        with warehouse.open(url) as opened:
            assert opened.sql(SUMS.format("lake.insights_hourly")).fetchall() == wanted(Lake(root))


@pytest.mark.parametrize("name", ["wh?t", "back\\slash"])
def test_a_name_that_duckdb_reads_otherwise_is_refused_with_what_to_do(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(WarehouseError, match="Rename the folder or set WAREHOUSE_URL"):
        Lake(tmp_path / name / "lake")


@pytest.mark.parametrize("engine", sorted({*DIALECTS} - {"bigquery"}))
def test_statements_for_other_engines_name_the_place_as_it_is(engine: str) -> None:
    """BigQuery's external tables the parser does not know."""
    place = "s3://bucket/it's date=2026-11-28"
    sql = create_external(TABLES["insights_hourly"], engine, place)

    # Snowflake's place is in a comment: whoever makes the stage writes it.
    made = sql.partition(";")[0]
    parsed = sqlglot.parse_one(made, dialect="hive" if engine == "athena" else engine)

    texts = {literal.name.rstrip("/") for literal in parsed.find_all(exp.Literal)}
    assert engine == "snowflake" or f"{place}/insights_hourly" in texts, sql


def test_snowflake_counts_folders_from_the_end() -> None:
    sql = create_external(TABLES["insights_hourly"], "snowflake", "s3://bucket/date=2026-11-28")

    assert "SPLIT_PART(SPLIT_PART(METADATA$FILENAME, '/', -2), '=', 2)::DATE" in sql
    assert "SPLIT_PART(SPLIT_PART(METADATA$FILENAME, '/', -3), '=', 2)::VARCHAR" in sql
