"""Two small files say whether the published file is behind, whoever wrote and wherever it lies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from warehouse.lake.changes import CHANGES, Change, Lag, Publishing, last_change
from warehouse.published.publish import lag, publish
from warehouse.storage.atomic import STAGING

if TYPE_CHECKING:
    from warehouse.lake.partitions import Lake

AT = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
SHOWS = "warehouse.duckdb shows the lake as of 2026-11-22 12:00:05 UTC"


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (Lag(Change(), None), "warehouse.duckdb has not been published yet"),
        (Lag(Change("a", AT), Publishing("a", AT)), f"{SHOWS}; nothing has changed since"),
        (
            Lag(Change("b", AT + timedelta(minutes=7)), Publishing("a", AT)),
            f"{SHOWS}; the lake last changed 7 minutes later, 2026-11-22 12:07:05 UTC",
        ),
        (
            Lag(Change("b", AT - timedelta(minutes=7)), Publishing("a", AT)),  # another clock
            f"{SHOWS}; the lake last changed 0 seconds later, 2026-11-22 11:53:05 UTC",
        ),
        (
            Lag(Change(), Publishing("?", AT)),
            f"{SHOWS}; the next publish will show whether it is up to date",
        ),
    ],
)
def test_it_says_what_is_shown_and_what_changed(behind: Lag, said: str) -> None:
    assert str(behind) == said


def test_every_way_to_write_is_a_change_and_looking_is_none(days: Any, lake: Lake) -> None:
    def is_behind() -> bool:
        behind = lag(lake).is_behind
        publish(lake.root)
        return behind

    days.put(6)
    assert is_behind()
    lake.update("accounts", lambda rows: rows)
    lake.loads()
    lake.read("insights_hourly")
    assert not is_behind()
    days.put(6)
    assert is_behind()
    lake.update("accounts", lambda rows: rows.slice(0))
    assert is_behind()
    lake.changed()
    assert is_behind()


def test_a_file_of_the_time_before_changes_were_noted_is_published_once_more(
    days: Any, lake: Lake
) -> None:
    days.put(6)
    publish(lake.root)
    (lake.root / CHANGES).unlink()
    (lake.root / ".snapshots" / ".published.json").unlink()

    assert lag(lake).is_behind
    publish(lake.root)
    assert not lag(lake).is_behind


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "x"}', '{"id": "x", "at": "noon"}'])
def test_a_note_that_was_cut_short_is_no_error(lake: Lake, text: str) -> None:
    lake.store.note(CHANGES, text)

    assert str(lag(lake)) == "warehouse.duckdb has not been published yet"
    publish(lake.root)
    assert not lag(lake).is_behind


def test_a_note_that_cannot_be_written_is_logged(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    lake = type(lake)(lake.root.with_name("empty"))
    lake.root.mkdir()
    (lake.root / STAGING).write_text("a file where notes are written first")

    lake.changed()

    assert last_change(lake.store) == Change()
    assert f"{lake.root / STAGING} cannot be read: it is not a folder" in caplog.text
    assert "Run `fbinsights publish`" in caplog.text


def test_a_folder_in_its_place_is_moved_aside(
    days: Any, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    (lake.root / CHANGES).mkdir(parents=True)

    days.put(6)

    assert last_change(lake.store).id
    [aside] = lake.root.glob(f".damaged/*/{CHANGES}")
    assert f"was a folder where a file belongs. It is kept as {aside}" in caplog.text
