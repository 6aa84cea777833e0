"""Edges: the rows behind a node, page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fbgraph.catalog.edges import EDGE_KINDS, NO_TOTAL_COUNT
from fbgraph.errors import GraphError, RetryableError, TotalCountError
from fbgraph.http.filtering import leaving_out
from fbgraph.http.paging import PAGE_ROWS, Page, PageSize, shrinking, walk
from fbgraph.limits.retry import OF_A_REQUEST
from fbgraph.objects.isolating import spoils

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from fbgraph.http.paging import Params, Row
    from fbgraph.http.request import Request
    from fbgraph.http.response import Response
    from fbgraph.limits.retry import RetryPolicy
    from fbgraph.objects.caller import Caller
    from fbgraph.objects.isolating import Isolation

__all__ = ["Edge", "require_total_count"]


@dataclass(frozen=True, slots=True)
class Edge:
    """The rows behind a node, read lazily. Each call of `pages` starts from the first page."""

    client: Caller
    request: Request
    drop_refused: bool = False

    def pages(  # noqa: PLR0913  # each has a default
        self,
        *,
        max_pages: int | None = None,
        unread: bool = False,
        size: PageSize | None = None,
        isolation: Isolation | None = None,
        required: Collection[str] = (),
        left_out: dict[str, str] | None = None,
    ) -> Iterator[Page]:
        """Page by page to the end, or at most `max_pages`. Halves `limit` where Meta demands it.

        `unread` leaves rows as bytes, for readers that decode `Page.body` themselves. `size` is a
        page size that several listings share; it overrides `limit`. `isolation`: what is done about
        an object that makes its page fail. With `drop_refused`, fields that Meta refuses are noted
        in `left_out`, with why; those that are `required` are never left out.
        """
        dropped = {} if left_out is None else left_out

        def fetch_by(policies: Sequence[RetryPolicy]) -> Callable[[Params], Page]:
            def fetch(params: Params) -> Page:
                met: list[GraphError] = []

                def read(response: Response) -> Page:
                    try:
                        return Page.from_response(response, unread=unread)
                    except GraphError as error:
                        met.append(error)
                        raise

                try:
                    return self.client.call(replace(self.request, params=params), read, policies)
                except RetryableError:
                    # Of several attempts the last may have met a broken connection; one before it
                    # said that an object fails.
                    if of_object := next((error for error in met if spoils(error)), None):
                        raise of_object from None
                    raise

            kind = EDGE_KINDS.get(self.name, "")
            return leaving_out(
                *(fetch, kind, self.request.path),
                may_drop=self.drop_refused,
                required=required,
                left_out=dropped,
            )

        size = size or PageSize(self.request.params.get("limit") or PAGE_ROWS)
        if isolation:
            paged = isolation.fetching(fetch_by, size)
        else:
            paged = shrinking(fetch_by(OF_A_REQUEST), size)
        return walk(paged, self.request.params, max_pages=max_pages, call=str(self.request))

    def __iter__(self) -> Iterator[Row]:
        for page in self.pages():
            yield from page.data

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.request.path.rpartition("/")[2]

    def count(self) -> int:
        """`total_count` by a one-row request. Raises TotalCountError if the edge has none."""
        require_total_count(self.name)
        params = {**self.request.params, "limit": 1, "summary": "total_count"}
        return self.client.call(
            replace(self.request, params=params), Page.from_response
        ).total_count


def require_total_count(name: str) -> None:
    """Raise TotalCountError for an edge that does not give its `total_count`."""
    if name in NO_TOTAL_COUNT:
        raise TotalCountError(f"{name} has no total_count: {NO_TOTAL_COUNT[name]}.")
