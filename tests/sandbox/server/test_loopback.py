from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph.sandbox import Sandbox
from tests.pace import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph

SERVE = """
from fbgraph.sandbox import serve
serve(0, seed=3, on_ready=lambda url, token: print(url, token, flush=True))
print("ended", flush=True)
"""


def test_it_answers_inside_the_block_and_not_after_it() -> None:
    before = threading.active_count()
    with Sandbox(world="hostile") as sandbox:
        inside = httpx.get(f"{sandbox.url}/v26.0/me", params={"access_token": sandbox.token})
        url = sandbox.url

    assert inside.status_code == 200
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/v26.0/me")


def test_it_listens_on_loopback_only(graph: Graph) -> None:
    assert graph.sandbox.url.startswith("http://127.0.0.1:")


def test_a_taken_port_is_an_error(graph: Graph) -> None:
    port = int(graph.sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"), Sandbox(port):
        pytest.fail("it started")


def test_a_free_port_may_be_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with Sandbox(port) as sandbox:
        assert sandbox.url == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603  our own code
        [sys.executable, "-W", "error", "-c", SERVE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        url, token = process.stdout.readline().split()
        status = httpx.get(f"{url}/v26.0/me", params={"access_token": token}).status_code
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)

    assert status == 200
    assert (process.returncode, out, err) == (0, "ended\n", "")


@pytest.mark.parametrize(("accepts", "encoding"), [("gzip", "gzip"), ("identity", None)])
def test_large_answers_are_compressed_for_those_who_accept_it(
    graph: Graph, accepts: str, encoding: str | None
) -> None:
    response = graph.bare.get(
        f"/v26.0/{graph.account()}/ads",
        params={"fields": "name,effective_status"},
        headers={**graph.bearer, "Accept-Encoding": accepts},
    )

    assert response.headers.get("content-encoding") == encoding
    assert response.json()["data"]


def test_the_token_is_in_no_line_of_a_log(graph: Graph, capfd: pytest.CaptureFixture[str]) -> None:
    graph.bare.get("v26.0/me", params={"access_token": graph.sandbox.token})

    assert graph.sandbox.token not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("latency", float(one)) for one in ("nan", "inf", "-1", "101")),
        *(("run_seconds", float(one)) for one in ("nan", "inf", "-1")),
        ("run_polls", -1),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be .* \(got "):
        Sandbox(**{name: value})  # type: ignore[arg-type]


def test_a_world_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="'flat': expected one of agency, company, hostile"):
        Sandbox(world="flat")
