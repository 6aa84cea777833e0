"""A damaged file costs itself: it is named by its path, read by nobody, and replaced by a load."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tests.warehouse.lake.damaged import IN_ITS_FOOTER, WAYS
from warehouse.errors import DamagedFileError, InaccessibleError, KeepsProvenError
from warehouse.lake.defects.damage import reload_command
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)
OTHER = date(2026, 11, 20)


def path_of(lake: Lake, account: str = "11", day: date = DAY) -> Path:
    return lake.root / lake.key("insights_hourly", account, day)


def put_ads(lake: Lake, account: str, *ids: str) -> None:
    table = TABLES["ads"]
    rows = [{"ad_id": one, "account_id": account} for one in ids]
    new = pa.Table.from_pylist(rows, schema=table.arrow_schema)
    lake.update("ads", lambda old: pa.concat_tables([old, new]), account_id=account)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_is_named_with_the_command_that_loads_it_again(
    way: str, days: Any, lake: Lake
) -> None:
    days.put()
    WAYS[way](path_of(lake))

    with pytest.raises(DamagedFileError) as error:
        lake.read("insights_hourly", account_id="11", date=DAY)

    assert f"{path_of(lake)} is damaged: " in str(error.value)
    assert (
        "`fbinsights backfill --since 2026-11-21 --until 2026-11-21 --account act_11"
        " --report insights_hourly`"
    ) in str(error.value)


@pytest.mark.parametrize("way", IN_ITS_FOOTER)
def test_its_record_is_missing_and_said_and_that_of_others_is_read(
    way: str, days: Any, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    days.put()
    days.put(day=OTHER)
    IN_ITS_FOOTER[way](path_of(lake))

    loads = lake.loads_of("insights_hourly", [("11", DAY), ("11", OTHER)])
    error, record = lake.records_of("insights_hourly", [("11", DAY), ("11", OTHER)])

    assert loads == [None, record]
    assert isinstance(error, DamagedFileError)
    assert caplog.messages == [str(error)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("verdict", ["proven", "unproven"])
def test_loading_the_day_again_replaces_it_whatever_it_claims_to_be(
    way: str, verdict: str, days: Any, lake: Lake
) -> None:
    days.put()
    WAYS[way](path_of(lake))

    days.put(4, verdict=verdict)

    assert lake.read("insights_hourly").num_rows == 4
    [load] = lake.loads_of("insights_hourly", [("11", DAY)])
    assert load is not None
    assert load.verdict == verdict


def test_a_whole_file_that_is_proven_still_stays(days: Any) -> None:
    days.put()

    with pytest.raises(KeepsProvenError):
        days.put(4, verdict="unproven")


@pytest.mark.parametrize(("account", "day"), [("12", DAY), ("11", OTHER)])
def test_a_copy_of_another_account_day_is_no_file_of_this_one(
    account: str, day: date, days: Any, lake: Lake
) -> None:
    days.put()
    days.put(20, account=account, day=day)
    shutil.copy(path_of(lake, account, day), path_of(lake))

    [error] = lake.records_of("insights_hourly", [("11", DAY)])
    days.put(4, verdict="unproven")

    assert f"it was loaded as insights_hourly of account {account} on {day}" in str(error)
    assert lake.read("insights_hourly", account_id="11", date=DAY).num_rows == 4
    assert lake.restatements().num_rows == 0


def test_a_copy_of_the_objects_of_another_account_is_no_file_of_this_one(lake: Lake) -> None:
    put_ads(lake, "11", "1")
    put_ads(lake, "12", "2")
    shutil.copy(lake.root / lake.key("ads", "12", None), lake.root / lake.key("ads", "11", None))

    with pytest.raises(DamagedFileError, match=r"written as ads/account_id=12/.*refresh --account"):
        lake.read("ads", account_id="11")


@pytest.mark.parametrize("way", ["truncated", "empty", "another schema", "broken pages"])
def test_damaged_objects_are_replaced_by_the_next_listing_and_kept_aside(
    way: str, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    put_ads(lake, "11", "1", "2")
    path = lake.root / lake.key("ads", "11", None)
    WAYS[way](path)
    damaged = path.read_bytes()

    put_ads(lake, "11", "3")

    assert lake.read("ads")["ad_id"].to_pylist() == ["3"]
    [aside] = lake.root.glob(".damaged/*/ads/account_id=11/data.parquet")
    assert aside.read_bytes() == damaged
    assert f"{path} was damaged" in caplog.text
    assert f"kept as {aside}" in caplog.text


@pytest.mark.parametrize(
    ("table", "account", "day", "command"),
    [
        ("accounts", "", None, "fbinsights refresh"),
        ("ads_history", "11", None, "fbinsights refresh --account act_11"),
        (
            *("control_daily", "11", DAY),
            "fbinsights backfill --since 2026-11-21 --until 2026-11-21 --account act_11",
        ),
    ],
)
def test_each_kind_of_file_has_its_command(
    table: str, account: str, day: date | None, command: str
) -> None:
    assert reload_command(table, account, day) == command


#: As somebody who is not root, so that permissions count: what a lake says of a folder it may not
#: enter.
STRANGER = """
import logging, os, sys
from datetime import date
from warehouse.lake.partitions import Lake
logging.basicConfig(stream=sys.stdout, format="%(message)s")
os.setgid(65534); os.setuid(65534)
lake = Lake(sys.argv[1])
print("files", [one.key for one in lake.partitions("insights_hourly")])
print(*lake.records_of("insights_hourly", [("11", date(2026, 11, 21))]))
try:
    lake.read("insights_hourly")
except OSError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_may_not_be_read_is_an_error_and_not_gone(
    open_days: Any,
) -> None:
    days, lake = open_days, open_days.lake
    days.put()
    days.put(account="12")
    closed = lake.root / "insights_hourly" / "account_id=11"
    closed.chmod(0)

    said = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", STRANGER, str(lake.root)], capture_output=True, text=True, check=True
    ).stdout

    error = f"{closed} cannot be read: Permission denied. Fix its permissions"
    assert said.splitlines()[:2] == [
        error,
        f"files ['{lake.key('insights_hourly', '12', DAY)}']",
    ]
    assert f"{path_of(lake)} cannot be read: Permission denied" in said.splitlines()[2]
    assert said.splitlines()[3] == f"{InaccessibleError.__name__} {error}"


def test_a_link_to_a_disk_that_is_missing_is_an_error_and_not_gone(
    days: Any, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    days.put()
    (lake.root / "insights_hourly" / "account_id=12").symlink_to(lake.root / "unmounted")

    [found] = lake.partitions("insights_hourly")

    assert found.account_id == "11"
    assert "account_id=12 cannot be read: it is a link to" in caplog.text
    with pytest.raises(InaccessibleError, match="account_id=12 cannot be read"):
        lake.read("insights_hourly")
