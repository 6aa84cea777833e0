from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from warehouse.published.connections import ALL_THREADS, GROUP_ROWS, ONE_THREAD, opened_master

if TYPE_CHECKING:
    from pathlib import Path


def _groups(connection: duckdb.DuckDBPyConnection) -> list[int]:
    query = (
        "FROM pragma_storage_info('t') SELECT sum(count)::INTEGER"
        " WHERE segment_type <> 'VALIDITY' GROUP BY row_group_id ORDER BY row_group_id"
    )
    return [rows for (rows,) in connection.execute(query).fetchall()]


def test_no_group_of_rows_waits_in_memory_for_more_than_its_size(tmp_path: Path) -> None:
    with opened_master(tmp_path / "m.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(100_000); CHECKPOINT")
        assert _groups(connection) == [GROUP_ROWS, GROUP_ROWS, 100_000 - 2 * GROUP_ROWS]


def test_a_master_of_larger_groups_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    with duckdb.connect(path, config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(100_000)")
    with opened_master(path) as connection:
        connection.execute("DELETE FROM t WHERE n % 7 = 0")
        connection.execute("INSERT INTO t SELECT range FROM range(100_000, 150_000); CHECKPOINT")
    with duckdb.connect(path, read_only=True) as connection:
        wanted = [n for n in range(150_000) if n >= 100_000 or n % 7]
        found = connection.execute("SELECT count(*), sum(n), max(n) FROM t").fetchall()
        assert found == [(len(wanted), sum(wanted), 149_999)]


def test_what_does_not_fit_into_memory_is_next_to_the_master(tmp_path: Path) -> None:
    with opened_master(tmp_path / "m.duckdb") as connection:
        [row] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
        assert row == (f"{tmp_path}/m.duckdb.tmp",)


def test_one_thread_takes_a_quarter_of_the_memory(tmp_path: Path) -> None:
    settings = "SELECT current_setting('threads'), current_setting('memory_limit')"
    with opened_master(tmp_path / "m.duckdb") as connection:
        usual = connection.execute(settings).fetchall()
        connection.execute(ONE_THREAD)
        assert connection.execute(settings).fetchall() == [(1, "244.1 MiB")]
        connection.execute(ALL_THREADS)
        assert connection.execute(settings).fetchall() == usual


def test_a_file_that_is_no_database_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.duckdb"
    path.write_text("no database\n" * 1_000)
    with pytest.raises(duckdb.Error, match="not a valid DuckDB database"):
        opened_master(path)
