"""Days that are not over, and days that Meta says are empty, as seen from a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from fbgraph.sandbox import Sandbox
from tests.e2e.company import DAYS, SECRET, Company

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = str(DAYS[-1])

#: What an account-day of the hours is like: verdict, rows, and days whose totals have a row.
ASKED = """select verdict, rows, (select count(*) from control_daily) as totals
from loads where table_name = 'insights_hourly' order by date"""


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Company]:
    """A company whose sandbox has the time of the machine."""
    with Sandbox(world="hostile", app_secret=SECRET) as sandbox:
        yield Company(sandbox, tmp_path)


def account_in_daytime(company: Company) -> str:
    """An account whose yesterday is over for more than three hours: proven days stay so."""
    now = datetime.now(UTC)
    for account in company.sandbox.world()["accounts"]:
        if now.astimezone(ZoneInfo(account["timezone_name"])).hour >= 4:
            return str(account["account_id"])
    raise AssertionError("it is night everywhere")


def asked(company: Company) -> list[str]:
    return company.run("query", ASKED, "--format", "csv").stdout.splitlines()[1:]


@pytest.mark.slow
def test_a_backfill_keeps_a_day_that_is_empty_now_unless_it_is_told_to_believe_it(
    fresh: Company,
) -> None:
    account = f"act_{fresh.sandbox.account_ids[0]}"
    which = ("--since", DAY, "--until", DAY, "--account", account, "--report", "insights_hourly")
    rows = fresh.sandbox.truth(account, DAY)["count"]
    assert fresh.run("backfill", *which).returncode == 0
    fresh.sandbox.use("empty_hour:600")

    refused = fresh.run("backfill", *which)
    kept, status = asked(fresh), fresh.run("status", *which)
    believed = fresh.run("backfill", *which, "--accept-empty")

    assert refused.returncode == 1
    assert f"the {rows} rows loaded at" in refused.stderr
    assert "If you know that it is empty, use --accept-empty" in refused.stderr
    assert kept == [f'"proven",{rows},1']
    assert status.returncode == 1
    assert f"  insights_hourly: {DAY}\n    failed: Meta returned no rows" in status.stderr
    assert (believed.returncode, believed.stderr) == (0, "")
    assert asked(fresh) == ['"proven",0,0']
    assert fresh.run("status", *which).returncode == 0


def test_a_first_load_of_nothing_at_all_ends_with_one_warning_that_says_what_to_do(
    fresh: Company,
) -> None:
    fresh.sandbox.use("empty_hour:600")
    which = ("--since", str(DAYS[0]), "--until", DAY)

    done = fresh.run("backfill", *which)

    days = len(DAYS) * len(fresh.sandbox.account_ids)
    assert done.returncode == 0
    assert set(asked(fresh)) == {'"proven",0,0'}
    # Besides, a slow machine says every ten seconds how far it is.
    [warning] = [line for line in done.stderr.splitlines() if "account-days; " not in line]
    assert f"Meta returned no rows and no totals for any of {days} account-days (" in warning
    assert all(f"(act_{account_id})" in warning for account_id in fresh.sandbox.account_ids[:3])
    assert f"`fbinsights backfill {' '.join(which)}" in warning


@pytest.mark.slow
def test_a_refresh_keeps_days_that_are_empty_now_unless_it_is_told_to_believe_it(
    today: Company,
) -> None:
    account = f"act_{account_in_daytime(today)}"
    assert today.run("refresh", "--account", account).returncode == 0
    before = asked(today)
    today.sandbox.use("empty_hour:600")

    refused = today.run("refresh", "--account", account)
    kept = asked(today)
    believed = today.run("refresh", "--account", account, "--accept-empty")

    assert refused.returncode == 1
    assert "--accept-empty" in refused.stderr
    assert kept == before
    assert believed.returncode == 0, believed.stderr
    assert asked(today) == ['"proven",0,0'] * 3


def test_an_open_day_is_told_as_provisional_and_nothing_has_failed(today: Company) -> None:
    world = today.sandbox.world()["accounts"]
    account = next(one for one in world if one["timezone_name"] == "America/Los_Angeles")
    open_day = str(datetime.now(UTC).astimezone(ZoneInfo(account["timezone_name"])).date())
    which = ("--since", open_day, "--until", open_day, "--account", f"act_{account['account_id']}")

    done = today.run("backfill", *which)
    status = today.run("status", *which)

    header, *lines = done.stdout.splitlines()
    lines = [line for line in lines if " insights_" in line]
    assert (done.returncode, done.stderr) == (0, "")
    assert "days  proven  provisional  failed  conversions  rows" in header
    counts = {line.split(" insights_")[1].split()[0]: line for line in lines}
    assert set(counts) == {"hourly", "daily", "age_gender"}
    assert all(line.split(" insights_")[1].split()[1:5] == ["1", "0", "1", "0"] for line in lines)
    assert status.returncode == 0
    assert "Provisional account-days: 3." in status.stderr
    said = r"provisional: (whole until \d\d:00 \(account's clock\)|no hour whole yet), asked at 20"
    assert re.search(said, status.stderr)
    assert "provisional" in status.stdout.splitlines()[0]
