"""The sandbox's answers from memory: a server that is faster than who is measured.

The sandbox makes up every page again, which takes longer than loading it. Here a page and the
creation of a report run are asked of it once and given again; all else, such as a poll, goes
through.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import uvicorn

from benchmarks.measure import ALL_CORES, ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from socket import socket

    from benchmarks.serve import Served

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Answer = tuple[dict[str, Any], bytes]

__all__ = ["replaying"]

#: The core that it keeps to; a loader that has the other for itself is not held up.
_ITS_CORE: Final = ALL_CORES[:1]

#: Headers of one connection, not of an answer.
_OF_THE_WAY: Final = {b"transfer-encoding", b"connection", b"date", b"content-length"}


@contextmanager
def replaying(served: Served) -> Iterator[Served]:
    """Run it on one core until the block ends; where to find what `served` has."""
    command = [sys.executable, "-m", "benchmarks.replay", served.url]
    with subprocess.Popen(  # noqa: S603  ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield served._replace(url=process.stdout.readline().strip())  # type: ignore[union-attr]  # it is a pipe
        finally:
            process.terminate()


class Replay:
    """An ASGI app. Answers by method, path and body."""

    def __init__(self, url: str) -> None:
        self._behind = httpx.AsyncClient(base_url=url, timeout=120)
        self._answers: dict[tuple[object, ...], Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        body = await _whole(receive)
        key = (scope["method"], scope["raw_path"], scope["query_string"], body)
        answer = self._answers.get(key) or await self._asked(scope, body)
        if scope["path"].endswith("/insights"):  # a page, or the creation of a run
            self._answers[key] = answer
        start, content = answer
        await send(start)
        await send({"type": "http.response.body", "body": content})

    async def _asked(self, scope: Scope, body: bytes) -> Answer:
        path = (scope["raw_path"] + b"?" + scope["query_string"]).decode()
        request = self._behind.build_request(
            scope["method"], path, content=body, headers=_kept(scope["headers"])
        )
        response = await self._behind.send(request, stream=True)
        content = b"".join([part async for part in response.aiter_raw()])  # packed as it came
        length = (b"content-length", str(len(content)).encode())
        headers = [*_kept(response.headers.raw), length]
        start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
        return start, content


async def _whole(receive: Receive) -> bytes:
    parts = [await receive()]
    while parts[-1].get("more_body"):
        parts.append(await receive())
    return b"".join(part["body"] for part in parts)


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_THE_WAY]


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()
        print(f"http://{host}:{port}", flush=True)


if __name__ == "__main__":
    os.sched_setaffinity(0, _ITS_CORE)
    _Server(uvicorn.Config(Replay(sys.argv[1]), port=0, lifespan="off", log_level="error")).run()
