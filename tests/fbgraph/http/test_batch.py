from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import GraphClient, Page, Request
from fbgraph.errors import (
    BlockedError,
    GraphError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
    RetryableError,
    StoppedError,
    ThrottledError,
    TokenError,
    UncertainWriteError,
)
from fbgraph.http.auth import appsecret_proof
from fbgraph.http.batch import MAX_ITEMS, Pending, fits
from fbgraph.limits.retry import LIMIT, REQUEST
from fbgraph.limits.usage import Limit
from tests.clock import Clock
from tests.fbgraph.conftest import Heard, blocked_for_ever

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fbgraph.conftest import MakeWire, Wire

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # invented


def ok(body: object = None, **headers: str) -> dict[str, Any]:
    """An item that went well."""
    named = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    return {"code": 200, "headers": named, "body": json.dumps(body or {"id": "1"})}


def failed(code: int, subcode: int | None = None, **headers: str) -> dict[str, Any]:
    error = {"message": f"({code})", "code": code, "error_subcode": subcode}
    return {**ok({"error": error}, **headers), "code": 400}


def refused(
    code: int, status: int = 400, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """The whole batch refused."""
    body = {"error": {"message": f"({code})", "code": code}}
    return httpx.Response(status, json=body, headers=headers)


def items(*found: object) -> httpx.Response:
    return httpx.Response(200, json=list(found))


def echo(request: httpx.Request) -> httpx.Response:
    """A server that answers each item with its own path."""
    return items(*(ok({"path": heard.path}) for heard in Heard.of(request).items))


def server(answers: Mapping[str, Sequence[object]]) -> Callable[[httpx.Request], httpx.Response]:
    """Gives the items of each path one after the other, the last for ever."""
    times: dict[str, int] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        found = []
        for heard in Heard.of(request).items:
            of_path = answers[heard.path.rpartition("/")[2]]
            times[heard.path] = times.get(heard.path, 0) + 1
            found.append(of_path[min(times[heard.path], len(of_path)) - 1])
        return items(*found)

    return answer


def gets(*paths: str) -> list[Request]:
    return [Request("GET", path) for path in paths]


def asked(graph: Wire) -> list[list[str]]:
    """The paths of each batch."""
    return [[item.path.rpartition("/")[2] for item in heard.items] for heard in graph.heard]


def kinds(outcomes: Sequence[object]) -> list[object]:
    """Values as they are, errors as their class."""
    return [type(one) if isinstance(one, GraphError) else one for one in outcomes]


def test_results_come_in_the_order_of_the_requests(wire: MakeWire) -> None:
    graph = wire(echo)

    found = graph.client.batch(gets("3", "1", "2"))

    assert found == [{"path": "/v26.0/3"}, {"path": "/v26.0/1"}, {"path": "/v26.0/2"}]


def test_each_result_is_a_value_or_an_error(wire: MakeWire) -> None:
    graph = wire(items(ok({"id": "1"}), failed(100, 33), failed(200), ok([1])))

    found = graph.client.batch(gets("1", "2", "3", "4"))

    assert kinds(found) == [{"id": "1"}, NotFoundError, PermissionDeniedError, [1]]


def test_an_error_of_an_item_says_of_which_call_it_is(wire: MakeWire) -> None:
    graph = wire(items(ok(), failed(100, 33)))

    _, error = graph.client.batch(gets("1", "act_2/campaigns"))

    assert (error.detail.method, error.detail.path) == ("GET", "act_2/campaigns")


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])],
)
def test_more_than_50_are_split(wire: MakeWire, count: int, sizes: list[int]) -> None:
    graph = wire(echo)

    found = graph.client.batch(gets(*map(str, range(count))))

    assert ([len(batch) for batch in asked(graph)], graph.client.tally.calls) == (sizes, count)
    assert found == [{"path": f"/v26.0/{n}"} for n in range(count)]


def test_requests_may_come_from_a_generator(wire: MakeWire) -> None:
    assert len(wire(echo).client.batch(Request("GET", str(n)) for n in range(60))) == 60


@given(
    names=st.lists(st.sets(st.sampled_from("abc")), max_size=130),
)
def test_a_batch_holds_no_more_than_50_and_no_two_files_of_one_name(names: list[set[str]]) -> None:
    batches: list[list[Pending]] = [[]]
    for files in names:
        one = Pending(Request("POST", "1", files=dict.fromkeys(files, b"")))
        if not fits(one, batches[-1]):
            batches.append([])
        batches[-1].append(one)

    for batch in batches:
        in_it = [name for one in batch for name in one.request.files]
        assert (len(batch) <= MAX_ITEMS, len(set(in_it))) == (True, len(in_it))
    assert [set(one.request.files) for batch in batches for one in batch] == names


