"""A sandbox whose clock the test moves, and a small reader of Graph that shares no code of ours."""

from __future__ import annotations

import json
import ssl
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOURLY
from fbgraph.sandbox import Sandbox
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A day of which everything is over, noon in Berlin and the small hours in Los Angeles.
NOW = datetime(2026, 11, 23, 11, 7, tzinfo=UTC)


#: The sandbox speaks plain HTTP, and loading certificates would cost each client 30 ms.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Graph:
    """Calls a sandbox over its socket."""

    def __init__(
        self, sandbox: Sandbox, clock: Clock, bare: httpx.Client, token: str | None = None
    ) -> None:
        self.sandbox = sandbox
        self.clock = clock
        #: Sends no token of its own.
        self.bare = bare
        self.token = token or sandbox.token

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def by(self, token: str) -> Graph:
        """The same sandbox, called with another token."""
        return Graph(self.sandbox, self.clock, self.bare, token)

    def account(self, index: int = 0) -> str:
        return f"act_{self.sandbox.account_ids[index]}"

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.bare.get(f"/v26.0/{path}", params=_text(params), headers=self.bearer)

    def post(self, path: str, **params: Any) -> httpx.Response:
        return self.bare.post(f"/v26.0/{path}", data=_text(params), headers=self.bearer)

    def delete(self, path: str, **params: Any) -> httpx.Response:
        return self.bare.delete(f"/v26.0/{path}", params=_text(params), headers=self.bearer)

    def made(self, edge: str, **params: Any) -> str:
        """The id of a new object of the first account."""
        answer = self.post(f"{self.account()}/{edge}", **params).json()
        assert answer.keys() == {"id"}, answer
        made: str = answer["id"]
        return made

    def refusal(self, path: str, **params: Any) -> dict[str, Any]:
        """The error of a write that must fail."""
        found: dict[str, Any] = self.post(path, **params).json()["error"]
        return found

    def error(self, path: str, **params: Any) -> dict[str, Any]:
        """The error of a call that must fail."""
        found: dict[str, Any] = self.get(path, **params).json()["error"]
        return found

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Page after page until there is no next."""
        while True:
            body = self.get(path, **params).json()
            yield body
            if "next" not in body.get("paging", {}):
                return
            params["after"] = body["paging"]["cursors"]["after"]

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        params.setdefault("limit", 500)
        return [row for body in self.pages(path, **params) for row in body["data"]]

    def create(self, path: str, **params: Any) -> str:
        run_id: str = self.post(path, **params).json()["report_run_id"]
        return run_id

    def poll(self, run_id: str, until: str = "Job Completed") -> list[str]:
        """Poll at most ten times; the statuses seen."""
        seen = []
        for _ in range(10):
            seen.append(self.get(run_id).json().get("async_status", "error"))
            if seen[-1] == until:
                break
        return seen


def _text(params: dict[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}


@pytest.fixture
def open_graph() -> Iterator[Callable[..., Graph]]:
    """Starts sandboxes of its own for one test."""
    with ExitStack() as stack:

        def start(*scenarios: str, **options: Any) -> Graph:
            clock = Clock(NOW)
            sandbox = stack.enter_context(
                Sandbox(scenarios=scenarios, now=clock, **{"world": "hostile"} | options)
            )
            return Graph(sandbox, clock, stack.enter_context(_http(sandbox)))

        yield start


@pytest.fixture(scope="session")
def graph() -> Iterator[Graph]:
    """One sandbox for all tests that only read."""
    clock = Clock(NOW)
    with Sandbox(world="hostile", now=clock) as sandbox, _http(sandbox) as http:
        yield Graph(sandbox, clock, http)


@pytest.fixture(scope="session", params=["hostile", "company"])
def either(request: pytest.FixtureRequest) -> Iterator[Graph]:
    """The same for either world, for what must add up in both."""
    if request.param == "hostile":
        yield request.getfixturevalue("graph")
        return
    clock = Clock(NOW)
    with Sandbox(now=clock) as sandbox, _http(sandbox) as http:
        yield Graph(sandbox, clock, http)


def _http(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.url, verify=NO_CERTIFICATES, timeout=30)


@pytest.fixture(scope="session")
def everything() -> dict[str, Any]:
    """What a full hourly read of ads asks for; the day is added."""
    return {
        "level": "ad",
        "fields": "account_id,campaign_id,adset_id,ad_id,impressions,clicks,spend,"
        "inline_link_clicks,actions,action_values",
        "breakdowns": [HOURLY],
        "time_increment": "1",
        "filtering": [
            {
                "field": "ad.effective_status",
                "operator": "IN",
                "value": list(EFFECTIVE_STATUSES["ad"]),
            }
        ],
    }
