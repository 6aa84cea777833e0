"""Batches: what comes back, in what order, and how requests share a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import GraphClient, Page, Request
from fbgraph.errors import NotFoundError, PermissionDeniedError, RequestError, StoppedError
from fbgraph.http.auth import appsecret_proof
from fbgraph.http.batch import MAX_ITEMS, Pending, fits
from tests.fbgraph.conftest import Heard
from tests.fbgraph.http.batches import asked, echo, failed, gets, items, kinds, ok

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # invented


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


def test_a_batch_made_once_is_split_as_any_other(wire: MakeWire) -> None:
    graph = wire(echo)
    uploads = [Request("POST", "1", files={"a": b"1"}) for _ in range(2)]

    graph.client.batch_once([*gets(*map(str, range(60))), *uploads])

    assert [len(batch) for batch in asked(graph)] == [50, 11, 1]
    assert graph.client.batch_once([]) == []
