"""The client: requests to the Graph API with their limits and retries, and access to its nodes.

with GraphClient(token) as client:
    for campaign in client.account("123").edge("campaigns", fields=["name"]):
        print(campaign["id"], campaign["name"])
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, Unpack

from fbgraph.catalog import versions
from fbgraph.errors import ENDS_EVERYTHING, GraphError, StoppedError, ThrottledError
from fbgraph.http import served
from fbgraph.http.batch import Pending, batches, form_of, items_of, next_batch
from fbgraph.http.connection import RESPONSE_SECONDS, Connection
from fbgraph.http.filtering import check_kind
from fbgraph.http.request import ROOT, Request
from fbgraph.http.response import Response, item_headers, text_ids, token_data
from fbgraph.limits.retry import LIMIT, OF_A_REQUEST, retrying, verdict_on_write
from fbgraph.limits.stuck import final, waited_out
from fbgraph.limits.tally import Tally
from fbgraph.limits.throttle import Throttle
from fbgraph.limits.usage import Limit, retry_after_seconds, usage_of
from fbgraph.objects.node import Node, act_id
from fbgraph.objects.report_run import (
    POLL_FIELDS,
    TOTAL_SECONDS,
    ReportRun,
    RunOptions,
    wait_until_done,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import httpx

    from fbgraph.errors import LimitStuckError
    from fbgraph.http.paging import Page, Params
    from fbgraph.limits.retry import RetryPolicy
    from fbgraph.limits.shared_cooldowns import SharedCooldowns

__all__ = ["API_VERSION", "GRAPH_URL", "GraphClient"]

GRAPH_URL: Final = "https://graph.facebook.com"
API_VERSION: Final = versions.PINNED

T = TypeVar("T")


class GraphClient:
    """A client of Graph with one token. A plain object: use as many as you need, in threads too.

    `app_secret`: every request carries its proof. `timeout_seconds`: how long the server may be
    silent; `response_seconds`: until when a response has to be complete, from its request on.
    `proxy`: a URL; without it that of the environment is used (``HTTPS_PROXY``, ``NO_PROXY``).
    `allow_http`: the token may go in clear to another machine. `ca_file`: certificates to trust
    instead of the usual ones. `cooldowns` shares what is known of limits with other processes.
    `sleep`, `jitter` and `clock` are arguments so that tests wait for nothing; a `clock` must move
    by the seconds that `sleep` gets. Every request raises the GraphError that its response means,
    after the retries that `retry.wait_seconds` allows.
    """

    def __init__(  # noqa: PLR0913  # each is one independent setting with a default
        self,
        access_token: str,
        *,
        app_secret: str | None = None,
        base_url: str = GRAPH_URL,
        version: str = API_VERSION,
        timeout_seconds: float = 120.0,
        response_seconds: float = RESPONSE_SECONDS,
        proxy: str | None = None,
        allow_http: bool = False,
        ca_file: str | Path | None = None,
        cooldowns: SharedCooldowns | None = None,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            access_token,
            app_secret=app_secret,
            base_url=base_url,
            version=version,
            timeout_seconds=timeout_seconds,
            response_seconds=response_seconds,
            proxy=proxy,
            allow_http=allow_http,
            ca_file=ca_file,
            transport=transport,
            clock=clock,
        )
        self.base_url: Final = self._connection.base_url
        self.version: Final = version
        self.stopped: Final = self._connection.stopped  # set by `stop`
        self.tally = Tally()
        self._sleep = sleep or self._connection.stopped.wait
        self._jitter = jitter
        self.clock: Final = clock
        self._throttle = Throttle(clock, cooldowns)
        self._access_token = access_token

    def __repr__(self) -> str:
        return f"GraphClient(base_url={self.base_url!r}, version={self.version!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; clients from `counted` share them."""
        self._connection.close()

    def stop(self) -> None:
        """End every request in all threads and in clients from `counted`, those too that wait for
        a response: they raise StoppedError, and so does every later request and wait.
        """
        self._connection.stop()

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`. Raises StoppedError as soon as `stop` is called."""
        if not self._connection.stopped.is_set():
            self._sleep(seconds)
        self._connection.require_running()

    def counted(self) -> GraphClient:
        """The same client with a tally of its own, to measure what one piece of work costs."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, tally=self.tally.part())
        return twin

    def usage(self) -> Mapping[Limit, float]:
        """The latest share of each limit, in percent, by account and use case."""
        return self._throttle.percents()

    # -- calls ---------------------------------------------------------------------------------

    def get(self, path: str, params: Params | None = None) -> Any:
        """GET any path; returns the parsed JSON."""
        return self.call(Request("GET", path, params or {}))

    def post(self, path: str, params: Params | None = None) -> Any:
        """POST a form to any path; returns the parsed JSON. A write is never blindly sent twice."""
        return self.call(Request("POST", path, params or {}))

    def call(
        self,
        request: Request,
        read: Callable[[Response], T] | None = None,
        policies: Sequence[RetryPolicy] = OF_A_REQUEST,
    ) -> T:
        """Send one request and return what `read` makes of the response, by default its JSON.

        `read` raises RetryableError for a response that it cannot read: the request is retried.
        """
        self._connection.check(request)
        self._connection.check_address(request)
        try:
            for attempt in retrying(self.pause, self._jitter, policies):
                self._acquire(request)
                with attempt:
                    return self._released(request, lambda: self._read(request, read))
        except ThrottledError as error:
            raise final(error) from None
        raise AssertionError  # pragma: no cover  # tenacity returns or raises

    def batch(
        self,
        requests: Iterable[Request],
        read: Callable[[Response], Any] | None = None,
        policies: Sequence[RetryPolicy] = OF_A_REQUEST,
    ) -> list[Any]:
        """Send many requests, up to 50 in one; each result, in order, is a value or a GraphError.

        Items with a temporary failure are retried one by one by `policies`, throttled ones when
        their limit is free. Raises TokenError and BlockedError where Meta refuses a whole batch for
        them, and StoppedError.
        """
        pending = [Pending(self._connection.check(one), policies) for one in requests]
        waited = 0.0
        while waiting := [one for one in pending if not one.is_done]:
            batch, cooldown = next_batch(waiting, self.clock(), self._throttle)
            waited = 0.0 if batch else waited + cooldown
            if batch:
                self._send_batch(batch, read or _json)
            elif waited > LIMIT.budget_seconds:
                for one in waiting:
                    one.succeed(waited_out())
            else:
                self.pause(cooldown)
        return [one.outcome for one in pending]

    def batch_once(
        self,
        requests: Sequence[Request],
        read: Callable[[Response], Any] | None = None,
        *,
        seconds: float | None = None,
    ) -> list[Any]:
        """As `batch`, but each request is sent once and now: a temporary failure is a result too.

        For callers that have other work than waiting. `cooldown_before` says which may be sent.
        `seconds`: until when a response has to be complete, if that is sooner than usual.
        """
        pending = [Pending(self._connection.check(request)) for request in requests]
        for batch in batches(pending):
            self._send_batch(batch, read or _json, seconds)
        return [one.outcome if one.is_done else one.failures[-1] for one in pending]

    def cooldown_before(self, request: Request) -> float:
        """Seconds until a request may be sent. After 0 the caller must send it."""
        return self._throttle.acquire(request)

    def cooldown_after(self, request: Request, error: ThrottledError) -> None:
        """Start the cooldown of a request's limits that `error`, from another response, demands."""
        self._throttle.release(request, error)

    def stuck(self, request: Request) -> LimitStuckError | None:
        """Why a request is not to be waited for any longer: a limit of it does not reset."""
        return self._throttle.stuck(request)

    def cooldown_of(self, request: Request) -> float:
        """As `cooldown_before`, for a caller that only asks and does not send the request."""
        return self._throttle.cooldown_of(request)

    def as_curl(self, request: Request) -> str:
        """A curl command that sends this request, with $FB_ACCESS_TOKEN in place of the token."""
        return self._connection.as_curl(request)

    def _acquire(self, request: Request) -> None:
        """Wait as long as the limits of a request are used up."""
        waited = 0.0
        while (cooldown := self._throttle.acquire(request)) > 0:
            waited += cooldown
            if stuck := self._throttle.stuck(request):
                raise stuck
            if waited > LIMIT.budget_seconds:
                raise waited_out()
            self.pause(cooldown)

    def _released(self, request: Request, attempt: Callable[[], T]) -> T:
        """The value of `attempt`; its outcome frees or blocks the limits of the request."""
        try:
            value = attempt()
        except GraphError as error:
            if isinstance(error, ThrottledError):
                self._throttle.release(request, error)
                error = self._throttle.stuck(request) or error
            elif error.detail.code is None:
                self._throttle.abandon(request)
            else:
                self._throttle.release(request)
            raise error if request.repeatable else verdict_on_write(error) from None
        except BaseException:
            self._throttle.abandon(request)
            raise
        self._throttle.release(request)
        return value

    def _read(self, request: Request, read: Callable[[Response], T] | None) -> T:
        """Send, and read the response; an error names the request that it is about."""
        self.tally.count(1)
        response = self._send(request)
        try:
            return (read or _json)(response)
        except GraphError as error:
            call = error.detail.call or response.call
            raise type(error)(replace(error.detail, call=call)) from None

    def _send(self, request: Request, seconds: float | None = None) -> Response:
        received = self._connection.send(request, seconds)
        return Response(
            received.status,
            received.body,
            self._connection.call_of(request),
            self._note(received.headers, request),
            self._connection.hide,
            retry_after_seconds(received.headers, datetime.now(UTC)),
        )

    def _send_batch(
        self,
        batch: Sequence[Pending],
        read: Callable[[Response], Any],
        seconds: float | None = None,
    ) -> None:
        """One request for up to 50, and the outcome of each."""
        form, files = form_of(batch, self._connection.proof)
        outer = Request("POST", ROOT, form, files, repeatable=True)
        self.tally.count(len(batch))
        try:
            responses = self._released(
                outer, lambda: items_of(self._send(outer, seconds), len(batch))
            )
        except GraphError as error:
            for one in batch:
                self._throttle.abandon(one.request)
                of_item = replace(error.detail, call=self._connection.call_of(one.request))
                one.fail(type(error)(of_item), self.clock(), self._jitter(), alone=False)
            if isinstance(error, (*ENDS_EVERYTHING, StoppedError)):
                raise
            return
        for one, item in zip(batch, responses, strict=True):
            try:
                one.succeed(self._released(one.request, lambda: self._item(one, item, read)))  # noqa: B023  # called at once
            except GraphError as error:
                one.fail(error, self.clock(), self._jitter())

    def _item(self, one: Pending, item: object, read: Callable[[Response], Any]) -> Any:
        cooldown = self._note(item_headers(item), one.request)
        call = self._connection.call_of(one.request)
        response = Response.of_item(item, call, cooldown, self._connection.hide)
        try:
            return read(response)
        except GraphError as error:
            raise type(error)(replace(error.detail, call=error.detail.call or call)) from None

    def _note(self, headers: Mapping[str, str], request: Request) -> float | None:
        """Learn from the headers of a response. Returns how many seconds they say to wait."""
        usage = self.tally.usage = usage_of(headers, request.account_id)
        self._throttle.note(usage)
        self.tally.api_version = headers.get("facebook-api-version", "") or self.tally.api_version
        served.warn(self.version, headers)
        return usage.regain_seconds(request.account_id)

    # -- nodes and edges -----------------------------------------------------------------------

    def node(self, node_id: str | int, *, kind: str = "", account_id: str = "") -> Node:
        """The node of any id: ``me``, ``act_123``, a campaign, a report run.

        `kind` (campaign, ...) is needed for ``fields="*"``; `account_id` says whose limits its
        requests count against.
        """
        is_account = re.fullmatch(r"act_\d+", str(node_id), re.ASCII)
        kind = check_kind(kind) or ("adaccount" if is_account else "")
        return Node(self, str(node_id), kind, account_id)

    def account(self, account_id: str | int) -> Node:
        """The node of an ad account, its id with or without ``act_``."""
        return self.node(act_id(account_id))

    def debug_token(self) -> Mapping[str, Any]:
        """What Meta knows about this client's token: is_valid, expires_at (0: never), scopes, ...

        Sent as a batch of one: `debug_token` takes the token as a parameter, and this way it is in
        the body of a POST and not in a URL, where servers and proxies would log it.
        """
        request = Request("GET", "debug_token", {"input_token": self._access_token})
        (found,) = self.batch([request], token_data)
        if isinstance(found, GraphError):
            raise found
        return dict(found)

    # -- report runs ---------------------------------------------------------------------------

    def report(self, node_id: str, params: Params, **how: Unpack[RunOptions]) -> Iterator[Page]:
        """A report of a node as its pages; `how` as in `Node.report`."""
        return self.node(node_id).report(params, **how)

    def poll(self, report_run_id: str, *, account_id: str = "") -> ReportRun:
        """The state of a report run. Raises RetryableError if the response lacks its status."""
        hide = self._connection.hide
        return self.call(
            Request("GET", report_run_id, {"fields": POLL_FIELDS}, account_id=account_id),
            lambda response: ReportRun.from_body(response.json(), report_run_id, hide),
        )

    def wait_for(
        self,
        report_run_id: str,
        on_poll: Callable[[ReportRun], None] = lambda _: None,
        *,
        timeout_seconds: float = TOTAL_SECONDS,
        account_id: str = "",
    ) -> None:
        """Poll a report run until its rows can be read; raises as `wait_until_done` does."""
        wait_until_done(
            lambda run_id: self.poll(run_id, account_id=account_id),
            report_run_id,
            sleep=self.pause,
            clock=self.clock,
            on_poll=on_poll,
            timeout_seconds=timeout_seconds,
        )


def _json(response: Response) -> Any:
    return text_ids(response.json())