def test_two_files_of_one_name_go_in_two_calls_and_keep_their_name(wire: MakeWire) -> None:
    graph = wire(echo)
    uploads = [
        Request("POST", "act_1/adimages", files={"a.png": b"first", "b.png": b"b"}),
        Request("POST", "act_1/adimages", files={"a.png": b"second"}),
    ]

    graph.client.batch(uploads)

    assert [[item.files for item in heard.items] for heard in graph.heard] == [
        [{"a.png": b"first", "b.png": b"b"}],
        [{"a.png": b"second"}],
    ]


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

    assert kinds(found) == [ThrottledError, {"id": "2"}]
    assert sum(graph.waits) <= LIMIT.budget_seconds


def test_a_limit_that_nobody_frees_fails_those_that_wait_for_it_alone(wire: MakeWire) -> None:
    answers = server({"1": [ok()], "campaigns": [ok()]})
    graph = wire(answers, cooldowns=blocked_for_ever("7"))

    found = graph.client.batch(gets("1", "act_7/campaigns"))

    assert kinds(found) == [{"id": "1"}, ThrottledError]
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


#: What leaves it open whether the writes of a batch happened.
LOST = {
    "null": items(None),
    "no items": items(),
    "read timeout": httpx.ReadTimeout("too slow"),
    "hung up": httpx.RemoteProtocolError("Server disconnected"),
    "502": httpx.Response(502, html="<html>"),
    "empty": httpx.Response(500),
    "code 2": refused(2, 503),
    "code 1 of the item": items(failed(1)),
    "code 2 of the item": items(failed(2)),
    "960": items(failed(960)),
    "html in the item": items({"code": 502, "body": "<html>"}),
}


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_write_whose_answer_is_lost_is_uncertain_and_never_sent_twice(
    wire: MakeWire, method: str, name: str
) -> None:
    graph = wire(LOST[name])

    (found,) = graph.client.batch([Request(method, "7", {"name": "x"} if method == "POST" else {})])

    assert (type(found), "check before" in str(found), len(graph.requests)) == (
        *(UncertainWriteError, True, 1),
    )
    assert (found.detail.method, found.detail.path) == (method, "7")


def test_of_a_call_that_was_lost_only_what_reads_is_sent_again(wire: MakeWire) -> None:
    graph = wire(httpx.ReadTimeout("too slow"), echo)
    report = Request("POST", "act_1/insights", repeatable=True)

    found = graph.client.batch([*gets("1"), Request("POST", "2"), report])

    assert (kinds(found), asked(graph)) == (
        [{"path": "/v26.0/1"}, UncertainWriteError, {"path": "/v26.0/act_1/insights"}],
        [["1", "2", "insights"], ["1", "insights"]],
    )


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("too slow"),
        httpx.PoolTimeout("all taken"),
        httpx.ProxyError("403 Forbidden"),
    ],
    ids=repr,
)
def test_a_call_that_never_left_is_made_again_for_writes_too(
    wire: MakeWire, fault: Exception
) -> None:
    graph = wire(fault, echo)

    found = graph.client.batch([Request("POST", "1"), Request("DELETE", "2")])

    assert (found, graph.waits) == ([{"path": "/v26.0/1"}, {"path": "/v26.0/2"}], [1.0])


@pytest.mark.parametrize("refusal", [items(failed(17)), refused(4)])
def test_a_write_that_was_throttled_is_made_again(wire: MakeWire, refusal: httpx.Response) -> None:
    graph = wire(refusal, echo)

    found = graph.client.batch([Request("POST", "1")])

    assert (found, graph.waits) == ([{"path": "/v26.0/1"}], [60.0])


def test_every_item_carries_the_proof_and_so_does_the_call(wire: MakeWire, token: str) -> None:
    graph = wire(echo, app_secret=SECRET)
    files = {"a.png": b"1"}
    calls = [
        *gets("1"),
        Request("GET", "2", {"fields": ["id"]}),
        Request("POST", "3"),
        Request("POST", "4", {"name": "x"}),
        Request("POST", "act_1/adimages", files=files),
        Request("DELETE", "5"),
        Request("DELETE", "6", {"name": "x"}),
    ]

    graph.client.batch(calls)

    (heard,) = graph.heard
    proof = appsecret_proof(token, SECRET)
    assert [item.params["appsecret_proof"] for item in heard.items] == [proof] * 7
    assert (heard.params["appsecret_proof"], heard.items[4].files) == (proof, files)
    assert ["appsecret_proof" in item.body.decode() for item in heard.items] == [
        *(False, False, True, True, True, False, False),
    ]


