from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import errors
from fbgraph.errors import (
    Detail,
    GraphError,
    LimitStuckError,
    NotReadyError,
    RetryableError,
    ThrottledError,
)
from fbgraph.limits.retry import BUSY, CEILING_SECONDS, LIMIT, REQUEST, retrying, wait_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fbgraph.conftest import MakeWire

OK = httpx.Response(200, json={"id": "1"})
FAULT = RetryableError("A passing fault.")
KINDS: list[Any] = [getattr(errors, name) for name in errors.__all__]
CLASSES = [k for k in KINDS if isinstance(k, type) and issubclass(k, GraphError)]


def throttle(told: float | None = None) -> ThrottledError:
    return ThrottledError(Detail("Too many calls.", code=17, cooldown_seconds=told))


def refusal(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(400, json={"error": {"message": "No", "code": code}}, headers=headers)


def waits_of(failure: GraphError, jitter: float = 0.0) -> list[float]:
    """Every wait for a call that always fails alike, until it is given up."""
    waits: list[float] = []
    failures = [failure]
    while (wait := wait_seconds(failures, jitter)) is not None:
        waits.append(wait)
        failures.append(failure)
    return waits


@pytest.mark.parametrize("kind", CLASSES)
def test_only_what_may_pass_is_tried_again(kind: type[GraphError]) -> None:
    retried = wait_seconds([kind("No")], 0.0) is not None

    assert retried == issubclass(kind, RetryableError)


def test_a_passing_fault_is_waited_for_twice_as_long_each_time() -> None:
    assert waits_of(FAULT) == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_report_that_is_not_ready_is_given_5_to_60_seconds() -> None:
    assert waits_of(NotReadyError("Not yet.")) == [5.0, 10.0, 20.0, 40.0, 60.0]


def test_a_throttle_that_names_no_wait_starts_with_a_minute_and_doubles() -> None:
    assert waits_of(throttle())[:5] == [60.0, 120.0, 240.0, 480.0, 900.0]


@pytest.mark.parametrize("told", [0.5, 5.0, 182.0, 1260.0, 3600.0])
def test_a_wait_that_meta_names_is_obeyed(told: float) -> None:
    assert wait_seconds([throttle(told)], 0.0) == told


def test_a_wait_that_meta_names_and_that_does_not_help_is_stretched() -> None:
    waits = waits_of(throttle(1.0))

    assert (waits[:4], len(waits) < 20) == ([1.0, 2.0, 4.0, 8.0], True)


@pytest.mark.parametrize("told", [3601.0, 36_000_000.0, float("inf")])
def test_after_an_hour_somebody_looks_whatever_meta_says(told: float) -> None:
    assert waits_of(throttle(told)) == [CEILING_SECONDS, CEILING_SECONDS]


def test_a_failure_that_may_pass_waits_as_long_as_its_response_says() -> None:
    busy = RetryableError(Detail("Busy", cooldown_seconds=30.0))

    assert waits_of(busy) == [30.0, 60.0, 60.0, 60.0, 60.0]


def test_each_use_has_its_own_attempts() -> None:
    failures = [FAULT] * (BUSY.attempts - 1)

    assert (wait_seconds(failures, 0.0, [BUSY]), wait_seconds([*failures, FAULT], 0.0, [BUSY])) == (
        0.0,
        None,
    )


def test_throttles_do_not_count_as_attempts() -> None:
    failures = [FAULT, throttle(), FAULT, throttle(), FAULT, throttle(), FAULT]

    assert wait_seconds(failures, 0.0) == 8.0


def test_passing_faults_do_not_use_up_the_patience_with_throttles() -> None:
    assert wait_seconds([FAULT] * (REQUEST.attempts - 1) + [throttle()], 0.0) == LIMIT.first_seconds


@given(
    told=st.none() | st.floats(0.001, 100_000),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_waits_for_a_limit_are_bounded_and_never_shrink(told: float | None, jitter: float) -> None:
    waits = waits_of(throttle(told), jitter)

    assert all(0 < wait <= max(told or 0, LIMIT.most_seconds) * 1.1 for wait in waits)
    assert all(earlier <= later for earlier, later in pairwise(waits))
    assert sum(waits) <= LIMIT.budget_seconds * 1.1


@given(
    failures=st.lists(
        st.sampled_from((FAULT, NotReadyError("Not yet."), throttle(), throttle(30.0))),
        min_size=1,
        max_size=40,
    ),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_no_wait_is_negative_or_endless(failures: list[GraphError], jitter: float) -> None:
    wait = wait_seconds(failures, jitter)

    assert wait is None or 0 < wait <= LIMIT.most_seconds * 1.5


def test_jitter_makes_a_wait_longer_and_never_shorter_than_meta_said() -> None:
    assert (waits_of(FAULT, 0.5)[0], wait_seconds([throttle(100.0)], 0.5)) == (1.25, 105.0)


def test_another_error_than_ours_is_not_caught() -> None:
    waits: list[float] = []

    with pytest.raises(ZeroDivisionError):
        retrying(waits.append, lambda: 0.0)(lambda: 1 / 0)

    assert waits == []


def test_a_call_that_recovers_gives_its_answer(wire: MakeWire) -> None:
    graph = wire(httpx.Response(502, html="<html>"), refusal(2), refusal(1), OK)

    answer: object = graph.client.get("1")

    assert (answer, graph.waits) == ({"id": "1"}, [1.0, 2.0, 4.0])


def test_a_call_is_given_up_with_the_error_of_its_last_attempt(wire: MakeWire) -> None:
    faults = [refusal(2) for _ in range(REQUEST.attempts - 1)]
    graph = wire(*faults, httpx.Response(500))

    with pytest.raises(RetryableError, match="response is empty"):
        graph.client.get("1")

    assert len(graph.requests) == REQUEST.attempts


@pytest.mark.parametrize("code", [3, 10, 100, 190, 200, 294, 368, 803, 2500, 2635, 2642, 3018])
def test_what_will_fail_again_is_asked_once(wire: MakeWire, code: int) -> None:
    graph = wire(refusal(code))

    with pytest.raises(GraphError):
        graph.client.get("1")

    assert (len(graph.requests), graph.waits) == (1, [])


@pytest.mark.parametrize(
    ("header", "value", "seconds"),
    [
        ("x-ad-account-usage", '{"acc_id_util_pct":100,"reset_time_duration":182}', 182.0),
        (
            "x-business-use-case-usage",
            '{"1":[{"call_count":100,"estimated_time_to_regain_access":21}]}',
            1260.0,
        ),
        ("x-app-usage", '{"call_count":100}', 60.0),
    ],
)
def test_a_throttled_call_rests_as_long_as_its_headers_say(
    wire: MakeWire, header: str, value: str, seconds: float
) -> None:
    graph = wire(refusal(17, **{header: value}), OK)

    graph.client.get("1")

    assert graph.waits == [seconds]


def test_an_earlier_answer_does_not_say_how_long_to_rest(wire: MakeWire) -> None:
    told = {"x-ad-account-usage": '{"reset_time_duration":182}'}
    graph = wire(refusal(17, **told), refusal(17), OK)

    graph.client.get("1")

    assert graph.waits == [182.0, 120.0]


def test_a_throttle_that_never_ends_is_given_up_within_the_budget(wire: MakeWire) -> None:
    graph = wire(refusal(80000))

    with pytest.raises(LimitStuckError):
        graph.client.get("1")

    assert sum(graph.waits) <= LIMIT.budget_seconds


def body_cut_short() -> Iterator[bytes]:
    yield b'{"data":['
    raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


#: What can go wrong between here and Meta.
FAULTS: Mapping[str, Any] = {
    "refused": httpx.ConnectError("[Errno 111] Connection refused"),
    "no connection in time": httpx.ConnectTimeout("timed out"),
    "no answer in time": httpx.ReadTimeout("The read operation timed out"),
    "all connections taken": httpx.PoolTimeout("no connection"),
    "reset": httpx.ReadError("reset by peer"),
    "hung up": httpx.RemoteProtocolError("Server disconnected without sending a response."),
    "cut short": lambda _: httpx.Response(200, content=body_cut_short()),
    "bad gzip": lambda _: httpx.Response(
        200, headers={"content-encoding": "gzip"}, content=iter([b"this is no gzip"])
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_on_the_way_is_tried_again(wire: MakeWire, name: str) -> None:
    graph = wire(FAULTS[name], OK)

    answer: object = graph.client.get("1")

    assert (answer, graph.waits) == ({"id": "1"}, [1.0])


def test_a_server_out_of_reach_is_named(wire: MakeWire) -> None:
    graph = wire(httpx.ConnectError("Connection refused"), base_url="http://127.0.0.1:9")

    with pytest.raises(RetryableError) as caught:
        graph.client.get("me")

    assert str(caught.value) == (
        "No response from http://127.0.0.1:9: ConnectError Connection refused. [GET me] Check the"
        " network, FB_GRAPH_URL and any proxy between you and Meta."
    )


def test_an_address_without_http_is_not_tried_again(wire: MakeWire) -> None:
    graph = wire(httpx.UnsupportedProtocol("no protocol"), base_url="graph.facebook.com")

    with pytest.raises(errors.RequestError, match=r"graph\.facebook\.com is not an http"):
        graph.client.get("me")

    assert graph.waits == []


def test_an_answer_that_the_reader_cannot_use_is_asked_for_again(wire: MakeWire) -> None:
    graph = wire(OK, httpx.Response(200, json={"data": [{"id": "1"}]}))

    rows = list(graph.client.node("me").edge("adaccounts"))

    assert (rows, graph.waits) == ([{"id": "1"}], [1.0])


def test_why_a_call_is_made_again_is_logged(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="fbgraph.limits.retry")

    wire(refusal(2), OK).client.get("1")

    assert [r.getMessage().split(" [")[0] for r in caplog.records] == ["Retrying in 1 s: No"]


def test_only_a_rest_that_looks_like_a_hang_is_a_warning(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    short = {"x-ad-account-usage": '{"reset_time_duration":2}'}

    wire(refusal(17, **short), refusal(2), refusal(17), OK).client.get("1")

    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert [text.partition(":")[0] for text in warnings] == ["Retrying in 120 s"]
