"""Records of loads: what may replace what, and what a re-load changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from warehouse.lake.records import (
    Load,
    Restatement,
    completed,
    from_values,
    may_replace,
    restated,
    to_values,
)
from warehouse.schema.periods import Period

OLD = Load(
    table="insights_hourly",
    account_id="1",
    date=date(2026, 11, 21),
    rows=200,
    impressions=1000,
    clicks=10,
    spend=Decimal("31.010000"),
    verdict="proven",
    loaded_at=datetime(2026, 11, 22, 5, 0, 0, 1, tzinfo=UTC),
    missing_fields=("conversions",),
    report_run_ids=("6", "7"),
    seconds=1.25,
)
NEW = replace(OLD, loaded_at=datetime(2026, 11, 23, 5, tzinfo=UTC))
UNPROVEN = replace(NEW, verdict="unproven")
UNPROVABLE = replace(NEW, verdict="unprovable")
PROVISIONAL = replace(NEW, verdict="provisional", is_over=False)
#: No rows, though the account delivered, because it has not enabled a feature.
EXPLAINED = replace(UNPROVABLE, rows=0, control_impressions=1000)
#: A fault of a day that is not over: its rows lack their hours.
HALF_UNPROVEN = replace(UNPROVEN, is_over=False)


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        (None, NEW, True),
        (None, UNPROVEN, True),
        (None, None, True),
        (OLD, NEW, True),
        (OLD, UNPROVEN, False),
        (OLD, None, False),
        (UNPROVEN, UNPROVEN, True),
        (UNPROVEN, NEW, True),
        (UNPROVEN, None, True),
        (OLD, PROVISIONAL, False),
        (UNPROVABLE, PROVISIONAL, False),
        (PROVISIONAL, OLD, True),
        (PROVISIONAL, UNPROVABLE, True),
        (PROVISIONAL, PROVISIONAL, True),
        (PROVISIONAL, replace(UNPROVEN, is_over=True), True),
        (PROVISIONAL, HALF_UNPROVEN, False),
        (HALF_UNPROVEN, PROVISIONAL, True),
        (replace(UNPROVEN, is_over=True), PROVISIONAL, False),
        *(
            (replace(closed, is_over=True), open_day, False)
            for closed in (OLD, UNPROVEN, UNPROVABLE, EXPLAINED)
            for open_day in (PROVISIONAL, HALF_UNPROVEN)
        ),
        (None, PROVISIONAL, True),
        (EXPLAINED, UNPROVEN, True),
        (EXPLAINED, None, False),
        (replace(EXPLAINED, control_impressions=0), UNPROVEN, False),
    ],
)
def test_only_what_is_proven_replaces_what_is_proven(
    old: Load | None, new: Load | None, *, allowed: bool
) -> None:
    assert may_replace(old, new) is allowed


def test_a_record_survives_being_written_as_json() -> None:
    text = json.dumps(to_values(OLD))

    assert from_values(Load, json.loads(text)) == OLD


def test_a_record_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert from_values(Load, {**to_values(OLD), "mood": "good"}) == OLD


#: The 24th ends at 22:00 UTC, and in the night the clock is put back; the 25th ends at 23:00 UTC.
@pytest.mark.parametrize(
    ("day", "loaded_at", "over"),
    [
        (24, "2026-10-25T00:59:59+00:00", False),
        (24, "2026-10-25T01:00:00+00:00", True),
        (25, "2026-10-26T01:59:59+00:00", False),
        (25, "2026-10-26T02:00:00+00:00", True),
        (25, "2026-10-25T12:00:00+00:00", False),
    ],
)
def test_a_record_that_does_not_say_whether_its_day_was_over_is_completed_by_its_time(
    day: int, loaded_at: str, *, over: bool
) -> None:
    old = replace(
        OLD,
        date=date(2026, 10, day),
        loaded_at=datetime.fromisoformat(loaded_at),
        reason="it adds up",
    )

    found = completed(old, "Europe/Berlin")
    is_running = (day, loaded_at[8:10]) == (25, "25")
    why = "the day was not over" if is_running else "the day had not been over for 3 hours"

    assert (found.is_over, found.verdict) == (over, "proven" if over else "provisional")
    assert found.reason == ("it adds up" if over else f"{why} when Meta was asked; it adds up")
    # One second is missing to the last hour; or it was 13:00, and 10:00 three hours before.
    whole = (9, 11 / 25) if is_running else (22, 23 / 24 if day == 24 else 24 / 25)
    progress = (found.last_whole_hour, found.day_gone)
    assert progress == ((None, None) if over else pytest.approx(whole))
    if not over:
        written = replace(found, last_whole_hour=None, day_gone=None)  # by code before the columns
        assert completed(written, "Europe/Berlin") == found
        assert completed(replace(written, table="weeks"), "Europe/Berlin", Period.WEEK) == replace(
            written, table="weeks"
        )
    assert completed(replace(old, is_over=True), "Europe/Berlin").verdict == "proven"
    assert completed(old, "Mars/Olympus") == old


def test_the_same_rows_and_sums_are_no_restatement() -> None:
    assert restated(OLD, NEW) is None
    assert restated(None, NEW) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("rows", 201), ("impressions", 999), ("clicks", 11), ("spend", Decimal("31.02"))],
)
def test_a_changed_sum_is_told_with_what_it_was(field: str, value: object) -> None:
    change = restated(OLD, replace(NEW, **{field: value}))  # type: ignore[arg-type]  # see above

    assert isinstance(change, Restatement)
    assert getattr(change, f"{field}_before") == getattr(OLD, field)
    assert getattr(change, f"{field}_after") == value
    assert (change.previous_loaded_at, change.loaded_at) == (OLD.loaded_at, NEW.loaded_at)
