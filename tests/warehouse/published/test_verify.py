"""A publish looks at what it publishes; a published file that was changed is found and rebuilt."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from tests.warehouse.lake.damaged import WAYS
from warehouse.errors import WarehouseError
from warehouse.lake.parquet import Writer
from warehouse.published.publish import LINK, damage, publish
from warehouse.published.verify import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)
ROWS: Final = (
    "FROM insights_hourly SELECT account_id, count(*), sum(spend) GROUP BY ALL ORDER BY ALL"
)
MASTER: Final = ".snapshots/.master/warehouse.duckdb"


def ask(url: object, query: str) -> list[Any]:
    with warehouse.open(str(url)) as opened:
        return opened.sql(query).fetchall()


def by(sql: str) -> Callable[[Path], None]:
    """What root does to a file in spite of its mode."""

    def change(path: Path) -> None:
        path.chmod(0o644)
        with duckdb.connect(path) as connection:
            connection.execute(sql)

    return change


def to_another_database(path: Path) -> None:
    path.unlink()
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS a")


#: What happens to a DuckDB file.
HARM: Final[Mapping[str, Callable[[Path], object]]] = {
    "truncated": WAYS["truncated"],
    "garbage": WAYS["garbage"],
    "empty": WAYS["empty"],
    "another database": to_another_database,
    "a table dropped": by("DROP TABLE insights_hourly CASCADE"),
    "a view dropped": by("DROP VIEW account_daily"),
    "a column dropped": by("DROP VIEW account_daily; ALTER TABLE loads DROP COLUMN reason"),
    "rows deleted": by("DELETE FROM insights_hourly WHERE account_id = '12' AND hour IS NULL"),
    "all rows of an account deleted": by("DELETE FROM insights_hourly WHERE account_id = '12'"),
    "rows doubled": by("INSERT INTO insights_hourly FROM insights_hourly"),
    "spend changed": by("UPDATE insights_hourly SET spend = spend + 1 WHERE account_id = '12'"),
    "loads deleted": by("DELETE FROM loads"),
    "an account-day doubled": by(
        "INSERT INTO insights_hourly FROM insights_hourly WHERE account_id = '12';"
        " INSERT INTO loads FROM loads WHERE account_id = '12'"
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_published_file_is_named_and_rebuilt(harm: str, days: Any, lake: Lake) -> None:
    days.put(6)
    days.put(6, account="12")
    first = publish(lake.root)
    before = ask(lake.root, ROWS)
    HARM[harm](first.snapshot)

    why = damage(lake)
    again = publish(lake.root)

    assert why.startswith(f"{lake.root / LINK} is damaged: ")
    assert "Run `fbinsights publish`" in why
    assert damage(lake) == ""
    assert (ask(lake.root, ROWS), again.rows) == (before, first.rows)
    assert again.version > first.version
    assert again.snapshot.stat().st_mode & 0o222 == 0
    assert publish(lake.root).version == again.version


@pytest.mark.parametrize("harm", HARM)
def test_what_snapshots_are_copied_from_is_rebuilt_too(harm: str, days: Any, lake: Lake) -> None:
    days.put(6)
    days.put(6, account="12")
    first = publish(lake.root)
    before = ask(lake.root, ROWS)
    HARM[harm](lake.root / MASTER)

    again = publish(lake.root)

    assert (ask(lake.root, ROWS), again.rows) == (before, first.rows)
    assert damage(lake) == ""


@pytest.mark.parametrize(
    ("harm", "where"),
    [("truncated", [LINK, MASTER]), ("rows deleted", [LINK, MASTER]), ("garbage", [LINK])],
)
def test_a_damaged_file_is_rebuilt_without_a_record_of_the_publish_too(
    harm: str, where: Sequence[str], days: Any, lake: Lake
) -> None:
    days.put(6)
    days.put(6, account="12")
    publish(lake.root)
    before = ask(lake.root, ROWS)
    for path in where:
        HARM[harm]((lake.root / path).resolve())
    (lake.root / ".snapshots/.published.json").write_bytes(b"\xff")

    assert damage(lake)
    publish(lake.root)

    assert (ask(lake.root, ROWS), damage(lake)) == (before, "")


def test_a_copy_of_a_published_file_is_as_good(days: Any, lake: Lake, tmp_path: Path) -> None:
    days.put(6)
    publish(lake.root)
    shutil.copytree(lake.root, tmp_path / "copy", symlinks=True)

    copy = type(lake)(tmp_path / "copy")

    assert damage(copy) == ""
    assert ask(copy.root, ROWS) == ask(lake.root, ROWS)


def test_a_file_that_cannot_be_opened_says_what_to_do(days: Any, lake: Lake) -> None:
    days.put(6)
    HARM["garbage"](publish(lake.root).snapshot)

    with pytest.raises(
        WarehouseError, match=r"cannot be opened: .*`fbinsights publish` rebuilds it"
    ):
        warehouse.open(lake.root)


def rewritten(lake: Lake, account: str, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Other rows under the record of an account-day, of as many rows."""
    path = lake.root / lake.key("insights_hourly", account, DAY)
    file = pq.ParquetFile(path)
    rows, record = file.read(), file.metadata.metadata
    path.unlink()
    writer = Writer(lake.table("insights_hourly"), path)
    writer.write(change(rows).replace_schema_metadata(rows.schema.metadata))
    writer._begun(0).add_key_value_metadata(record)  # noqa: SLF001  nothing else writes such a file
    writer.finish()
    return path


