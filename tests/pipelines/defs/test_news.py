"""Which account-days of a load Dagster gets an event of: those that say something new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.asset_keys import AssetKeys
from pipelines.defs.event_log.events import Part, part_events
from pipelines.defs.event_log.news import news_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.lake.partitions import Lake

KEY = dg.AssetKey("insights_hourly")


def part(day: int, spend: str = "1.50", verdict: str = "proven", version: str = "a") -> Part:
    """What one load of a day says; each has another time and cost."""
    metadata = {"verdict": verdict, "spend": spend, "dagster/partition_row_count": 7}
    return Part(f"act_1|2026-11-{day}", {**metadata, "asked_at": f"{object()}"}, version=version)


FAILED = Part("act_1|2026-11-20", {}, "Meta said no")
DAYS = [part(20), part(21), part(22)]


@pytest.fixture
def told(instance: dg.DagsterInstance, lake: Lake) -> dg.DagsterInstance:
    """An instance that was told of three days."""
    tell(instance, lake, DAYS)
    return instance


def tell(instance: dg.DagsterInstance, lake: Lake, parts: Sequence[Part]) -> None:
    for event in part_events("insights_hourly", parts, lake, AssetKeys()):
        instance.report_runless_asset_event(event)


def days(parts: Sequence[Part]) -> list[int]:
    return [int(one.partition_key[-2:]) for one in parts]


def test_of_days_that_are_as_they_were_only_the_newest_is_news(told: dg.DagsterInstance) -> None:
    assert days(news_in(told, KEY, [part(22), part(20), part(21)])) == [22]


@pytest.mark.parametrize(
    "changed",
    [part(20, spend="1.51"), part(20, verdict="unproven"), part(20, version="b"), part(19), FAILED],
    ids=["a sum", "the verdict", "rows alone", "a day never loaded", "a failure"],
)
def test_what_has_changed_is_news_and_what_has_not_is_none(
    told: dg.DagsterInstance, changed: Part
) -> None:
    found = news_in(told, KEY, [changed, part(21), part(22)])

    newest = [part(22)] if changed.error else []  # the asset was loaded all the same
    assert days(found) == days([changed, *newest])


def test_a_day_that_failed_is_news_when_it_is_as_it_was_before(
    told: dg.DagsterInstance, lake: Lake
) -> None:
    tell(told, lake, [FAILED])

    assert days(news_in(told, KEY, DAYS)) == [20]


def test_nothing_is_news_of_nothing_and_everything_of_an_empty_home(
    instance: dg.DagsterInstance,
) -> None:
    assert news_in(instance, KEY, []) == []
    assert news_in(instance, KEY, DAYS) == DAYS
