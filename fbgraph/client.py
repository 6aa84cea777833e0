"""The one place of this package that does I/O: calls to the Graph API, and the doors to its nodes.

with GraphClient(token) as client:
    for campaign in client.account("123").edge("campaigns", fields=["name"]):
        print(campaign["id"], campaign["name"])
"""

from __future__ import annotations

import json
import logging
import random
import re
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import quote, urlencode

import httpx

from fbgraph.answers import parse, parse_item, scrub
from fbgraph.auth import BearerAuth, ProofTransport, appsecret_proof
from fbgraph.errors import (
    Detail,
    GraphError,
    NotFoundError,
    RequestError,
    RetryableError,
    StoppedError,
    TokenError,
)
from fbgraph.nodes import Node, act_id
from fbgraph.reports import (
    FRESH_SECONDS,
    POLL_FIELDS,
    ReportRun,
    Step,
    hung_error,
    next_step,
    poll_waits,
)
from fbgraph.retry import retrying
from fbgraph.throttle import Usage, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.paging import Params

__all__ = ["API_VERSION", "GRAPH_URL", "GraphClient", "Tally"]

GRAPH_URL: Final = "https://graph.facebook.com"
API_VERSION: Final = "v26.0"

#: What may stand after the version: names and ids. No host to send the token to, no dots to climb
#: by, no query.
_PATH: Final = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)

#: Batches are posted to the version itself.
_ROOT: Final = "/"

T = TypeVar("T")

_log = logging.getLogger(__name__)


def encode(params: Params, *, fields_as_json: bool = False) -> dict[str, str]:
    """Parameters as Graph reads them: None left out, lists and mappings as strict JSON.

    No `fields` means the default ones, so an empty list of them is left out as well.

    `fields` are comma text in a URL and a JSON list in the form of a POST (contract 3.1.5).
    """
    encoded = {}
    for name, value in params.items():
        if value is None or (name == "fields" and not value):
            continue
        if isinstance(value, str):
            encoded[name] = value
        elif name == "fields" and not fields_as_json:
            encoded[name] = ",".join(value)
        else:
            encoded[name] = json.dumps(
                value, separators=(",", ":"), ensure_ascii=False, allow_nan=False
            )
    return encoded


@dataclass(slots=True)
class Tally:
    """What the calls of one client came to: `calls` made, failed ones too, and the latest usage."""

    calls: int = 0
    api_version: str = ""  # the version that served the latest answer
    usage: Usage = field(default_factory=Usage)


