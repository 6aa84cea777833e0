"""Loads that fail, stop or are killed: what the command says, and what stays."""

from __future__ import annotations

import re
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import dagster as dg

import warehouse
from tests.e2e.company import DAYS, RANGE, Company
from tests.pace import PATIENCE_SECONDS
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(running: subprocess.Popen[str], is_reached: Callable[[], bool]) -> None:
    """Wait for a moment of a command, which must not end before it."""
    while not is_reached():
        with suppress(subprocess.TimeoutExpired):
            assert running.wait(0.05) is None


def test_an_account_without_permission_fails_alone_and_the_exit_code_is_1(fresh: Company) -> None:
    fresh.sandbox.use("forbidden_account")
    forbidden = fresh.sandbox.account_ids[1]
    others = [i for i in fresh.sandbox.account_ids if i != forbidden]

    done = fresh.run("backfill", *RANGE)

    assert done.returncode == 1
    assert fresh.answers() == fresh.truth(others)
    assert done.stderr.count("(#200)") == 1
    assert f"insights_hourly: {DAYS[0]} to {DAYS[-1]}\n    (#200)" in done.stderr
    assert (
        f"backfill --since {DAYS[0]} --until {DAYS[-1]} --account act_{forbidden}"
        " --report insights_hourly\n" in done.stderr
    )
    assert not any(f"act_{other}" in done.stderr for other in others)


def test_a_token_that_dies_while_objects_are_listed_ends_a_refresh_and_what_it_loaded_is_published(
    fresh: Company,
) -> None:
    fresh.sandbox.use("token_dies:25")

    done = fresh.run("refresh")

    assert done.returncode == 2
    assert "Create a new access token and put it in FB_ACCESS_TOKEN" in done.stderr
    with warehouse.open(fresh.lake) as opened:
        [(accounts,)] = opened.sql("from accounts").count("*").fetchall()
    assert accounts == Lake(fresh.lake).read("accounts").num_rows > 0


def test_a_day_that_stays_unproven_is_published_marked_and_told(fresh: Company) -> None:
    fresh.sandbox.use("wrong_rows")
    account = f"act_{fresh.sandbox.account_ids[0]}"

    done = fresh.run("backfill", *RANGE, "--account", account)

    assert done.returncode == 1
    assert f"{account} " in done.stderr
    assert f"insights_hourly: {DAYS[0]} to {DAYS[-1]}\n" in done.stderr
    assert "Unproven, because the rows do not add up" in done.stderr
    assert "Failed:" not in done.stderr
    header, _, *lines = done.stdout.splitlines()
    table = [
        dict(zip(re.split(" {2,}", header), re.split(" {2,}", one), strict=True))
        for one in lines[:1]
    ]
    assert [(row["proven"], row["unproven"], row["failed"]) for row in table] == [("0", "3", "0")]
    assert "3 account-days: 3 unproven. " in done.stdout
    assert len(fresh.answers()) == len(DAYS)


def test_a_value_of_an_account_that_cannot_be_read_is_told_and_costs_no_row_of_it(
    fresh: Company,
) -> None:
    account_id = fresh.sandbox.account_ids[0]
    mine = ("--account", f"act_{account_id}", "--report", "insights_hourly")
    fresh.run("backfill", "--since", str(DAYS[0]), "--until", str(DAYS[0]), *mine)
    fresh.sandbox.change(f"act_{account_id}", spend_cap="1" + "0" * 20)

    done = fresh.run("backfill", *RANGE, *mine[:2])

    assert done.returncode == 0, done.stderr
    assert (
        "accounts: 1 value NULL or left out (see the table rejects); first: spend_cap "
        f'"100000000000000000000" of {account_id}: does not fit into 64 bits'
    ) in done.stderr
    assert fresh.answers() == fresh.truth([account_id])


