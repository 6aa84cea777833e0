"""Items that fail for the moment: which are sent again, when, and what ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import GraphClient, Page, Request
from fbgraph.errors import (
    BlockedError,
    LimitStuckError,
    RequestError,
    RetryableError,
    ThrottledError,
    TokenError,
)
from fbgraph.limits.retry import LIMIT, REQUEST
from fbgraph.limits.usage import Limit
from tests.clock import Clock
from tests.fbgraph.conftest import Heard, blocked_for_ever
from tests.fbgraph.http.batches import asked, echo, failed, gets, items, kinds, ok, refused, server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fbgraph.conftest import MakeWire


@pytest.mark.parametrize(
    ("passing", "wait"),
    [
        (None, 1.0),
        (failed(960), 1.0),
        (failed(2), 1.0),
        (failed(1, 99), 1.0),
        ({"code": 200, "body": '{"cut'}, 1.0),
        ({"code": 502, "body": "<html>"}, 1.0),
        ({"code": 500, "body": None}, 1.0),
        ({}, 1.0),
        ("odd", 1.0),
        (failed(2601, 1815107), 5.0),
        (failed(17), 60.0),
        (failed(80000, x_ad_account_usage='{"reset_time_duration":182}'), 182.0),
        (
            failed(
                80004,
                x_business_use_case_usage='{"7":[{"estimated_time_to_regain_access":3}]}',
            ),
            180.0,
        ),
    ],
)
def test_an_item_that_failed_for_the_moment_is_made_again_alone(
    wire: MakeWire, passing: object, wait: float
) -> None:
    graph = wire(server({"1": [ok()], "2": [passing, ok({"id": "2"})], "3": [failed(100)]}))

    found = graph.client.batch(gets("1", "2", "3"))

    assert (kinds(found), asked(graph), graph.waits, graph.client.tally.calls) == (
        [{"id": "1"}, {"id": "2"}, RequestError],
        [["1", "2", "3"], ["2"]],
        [wait],
        4,
    )


def test_items_that_wait_differently_are_made_again_each_at_its_time(wire: MakeWire) -> None:
    told = '{"1":[{"call_count":100,"estimated_time_to_regain_access":2}]}'
    graph = wire(
        server(
            {
                "campaigns": [failed(17, x_business_use_case_usage=told), ok()],
                "2": [None, None, ok()],
            }
        )
    )

    graph.client.batch(gets("act_1/campaigns", "2"))

    assert (asked(graph), graph.waits) == (
        [["campaigns", "2"], ["2"], ["2"], ["campaigns"]],
        [1.0, 2.0, 117.0],
    )


def test_an_item_that_never_finishes_is_given_up_and_the_others_are_not(wire: MakeWire) -> None:
    graph = wire(server({"1": [None], "2": [ok({"id": "2"})]}))

    found = graph.client.batch(gets("1", "2"))

    assert (kinds(found), len(graph.requests)) == ([RetryableError, {"id": "2"}], REQUEST.attempts)


def test_an_item_that_is_throttled_for_ever_is_given_up_within_the_budget(wire: MakeWire) -> None:
    graph = wire(server({"1": [failed(17)], "2": [ok({"id": "2"})]}))

    found = graph.client.batch(gets("1", "2"))

    assert kinds(found) == [LimitStuckError, {"id": "2"}]
    assert sum(graph.waits) <= LIMIT.budget_seconds


def test_a_limit_that_nobody_frees_fails_those_that_wait_for_it_alone(wire: MakeWire) -> None:
    answers = server({"1": [ok()], "campaigns": [ok()]})
    graph = wire(answers, cooldowns=blocked_for_ever("7"))

    found = graph.client.batch(gets("1", "act_7/campaigns"))

    assert kinds(found) == [{"id": "1"}, LimitStuckError]
    assert sum(graph.waits) == LIMIT.budget_seconds


def test_the_headers_of_items_feed_the_view_of_the_limits(wire: MakeWire) -> None:
    graph = wire(
        items(
            ok(X_Ad_Account_Usage='{"acc_id_util_pct":12.5}'),
            failed(100, x_fb_ads_insights_throttle='{"app_id_util_pct":3,"acc_id_util_pct":7}'),
        )
    )

    graph.client.batch(gets("act_1/campaigns", "act_2/insights"))

    assert graph.client.usage() == {
        Limit("1"): 12.5,
        Limit("", "ads_insights"): 3.0,
        Limit("2", "ads_insights"): 7.0,
    }


def test_what_the_first_50_tell_of_their_limit_holds_up_the_next(wire: MakeWire) -> None:
    busy, free = '{"acc_id_util_pct":96}', '{"acc_id_util_pct":5}'
    usage = iter([busy] * 50 + [free] * 70)

    def answer(request: httpx.Request) -> httpx.Response:
        return items(*(ok(x_ad_account_usage=next(usage)) for _ in Heard.of(request).items))

    graph = wire(answer)
    graph.client.batch(gets(*["act_1/campaigns"] * 120))

    assert ([len(batch) for batch in asked(graph)], graph.waits) == ([50, 50, 20], [60.0])


def test_many_items_may_rest_longer_in_all_than_one_call_may(wire: MakeWire) -> None:
    told = '{"1":[{"call_count":100,"estimated_time_to_regain_access":30}]}'

    def answer(request: httpx.Request) -> httpx.Response:
        busy = ok(x_business_use_case_usage=told)
        return items(*(busy for _ in Heard.of(request).items))

    graph = wire(answer)
    found = graph.client.batch(gets(*["act_1/campaigns"] * 50 * 6))

    assert (kinds(found), sum(graph.waits)) == ([{"id": "1"}] * 300, 5 * 1800.0)
    assert sum(graph.waits) > LIMIT.budget_seconds


def test_an_account_that_rests_holds_up_no_other(wire: MakeWire) -> None:
    usage = '{"acc_id_util_pct":96}'
    graph = wire(server({"campaigns": [ok(x_ad_account_usage=usage)], "ads": [ok()]}))
    graph.client.batch(gets("act_1/campaigns"))

    graph.client.batch(gets("act_1/campaigns", "act_2/ads"))

    assert (asked(graph)[1:], graph.waits) == ([["ads"], ["campaigns"]], [60.0])


def test_after_a_block_one_item_goes_first(wire: MakeWire) -> None:
    graph = wire(server({"campaigns": [failed(17), ok()], "ads": [failed(17), ok()]}))

    graph.client.batch(gets("act_1/campaigns", "act_1/ads"))

    assert asked(graph) == [["campaigns", "ads"], ["campaigns"], ["ads"]]


@pytest.mark.parametrize("refusal", [refused(190), refused(102), refused(368), refused(104)])
def test_what_ends_everything_is_raised_at_once(wire: MakeWire, refusal: httpx.Response) -> None:
    graph = wire(refusal)

    with pytest.raises((TokenError, BlockedError)):
        graph.client.batch(gets("1", "2"))

    assert len(graph.requests) == 1


def test_after_what_ended_everything_no_limit_stays_taken(wire: MakeWire) -> None:
    graph = wire(items(failed(17)), refused(190), httpx.Response(200, json={"id": "1"}))
    call = Request("GET", "act_1/campaigns")

    with pytest.raises(TokenError):
        graph.client.batch([call])
    waited = sum(graph.waits)
    graph.client.call(call)

    assert sum(graph.waits) == waited == 60.0


@pytest.mark.parametrize("code", [4, 17])
def test_a_throttle_of_the_whole_call_holds_up_all_of_it(wire: MakeWire, code: int) -> None:
    usage = '{"1":[{"call_count":100,"estimated_time_to_regain_access":5}]}'
    graph = wire(refused(code, headers={"x-business-use-case-usage": usage}), echo)

    found = graph.client.batch(gets("1", "2"))

    assert ([*found], asked(graph)[-1][0], graph.waits[0]) == (
        [{"path": "/v26.0/1"}, {"path": "/v26.0/2"}],
        *("2", 300.0),
    )


def test_what_refuses_the_whole_call_is_the_error_of_each_item(wire: MakeWire) -> None:
    graph = wire(refused(100), echo)

    found = graph.client.batch(gets("1", "2"))

    assert (kinds(found), len(graph.requests)) == ([RequestError, RequestError], 1)


@pytest.mark.parametrize(
    "odd",
    [items(), items(ok()), items(ok(), ok(), ok()), httpx.Response(200, json={"id": "1"})],
)
def test_an_answer_with_another_number_of_items_is_none(
    wire: MakeWire, odd: httpx.Response
) -> None:
    graph = wire(odd, echo)

    found = graph.client.batch(gets("1", "2"))

    assert (found, graph.waits) == ([{"path": "/v26.0/1"}, {"path": "/v26.0/2"}], [1.0])


def test_an_item_that_the_reader_cannot_use_is_asked_for_again(wire: MakeWire) -> None:
    graph = wire(server({"campaigns": [ok({"id": "1"}), ok({"data": []})]}))

    (page,) = graph.client.batch(gets("act_1/campaigns"), Page.from_response)

    assert (page.data, graph.waits) == ([], [1.0])


#: What an item may come to, by a letter: what it answers, and whether it is asked again.
LETTERS: Mapping[str, tuple[object, bool]] = {
    "v": (ok({"id": "v"}), False),
    "r": (failed(100), False),
    "n": (None, True),
    "t": (failed(2), True),
    "w": (failed(17), True),
}


@given(
    plans=st.lists(
        st.builds(
            lambda passing, last: (*passing, last),
            st.lists(st.sampled_from("ntw"), max_size=REQUEST.attempts - 1),
            st.sampled_from("vr"),
        ),
        max_size=70,
    )
)
def test_every_item_ends_with_its_own_result_after_exactly_as_many_calls_as_it_needs(
    plans: list[tuple[str, ...]],
) -> None:
    times = [0] * len(plans)
    clock = Clock()

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        found = []
        for item in Heard.of(request).items:
            number = int(item.path.rpartition("/")[2])
            found.append(LETTERS[plans[number][times[number]]][0])
            times[number] += 1
        return items(*found)

    with GraphClient(
        "EAAinvented0123456789",
        transport=httpx.MockTransport(answer),
        sleep=clock.sleep,
        jitter=lambda: 0.0,
        clock=clock.seconds,
    ) as client:
        found = client.batch(Request("GET", str(number)) for number in range(len(plans)))

    ends = {"v": {"id": "v"}, "r": RequestError}
    assert kinds(found) == [ends[plan[-1]] for plan in plans]
    assert times == [len(plan) for plan in plans]
    assert client.tally.calls == sum(times)


def test_a_batch_made_once_says_how_it_stands_with_each_call(wire: MakeWire) -> None:
    graph = wire(items(ok({"id": 1}), None, failed(17), failed(100)))

    found = graph.client.batch_once(gets("1", "2", "3", "4"))

    assert (kinds(found), len(graph.requests), graph.waits) == (
        [{"id": "1"}, RetryableError, ThrottledError, RequestError],
        *(1, []),
    )


def test_who_only_asks_how_long_to_rest_does_not_take_the_turn(wire: MakeWire) -> None:
    graph = wire(items(failed(17)))
    (call,) = gets("act_1/campaigns")
    graph.client.batch_once([call])
    graph.clock.sleep(60.0)

    rests = [graph.client.cooldown_of(call), graph.client.cooldown_of(call)]
    rests += [graph.client.cooldown_before(call), graph.client.cooldown_before(call)]

    assert (rests[:3], rests[3] > 0) == ([0.0, 0.0, 0.0], True)
