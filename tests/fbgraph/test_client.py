from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import GraphClient, Request
from fbgraph.errors import GraphError, LimitStuckError, StoppedError
from fbgraph.limits.retry import LIMIT
from tests.fbgraph.conftest import blocked_for_ever

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

OK = httpx.Response(200, json={"id": "1"})


def served_by(*versions: str | None) -> list[httpx.Response]:
    return [
        httpx.Response(200, json={}, headers={"facebook-api-version": v} if v else {})
        for v in versions
    ]


@pytest.mark.parametrize(
    ("base_url", "version", "url"),
    [
        ("https://graph.facebook.com", "v26.0", "https://graph.facebook.com/v26.0/me"),
        ("http://127.0.0.1:8080/", "v25.0", "http://127.0.0.1:8080/v25.0/me"),
        ("https://proxy.example/graph", "v26.0", "https://proxy.example/graph/v26.0/me"),
    ],
)
def test_a_call_goes_to_the_server_and_version_of_the_settings(
    wire: MakeWire, base_url: str, version: str, url: str
) -> None:
    graph = wire(OK, base_url=base_url, version=version)

    graph.client.get("me")

    assert [str(r.url) for r in graph.requests] == [url]


def test_a_redirect_is_not_followed(wire: MakeWire) -> None:
    away = httpx.Response(302, headers={"location": "https://evil.example/"})
    graph = wire(away)

    with pytest.raises(GraphError):
        graph.client.get("me")

    assert {r.url.host for r in graph.requests} == {"graph.facebook.com"}


@pytest.mark.parametrize("status", [200, 400, 500])
def test_usage_is_read_on_success_and_on_failure(wire: MakeWire, status: int) -> None:
    body = {"id": "1"} if status == 200 else {"error": {"message": "No", "code": 100}}
    headers = {"x-app-usage": '{"call_count":28}'}
    graph = wire(httpx.Response(status, json=body, headers=headers))

    with contextlib.suppress(GraphError):
        graph.client.get("1")

    assert graph.client.tally.usage.percent == 28.0


def test_usage_is_read_from_an_answer_that_is_no_json(wire: MakeWire) -> None:
    busy = httpx.Response(502, html="<html>", headers={"x-app-usage": '{"call_count":91}'})
    graph = wire(busy)

    with pytest.raises(GraphError):
        graph.client.get("1")

    assert graph.client.tally.usage.percent == 91.0


@pytest.mark.parametrize("value", ["not JSON", "[1]", '"text"', "true", '{"call_count":NaN}'])
def test_an_odd_usage_header_does_not_fail_a_call(wire: MakeWire, value: str) -> None:
    graph = wire(httpx.Response(200, json={"id": "1"}, headers={"x-app-usage": value}))

    assert graph.client.get("1") == {"id": "1"}


def test_calls_are_counted_with_those_that_failed(wire: MakeWire) -> None:
    graph = wire(httpx.Response(500), httpx.ReadTimeout("too slow"), OK)

    graph.client.get("1")

    assert graph.client.tally.calls == 3


def test_a_counted_twin_counts_for_itself_and_for_the_client_it_came_from(wire: MakeWire) -> None:
    client = wire(OK).client
    client.get("1")
    one, other = client.counted(), client.counted()

    one.get("1")
    other.get("1")
    other.get("1")

    assert [c.tally.calls for c in (client, one, other)] == [4, 1, 2]


def test_a_twin_is_a_client_in_every_other_way(wire: MakeWire) -> None:
    graph = wire(httpx.Response(500), OK, version="v25.0")
    twin = graph.client.counted()

    twin.account("1").get()

    assert (type(twin), graph.asked, graph.waits) == (
        *(GraphClient, ["GET /v25.0/act_1"] * 2),
        [1.0],
    )