@pytest.mark.parametrize("published", [0, 2])
def test_rows_that_do_not_add_up_to_their_record_are_left_out(
    published: int, days: Any, lake: Lake
) -> None:
    """`published`: how many account-days were, when they were still right."""
    days.put(6)
    days.put(6, account="12")
    publish(lake.root)
    before = ask(lake.root, ROWS)[: published or 1]
    if not published:
        shutil.rmtree(lake.root / ".snapshots")
        (lake.root / LINK).unlink()
    path = rewritten(lake, "12", lambda rows: rows.take([0, 1, 2, 3, 4, 4]))

    made = publish(lake.root)

    [(name, why)] = made.left_out.items()
    assert name == str(path)
    assert "spend" in why
    assert "`fbinsights backfill --since 2026-11-21 --until 2026-11-21 --account act_12" in why
    assert ask(lake.root, ROWS) == before


def test_differences_are_told_by_account_and_by_day(days: Any, lake: Lake) -> None:
    days.put(6)
    days.put(6, account="12")
    days.put(6, account="12", day=date(2026, 11, 20))
    path = publish(lake.root).snapshot
    by("DELETE FROM insights_hourly WHERE account_id = '12' AND date = '2026-11-20'")(path)

    with duckdb.connect(path, read_only=True) as connection:
        [account] = differences(connection, ["insights_hourly"])
        [day] = differences(connection, ["insights_hourly", "ads"], by_day=True)
        assert differences(connection, ["ads"]) == []

    assert str(account).startswith("insights_hourly of account 12 has 6 rows instead of 12, spend ")
    assert str(day).startswith(
        "insights_hourly of account 12 on 2026-11-20 has 0 rows instead of 6"
    )


@pytest.mark.parametrize("way", ["truncated", "broken pages", "another schema"])
def test_a_rebuild_keeps_what_was_published_of_a_file_that_is_damaged_now(
    way: str, days: Any, lake: Lake
) -> None:
    days.put(6)
    days.put(6, account="12")
    first = publish(lake.root)
    before = ask(lake.root, ROWS)
    WAYS[way](lake.root / lake.key("insights_hourly", "12", DAY))
    HARM["truncated"](lake.root / MASTER)

    again = publish(lake.root)

    assert len(again.left_out) == 1
    assert (ask(lake.root, ROWS), again.rows) == (before, first.rows)
    days.put(8, account="12")
    assert publish(lake.root).left_out == {}
    assert ask(lake.root, "FROM loads SELECT account_id, rows ORDER BY ALL") == [
        ("11", 6),
        ("12", 8),
    ]