class GraphClient:
    """Talks to Graph with one token. Plain object: several may live side by side, in threads too.

    `sleep` and `jitter` are arguments so that tests wait for nothing. Every call raises the
    GraphError that its answer means, after the retries that `retry.wait_seconds` allows.
    """

    def __init__(  # noqa: PLR0913  # each is one independent setting with a default
        self,
        access_token: str,
        *,
        app_secret: str | None = None,
        base_url: str = GRAPH_URL,
        version: str = API_VERSION,
        timeout_seconds: float = 120.0,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url: Final = base_url.rstrip("/")
        self.version: Final = version
        self.tally = Tally()
        self._stopping = threading.Event()
        self._rest = sleep or self._stopping.wait
        self._jitter = jitter
        self._clock = clock
        self._access_token = access_token
        self._proof = appsecret_proof(access_token, app_secret) if app_secret else None
        self._secrets = _secrets(access_token, app_secret)
        self._known_versions = {"", version}  # one warning for each other one, twins included
        below = transport or httpx.HTTPTransport(limits=httpx.Limits(max_connections=32))
        if self._proof:
            below = ProofTransport(below, self._proof)
        self._http = httpx.Client(
            base_url=f"{self.base_url}/{version}/",
            auth=BearerAuth(access_token),
            timeout=timeout_seconds,
            transport=below,
        )

    def __repr__(self) -> str:
        return f"GraphClient(base_url={self.base_url!r}, version={self.version!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; clients from `counted` share them."""
        self._http.close()

    def stop(self) -> None:
        """Wake every call that waits, in all threads and in clients from `counted`: it raises
        StoppedError, and so does every wait to come.
        """
        self._stopping.set()

    def _sleep(self, seconds: float) -> None:
        if not self._stopping.is_set():
            self._rest(seconds)
        if self._stopping.is_set():
            raise StoppedError("Stopped while waiting.")

    def counted(self) -> GraphClient:
        """The same client with a tally of its own, to tell what one piece of work cost."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, tally=replace(self.tally, calls=0))
        return twin

    # -- calls ---------------------------------------------------------------------------------

    def get(
        self,
        path: str,
        params: Params | None = None,
        read: Callable[[Any, bytes], T] = lambda answer, _: answer,
    ) -> T:
        """GET, and `read` the parsed answer and its bytes into what is returned.

        What `read` finds unreadable it says by RetryableError: then the call is made again.
        """
        return self._call("GET", path, read, params=encode(params or {}))

    def post(
        self, path: str, params: Params, read: Callable[[Any, bytes], T] = lambda answer, _: answer
    ) -> T:
        """POST a form. Retried like a GET, so only for what may safely happen twice."""
        return self._call("POST", path, read, data=encode(params, fields_as_json=True))

    def _call(self, method: str, path: str, read: Callable[[Any, bytes], T], **content: Any) -> T:
        if (method, path) != ("POST", _ROOT) and not _PATH.fullmatch(path):
            raise RequestError(f"{self._hide(path)!r} is no path of nodes and edges.")
        for attempt in retrying(self._sleep, self._jitter):
            with attempt:
                return self._read(f"{method} {path}", read, *self._attempt(method, path, **content))
        raise AssertionError  # pragma: no cover  # tenacity returns or raises

    def _attempt(self, method: str, path: str, **content: Any) -> tuple[Any, bytes]:
        call = self._hide(f"{method} {path}")
        self.tally.calls += 1
        try:
            response = self._http.request(method, path, **content)
        except httpx.UnsupportedProtocol:
            raise RequestError(f"{self.base_url} is no http(s) address.") from None
        except httpx.RequestError as error:  # its text may quote headers, and so the token
            said = self._hide(f"{type(error).__name__} {error}")
            unheard = Detail(f"No answer from {self.base_url}: {said}.", call=call)
            raise RetryableError(unheard) from None
        usage = self._note(response.headers)
        body = response.content
        answer = parse(
            response.status_code,
            body,
            call=call,
            rest_seconds=usage.regain_seconds,
            hide=self._hide,
        )
        return answer, body

    def _read(self, call: str, read: Callable[[Any, bytes], T], answer: Any, body: bytes) -> T:
        """`read`, so that what it finds unreadable says of which call."""
        try:
            return read(answer, body)
        except GraphError as error:
            raise type(error)(replace(error.detail, call=error.detail.call or call)) from None

    def _note(self, headers: Mapping[str, str]) -> Usage:
        usage = self.tally.usage = usage_of(headers)
        served = headers.get("facebook-api-version", "")
        self.tally.api_version = served or self.tally.api_version
        if served not in self._known_versions:
            self._known_versions.add(served)
            _log.warning(
                "Asked for API %s, served by %s: set FB_API_VERSION to it.", self.version, served
            )
        return usage

    def _hide(self, text: str) -> str:
        return scrub(text, self._secrets)

    # -- nodes and edges -----------------------------------------------------------------------

    def node(self, node_id: str) -> Node:
        """The node of any id: ``me``, ``act_123``, a campaign, a report run."""
        return Node(self, node_id)

    def account(self, account_id: str) -> Node:
        """The node of an ad account, its id with or without ``act_``."""
        return Node(self, act_id(account_id))

    def debug_token(self) -> Mapping[str, Any]:
        """What Meta knows of this client's token: is_valid, expires_at (0: never), scopes, ...

        Asked by a batch of one: `debug_token` wants the token as a parameter, and so it rides in
        the body of a POST and not in a URL, where servers and proxies would log it.
        """
        asked = {"input_token": self._access_token}
        if self._proof:  # the items of a batch carry their own
            asked["appsecret_proof"] = self._proof

        item = {"method": "GET", "relative_url": f"debug_token?{urlencode(asked)}"}

        def read(answer: Any, _: bytes) -> Mapping[str, Any]:
            first = answer[0] if isinstance(answer, list) and answer else None
            told = parse_item(first, call="GET debug_token", hide=self._hide)
            data = told.get("data") if isinstance(told, dict) else None
            if not isinstance(data, dict):
                raise RetryableError("Meta told nothing of the token.")
            return data

        return self.post(_ROOT, {"batch": [item]}, read)

    # -- report runs ---------------------------------------------------------------------------

    def poll(self, report_run_id: str) -> ReportRun:
        """Where a report run stands. Raises RetryableError if the answer does not say."""
        return self.get(
            report_run_id,
            {"fields": POLL_FIELDS},
            lambda body, _: ReportRun.from_body(body, report_run_id, self._hide),
        )

    def wait_for(
        self, report_run_id: str, on_poll: Callable[[ReportRun], None] = lambda _: None
    ) -> None:
        """Poll a report run with growing waits until its rows can be read.

        Raises RunFailedError, or what Meta's reason means, if it fails, is skipped or hangs.
        """
        started = changed = self._clock()
        last = ReportRun.unseen(report_run_id)
        for wait in poll_waits():
            self._sleep(wait)
            now = self._clock()
            run = self._poll_fresh(report_run_id, now - started)
            changed = changed if run == last else now
            last = run
            on_poll(run)
            step = next_step(run, now - started, now - changed)
            if step is Step.READ:
                return
            if step is Step.RESUBMIT:
                raise run.error or hung_error(run, now - started)

    def _poll_fresh(self, report_run_id: str, age_seconds: float) -> ReportRun:
        try:
            return self.poll(report_run_id)
        except NotFoundError:
            if age_seconds > FRESH_SECONDS:
                raise
            return ReportRun.unseen(report_run_id)


def _secrets(access_token: str, app_secret: str | None) -> Sequence[str]:
    """What must never leave this client, as it may stand in a text or in a URL, longest first."""
    if not re.fullmatch(r"[!-~]+", access_token):
        raise TokenError(
            "The access token is empty, or has characters that no token has, such as a line end."
        )
    known = [access_token]
    if app_secret:
        known += [app_secret, appsecret_proof(access_token, app_secret)]
    written = {form for secret in known for form in (secret, quote(secret, safe=""))}
    return sorted(written, key=len, reverse=True)
