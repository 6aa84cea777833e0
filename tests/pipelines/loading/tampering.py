"""Transports between a client and the sandbox that change or refuse pages on their way."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable


class Tampering(httpx.BaseTransport):
    """Passes calls on, and lets `spoil` change the rows of a page: of a report, or of control."""

    def __init__(self, path: str, spoil: Callable[[list[dict[str, Any]]], None]) -> None:
        self._path = path
        self._spoil = spoil
        self._below = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._below.handle_request(request)
        answer.read()
        if request.method != "GET" or not re.search(self._path, request.url.path):
            return answer
        page = json.loads(answer.content)
        self._spoil(page["data"])
        return httpx.Response(200, json=page)

    def close(self) -> None:
        self._below.close()


class RefusingOnce(httpx.BaseTransport):
    """Passes calls on, but answers the first that asks for a page of `path` that its cursor is
    not good.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._below = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._path and request.method == "GET" and re.search(self._path, request.url.path):
            self._path = ""
            error = {"message": "(#2642) Invalid cursors values", "code": 2642}
            return httpx.Response(400, json={"error": error})
        return self._below.handle_request(request)

    def close(self) -> None:
        self._below.close()


REPORT_PAGES = r"/[0-9]+/insights"
CONTROL_PAGES = r"/act_[0-9]+/insights"
