"""Scenarios that refuse calls or spoil answers, each by what a client then sees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph.sandbox.protocol.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}
DAYS = {"since": "2026-11-19", "until": "2026-11-21"}


def errors(
    call: Callable[[], httpx.Response], most: int = 12
) -> Iterator[tuple[int, dict[str, Any]]]:
    """HTTP status and error of the calls that fail."""
    for _ in range(most):
        response = call()
        body = response.json()
        if "error" in body:
            yield response.status_code, body["error"]


@pytest.mark.parametrize(
    ("scenario", "status", "code", "subcode"),
    [
        ("password_changed", 400, 190, 460),
        ("app_not_installed", 400, 190, 458),
        ("session_invalid", 400, 102, None),
        ("blocked", 400, 368, None),
        ("expired_version", 400, 2635, None),
        ("throttled_management", 400, 80004, 2446079),
        ("throttled_account", 400, 17, 2446079),
        ("throttled_account_613", 400, 613, 1487742),
        ("throttled_app", 400, 4, None),
        ("throttled_page", 403, 32, None),
        ("throttled_application", 400, 341, None),
        ("throttled_custom", 400, 613, None),
        ("intermittent", 400, 2, 1504043),
        ("unknown_error", 500, 1, 99),
        ("limit_too_high:10", 500, 1, None),
        ("page_too_large:90", 500, 1, None),
    ],
)
def test_a_call_is_refused(
    open_graph: Callable[..., Graph], scenario: str, status: int, code: int, subcode: int | None
) -> None:
    graph = open_graph(scenario)

    seen, error = next(errors(lambda: graph.get(f"{graph.account()}/campaigns", limit=20)))

    assert (seen, error["code"], error.get("error_subcode")) == (status, code, subcode)


@pytest.mark.parametrize("name", REFUSALS)
def test_any_error_of_the_table_can_be_had_always(
    open_graph: Callable[..., Graph], name: str
) -> None:
    graph = open_graph(f"always:{name}")
    known = REFUSALS[name]

    response = graph.get("me")

    error = response.json()["error"]
    assert response.status_code == known.status
    assert (error["code"], error.get("error_subcode")) == (known.code, known.subcode)
    assert error.get("type") == known.type
    assert ("fbtrace_id" in error) == known.traced


@pytest.mark.parametrize(
    ("scenario", "index", "edge", "code"),
    [
        ("forbidden_app", 1, "/campaigns", 10),
        ("forbidden_insights", 1, "/insights", 100),
        ("gone_account", 2, "/campaigns", 100),
    ],
)
def test_one_account_fails_and_the_others_do_not(
    open_graph: Callable[..., Graph], scenario: str, index: int, edge: str, code: int
) -> None:
    graph = open_graph(scenario)

    failed = [n for n in range(7) if graph.get(f"{graph.account(n)}{edge}").status_code != 200]

    assert failed == [index]
    assert graph.error(f"{graph.account(index)}{edge}")["code"] == code
    assert graph.account(index) in [row["id"] for row in graph.rows("me/adaccounts")]


def test_an_account_is_lost_in_the_middle(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("lost_account:3")

    lost = [graph.get(graph.account(3)).status_code for _ in range(5)]
    other = [graph.get(graph.account(0)).status_code for _ in range(5)]

    assert (lost, other) == ([200, 200, 200, 403, 403], [200] * 5)


def test_a_token_dies_in_the_middle(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("token_dies:2")

    codes = [graph.get("me").json().get("error", {}).get("code") for _ in range(4)]

    assert codes == [None, None, 190, 190]


@pytest.mark.parametrize(
    ("scenario", "version", "warns"),
    [("upgraded_version", "v27.0", 1), ("other_version", "v25.0", 0)],
)
def test_another_version_answers(
    open_graph: Callable[..., Graph], scenario: str, version: str, warns: int
) -> None:
    graph = open_graph(scenario)

    answer = graph.get(f"{graph.account()}/ads", limit=1)

    assert answer.headers["facebook-api-version"] == version
    assert f"/{version}/" in answer.json()["paging"]["next"]
    assert ("x-ad-api-version-warning" in answer.headers) == warns


@pytest.mark.parametrize("scenario", ["upgraded_version", "other_version"])
def test_another_version_answers_the_items_of_a_batch_too(
    open_graph: Callable[..., Graph], scenario: str
) -> None:
    graph = open_graph(scenario)

    items = graph.post("", batch=[{"method": "GET", "relative_url": "me"}]).json()

    assert [item["code"] for item in items] == [200]


@pytest.mark.parametrize(
    ("scenario", "header", "percent", "wait"),
    [
        ("throttled", "x-business-use-case-usage", "call_count", "estimated_time_to_regain_access"),
        (
            "throttled_management",
            "x-business-use-case-usage",
            "call_count",
            "estimated_time_to_regain_access",
        ),
        ("throttled_account", "x-ad-account-usage", "acc_id_util_pct", "reset_time_duration"),
        ("throttled_account_613", "x-ad-account-usage", "acc_id_util_pct", "reset_time_duration"),
        ("throttled_app", "x-app-usage", "call_count", None),
    ],
)
def test_a_throttle_comes_with_its_header(
    open_graph: Callable[..., Graph], scenario: str, header: str, percent: str, wait: str | None
) -> None:
    graph = open_graph(f"{scenario}:1")

    answer = graph.get(f"{graph.account()}/campaigns")

    usage = json.loads(answer.headers[header])
    if header == "x-business-use-case-usage":
        (usage,) = usage[graph.account().removeprefix("act_")]
    assert usage[percent] > 100
    assert wait is None or usage[wait] > 0


def test_the_app_is_throttled_for_insights_alone(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("throttled_insights:1")

    answer = graph.get(f"{graph.account()}/insights", time_range=DAY)

    error = answer.json()["error"]
    usage = json.loads(answer.headers["x-fb-ads-insights-throttle"])
    assert (error["code"], error["error_subcode"], usage["app_id_util_pct"]) == (4, 1504022, 104)
    assert graph.get(f"{graph.account()}/ads").status_code == 200


def test_custom_metrics_are_throttled_where_runs_are_created(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("throttled_metrics:2")

    path = f"{graph.account()}/insights"
    codes = [graph.post(path, time_range=DAY).status_code for _ in range(8)]

    assert codes.count(400) == 4
    assert graph.get(path, time_range=DAY).status_code == 200


def test_code_2_comes_with_three_statuses(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("unavailable:2")

    found = list(errors(lambda: graph.get("me"), most=6))

    assert {status for status, _ in found} == {400, 500, 503}
    assert all(error["code"] == 2 and error["is_transient"] for _, error in found)


@pytest.mark.parametrize(
    ("scenario", "status", "content"),
    [
        ("html:1", 502, b"<!DOCTYPE html>"),
        ("empty_500:1", 500, b""),
        ("service_unavailable:1", 200, b"Service Unavailable"),
        ("cut_json:1", 200, b'{"id":"10'),
    ],
)
def test_a_body_is_spoilt(
    open_graph: Callable[..., Graph], scenario: str, status: int, content: bytes
) -> None:
    graph = open_graph(scenario)

    answer = graph.get("me", fields="id")

    assert answer.status_code == status
    assert answer.content.startswith(content)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()


@pytest.mark.parametrize("limit", [1, 500])
def test_a_connection_ends_in_the_middle_of_a_body(
    open_graph: Callable[..., Graph], capfd: pytest.CaptureFixture[str], limit: int
) -> None:
    graph = open_graph("reset:1")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message"):
        graph.get(f"{graph.account()}/ads", limit=limit, fields="name")
    graph.sandbox.use()

    assert graph.get("me").status_code == 200
    assert capfd.readouterr() == ("", "")


def test_a_slow_answer_waits_on_the_servers_loop(open_graph: Callable[..., Graph]) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    graph = open_graph("slow:250", sleep=sleep)
    item = {"method": "GET", "relative_url": "me"}

    graph.get("me")
    graph.post("", batch=[item, item])

    assert waits == [0.25, 0.5]


def test_errors_come_in_shapes_that_have_been_seen(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("odd_errors")
    bad = {"time_range": {"since": "2026-11-21"}}

    found = [graph.error(f"{graph.account()}/insights", **bad) for _ in range(14)]

    data = [error.get("error_data") for error in found if isinstance(error, dict)]
    assert any(isinstance(error, str) for error in found)
    assert any(isinstance(one, dict) for one in data)
    assert '"null"' in data
    assert any(
        "blame_field" in json.loads(one) for one in data if isinstance(one, str) and "{" in one
    )
    assert any(error.keys() == {"message", "code"} for error in found if isinstance(error, dict))
    assert any("Inténtalo" in str(error) for error in found)


def test_a_cursor_breaks_once_in_each_listing(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("broken_cursor")
    path = f"{graph.account()}/ads"
    after = graph.get(path, limit=5).json()["paging"]["cursors"]["after"]

    broken = graph.error(path, limit=5, after=after)
    rows = graph.rows(path, limit=5)

    assert broken["code"] == 2642
    assert len(rows) == len({row["id"] for row in rows}) > 5


def test_halving_the_limit_helps_with_a_page_of_too_many_bytes(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("page_too_large:1500")
    path = f"{graph.account()}/ads"

    sizes = [limit for limit in (64, 32, 16, 8, 4, 2, 1) if not too_large(graph, path, limit)]

    assert sizes in ([4, 2, 1], [8, 4, 2, 1], [2, 1])


def too_large(graph: Graph, path: str, limit: int) -> bool:
    body = graph.get(path, limit=limit, fields="id,name,effective_status,created_time").json()
    error = body.get("error")
    assert error is None or error == {"message": error["message"], "code": 1}
    return error is not None


def test_too_much_data_is_refused_at_once_or_at_the_creation_of_a_run(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("too_much_data:2")
    path = f"{graph.account()}/insights"

    answers = [call(path, time_range=DAYS) for call in (graph.get, graph.post)]
    short = graph.post(path, time_range=DAY)

    assert {a.json()["error"]["error_subcode"] for a in answers} == {1487534}
    assert "report_run_id" in short.json()


def test_a_large_synchronous_call_times_out_and_a_run_does_not(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph("sync_times_out:100")
    path = f"{graph.account()}/insights"

    found = [graph.error(path, time_range=DAY, **everything) for _ in range(3)]
    small = graph.get(path, time_range=DAY)

    assert [(e["code"], e["error_subcode"]) for e in found] == [
        *((100, 1504018), (2, 1504038), (2, 1504018))
    ]
    assert small.status_code == 200
    assert "report_run_id" in graph.post(path, time_range=DAY, **everything).json()


def test_old_hours_are_cut_off_or_refused(
    open_graph: Callable[..., Graph], everything: dict[str, Any]
) -> None:
    graph = open_graph()
    days = {"since": "2025-10-20", "until": "2025-10-24"}
    asked = {**everything, "time_range": days, "level": "ad"}

    cut_off = graph.rows(f"{graph.account()}/insights", **asked)
    graph.sandbox.use("old_hours_refused")

    assert {row["date_start"] for row in cut_off} == {"2025-10-23", "2025-10-24"}
    assert graph.error(f"{graph.account()}/insights", **asked)["code"] == 100


def test_a_field_of_old_days_is_refused_and_the_same_of_younger_ones_is_not(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph("old_fields_refused:ctr")
    path = f"{graph.account()}/insights"
    old, young = ({"since": f"2025-10-{day}", "until": "2025-10-24"} for day in (22, 23))

    refused = graph.error(path, time_range=old, fields=["spend", "ctr"])

    assert "ctr is not valid for fields param" in refused["message"]
    assert graph.get(path, time_range=young, fields=["spend", "ctr"]).status_code == 200
    assert graph.get(path, time_range=old, fields=["spend"]).status_code == 200


@pytest.mark.parametrize(
    ("scenario", "wanted"),
    [("batch_null:2", None), ("batch_throttled:2", 17), ("batch_timed_out:2", 960)],
)
def test_half_of_a_batch_is_lost(
    open_graph: Callable[..., Graph], scenario: str, wanted: int | None
) -> None:
    graph = open_graph(scenario)
    items = [{"method": "GET", "relative_url": graph.account()}] * 10

    answer = graph.post("", batch=items)

    codes = [
        one and json.loads(one["body"]).get("error", {}).get("code", 0) for one in answer.json()
    ]
    assert answer.status_code == 200
    assert codes.count(wanted) in (4, 5, 6)
    assert codes.count(0) == 10 - codes.count(wanted)


def test_a_throttled_item_says_how_full_its_account_is(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph("batch_throttled:1")

    (item,) = graph.post("", batch=[{"method": "GET", "relative_url": graph.account()}]).json()

    headers = {one["name"].lower(): one["value"] for one in item["headers"]}
    assert json.loads(headers["x-ad-account-usage"])["reset_time_duration"] == 60
