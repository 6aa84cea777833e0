"""A DuckLake shows what warehouse.duckdb shows: now, then, and whoever else publishes."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import make_url

import warehouse
from tests.scale import services
from warehouse.errors import WarehouseError
from warehouse.published.opened import open_as_of
from warehouse.published.publish import lag

if TYPE_CHECKING:
    from collections.abc import Sequence

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
from decimal import Decimal
from pathlib import Path
from tests.warehouse.conftest import Days
from warehouse.lake.partitions import Lake
from warehouse.published.ducklake.destination import destination_of
from warehouse.published.publish import publish

root, account, address = sys.argv[1:]
days = Days(Lake(root))
print("ready", flush=True)
sys.stdin.readline()
for day in (20, 21):
    days.put(40, account=account, day=date(2026, 11, day))
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
    days = [date(2026, 11, day) for day in (20, 21)]
    expected = [("11", DAY, "added"), *((a, day, "added") for a in ("12", "13") for day in days)]
    assert (
        company.ask("FROM published.change_feed SELECT account_id, date, change ORDER BY ALL")
        == expected
    )
    assert company.ask("FROM loads SELECT account_id, date, 'added' ORDER BY ALL") == expected


def test_a_publisher_that_is_killed_in_the_middle_changes_nothing(company: Company) -> None:
    company.days.put(40)
    company.publish()
    before, files = company.ask(NUMBERS), company.files()
    machine = start(company, company.days.lake.root, "12")
    assert machine.stdin
    machine.stdin.write("go\n")
    machine.stdin.flush()
    while company.files() == files:  # rows are written before they are committed
        assert machine.poll() is None
    machine.kill()
    machine.communicate()

    assert company.ask(NUMBERS) == before

    company.publish()
    assert company.ask(NUMBERS) == here(company, NUMBERS) != before


def test_what_is_forgotten_is_in_no_file_of_ours_and_no_earlier_state(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    company.days.put(40)
    company.days.put(40, account="12345")
    company.publish()
    company.days.put(20)
    company.publish()
    shutil.rmtree(company.days.lake.root / "insights_hourly/account_id=12345")
    of_others = company.folder / "files/main/insights_hourly/of_others.parquet"
    shutil.copy(company.files("insights_hourly")[0], of_others)
    company.publish(afresh=True)

    assert "1 file in its folder that its catalogue does not name" in caplog.text
    of_others.unlink()  # it is not ours to remove
    assert company.ask("FROM loads SELECT account_id") == [("11",)]
    assert company.ask("FROM company.snapshots() SELECT count(*)") == [(1,)]
    kept = b"".join(Path(one).read_bytes() for one in company.files())
    with closing(sqlite3.connect(company.folder / "catalogue")) as catalogue:
        assert "12345" not in "".join(catalogue.iterdump())
    assert b"12345" not in kept
    assert company.ask(NUMBERS) == here(company, NUMBERS)


def test_after_each_20th_publish_files_are_merged_and_old_states_stay(company: Company) -> None:
    company.days.put(40)
    company.publish()
    before, then = company.ask(NUMBERS), datetime.now(UTC)
    with company.opened() as opened:  # as if there had been more
        opened.execute("UPDATE published.latest SET number = 18")
    company.days.put(40, account="12")
    company.publish()
    assert len(company.files("insights_hourly")) == 2
    company.days.put(40, account="13")

    company.publish()

    assert company.ask("FROM published.latest SELECT number") == [(20,)]
    assert company.ask(
        "FROM ducklake_table_info('company') SELECT file_count WHERE table_name = 'insights_hourly'"
    ) == [(1,)]
    assert company.ask(NUMBERS) == here(company, NUMBERS)
    with open_as_of(company.destination, then) as opened:
        assert opened.sql(NUMBERS).fetchall() == before


def test_a_ducklake_that_cannot_be_reached_does_not_hold_up_the_file(company: Company) -> None:
    company.days.put(40)
    company.publish()
    company.days.put(20)
    nowhere = replace(company, address="ducklake:sqlite:{folder}/gone/catalogue")

    with pytest.raises(WarehouseError, match="is published, but not to the DuckLake"):
        nowhere.publish()

    assert here(company, "FROM account_daily SELECT spend") == [(Decimal("171.19"),)]
    assert lag(company.days.lake).is_behind  # so that whoever follows the lake tries again
    company.publish()
    assert company.ask(NUMBERS) == here(company, NUMBERS)
    assert not lag(company.days.lake).is_behind


def test_another_version_that_made_it_replaces_views_and_keeps_rows(company: Company) -> None:
    company.days.put(40)
    company.publish()
    with company.opened() as opened:
        opened.execute("UPDATE published.latest SET made_by = 'x'")
        opened.execute("DROP VIEW published.change_feed")

    company.publish()

    assert company.ask(FEED) == [(1, "11", DAY, "added", None, 40)]
    assert company.ask("FROM published.latest SELECT number, made_by <> 'x'") == [(2, True)]
    assert company.ask(NUMBERS) == here(company, NUMBERS)


def test_a_catalogue_that_is_locked_says_so_in_its_own_words(company: Company) -> None:
    company.days.put(40)
    company = replace(company, address="ducklake:{folder}/catalogue")
    company.publish()
    company.days.put(20)
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", code, str(company.folder / "catalogue")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(
            WarehouseError, match=r"Could not set lock.*busy or changed meanwhile, at each of 8"
        ):
            company.publish()
        other.communicate(b"\n")


def test_a_catalogue_in_postgres_does_the_same_and_nobody_sees_its_password(
    company: Company,
) -> None:
    try:
        services.program("initdb")
    except FileNotFoundError as error:
        pytest.skip(f"{error}: make test-scale does")
    with services.postgres() as url:
        server = make_url(url)
        assert server.password
        address = (
            f"ducklake:postgres:dbname=postgres host=127.0.0.1 port={server.port}"
            f" user={server.username} password={server.password}"
        )
        company = replace(company, address=address)
        company.days.put(40)
        company.publish()
        before, then = here(company, NUMBERS), datetime.now(UTC)
        company.days.put(20)
        company.publish()
        assert company.ask(NUMBERS) == here(company, NUMBERS) != before
        with open_as_of(company.destination, then) as opened:
            assert opened.sql(NUMBERS).fetchall() == before

    with pytest.raises(WarehouseError, match="Unable to connect") as down:
        company.publish()
    assert server.password not in str(down.value)
