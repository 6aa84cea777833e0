"""A report whose key changes, and two with one name, from a terminal: they fail alone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.checkout import EXAMPLE

if TYPE_CHECKING:
    from tests.e2e.checkout import Checkout


@pytest.mark.slow
def test_a_report_whose_key_changed_is_refused_alone_until_its_table_starts_over(
    checkout: Checkout,
) -> None:
    one = checkout.sandbox.account_ids[0]
    day, next_day = (
        ("--since", text, "--until", text, "--account", one)
        for text in ("2026-11-20", "2026-11-21")
    )
    counted = (
        *("query", "select date, count(*) n from spend_by_placement group by all order by all"),
        *("--format", "csv"),
    )
    table = checkout.folder / "lake" / "spend_by_placement"
    checkout.write(EXAMPLE)
    checkout.run("backfill", *day, "--report", "spend_by_placement")
    before, [file] = checkout.run(*counted), table.rglob("data.parquet")
    content = file.read_bytes()
    split = "[publisher_platform, platform_position]"
    changed = EXAMPLE.replace("level: campaign", "level: ad").replace(split, "[country]")
    checkout.write(changed)

    checked, loaded = checkout.run("check"), checkout.run("backfill", *next_day)
    alone = checkout.run("backfill", *next_day, "--report", "spend_by_placement")
    refreshed, published = checkout.run("refresh", "--account", one), checkout.run("publish")
    after, dagster = checkout.run(*counted), checkout.validate()

    line = (
        "reports/spend_by_placement.yaml:4: level: changed from campaign to ad and breakdowns"
        " changed from [platform_position, publisher_platform] to [country] since the table"
        " spend_by_placement was loaded, and rows of both must not mix: undo the change, or give"
        f" the report another name. To start the table over, remove the folder {table} first"
    )
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (1, line)
    for done, code in ((loaded, 1), (alone, 2), (refreshed, 1), (published, 1)):
        # A terminal's width may fold it.
        assert (done.returncode, " ".join(done.stderr.split()).count(line)) == (code, 1), (
            done.stderr
        )
    assert "damaged" not in loaded.stderr + refreshed.stderr + published.stderr
    assert (dagster.returncode, line in dagster.stderr) == (0, True)
    assert [path.read_bytes() for path in table.rglob("data.parquet")] == [content]
    assert (before.stdout.count("\n"), after.stdout) == (2, before.stdout)
    others = checkout.folder / "lake" / "insights_age_gender"
    assert list(others.rglob("date=2026-11-21/data.parquet"))

    shutil.rmtree(table)
    again = checkout.run("backfill", *next_day)

    # A slow machine prints its progress twice a minute.
    told = [line for line in again.stderr.splitlines() if " account-days; " not in line]
    assert (again.returncode, told) == (0, [])
    assert checkout.run("check").returncode == 0
    assert "2026-11-21" in (started := checkout.run(*counted).stdout)
    assert "2026-11-20" not in started


@pytest.mark.slow
def test_of_two_files_with_one_name_neither_is_loaded_and_what_there_is_stays(
    checkout: Checkout,
) -> None:
    account = ("--account", checkout.sandbox.account_ids[0])
    day = ("--since", "2026-11-20", "--until", "2026-11-20", *account)
    counted = ("query", "select count(*) n from spend_by_placement", "--format", "csv")
    checkout.write(EXAMPLE)
    checkout.run("backfill", *day, "--report", "spend_by_placement")
    before = checkout.run(*counted)
    copy = EXAMPLE.replace("[publisher_platform, platform_position]", "[country]")
    (checkout.folder / "reports" / "a copy.yaml").write_text(copy, encoding="utf-8")

    loaded, after = checkout.run("backfill", *day), checkout.run(*counted)

    told = " ".join(loaded.stderr.split())
    assert loaded.returncode == 1
    assert "reports/a copy.yaml:3: name: spend_by_placement: this name is also in reports/s" in told
    assert "reports/spend_by_placement.yaml:3: name: spend_by_placement: this name is also" in told
    assert "insights_age_gender" in loaded.stdout
    assert (int(before.stdout.split()[1]) > 0, after.stdout) == (True, before.stdout)
