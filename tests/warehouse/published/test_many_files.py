"""A lake of many files is copied batch by batch, and a publisher that is killed between two of them
costs nothing of those before.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import warehouse
from tests.warehouse.lake.damaged import WAYS
from tests.warehouse.published.asking import ask
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from warehouse.lake.partitions import Lake

#: Publishes two files at a time in a process of its own, which is killed as it begins batch number
#: {killed}. Prints how many it had.
PUBLISHER: Final = """
import os, signal
from warehouse.published import copying, publish
usual, batches = copying._copy, []
def copy(*given):
    batches.append(given)
    if len(batches) == {killed}:
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*given)
copying._copy = copy
given = publish.Conditions
publish.Conditions = lambda *one, **more: given(*one, **more, batch_files=2)
publish.publish({url!r})
print(len(batches))
"""

NEVER: Final = 0
ACCOUNTS: Final = ("11", "12", "13", "14", "15", "16", "17", "18")
EVERYTHING: Final = "FROM insights_hourly ORDER BY account_id, date, ad_id, hour"


def batches_of(lake: Lake, *, killed: int = NEVER) -> int:
    """How many batches a publish had; 0 if it was killed."""
    script = PUBLISHER.format(url=str(lake.root), killed=killed)
    done = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-c", script], check=False, capture_output=True
    )
    return int(done.stdout or 0)


def require_equal(lake: Lake) -> None:
    with warehouse.open(lake.root) as opened:
        rows, loads = opened.arrow(EVERYTHING), opened.arrow("FROM loads ORDER BY ALL")
    assert rows.to_pylist() == lake.read("insights_hourly").to_pylist()
    assert loads.to_pylist() == lake.loads().to_pylist()


def test_a_first_publish_that_is_killed_goes_on_where_it_was(days: Any, lake: Lake) -> None:
    for account in ACCOUNTS:
        days.put(account=account)

    assert batches_of(lake, killed=3) == 0
    assert not (lake.root / "warehouse.duckdb").exists()
    days.put(10, account=ACCOUNTS[0])  # of a batch that has been copied
    assert batches_of(lake) == 3
    require_equal(lake)


def test_readers_see_nothing_of_a_change_of_many_files_that_was_killed(
    days: Any, lake: Lake
) -> None:
    for account in ACCOUNTS:
        days.put(account=account)
    publish(lake.root)
    for account in ACCOUNTS[:6]:
        days.put(10, account=account)
    shutil.rmtree(lake.root / "insights_hourly/account_id=18")

    assert batches_of(lake, killed=3) == 0
    assert ask(lake.root, "FROM insights_hourly SELECT count(*)") == [(48,)]
    assert batches_of(lake) == 1
    require_equal(lake)


def test_damaged_files_among_many_cost_themselves(days: Any, lake: Lake) -> None:
    for n in range(1, 26):
        days.put(day=date(2026, 11, n))
    damaged = {}
    for n, content in ((7, b""), (9, b"PAR1 and nothing else PAR1")):
        key = lake.key("insights_hourly", "11", date(2026, 11, n))
        damaged[lake.store.name(key)] = (lake.root / key).write_bytes(content)
    published = publish(lake.root)

    assert published.rows["insights_hourly"] == 23 * 6
    assert published.left_out.keys() == damaged.keys()


def test_of_many_files_one_has_other_rows_than_its_record_says(days: Any, lake: Lake) -> None:
    for n in range(1, 26):
        days.put(day=date(2026, 11, n))
    path = lake.root / lake.key("insights_hourly", "11", date(2026, 11, 9))
    WAYS["a row less"](path)
    published = publish(lake.root)

    assert published.rows["insights_hourly"] == 24 * 6
    [(name, why)] = published.left_out.items()
    assert name == str(path)
    assert "it has 5 rows, and its record says 6" in why
