"""Writers that are killed, meet a full disk or each other: one whole file, and no debris."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from tests.pace import PATIENCE_SECONDS
from warehouse.errors import FullDiskError
from warehouse.storage.atomic import STAGING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)

#: A writer in a process of its own. `{kill}` is where it dies, `{marks}` what it writes.
WRITER = """
import os, pathlib, signal
from datetime import UTC, date, datetime
from warehouse.decode.pages import Account, decode
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.schema.tables import TABLES

die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
{kill}
for mark in {marks}:
    row = '{{"account_id": "11", "ad_id": "%s", "clicks": "%s", "date_start": "2026-11-21"}}'
    body = '{{"data": [' + ",".join(row % (n, mark) for n in range(500)) + "]}}"
    day = date(2026, 11, 21)
    table = TABLES["insights_hourly"]
    rows = decode(table, [body.encode()], Account("11", "UTC", "EUR"), [day]).rows
    load = Load(table=table.name, account_id="11", date=day, rows=500, clicks=500 * mark,
                verdict="proven", loaded_at=datetime.now(UTC))
    Lake({url!r}).replace(table, rows, account_id="11", date=day, load=load)
"""


def writer(url: Path, marks: range, kill: str = "") -> subprocess.Popen[bytes]:
    code = WRITER.format(url=str(url), marks=list(marks), kill=kill)
    return subprocess.Popen([sys.executable, "-c", code])  # noqa: S603  our own code


def unfinished(lake: Lake) -> list[Path]:
    return [path for path in (lake.root / STAGING).rglob("*") if path.is_file()]


def test_a_writer_killed_before_the_rename_leaves_the_old_file(days: Any, lake: Lake) -> None:
    days.put()
    killed = writer(lake.root, range(1), kill="pathlib.Path.replace = die")
    assert killed.wait(timeout=PATIENCE_SECONDS) == -9

    assert len(unfinished(lake)) == 1
    assert lake.read("insights_hourly").num_rows == 6
    assert len(lake.partitions("insights_hourly")) == 1

    days.put(4)
    assert unfinished(lake) == []
    assert lake.read("insights_hourly").num_rows == 4


def test_a_full_disk_leaves_the_old_file_and_no_debris(
    make_days: Callable[[Path], Any], small_disk: Path
) -> None:
    days = make_days(small_disk / "lake")
    days.put()
    filler = small_disk / "filler"
    with suppress(OSError):
        filler.write_bytes(bytes(3_000_000))

    with pytest.raises(
        FullDiskError,
        match="Cannot write insights_hourly of account 11 on 2026-11-21: No space left",
    ):
        days.put(40)

    assert unfinished(days.lake) == []
    assert days.lake.read("insights_hourly").num_rows == 6
    filler.unlink()
    days.put(40)
    assert days.lake.read("insights_hourly").num_rows == 40


def test_a_table_on_a_full_disk_of_its_own_is_named_and_no_debris_stays_there(
    make_days: Callable[[Path], Any], tmp_path: Path, small_disk: Path
) -> None:
    days = make_days(tmp_path / "lake")
    days.lake.root.mkdir(exist_ok=True)
    (days.lake.root / "insights_hourly").symlink_to(small_disk)
    days.put()
    with suppress(OSError), (small_disk / "filler").open("xb") as filler:
        filler.write(bytes(3_000_000))

    with pytest.raises(FullDiskError, match=r"under .*/lake/insights_hourly, then run the same"):
        days.put(40)

    assert [*small_disk.rglob(".*")] == unfinished(days.lake) == []
    assert days.lake.read("insights_hourly").num_rows == 6


def test_a_file_that_may_not_grow_leaves_the_old_one(days: Any, lake: Lake) -> None:
    days.put()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))"

    process = writer(lake.root, range(1), kill=limit)

    assert process.wait(timeout=PATIENCE_SECONDS) == 1
    assert unfinished(lake) == []
    assert lake.read("insights_hourly").num_rows == 6


def test_two_writers_at_once_leave_one_whole_file_and_readers_see_no_other(lake: Lake) -> None:
    writers = [writer(lake.root, range(10)), writer(lake.root, range(100, 110))]

    seen = set()
    while any(process.poll() is None for process in writers):
        rows = lake.read("insights_hourly")
        marks = set(rows["clicks"].to_pylist())
        assert rows.num_rows in {0, 500}
        assert len(marks) <= 1
        seen |= marks

    assert [process.returncode for process in writers] == [0, 0]
    [mark] = set(lake.read("insights_hourly")["clicks"].to_pylist())
    assert mark in {9, 109}
    assert lake.load_of("insights_hourly", "11", DAY).clicks == 500 * mark  # type: ignore[union-attr]  # it is there
    assert lake.restatements().num_rows == 19
    assert unfinished(lake) == []