@pytest.mark.parametrize("files", [{}, {"a.png": b"1"}])
def test_the_token_is_in_no_body(wire: MakeWire, token: str, files: dict[str, bytes]) -> None:
    graph = wire(echo, app_secret=SECRET)

    graph.client.batch([*gets("1"), Request("POST", "2", {"name": "x"}, files)])

    (request,) = graph.requests
    assert request.headers["authorization"] == f"Bearer {token}"
    assert [s for s in (token, SECRET, "access_token") if s.encode() in request.content] == []


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = st.text("abcß _", min_size=1, max_size=5)
FIELDS = st.fixed_dictionaries({}, optional={"fields": st.lists(NAMES, max_size=3)})
FILES = st.dictionaries(st.sampled_from(["a.png", "größe b.png"]), st.binary(max_size=30))


@given(
    method=st.sampled_from(("GET", "POST", "DELETE")),
    params=st.builds(lambda a, b: {**a, **b}, st.dictionaries(NAMES, VALUES, max_size=4), FIELDS),
    files=FILES,
)
def test_an_item_says_exactly_what_the_same_call_says_outside_of_a_batch(
    method: str, params: dict[str, Any], files: dict[str, bytes]
) -> None:
    heard: list[Heard] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        heard.append(Heard.of(request))
        return httpx.Response(200, json={} if len(heard) == 1 else [ok()])

    call = Request(method, "act_1/x", params, files if method == "POST" else {})
    with GraphClient("EAAinvented0123456789", transport=httpx.MockTransport(answer)) as client:
        client.call(call)
        client.batch([call])

    outside, (item,) = heard[0], heard[1].items
    assert [(one.method, one.path, one.params, one.files) for one in (outside, item)] == [
        (method, "/v26.0/act_1/x", outside.params, call.files)
    ] * 2


def test_ids_of_results_are_text(wire: MakeWire) -> None:
    graph = wire(items(ok({"id": 120233000000000077, "ads": [{"ad_id": 5, "n": 5}]})))

    assert graph.client.batch(gets("1")) == [
        {"id": "120233000000000077", "ads": [{"ad_id": "5", "n": 5}]}
    ]


def test_answers_are_read_as_the_caller_wants(wire: MakeWire) -> None:
    graph = wire(items(ok({"data": [{"id": "1"}]}), failed(100, 33)))

    page, error = graph.client.batch(gets("act_1/campaigns", "2"), Page.from_response)

    assert (page.data, type(error)) == ([{"id": "1"}], NotFoundError)


def test_an_item_that_the_reader_cannot_use_is_asked_for_again(wire: MakeWire) -> None:
    graph = wire(server({"campaigns": [ok({"id": "1"}), ok({"data": []})]}))

    (page,) = graph.client.batch(gets("act_1/campaigns"), Page.from_response)

    assert (page.data, graph.waits) == ([], [1.0])


def test_a_mistake_of_the_reader_is_not_hidden(wire: MakeWire) -> None:
    with pytest.raises(ZeroDivisionError):
        wire(echo).client.batch(gets("1"), lambda _: 1 / 0)


def test_nothing_is_sent_when_one_call_may_not_be(wire: MakeWire) -> None:
    graph = wire(echo)

    with pytest.raises(RequestError, match="Invalid path"):
        graph.client.batch([*gets(*["1"] * 70), Request("GET", "../2")])

    assert graph.requests == []


def test_a_client_that_is_stopped_ends_a_batch_that_waits(wire: MakeWire) -> None:
    graph = wire(items(failed(17)))
    graph.client.stop()

    with pytest.raises(StoppedError):
        graph.client.batch(gets("1"))

    assert graph.waits == []


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


def test_a_batch_made_once_is_split_as_any_other(wire: MakeWire) -> None:
    graph = wire(echo)
    uploads = [Request("POST", "1", files={"a": b"1"}) for _ in range(2)]

    graph.client.batch_once([*gets(*map(str, range(60))), *uploads])

    assert [len(batch) for batch in asked(graph)] == [50, 11, 1]
    assert graph.client.batch_once([]) == []


def test_a_write_made_once_whose_answer_is_lost_is_uncertain(wire: MakeWire) -> None:
    graph = wire(httpx.ReadTimeout("too slow"))

    found = graph.client.batch_once([*gets("1"), Request("POST", "2")])

    assert (kinds(found), len(graph.requests)) == ([RetryableError, UncertainWriteError], 1)


def test_who_only_asks_how_long_to_rest_does_not_take_the_turn(wire: MakeWire) -> None:
    graph = wire(items(failed(17)))
    (call,) = gets("act_1/campaigns")
    graph.client.batch_once([call])
    graph.clock.sleep(60.0)

    rests = [graph.client.cooldown_of(call), graph.client.cooldown_of(call)]
    rests += [graph.client.cooldown_before(call), graph.client.cooldown_before(call)]

    assert (rests[:3], rests[3] > 0) == ([0.0, 0.0, 0.0], True)
