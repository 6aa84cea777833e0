"""A sixth of the short form of the chaos suite; `make chaos` runs the long one."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fbgraph.sandbox import SCENARIOS
from pipelines.loading.load_result import Outcome
from tests.chaos.expected import EXPECTED
from tests.chaos.judge import complaints
from tests.chaos.plans import drawn, short
from tests.chaos.summary import Report, Summary
from tests.chaos.trial import FEW_DAYS, Plan, Trial, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logging.disable(logging.CRITICAL)  # thousands of lines, of faults that are meant
    yield World(tmp_path_factory.mktemp("chaos"), FEW_DAYS)
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def summary() -> Iterator[Summary]:
    """Told when all is done; ``pytest -s`` shows it."""
    added = Summary()
    yield added
    if added.reports:
        sys.stdout.write(f"\n{added}\n")


@pytest.fixture(scope="module")
def calm(world: World) -> Trial:
    return world.run(Plan(("other_version",)))


@pytest.mark.parametrize("plan", short()[::6], ids=lambda plan: "+".join(plan.scenarios))
def test_a_load_ends_with_the_truth_or_with_what_failed_listed_and_untouched(
    world: World, summary: Summary, plan: Plan
) -> None:
    report = Report.of(world.run(plan))
    summary.reports.append(report)

    assert list(report.complaints) == []


def test_runs_that_hang_cost_less_than_a_hundred_requests_for_each_account_day(
    world: World,
) -> None:
    trial = world.run(Plan(("run_hangs:99",)))

    assert list(Report.of(trial).complaints) == []
    assert trial.calls["faults"]["run_hangs"] < 100 * len(trial.account_days)


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [0, 55])
def test_a_limit_that_does_not_reset_fails_its_account_within_three_hours_and_a_dozen_looks(
    world: World, minutes: int
) -> None:
    """Three hours for the control totals, which find it out; what follows fails at once."""
    trial = world.run(Plan((f"never_resets:{minutes}",)))

    assert list(Report.of(trial).complaints) == []
    assert trial.hours <= 3.2
    assert trial.calls["faults"]["never_resets"] <= 15


def test_what_may_come_of_each_scenario_is_written_down() -> None:
    assert set(EXPECTED) == set(SCENARIOS)


def test_a_seed_draws_the_same_combination_again() -> None:
    assert [drawn(seed) for seed in range(50)] == [drawn(seed) for seed in range(50)]
    assert len({drawn(seed).scenarios for seed in range(50)}) == 50


# -- that the judge sees what is wrong ---------------------------------------------------------


def lose_a_row(trial: Trial) -> Trial:
    one = trial.account_days[0]
    return replace(trial, rows={**trial.rows, one: trial.rows[one][1:]})


def keep_the_old_file(trial: Trial) -> Trial:
    one = next(iter(trial.before))
    return replace(trial, after={**trial.after, one: trial.before[one]})


def fail_a_day(trial: Trial) -> Trial:
    one = trial.account_days[0]
    failed = [Outcome(one, error="no reason")]
    after = {key: value for key, value in trial.after.items() if key != one}
    return replace(trial, after=after, outcomes={**trial.outcomes, one: failed})


def fail_a_day_that_changed(trial: Trial) -> Trial:
    one = trial.account_days[0]
    return replace(trial, outcomes={**trial.outcomes, one: [Outcome(one, error="no reason")]})


def tell_a_day_twice(trial: Trial) -> Trial:
    one = trial.account_days[0]
    return replace(trial, outcomes={**trial.outcomes, one: trial.outcomes[one] * 2})


def forget_a_day(trial: Trial) -> Trial:
    outcomes = dict(trial.outcomes)
    outcomes.pop(trial.account_days[0])
    return replace(trial, outcomes=outcomes)


def leave_a_file(trial: Trial) -> Trial:
    return replace(trial, left=[".staging/a/1.pieces"])


def create_a_run_again(trial: Trial) -> Trial:
    creation = next(one for one in trial.heard if one.created)
    again = replace(creation, sent=creation.heard + 1, heard=creation.heard + 2)
    return replace(trial, heard=[*trial.heard, again])


def have_many_runs(trial: Trial) -> Trial:
    return replace(trial, calls={**trial.calls, "most_runs_in_flight": {trial.account_ids[0]: 6}})


def call_into_a_block(trial: Trial) -> Trial:
    at, call = next((n, one) for n, one in enumerate(trial.heard) if one.sent_at > 2)
    error = {"error": {"code": 4, "message": "Application request limit reached"}}
    refused = replace(
        call, answer=error, status=400, heard_at=call.sent_at - 1, heard=call.sent - 1
    )
    return replace(trial, heard=[*trial.heard[:at], refused, *trial.heard[at:]])


def hang(trial: Trial) -> Trial:
    return replace(trial, hung="hangs")


def end_by_an_error(trial: Trial) -> Trial:
    return replace(trial, stopped=RuntimeError("of ours"))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lose_a_row, "never anything between"),
        (keep_the_old_file, "never anything between"),
        (fail_a_day, "what fails"),
        (fail_a_day, "what failed is listed"),
        (fail_a_day_that_changed, "never anything between"),
        (tell_a_day_twice, "never anything between"),
        (forget_a_day, "what stops"),
        (leave_a_file, "nothing is left"),
        (create_a_run_again, "no run twice"),
        (have_many_runs, "runs in flight"),
        (call_into_a_block, "calls into blocks"),
        (create_a_run_again, "calls are counted"),
        (hang, "it ends"),
        (end_by_an_error, "what stops"),
    ],
)
def test_a_load_that_went_wrong_is_complained_of(
    calm: Trial, spoil: Callable[[Trial], Trial], rule: str
) -> None:
    found = complaints(spoil(calm))

    assert complaints(calm) == []
    assert rule in {one.partition(":")[0] for one in found}


def test_a_scenario_that_strikes_nothing_is_complained_of(calm: Trial) -> None:
    quiet = replace(calm, calls={**calm.calls, "faults": {}})

    assert complaints(quiet) == ["alone it strikes: other_version struck nothing"]
