"""Rejects of loads: kept next to their account-day until it is loaded again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warehouse.decode.rows import Reject

if TYPE_CHECKING:
    from warehouse.lake.partitions import Lake


REJECT = Reject(1, 2, "spend", '"12a"', "not a decimal number", '{"spend": "12a"}')


def test_rejects_go_when_their_account_day_is_loaded_again(
    days: Any, lake: Lake, later: list[datetime]
) -> None:
    first = days.load(days.rows())
    lake.write_rejects(first, [REJECT, replace(REJECT, row=3)])
    days.put(rejected=2)
    assert len(list((lake.root / "rejects").rglob("*.parquet"))) == 1

    lake.write_rejects(replace(first, loaded_at=later[0]), [])
    days.put(loaded_at=later[0])

    assert list((lake.root / "rejects").rglob("*.parquet")) == []


def test_rejects_of_a_clock_that_was_ahead_go_too_and_those_of_a_load_that_goes_on_stay(
    days: Any, lake: Lake
) -> None:
    now = lake.now()
    for ahead in (timedelta(days=3), timedelta(minutes=5)):
        lake.write_rejects(days.load(days.rows(), loaded_at=now + ahead), [REJECT])

    days.put(loaded_at=now)

    [kept] = (lake.root / "rejects").rglob("*.parquet")
    assert f"{now + timedelta(minutes=5):%Y%m%dT%H%M}" in kept.name


def test_of_attempts_that_failed_only_the_rejects_of_the_last_stay_with_those_of_the_load(
    days: Any, lake: Lake, later: list[datetime]
) -> None:
    first = days.load(days.rows())
    lake.write_rejects(first, [REJECT])
    days.put(rejected=1)

    for at in later[:3]:
        lake.write_rejects(replace(first, loaded_at=at), [REJECT])

    names = sorted(one.name for one in (lake.root / "rejects").rglob("*.parquet"))
    assert [name[:15] for name in names] == [
        f"{at:%Y%m%dT%H%M%S}" for at in (first.loaded_at, later[2])
    ]