@pytest.mark.parametrize(
    ("versions", "warned"),
    [
        (["v26.0", "v26.0"], []),
        ([None, None], []),
        (["v25.0", "v25.0", "v25.0"], ["v25.0"]),
        (["v25.0", "v26.0", "v25.0", None, "v25.0"], ["v25.0"]),
        (["v25.0", "v27.0", "v25.0"], ["v25.0", "v27.0"]),
    ],
)
def test_each_other_version_that_serves_is_warned_of_once(
    wire: MakeWire,
    caplog: pytest.LogCaptureFixture,
    versions: list[str | None],
    warned: list[str],
) -> None:
    graph = wire(*served_by(*versions))

    for _ in versions:
        graph.client.get("me")

    assert [r.getMessage() for r in caplog.records] == [
        f"Requested API v26.0 but {version} answered. Set FB_API_VERSION={version}."
        for version in warned
    ]


def test_twins_do_not_repeat_the_warning(wire: MakeWire, caplog: pytest.LogCaptureFixture) -> None:
    client = wire(*served_by("v25.0")).client

    for _ in range(3):
        client.counted().get("me")

    assert len(caplog.records) == 1


def test_the_tally_names_the_version_that_served(wire: MakeWire) -> None:
    graph = wire(*served_by("v25.0", None))

    graph.client.get("me")
    graph.client.get("me")

    assert graph.client.tally.api_version == "v25.0"


def test_two_clients_in_two_threads_never_mix(wire: MakeWire) -> None:
    graphs = [wire(OK, access_token=f"EAAofClient{n}" * 3) for n in range(2)]

    def call_often(n: int) -> None:
        for _ in range(200):
            graphs[n].client.get(f"{n + 1}", {"n": n})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(call_often, range(2)))

    assert [
        {(r.headers["authorization"], r.url.path, r.url.params["n"]) for r in graph.requests}
        for graph in graphs
    ] == [{(f"Bearer {f'EAAofClient{n}' * 3}", f"/v26.0/{n + 1}", f"{n}")} for n in range(2)]
    assert [graph.client.tally.calls for graph in graphs] == [200, 200]


def test_a_client_that_is_stopped_waits_for_no_limit_in_any_thread() -> None:
    asked = threading.Event()

    def throttle(_: httpx.Request) -> httpx.Response:
        asked.set()
        return httpx.Response(400, json={"error": {"code": 17, "message": "User request limit"}})

    client = GraphClient("EAAinvented", transport=httpx.MockTransport(throttle))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: client.counted().node("me").get())
        assert asked.wait(10)
        client.stop()

        with pytest.raises(StoppedError):
            waiting.result(timeout=10)

    with pytest.raises(StoppedError):
        client.get("me")


def test_a_client_closes_its_connections_when_it_is_left(wire: MakeWire) -> None:
    graph = wire(OK)

    with graph.client as client:
        client.get("me")

    with pytest.raises(RuntimeError, match="closed"):
        client.get("me")


def test_a_client_with_a_proof_closes_the_transport_below() -> None:
    closed: list[bool] = []

    class Transport(httpx.MockTransport):
        def close(self) -> None:
            closed.append(True)

    transport = Transport(lambda _: OK)

    GraphClient("EAAinvented", app_secret="invented", transport=transport).close()  # noqa: S106  # invented

    assert closed == [True]


def test_a_client_needs_no_more_than_a_token() -> None:
    with GraphClient("EAAinvented0123456789") as client:
        assert repr(client) == (
            "GraphClient(base_url='https://graph.facebook.com', version='v26.0')"
        )


def test_a_limit_that_nobody_frees_is_given_up_in_the_end(wire: MakeWire) -> None:
    graph = wire(OK, cooldowns=blocked_for_ever("1"))

    with pytest.raises(LimitStuckError, match="still used up after 2 h 0 min of waiting"):
        graph.client.call(Request("GET", "act_1/campaigns"))

    assert (graph.requests, sum(graph.waits)) == ([], LIMIT.budget_seconds)


def test_ids_are_text_whichever_way_they_are_asked_for(wire: MakeWire) -> None:
    row = {"id": 120233000000000077, "campaign": {"account_id": 1, "budget": 1}}
    client = wire(httpx.Response(200, json=row)).client

    answers: list[object] = [
        *(client.get("1"), client.post("1"), client.call(Request("GET", "1"))),
        client.node("1").get(),
    ]

    text = {"id": "120233000000000077", "campaign": {"account_id": "1", "budget": 1}}
    assert answers == [text] * 4
