"""What a client was told, call by call: a transport that passes everything on and takes notes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.clock import VirtualClock

__all__ = ["Heard", "Witness"]

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """One call, or one item of a batch, and its answer. Times by the virtual clock.

    `answer` is its JSON, None where there was none. `sent` and `heard` number all beginnings and
    endings of calls in their order.
    """

    method: str
    path: str
    params: str
    sent_at: float
    heard_at: float
    sent: int
    heard: int
    status: int
    answer: Any

    @property
    def first(self) -> str:
        """The object that it is about."""
        return self.path.partition("/")[0]

    @property
    def is_insights(self) -> bool:
        return self.path.endswith("/insights")

    @property
    def error(self) -> Mapping[str, Any]:
        """What Meta said that is wrong; empty where it said nothing."""
        found = self.answer.get("error") if isinstance(self.answer, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def is_good(self) -> bool:
        return self.status == _OK and isinstance(self.answer, dict) and "error" not in self.answer

    @property
    def created(self) -> str:
        """The id of the report run that it created and told."""
        if self.method != "POST" or not self.is_insights or not self.is_good:
            return ""
        return str(self.answer.get("report_run_id") or "")

    @property
    def is_last_page(self) -> bool:
        return (
            self.is_insights
            and self.method == "GET"
            and self.is_good
            and isinstance(self.answer.get("data"), list)
            and not self.answer.get("paging", {}).get("next")
        )

    @property
    def is_stuck(self) -> bool:
        """A page that is empty and not the last, or that offers the cursor it was asked with."""
        if self.method != "GET" or not self.is_good:
            return False
        paging = self.answer.get("paging", {})
        asked = json.loads(self.params).get("after")
        is_same = asked is not None and paging.get("cursors", {}).get("after") == asked
        return bool(paging.get("next")) and (is_same or not self.answer.get("data"))


@dataclass(slots=True)
class _Sent:
    method: str
    path: str
    params: str


class Witness(httpx.BaseTransport):
    """Notes of every call, from any thread; `heard` in the order of the answers."""

    def __init__(self, clock: VirtualClock) -> None:
        self.heard: list[Heard] = []
        self._clock = clock
        self._below = httpx.HTTPTransport()
        self._numbers = count()
        self._lock = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on; the answer is read to its end."""
        with self._clock.calling():
            sent, sent_at = next(self._numbers), self._clock.seconds()
            response = None
            try:
                response = self._below.handle_request(request)
                response.read()
            except httpx.RequestError:
                self._note(request, None, sent, sent_at)
                raise
            self._note(request, response, sent, sent_at)
            return response

    def close(self) -> None:
        self._below.close()

    def _note(
        self, request: httpx.Request, response: httpx.Response | None, sent: int, sent_at: float
    ) -> None:
        status, answer = _answer(response)
        with self._lock:
            heard = next(self._numbers)
            for call, one_status, one in _pairs(_sent(request), status, answer):
                self.heard.append(
                    Heard(
                        call.method,
                        call.path,
                        call.params,
                        sent_at,
                        self._clock.seconds(),
                        sent,
                        heard,
                        one_status,
                        one,
                    )
                )


def _sent(request: httpx.Request) -> Sequence[_Sent]:
    """The call, or the items of a batch."""
    path = request.url.path.strip("/").partition("/")[2]
    form = dict(parse_qsl(request.content.decode())) if request.method == "POST" else {}
    if path:
        return [_Sent(request.method, path, _text(form or dict(request.url.params)))]
    items = json.loads(form["batch"])
    return [_item(item["method"], item["relative_url"]) for item in items]


def _item(method: str, relative_url: str) -> _Sent:
    path, _, query = relative_url.partition("?")
    return _Sent(method, path, _text(dict(parse_qsl(query))))


def _text(params: Mapping[str, str]) -> str:
    return json.dumps(params, sort_keys=True)


def _answer(response: httpx.Response | None) -> tuple[int, Any]:
    if response is None:
        return 0, None
    return response.status_code, _parsed(response.text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _pairs(calls: Sequence[_Sent], status: int, answer: Any) -> Iterator[tuple[_Sent, int, Any]]:
    """Each call with its own answer; all items of a batch that failed have that of the batch."""
    for at, call in enumerate(calls):
        if isinstance(answer, list) and len(answer) == len(calls):
            item = answer[at] or {"code": 0, "body": ""}
            yield call, item["code"], _parsed(item["body"])
        else:
            yield call, status, answer
