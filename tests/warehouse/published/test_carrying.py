"""A file that is rebuilt takes what has not changed from the one that was published before, and is
what the lake says all the same.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest

import warehouse
from tests.warehouse.conftest import DAY
from tests.warehouse.lake.damaged import WAYS
from tests.warehouse.lake.mine import MINE, put
from tests.warehouse.published.asking import ask
from tests.warehouse.published.test_changed_catalog import younger
from warehouse.lake.partitions import Lake
from warehouse.published.master import Conditions, refresh
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN, Catalog
from warehouse.schema.table import Column

if TYPE_CHECKING:
    from pathlib import Path

ROWS: Final = "FROM insights_hourly ORDER BY account_id, date, ad_id, hour"

#: The definitions of another report have come: everything is rebuilt.
ONE_MORE: Final = Catalog({**OWN.tables, MINE.name: MINE}, OWN.views, OWN.kept | {MINE.name})


#: Publishes, and is killed before it copies the second table.
PUBLISHER: Final = """
import os, signal
from warehouse.published import carrying, publish
usual, batches = carrying._copies, []
def copies(*given):
    batches.append(given)
    if len(batches) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*given)
carrying._copies = copies
publish.publish({url!r})
"""


def rot(lake: Lake) -> None:
    """Change the rows of all files so that nothing but reading them shows it."""
    for path in lake.root.glob("insights_hourly/*/*/data.parquet"):
        found = path.stat()
        WAYS["broken pages"](path)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def everything(url: Path) -> list[Any]:
    with warehouse.open(url) as opened:
        queries = [ROWS, "FROM loads ORDER BY ALL", "FROM restatements ORDER BY ALL"]
        return [opened.arrow(query).to_pylist() for query in queries]


def test_for_another_definition_no_file_is_read_that_is_the_same(days: Any, lake: Lake) -> None:
    for account in ("11", "12"):
        days.put(account=account)
    days.put(10)
    before = publish(lake.root)
    there = everything(lake.root)
    rot(lake)

    after = publish(lake.root, catalog=ONE_MORE)
    assert everything(lake.root) == there
    assert after.version > before.version
    assert not after.left_out
    assert ask(lake.root, "FROM published.files SELECT sum(later)::INT") == [(0,)]
    assert ask(lake.root, "FROM mine SELECT count(*)") == [(0,)]


def test_what_has_changed_since_is_read(days: Any, lake: Lake) -> None:
    for account in ("11", "12", "13"):
        days.put(account=account)
    publish(lake.root)
    days.put(10, account="12")
    days.put(8, account="14")
    (lake.root / lake.key("insights_hourly", "13", DAY)).unlink()

    publish(lake.root, catalog=ONE_MORE)
    counts = "FROM insights_hourly SELECT account_id, count(*) GROUP BY ALL ORDER BY ALL"
    assert ask(lake.root, counts) == [("11", 6), ("12", 10), ("14", 8)]
    assert ask(lake.root, "FROM loads SELECT sum(rows)::INT") == [(24,)]


def test_afresh_all_files_are_read(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)
    rot(lake)

    assert publish(lake.root, afresh=True).left_out


def test_a_column_that_only_files_have_is_read_from_them(days: Any, lake: Lake) -> None:
    reach = younger(Column("reach", "count", "Accounts that saw it"))
    publish(lake.root, catalog=reach)
    later = Lake(lake.root, catalog=reach)
    type(days)(later).put()
    publish(lake.root, catalog=younger(Column("mood", "text", "How it felt")))

    publish(lake.root, catalog=reach)
    assert ask(lake.root, "FROM insights_hourly SELECT count(*), count(reach)") == [(6, 0)]


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM insights_hourly WHERE hour = 0", "DELETE FROM loads", "DROP TABLE loads CASCADE"],
)
def test_what_is_not_what_its_books_say_is_not_taken(
    damage: str, days: Any, lake: Lake, tmp_path: Path
) -> None:
    for account in ("11", "12"):
        days.put(account=account)
    other = changed_copy(lake, tmp_path / "other.duckdb", damage)

    made = refresh(lake, tmp_path / "master", 0, Conditions(other))
    assert made.rows["insights_hourly"] == 12
    assert made.rows["loads"] == 2


def changed_copy(lake: Lake, path: Path, damage: str) -> Path:
    path.write_bytes(publish(lake.root).snapshot.read_bytes())
    with duckdb.connect(path) as connection:
        connection.execute(damage)
    return path


def test_what_a_killed_publisher_took_is_not_trusted_either(
    days: Any, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.put()
    given = Conditions(changed_copy(lake, tmp_path / "other.duckdb", "DELETE FROM insights_hourly"))
    monkeypatch.setattr("warehouse.published.master.copy_changes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refresh(lake, tmp_path / "master", 0, given)

    monkeypatch.undo()
    made = refresh(lake, tmp_path / "master", 0, given)
    assert made.rows["insights_hourly"] == 6
    assert not made.left_out


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_rows_of_a_damaged_file_that_were_published_wrong_are_left_out(
    days: Any, lake: Lake, tmp_path: Path
) -> None:
    for account in ("11", "12"):
        days.put(account=account)
    published = changed_copy(
        lake, tmp_path / "other.duckdb", "DELETE FROM insights_hourly WHERE hour = 0"
    )
    file = lake.key("insights_hourly", "12", DAY)
    WAYS["broken pages"](lake.root / file)

    made = refresh(lake, tmp_path / "master", 0, Conditions(published))
    assert made.rows["insights_hourly"] == 6
    assert [*made.left_out] == [file]


def test_a_publisher_that_was_killed_goes_on_with_the_next_table(days: Any, lake: Lake) -> None:
    for account in ("11", "12", "13"):
        days.put(account=account)
    put(lake, OWN.tables["insights_daily"])
    publish(lake.root)
    there = everything(lake.root)
    shutil.rmtree(lake.root / ".snapshots" / ".master")
    rot(lake)

    script = PUBLISHER.format(url=str(lake.root))
    done = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603  ourselves
    assert done.returncode == -signal.SIGKILL
    assert not publish(lake.root).left_out
    assert everything(lake.root) == there
