"""The error of a report run that failed, from the error fields of its poll."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.errors import (
    GraphError,
    RequestError,
    RunFailedError,
    ThrottledError,
    TooMuchDataError,
)
from fbgraph.http.response import error_of_run

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "bodies" / "report_runs.json").read_text("utf-8")
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("failed", TooMuchDataError),  # -3/1504045
        ("failed_generic", RunFailedError),  # -2/2490547
        ("failed_legacy", RunFailedError),  # before v25: no reason at all
        ("skipped", RunFailedError),
    ],
)
def test_a_run_that_failed_has_the_class_of_its_reason(name: str, kind: type[GraphError]) -> None:
    assert type(error_of_run(RUNS[name], RUNS[name]["async_status"])) is kind


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (2, 1504044, RunFailedError),
        (2, 1504043, RunFailedError),
        (2, 1504041, RequestError),
        (2, 1504038, TooMuchDataError),
        (4, 1504022, ThrottledError),
        (-3, 1504045, TooMuchDataError),
        (100, 1487534, TooMuchDataError),
        ("-3", "1504045", TooMuchDataError),
        (0, 0, RunFailedError),
        (424242, None, RunFailedError),
        (None, None, RunFailedError),
    ],
)
def test_a_passing_fault_that_ended_a_run_has_failed_it(
    code: object, subcode: object, kind: type[GraphError]
) -> None:
    body = {"id": "7", "error_code": code, "error_subcode": subcode, "error_message": "No"}

    assert type(error_of_run(body, "Job Failed")) is kind


def test_a_run_without_a_reason_says_how_it_ended() -> None:
    error = error_of_run({"id": "120233000000000077"}, "Job Skipped")

    assert str(error) == ("The report run ended as 'Job Skipped'. [report run 120233000000000077]")
