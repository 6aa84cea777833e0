"""What a part of a deployment says about its health."""

from __future__ import annotations

import json
import threading
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pipelines.project.healthcheck import SILENT_SECONDS, main, wrong_daemons, wrong_locations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW = 1_800_000_000.0
LOADED = {"name": "ours", "loadStatus": "LOADED"}
LOCATION = {"__typename": "RepositoryLocation"}
ERROR = {"__typename": "PythonError", "message": "No module named reports"}


def daemon(name: str, seconds_ago: float | None, *, is_required: bool = True) -> dict[str, Any]:
    last = None if seconds_ago is None else NOW - seconds_ago
    return {"daemonType": name, "required": is_required, "lastHeartbeatTime": last}


def response(*daemons: Mapping[str, Any], location: Mapping[str, Any] | None = LOCATION) -> Any:
    entry = {**LOADED, "locationOrLoadError": location}
    return {
        "instance": {"daemonHealth": {"allDaemonStatuses": list(daemons)}},
        "workspaceOrError": {"locationEntries": [entry]},
    }


@pytest.mark.parametrize(
    ("daemons", "silent"),
    [
        ([daemon("SENSOR", 31)], []),
        ([daemon("SENSOR", SILENT_SECONDS)], []),
        ([daemon("SENSOR", 5), daemon("SCHEDULER", SILENT_SECONDS + 1)], ["SCHEDULER"]),
        ([daemon("SENSOR", None)], ["SENSOR"]),
        ([daemon("SENSOR", 5), daemon("MONITORING", None, is_required=False)], []),
    ],
)
def test_a_daemon_that_is_required_and_silent_is_named(
    daemons: list[dict[str, Any]], silent: list[str]
) -> None:
    found = wrong_daemons(response(*daemons), NOW)

    assert found == [f"daemon {name} has not reported for 300 s" for name in silent]


def test_no_daemon_at_all_is_not_healthy() -> None:
    assert wrong_daemons(response(), NOW) == ["no daemon"]


def test_definitions_that_are_not_loaded_are_not_healthy() -> None:
    assert wrong_locations(response()) == []
    assert "No module named reports" in wrong_locations(response(location=ERROR))[0]
    assert wrong_locations(response(location=None))[0].startswith("ours is not loaded")
    assert wrong_locations({"workspaceOrError": {}}) == ["no definitions"]


@contextmanager
def pages(data: object) -> Iterator[str]:
    """A webserver that responds with this to any query."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"data": data}).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("part", "code"), [("webserver", 0), ("daemon", 1), ("all", 1)])
def test_each_part_answers_for_itself(
    part: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pages(response(daemon("SENSOR", None))) as url:
        assert main([part, "--url", url]) == code

    assert capsys.readouterr().out.strip() == (
        "healthy" if code == 0 else "daemon SENSOR has not reported for 300 s"
    )


@pytest.mark.parametrize("data", [None, {}, {"instance": None, "workspaceOrError": None}])
def test_a_response_that_is_not_dagsters_is_not_healthy(data: object) -> None:
    with pages(data) as url:
        assert main(["all", "--url", url]) == 1


def test_nobody_who_listens_is_not_healthy() -> None:
    assert main(["webserver", "--url", "http://127.0.0.1:1"]) == 1
    assert main(["code", "--code-server", "127.0.0.1:1"]) == 1


@pytest.mark.parametrize(("status", "code"), [("SERVING", 0), ("NOT_SERVING", 1)])
def test_a_code_server_that_serves_is_healthy(status: str, code: int) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    servicer.set("DagsterApi", getattr(health_pb2.HealthCheckResponse, status))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert main(["code", "--code-server", f"127.0.0.1:{port}"]) == code
    finally:
        server.stop(None)


def test_waiting_ends_when_it_is_healthy() -> None:
    with pages(response(daemon("SENSOR", 5))) as url:
        assert main(["webserver", "--url", url, "--wait"]) == 0
