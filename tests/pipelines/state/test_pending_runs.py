from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.reports.task import Saved
from pipelines.reports.catalog import REPORTS
from pipelines.state.pending_runs import FileJournal
from tests.clock import Clock
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOURLY = REPORTS["insights_hourly"]
FIRST = date(2026, 11, 1)
LATER = [FIRST + timedelta(days=n) for n in range(7)]


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, now: Clock) -> Callable[[], FileJournal]:
    """What a new process finds."""
    return lambda: FileJournal(Folder(tmp_path), HOURLY.name, now)


def test_a_run_is_remembered_with_its_age(journal: Callable[[], FileJournal], now: Clock) -> None:
    params = HOURLY.params(LATER[0], LATER[6])
    journal().save("1", params, Saved("77"))
    now.now += timedelta(minutes=5)

    assert journal().saved("1", params) == Saved("77", 300.0)


def test_another_question_or_account_has_no_run(journal: Callable[[], FileJournal]) -> None:
    journal().save("1", HOURLY.params(LATER[0], LATER[6]), Saved("77"))

    found = [
        journal().saved("2", HOURLY.params(LATER[0], LATER[6])),
        journal().saved("1", HOURLY.params(LATER[0], LATER[5])),
    ]

    assert found == [None, None]


def test_a_run_that_failed_is_forgotten(journal: Callable[[], FileJournal]) -> None:
    params = HOURLY.params(FIRST, FIRST)
    journal().save("1", params, Saved("77"))

    journal().forget("1", params)
    journal().forget("1", params)

    assert journal().saved("1", params) is None


def test_the_days_of_runs_in_flight_are_asked_for_together_again(
    journal: Callable[[], FileJournal],
) -> None:
    journal().save("1", HOURLY.params(LATER[0], LATER[2]), Saved("77"))
    journal().save("1", HOURLY.params(LATER[0], LATER[6]), Saved(was_split=True))
    journal().save("2", HOURLY.params(LATER[0], LATER[1]), Saved("78"))

    assert journal().stretches("1", HOURLY.params, 60) == [LATER, LATER[:3]]


def test_an_old_run_or_one_of_other_fields_is_not_gone_on_with(
    journal: Callable[[], FileJournal], now: Clock
) -> None:
    journal().save("1", HOURLY.params(FIRST, FIRST), Saved("77"))
    now.now += timedelta(seconds=61)
    other = {**HOURLY.params(FIRST, FIRST), "fields": ["spend"]}
    journal().save("1", other, Saved("78"))

    assert journal().stretches("1", HOURLY.params, 60) == []


def test_what_finished_days_answer_is_forgotten_splits_included(
    journal: Callable[[], FileJournal], tmp_path: Path
) -> None:
    one = journal()
    one.save("1", HOURLY.params(LATER[0], LATER[6]), Saved(was_split=True))
    one.save("1", HOURLY.params(LATER[0], LATER[3]), Saved("77"))
    one.save("1", HOURLY.params(LATER[4], LATER[6]), Saved("78"))

    one.done("1", LATER[4:])
    one.end()
    left = sorted(map(len, one.stretches("1", HOURLY.params, 60)))
    one.done("1", LATER[:4])
    one.end()

    assert (left, list((tmp_path / ".runs").rglob("*.json"))) == ([4, 7], [])


def test_until_the_end_what_is_finished_is_known_to_the_next_process(
    journal: Callable[[], FileJournal],
) -> None:
    params = HOURLY.params(FIRST, FIRST)
    one = journal()
    one.save("1", params, Saved("77"))

    one.done("1", [FIRST])

    assert journal().saved("1", params) == Saved("77")


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
    journal: Callable[[], FileJournal], tmp_path: Path, change: Callable[[Any], str]
) -> None:
    params = HOURLY.params(FIRST, FIRST)
    journal().save("1", params, Saved("77"))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(change(json.loads(path.read_text())))

    found = journal().saved("1", params), journal().stretches("1", HOURLY.params, 60)
    one = journal()
    one.done("1", [FIRST])
    one.end()

    assert (found, path.exists()) == ((None, []), False)


def test_no_unfinished_file_is_left(journal: Callable[[], FileJournal], tmp_path: Path) -> None:
    journal().save("1", HOURLY.params(FIRST, FIRST), Saved("77"))

    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"]
