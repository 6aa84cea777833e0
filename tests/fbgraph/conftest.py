"""A client whose server is a list of answers, and what it was asked and how long it waited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis
import pytest

from fbgraph import GraphClient, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
    MakeWire = Callable[..., "Wire"]


hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no bug
hypothesis.settings.load_profile("unhurried")


@dataclass
class Wire:
    """One client at one fake server. The last of `answers` is given again for ever."""

    answers: Sequence[Answer]
    token: str
    settings: dict[str, Any]
    requests: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = GraphClient(
            self.token,
            transport=httpx.MockTransport(self._answer),
            sleep=self.waits.append,
            jitter=lambda: 0.0,
            clock=lambda: sum(self.waits),  # time passes by waiting only
            **self.settings,
        )

    @property
    def asked(self) -> list[str]:
        """``GET /v26.0/me`` for each request."""
        return [f"{request.method} {request.url.path}" for request in self.requests]

    @property
    def params(self) -> list[dict[str, str]]:
        """The query of each request."""
        return [dict(request.url.params) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings about versions come once per process; here, once per test."""
    monkeypatch.setattr(versions, "_told", set())


@pytest.fixture
def token() -> str:
    return "123456|inventedForTests0123456789"  # an app's: the bar is written %7C in a URL


@pytest.fixture
def wire(token: str) -> Iterator[MakeWire]:
    """Makes a `Wire` from answers and settings of the client."""
    made: list[Wire] = []

    def make(*answers: Answer, access_token: str = token, **settings: Any) -> Wire:
        made.append(Wire(answers, access_token, settings))
        return made[-1]

    yield make
    for one in made:
        one.client.close()
