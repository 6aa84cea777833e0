"""When the code server of a deployment may end the runs of the one before it."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pipelines.project.code_server import serves_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serving() -> Iterator[str]:
    """A code server as far as its health goes; its address."""
    server = grpc.server(futures.ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    servicer.set("DagsterApi", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


@contextmanager
def process(seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Something that lives for so long."""
    code = f"import time; time.sleep({seconds})"
    started = subprocess.Popen([sys.executable, "-c", code])  # noqa: S603  # our own
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def test_it_waits_until_the_server_has_served_for_so_long() -> None:
    began = time.monotonic()
    with serving() as address, process(600) as server:
        assert serves_for(1.5, server, address)

    assert time.monotonic() - began >= 1.5


def test_a_server_that_ends_before_has_not_served() -> None:
    with serving() as address, process(0) as server:
        assert not serves_for(600, server, address)


def test_a_server_that_never_serves_has_not_served() -> None:
    with process(3) as server:
        assert not serves_for(0, server, "127.0.0.1:1")
