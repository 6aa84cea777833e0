"""Readers and publishers at once, some of them killed: everyone sees a whole file."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from tests.warehouse.published.asking import ask, python, snapshots
from warehouse.errors import WarehouseError
from warehouse.published.publish import KEPT_SNAPSHOTS, publish
from warehouse.schema.catalog import Catalog
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse.lake.partitions import Lake

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
import sys, threading, time, warehouse
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
asked = 0
while not stop.is_set() or not asked:
    with warehouse.open({url!r}) as opened:
        [(rows, told, marks)] = opened.sql(
            "SELECT (FROM insights_hourly SELECT count(*)), (FROM loads SELECT sum(rows)::BIGINT),"
            " (FROM {marks} SELECT count(*))"
        ).fetchall()
        assert (rows, marks) == (told or 0, opened.arrow("FROM loads WHERE rows > 0").num_rows)
    asked += 1
    time.sleep({pause})
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
from warehouse.published import copying, master, publish
{where} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
publish.publish({url!r})
"""


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
        *("copying._copy", "master.refill_rejects", "master._keep_state", "master.row_counts"),
        *("publish.copy", "pathlib.Path.chmod", "pathlib.Path.rename", "publish.sync_folder"),
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
    reader = python(ASKER.format(url=str(lake.root), marks="account_daily", pause=0))
    for n in range(15):
        days.put(10 + n, account=str(11 + n % 3), day=date(2026, 11, 1 + n % 4))
        publish(lake.root)
    answer, _ = reader.communicate()

    assert reader.returncode == 0
    assert int(answer) > 0
    assert ask(lake.root, "FROM loads SELECT count(*)") == [(12,)]


def test_publishers_killed_at_any_moment_leave_whole_files(days: Any, lake: Lake) -> None:
    publish(lake.root)
    reader = python(ASKER.format(url=str(lake.root), marks="account_daily", pause=0))
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


# As many as a day has, one every quarter of an hour, and fewer of them.
@pytest.mark.parametrize("publishes", [24, pytest.param(96, marks=pytest.mark.slow)])
def test_a_day_of_publishes_harms_no_reader_and_takes_no_more_disk(
    publishes: int, days: Any, lake: Lake
) -> None:
    few = ("insights_hourly", "loads", "restatements", "rejects", "failures")
    catalog = Catalog({name: TABLES[name] for name in few}, {})
    counts: dict[str, int] = {}
    opened: list[tuple[warehouse.Warehouse, dict[str, int]]] = []
    sizes = []

    def tick(n: int, verdict: str = "provisional") -> None:
        """The open day of one of five accounts has more rows; a fresh reader sees just that."""
        account = f"1{n % 5}"
        counts[account] = counts.get(account, 6) + 1
        days.put(counts[account], account=account, verdict=verdict)
        publish(lake.root, catalog=catalog)
        with warehouse.open(lake.root) as fresh:
            assert counted(fresh) == counts
        sizes.append((lake.root / ".snapshots/.master/warehouse.duckdb").stat().st_size)

    tick(0)
    marks = "(FROM insights_hourly SELECT DISTINCT account_id, date)"
    asker = python(ASKER.format(url=str(lake.root), marks=marks, pause=0.2))
    for n in range(1, publishes):
        if n % (publishes // 6) == 1:  # these keep it open until the end of the day
            opened.append((warehouse.open(lake.root), dict(counts)))
        tick(n, "proven" if n > publishes - 5 else "provisional")
        assert len(snapshots(lake)) <= KEPT_SNAPSHOTS
        assert all(counted(old) == seen for old, seen in opened[n % 6 : n % 6 + 1])
    answer, _ = asker.communicate()

    assert (asker.returncode, int(answer) > 0) == (0, True)
    assert all(counted(old) == seen for old, seen in opened)
    assert max(sizes) <= 1.5 * max(sizes[:8])  # what replaced rows took is used again
    if sys.platform == "linux":  # one file each, and no other
        assert held(lake) == len(opened) == 6
    for old, _ in opened:
        old.close()
    if sys.platform == "linux":
        assert held(lake) == 0


def counted(opened: warehouse.Warehouse) -> dict[str, int]:
    rows = opened.sql("FROM insights_hourly SELECT account_id, count(*) GROUP BY ALL").fetchall()
    return dict(rows)


def held(lake: Lake) -> int:
    """Snapshots that are gone but for this process, which has them open."""
    names = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # of this very walk
            names.append(str(descriptor.readlink()))
    return len({one for one in names if str(lake.root) in one and one.endswith(" (deleted)")})