def test_what_was_loaded_before_the_token_died_stays_and_is_published(fresh: Company) -> None:
    with fresh.start("backfill", "--since", "2026-10-01", "--until", str(DAYS[-1])) as running:
        wait_for(running, lambda: any((fresh.lake / "insights_hourly").glob("*/*/data.parquet")))
        fresh.sandbox.use("expired_token")
        _, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        fresh.sandbox.use()

    with warehouse.open(fresh.lake) as opened:
        [(published,)] = opened.sql("from loads").count("*").fetchall()
    in_lake = sum(1 for _ in fresh.lake.glob("*/account_id=*/date=*/data.parquet"))
    assert running.returncode == 2
    assert "account-days were not reached." in stderr
    assert "Stopped: " in stderr
    assert "Create a new access token" in stderr
    assert published == in_lake


def test_ctrl_c_ends_it_soon_leaves_nothing_half_written_and_the_same_command_goes_on(
    fresh: Company,
) -> None:
    with fresh.start("backfill", *RANGE) as running:
        wait_for(running, lambda: fresh.sandbox.calls()["total"] >= 30)  # the midst of it
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=PATIENCE_SECONDS)

    assert (running.returncode, "No partial data was written" in stderr) == (130, True)
    hidden = {path.name for path in fresh.lake.rglob(".*") if path.is_file()}
    assert hidden <= {".changes.json", ".history.json", ".published.json", ".lake.json"}
    assert fresh.run("backfill", *RANGE).returncode == 0
    assert fresh.answers() == fresh.truth()


def test_ctrl_c_says_how_much_is_loaded_and_not_published_and_how_to_publish_it(
    fresh: Company,
) -> None:
    fresh.sandbox.use("never_resets")  # the second account waits, and the first is loaded
    first, second = fresh.sandbox.account_ids[:2]

    def files() -> int:
        return len([*fresh.lake.glob("insights_hourly/*/*/data.parquet")])

    def is_waiting() -> bool:
        limits = fresh.lake / ".limits.json"
        return files() == len(DAYS) and limits.exists() and "insights" in limits.read_text()

    with fresh.start("backfill", *RANGE, "--account", first, "--account", second) as running:
        wait_for(running, is_waiting)
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=PATIENCE_SECONDS)

    said = re.search(r"; (\d+) account-days? (is|are) in the lake and not published yet", stderr)
    assert running.returncode == 130
    assert said is not None, stderr
    assert int(said[1]) == files()
    assert fresh.run("publish").returncode == 0
    assert len(fresh.loads()) == int(said[1])


def test_what_a_killed_backfill_has_loaded_is_reported_by_the_next_load(fresh: Company) -> None:
    def is_in_the_midst() -> bool:
        return len([*fresh.lake.glob("insights_hourly/*/*/data.parquet")]) >= 3

    def green() -> set[str]:
        with dg.DagsterInstance.from_config(str(fresh.home)) as instance:
            return instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))

    with fresh.start("backfill", *RANGE) as running:
        wait_for(running, is_in_the_midst)
        running.kill()
        running.communicate()
    left = {
        f"act_{where.account_id}|{where.date}"
        for where in Lake(fresh.lake).partitions("insights_hourly")
    }
    before = green()
    one = f"act_{fresh.sandbox.account_ids[0]}"

    done = fresh.run("backfill", *RANGE[:2], "--until", str(DAYS[0]), "--account", one)

    assert done.returncode == 0, done.stderr
    assert before == set()
    assert green() == left | {f"{one}|{DAYS[0]}"}
    with dg.DagsterInstance.from_config(str(fresh.home)) as instance:
        rows = {*instance.get_dynamic_partitions("ad_accounts")}
    assert rows == {f"act_{account_id}" for account_id in fresh.sandbox.account_ids}
    assert not list(fresh.lake.glob(".unreported/*"))
    assert fresh.run("backfill", *RANGE).returncode == 0
    assert fresh.answers() == fresh.truth()
