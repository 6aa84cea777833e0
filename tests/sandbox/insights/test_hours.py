from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from fbgraph.catalog.fields import HOUR_LABELS, HOURLY
from tests.sandbox.insights.reading import (
    WEEK,
    actions,
    hourly,
    read,
    sums,
)

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph


def test_hourly_reach_and_frequency_are_zero_and_unique_ones_are_left_out(graph: Graph) -> None:
    fields = "impressions,reach,frequency,cpp,unique_clicks,unique_actions"

    by_hour = hourly(graph, fields=fields)
    by_day = read(graph, fields=fields)

    assert {(row["reach"], row["frequency"]) for row in by_hour} == {("0", "0")}
    assert not any({"cpp", "unique_clicks", "unique_actions"} & row.keys() for row in by_hour)
    assert by_day[0].keys() >= {"reach", "frequency", "cpp", "unique_clicks", "unique_actions"}
    assert 0 < int(by_day[0]["reach"]) < int(by_day[0]["impressions"])


def test_actions_off_meta_come_by_the_day_only(either: Graph) -> None:
    fields = "actions,action_values,purchase_roas"
    off_meta = {"landing_page_view", "offsite_conversion.fb_pixel_purchase", "omni_purchase"}

    by_hour, by_day = hourly(either, fields=fields), read(either, fields=fields)

    assert actions(by_day).keys() >= off_meta
    assert not actions(by_hour).keys() & off_meta
    assert "purchase_roas" in by_day[0]
    assert not any("purchase_roas" in row for row in by_hour)


def test_hour_labels_are_those_that_meta_documents(graph: Graph) -> None:
    labels = {row[HOURLY] for row in hourly(graph) if HOURLY in row}

    assert labels <= set(HOUR_LABELS)
    assert len(labels) > 20


def test_an_ad_shown_to_nobody_has_a_row_without_its_hour(graph: Graph) -> None:
    late = [row for row in hourly(graph, time_range=WEEK) if HOURLY not in row]

    assert late
    assert {(row["impressions"], row["spend"]) for row in late} == {("0", "0")}
    assert any("actions" in row for row in late)


def test_without_an_increment_an_hour_holds_the_whole_range(graph: Graph) -> None:
    summed = hourly(graph, level="account", time_increment="all_days", time_range=WEEK)
    by_day = hourly(graph, level="account", time_range=WEEK)

    assert len([row for row in summed if HOURLY in row]) == 24
    assert {(row["date_start"], row["date_stop"]) for row in summed} == {
        ("2026-11-15", "2026-11-21")
    }
    assert sums(summed) == sums(by_day)


def test_hourly_rows_reach_back_13_months(graph: Graph) -> None:
    range_of = {"since": "2025-10-21", "until": "2025-10-25"}

    by_hour = hourly(graph, level="account", time_range=range_of)
    by_day = read(graph, time_increment=1, time_range=range_of)

    assert {row["date_start"] for row in by_hour} == {"2025-10-23", "2025-10-24", "2025-10-25"}
    assert len(by_day) == 5


@pytest.mark.parametrize(
    ("index", "day", "is_there"),
    [
        (0, "2026-03-28", True),
        (0, "2026-03-29", False),
        (1, "2026-03-08", False),
        (2, "2026-03-29", True),
        (4, "2026-10-04", False),
    ],
)
def test_the_hour_that_a_clock_skips_has_no_row(
    either: Graph, index: int, day: str, *, is_there: bool
) -> None:
    time_range = {"since": day, "until": day}

    rows = read(either, index, level="account", breakdowns=[HOURLY], time_range=time_range)

    assert ("02:00:00 - 02:59:59" in {row.get(HOURLY) for row in rows}) == is_there


def test_a_repeated_hour_has_one_row_and_sums_still_agree(either: Graph) -> None:
    day = {"since": "2026-10-25", "until": "2026-10-25"}

    rows = hourly(either, time_range=day)

    counts = Counter(
        (row["ad_id"], row.get(HOURLY)) for row in hourly(either, time_range=day, fields="ad_id")
    )
    assert set(counts.values()) == {1}
    assert sums(rows) == sums(read(either, time_range=day))
