from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.reports.handler import Checkpoint
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.state.pending_runs import StoredRuns
from tests.clock import Clock
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST = date(2026, 11, 1)
LATER = [FIRST + timedelta(days=n) for n in range(7)]


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def pending(tmp_path: Path, now: Clock) -> Callable[[], StoredRuns]:
    """What a new process finds."""
    return lambda: StoredRuns(Folder(tmp_path), HOURLY_REPORT.name, now)


def test_a_run_is_remembered_with_its_age(pending: Callable[[], StoredRuns], now: Clock) -> None:
    params = HOURLY_REPORT.params(LATER[0], LATER[6])
    pending().save("1", params, Checkpoint("77"))
    now.now += timedelta(minutes=5)

    assert pending().saved("1", params) == Checkpoint("77", 300.0)


def test_another_question_or_account_has_no_run(pending: Callable[[], StoredRuns]) -> None:
    pending().save("1", HOURLY_REPORT.params(LATER[0], LATER[6]), Checkpoint("77"))

    found = [
        pending().saved("2", HOURLY_REPORT.params(LATER[0], LATER[6])),
        pending().saved("1", HOURLY_REPORT.params(LATER[0], LATER[5])),
    ]

    assert found == [None, None]


def test_a_run_that_failed_is_forgotten(pending: Callable[[], StoredRuns]) -> None:
    params = HOURLY_REPORT.params(FIRST, FIRST)
    pending().save("1", params, Checkpoint("77"))

    pending().forget("1", params)
    pending().forget("1", params)

    assert pending().saved("1", params) is None


def test_the_days_of_runs_in_flight_are_asked_for_together_again(
    pending: Callable[[], StoredRuns],
) -> None:
    pending().save("1", HOURLY_REPORT.params(LATER[0], LATER[2]), Checkpoint("77"))
    pending().save("1", HOURLY_REPORT.params(LATER[0], LATER[6]), Checkpoint(was_split=True))
    pending().save("2", HOURLY_REPORT.params(LATER[0], LATER[1]), Checkpoint("78"))

    assert pending().stretches("1", HOURLY_REPORT.params, 60) == [LATER, LATER[:3]]


def test_an_old_run_or_one_of_other_fields_is_not_gone_on_with(
    pending: Callable[[], StoredRuns], now: Clock
) -> None:
    pending().save("1", HOURLY_REPORT.params(FIRST, FIRST), Checkpoint("77"))
    now.now += timedelta(seconds=61)
    other = {**HOURLY_REPORT.params(FIRST, FIRST), "fields": ["spend"]}
    pending().save("1", other, Checkpoint("78"))

    assert pending().stretches("1", HOURLY_REPORT.params, 60) == []


def test_what_finished_days_answer_is_forgotten_splits_included(
    pending: Callable[[], StoredRuns], tmp_path: Path
) -> None:
    one = pending()
    one.save("1", HOURLY_REPORT.params(LATER[0], LATER[6]), Checkpoint(was_split=True))
    one.save("1", HOURLY_REPORT.params(LATER[0], LATER[3]), Checkpoint("77"))
    one.save("1", HOURLY_REPORT.params(LATER[4], LATER[6]), Checkpoint("78"))

    one.done("1", LATER[4:])
    one.end()
    left = sorted(map(len, one.stretches("1", HOURLY_REPORT.params, 60)))
    one.done("1", LATER[:4])
    one.end()

    assert (left, list((tmp_path / ".runs").rglob("*.json"))) == ([4, 7], [])


def test_until_the_end_what_is_finished_is_known_to_the_next_process(
    pending: Callable[[], StoredRuns],
) -> None:
    params = HOURLY_REPORT.params(FIRST, FIRST)
    one = pending()
    one.save("1", params, Checkpoint("77"))

    one.done("1", [FIRST])

    assert pending().saved("1", params) == Checkpoint("77")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: "{",
        lambda _: "[]",
        lambda entry: json.dumps({**entry, "report_run_id": 7}),
        lambda entry: json.dumps({**entry, "created_at": "yesterday"}),
        lambda entry: json.dumps({**entry, "params": {}}),
        lambda entry: json.dumps({**entry, "params": {"time_range": {"since": "x"}}}),
    ],
)
def test_an_entry_that_cannot_be_read_is_as_good_as_none(
    pending: Callable[[], StoredRuns], tmp_path: Path, change: Callable[[Any], str]
) -> None:
    params = HOURLY_REPORT.params(FIRST, FIRST)
    pending().save("1", params, Checkpoint("77"))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(change(json.loads(path.read_text())))

    found = pending().saved("1", params), pending().stretches("1", HOURLY_REPORT.params, 60)
    one = pending()
    one.done("1", [FIRST])
    one.end()

    assert (found, path.exists()) == ((None, []), False)


class Unreachable(Folder):
    """A store that is not there for a while, as a bucket may be."""

    def read(self, key: str) -> bytes:
        raise OSError(f"{key} could not be read: 503 Slow Down")


def test_what_the_store_does_not_return_at_the_end_is_left_to_its_process(
    pending: Callable[[], StoredRuns], tmp_path: Path, now: Clock
) -> None:
    params = HOURLY_REPORT.params(FIRST, FIRST)
    pending().save("1", params, Checkpoint("77"))

    one = StoredRuns(Unreachable(tmp_path), HOURLY_REPORT.name, now)
    one.done("1", [FIRST])
    one.end()

    assert pending().saved("1", params) == Checkpoint("77")


def test_no_unfinished_file_is_left(pending: Callable[[], StoredRuns], tmp_path: Path) -> None:
    pending().save("1", HOURLY_REPORT.params(FIRST, FIRST), Checkpoint("77"))

    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"]
