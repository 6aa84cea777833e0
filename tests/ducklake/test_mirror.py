"""A DuckLake shows what warehouse.duckdb shows: now, then, and whoever else publishes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from warehouse.published.opened import open_as_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.ducklake.conftest import Company

DAY, NEXT_DAY = date(2026, 11, 21), date(2026, 11, 22)

NUMBERS = "FROM account_daily SELECT account_id, date, spend, impressions, clicks ORDER BY ALL"
FEED = (
    "FROM published.change_feed SELECT number, account_id, date, change, rows_before, rows_after"
    " ORDER BY ALL"
)


def here(company: Company, query: str) -> Sequence[Any]:
    """What warehouse.duckdb answers."""
    with warehouse.open(company.days.lake.root) as opened:
        return opened.sql(query).fetchall()


@pytest.mark.parametrize(
    "address", ["ducklake:sqlite:{folder}/catalogue", "ducklake:{folder}/catalogue"]
)
def test_a_ducklake_has_the_tables_views_and_comments_of_the_file(
    company: Company, address: str
) -> None:
    company = replace(company, address=address)
    company.days.put(40)
    company.days.put(40, account="12")
    company.publish()
    company.days.put(20)
    company.publish()

    names = [
        name
        for (name,) in here(
            company,
            "FROM duckdb_tables() SELECT table_name WHERE schema_name = 'main' UNION FROM"
            " duckdb_views() SELECT view_name WHERE NOT internal AND schema_name = 'main'",
        )
    ]
    assert "today" in names
    with company.opened() as opened:
        for name in names:
            query = f"FROM {name} ORDER BY ALL"
            assert opened.execute(query).fetchall() == here(company, query), name
    comments = (
        "FROM duckdb_columns() SELECT table_name, column_name, comment WHERE schema_name = 'main'"
        " AND table_name = 'insights_hourly' AND database_name = current_database() ORDER BY ALL"
    )
    assert company.ask(comments) == here(company, comments) != []


def test_a_publish_without_news_leaves_the_ducklake_as_it_is(company: Company) -> None:
    company.days.put(40)
    company.publish()
    before = company.ask("FROM company.snapshots() SELECT count(*)")

    company.publish()

    assert company.ask("FROM company.snapshots() SELECT count(*)") == before


def test_the_change_feed_says_what_each_publish_changed(company: Company) -> None:
    company.days.put(40)
    company.days.put(40, day=NEXT_DAY)
    company.publish()
    company.days.put(30)
    company.publish()
    shutil.rmtree(company.days.lake.root / f"insights_hourly/account_id=11/date={NEXT_DAY}")
    company.publish()

    assert company.ask(FEED) == [
        (1, "11", DAY, "added", None, 40),
        (1, "11", NEXT_DAY, "added", None, 40),
        (2, "11", DAY, "replaced", 40, 30),
        (3, "11", NEXT_DAY, "removed", 40, None),
    ]


def test_a_query_as_of_a_time_has_the_numbers_that_were_shown_then(company: Company) -> None:
    company.days.put(40)
    company.publish()
    before, then = here(company, NUMBERS), datetime.now(UTC)
    company.days.put(20)
    company.publish()

    with open_as_of(company.destination, then) as opened:
        assert opened.sql(NUMBERS).fetchall() == before
    with open_as_of(company.destination, datetime.now(UTC)) as opened:
        assert opened.sql(NUMBERS).fetchall() == here(company, NUMBERS) != before


#: A machine: loads days of an account of its own, and publishes each.
MACHINE = """
import sys
from datetime import date
from pathlib import Path
from tests.warehouse.conftest import Days
from warehouse.lake.partitions import Lake
from warehouse.published.destination import destination_of
from warehouse.published.publish import publish

root, account, address = sys.argv[1:]
days = Days(Lake(root))
print("ready", flush=True)
sys.stdin.readline()
for day in (20, 21, 22):
    days.put(10, account=account, day=date(2026, 11, day))
    publish(root, destination=destination_of(address))
"""


def start(company: Company, root: Path, account: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", MACHINE, str(root), account, company.text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_publishers_of_two_machines_at_once_lose_nothing(company: Company) -> None:
    company.days.put(40)
    company.publish()
    machines = []
    for account in ("12", "13"):
        root = company.folder / f"machine {account}"
        root.mkdir()
        (root / "insights_hourly").symlink_to(company.days.lake.root / "insights_hourly")
        machines.append(start(company, root, account))
    for machine in machines:  # both have imported everything
        assert machine.stdout
        machine.stdout.readline()
    for machine in machines:
        assert machine.stdin
        machine.stdin.write("go\n")
        machine.stdin.flush()
    for machine in machines:
        machine.communicate(timeout=300)

    assert [machine.returncode for machine in machines] == [0, 0]
    days = [date(2026, 11, day) for day in (20, 21, 22)]
    expected = [("11", DAY, "added"), *((a, day, "added") for a in ("12", "13") for day in days)]
    assert (
        company.ask("FROM published.change_feed SELECT account_id, date, change ORDER BY ALL")
        == expected
    )
    assert company.ask("FROM loads SELECT account_id, date, 'added' ORDER BY ALL") == expected
