"""The interface that nodes and edges need of a client, so that they do not depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph.http.request import Request
    from fbgraph.http.response import Response
    from fbgraph.limits.retry import RetryPolicy
    from fbgraph.objects.report_run import ReportRun

__all__ = ["Caller"]

T = TypeVar("T")


class Caller(Protocol):
    """A `GraphClient`: makes calls, and waits for report runs."""

    def call(
        self,
        request: Request,
        read: Callable[[Response], T] | None = None,
        policies: Sequence[RetryPolicy] = ...,
    ) -> T:
        """Make one call and `read` its response."""

    def wait_for(
        self,
        report_run_id: str,
        on_poll: Callable[[ReportRun], None] = ...,
        *,
        timeout_seconds: float = ...,
        account_id: str = ...,
    ) -> None:
        """Poll a report run until its rows can be read."""
