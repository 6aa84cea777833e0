"""Cursor pagination: follows the cursor of each page to the next. Source:
https://developers.facebook.com/docs/graph-api/results

Only a missing `paging.next` ends an edge. A page may hold fewer rows than requested, or none, and
still be followed by more; the last page has a cursor too. We send the cursor and never request
`next`: that URL carries the access token, and the version that served, not the requested one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self, overload
from urllib.parse import parse_qsl

from fbgraph.errors import (
    CursorStuckError,
    Detail,
    RequestError,
    RetryableError,
    TooMuchDataError,
    TotalCountError,
)
from fbgraph.http.parsing import loads
from fbgraph.http.response import NOT_METAS, text_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fbgraph.http.response import Response

__all__ = ["MAX_EMPTY_PAGES", "PAGE_ROWS", "Page", "PageSize", "Params", "Row", "shrinking", "walk"]

Row = Mapping[str, Any]
Params = Mapping[str, Any]

#: Rows to request per page; halved when Meta finds that too much. The true maximum is unpublished.
PAGE_ROWS: Final = 500

_OK: Final = 200

#: How Graph begins a page, and the bytes between its rows and what follows them. Inside of a row
#: the quotes of a text are escaped, so these bytes are never part of one; but a row may hold an
#: edge of its own, which looks the same.
_OPENS: Final = b'{"data":[{'
_ROWS_END: Final = b'],"paging":{'
_EDGE_OPENS: Final = b'"data":['

#: Parameters by which some edges page instead. Source: Graph API, Paginated results.
_OTHER_PAGING: Final = frozenset({"since", "until", "offset", "__paging_token"})
_NO_CURSOR: Final = (
    "This edge is not paged by cursors: its next page has other parameters. Read one page"
    " (max_pages=1) for each range of since and until that you need."
)

#: Pages in a row that are empty, or bring only rows that came before, after which an edge counts as
#: stuck. Meta has sent them without end.
MAX_EMPTY_PAGES: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One response of an edge. `data` may be empty in the middle of an edge.

    `body` holds the bytes as they came, for readers that decode without Python rows. Its
    `paging.next` has the access token: it is for decoding only, never for logs or files.
    """

    data: Sequence[Row]
    after: str | None  # cursor of the next page; None on the last one
    is_cut_off: bool = False  # there is a next page, and no cursor leads to it
    summary: Mapping[str, Any] | None = None
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def from_json(cls, parsed: Mapping[str, Any] | Sequence[Any], body: bytes = b"") -> Self:
        """Read a page. Raises RetryableError for a response without `data` or with broken paging.

        A `data` that is an object (``reachestimate``) is one row.
        """
        if not isinstance(parsed, Mapping) or not isinstance(parsed.get("data"), list | Mapping):
            keys = ", ".join(map(repr, parsed))[:200] if isinstance(parsed, Mapping) else "none"
            text = f"The response is not a page of an edge: it has no list `data` (keys: {keys})."
            raise RetryableError(Detail(text, advice=NOT_METAS))
        data, summary = text_ids(parsed["data"]), parsed.get("summary")
        after, is_cut_off = _next_cursor(parsed.get("paging"))
        return cls(
            data=[data] if isinstance(data, Mapping) else data,
            after=after,
            is_cut_off=is_cut_off,
            summary=summary if isinstance(summary, Mapping) else None,
            body=body,
        )

    @classmethod
    def from_response(cls, response: Response, *, unread: bool = False) -> Self:
        """The page in a response. `unread`: its rows stay bytes until `data` is used.

        Raises as `from_json` does, and the GraphError that the response means.
        """
        envelope = _without_rows(response.body) if unread and response.status == _OK else None
        if envelope is None:
            return cls.from_json(response.json(), response.body)
        page = cls.from_json({**envelope, "data": []}, response.body)
        rows = _Unread(response.body)
        return cls(rows, page.after, page.is_cut_off, page.summary, response.body)

    @property
    def total_count(self) -> int:
        """Rows on the whole edge. Raises TotalCountError if this page does not have the number."""
        count = (self.summary or {}).get("total_count")
        if not isinstance(count, int) or isinstance(count, bool):
            raise TotalCountError(
                "This page has no summary.total_count. Request it with total_count=True; some"
                " edges, such as insights, never return it."
            )
        return count


class _Unread(Sequence[Row]):
    """The rows of a page that has some, read from its bytes when they are used."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        return self._rows[at]

    @cached_property
    def _rows(self) -> Sequence[Row]:
        rows: Sequence[Row] = text_ids(loads(self._body)["data"])
        return rows


def _without_rows(body: bytes) -> Mapping[str, Any] | None:
    """A page without its rows, which are not read; None where that cannot be done safely.

    A page without `paging`, or with edges inside of its rows, is read in full: cut off in the
    middle it could look the same.
    """
    end = body.rfind(_ROWS_END)
    if end < 0 or not body.startswith(_OPENS) or body.rfind(_EDGE_OPENS, len(_OPENS)) >= 0:
        return None
    try:
        envelope = loads(b"{" + body[end + 2 :])
    except ValueError:
        return None
    return None if "error" in envelope else envelope


def _next_cursor(paging: object) -> tuple[str | None, bool]:
    """The cursor of the next page, or None at the end; and whether there is a page without one.

    Where `cursors` are left out, `next` has it as its parameter `after`. Edges that are paged by
    time have `since` and `until` there. Ending at a broken `next` would lose rows.
    """
    if not paging:
        return None, False
    if not isinstance(paging, Mapping):
        raise RetryableError("The response is not a page of an edge: `paging` is not an object.")
    if not paging.get("next"):
        return None, False
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, Mapping) else None
    if not isinstance(after, str) or not after:
        params = dict(parse_qsl(str(paging["next"]).partition("?")[2]))
        after = params.get("after")
        if not after and _OTHER_PAGING & params.keys():
            return None, True
    if not after:
        raise RetryableError("The page has a `next` but no cursor to reach it.")
    return after, False


def walk(
    fetch: Callable[[Params], Page], params: Params, *, max_pages: int | None = None, call: str = ""
) -> Iterator[Page]:
    """Yield the pages of an edge, each fetched when needed; at most `max_pages` if given. Errors
    name the `call`.

    Raises CursorStuckError if the API repeats a cursor or sends pages without end that bring
    nothing new; and RequestError, after its first page, for an edge that is not paged by cursors.
    """
    return islice(_walk(fetch, params, call), max_pages)


def _walk(fetch: Callable[[Params], Page], params: Params, call: str) -> Iterator[Page]:
    seen: set[str] = set()
    known = _KnownPages()
    empty = repeated = 0
    rows: int | None = 0  # so far; None where they stay bytes
    page = _fetched(fetch, params, rows)
    while True:
        if page.after in seen:
            raise _stuck(
                f"Meta repeats the cursor {page.after!r}, so the listing cannot advance.", call
            )
        empty = 0 if page.data else empty + 1
        repeated = repeated + 1 if not page.data or (page.after and known.has(page)) else 0
        if repeated > MAX_EMPTY_PAGES and page.after is not None:
            what = "empty pages" if empty == repeated else "pages without new rows"
            raise _stuck(f"Meta sent {repeated} {what} in a row.", call)
        yield page
        if page.is_cut_off:
            raise RequestError(Detail(_NO_CURSOR, call=call))
        if page.after is None:
            return
        seen.add(page.after)
        rows = None if rows is None or isinstance(page.data, _Unread) else rows + len(page.data)
        page = _fetched(fetch, {**params, "after": page.after}, rows)


class _KnownPages:
    """The pages of one listing, to tell which bring nothing new: the same rows, in any order.

    Rows are told apart by their bytes, and only where a page is as long as an earlier one: pages of
    good data seldom are, and cost nothing.
    """

    def __init__(self) -> None:
        self._lengths: set[int] = set()
        self._rows: set[int] = set()

    def has(self, page: Page) -> bool:
        """Whether a page holds rows that have come before, and no others."""
        end = page.body.rfind(_ROWS_END) if page.body.startswith(_OPENS) else -1
        length = end if end > 0 else len(json.dumps([*page.data]))
        if length not in self._lengths:
            self._lengths.add(length)
            return False
        if end > 0:
            hashes = {hash(row) for row in page.body[len(_OPENS) : end - 1].split(b"},{")}
        else:
            hashes = {hash(json.dumps(row)) for row in page.data}
        is_known = hashes <= self._rows
        self._rows |= hashes
        return is_known


def _fetched(fetch: Callable[[Params], Page], params: Params, rows: int | None) -> Page:
    """One page after `rows` rows. The error of a row that is too much says which row it is."""
    try:
        return fetch(params)
    except TooMuchDataError as error:
        if rows is None or error.detail.subcode is not None:
            raise
        message = f"{error.detail.message} (row {rows + 1:,} of the listing, requested alone)"
        raise TooMuchDataError(replace(error.detail, message=message)) from None


def _stuck(message: str, call: str) -> CursorStuckError:
    advice = (
        "Meta's paging is at fault. Run the same command again later; if it persists, load less at"
        " a time (fewer days, one --account), and report it to Meta with the request's path."
    )
    return CursorStuckError(Detail(message, call=call, advice=advice))


class PageSize:
    """How many rows to request per page: at first `rows`, halved where Meta finds that too much,
    and grown back slowly, never beyond them.

    One may be shared by many listings of the same kind, in threads too: what was too much for one
    is not tried again by the next.
    """

    #: Pages in a row that must work before twice as many rows are tried.
    PATIENCE: Final = 8

    def __init__(self, rows: int = PAGE_ROWS) -> None:
        self._most = rows
        self._rows = rows
        self._worked = 0
        self._patience = self.PATIENCE
        self._has_grown = False

    @property
    def rows(self) -> int:
        return self._rows

    def refused(self, rows: int) -> bool:
        """A page of `rows` was too much: request half. False if it cannot be less.

        Each time that growing back was wrong, it is tried after twice as many pages.
        """
        if rows <= 1:
            return False
        self._patience *= 2 if self._has_grown else 1
        self._rows, self._worked, self._has_grown = min(self._rows, rows // 2), 0, False
        return True

    def worked(self, rows: int) -> None:
        """A page of `rows` arrived."""
        self._worked += rows >= self._rows
        if self._rows < self._most and self._worked >= self._patience:
            self._rows, self._worked = min(self._rows * 2, self._most), 0
            self._has_grown = True


def shrinking(fetch: Callable[[Params], Page], size: PageSize) -> Callable[[Params], Page]:
    """`fetch` with pages of a size that works.

    Raises TooMuchDataError if one row is too much; and at once if Meta gives a subcode: then the
    report as a whole is too much, however it is cut into pages.
    """

    def fetch_page(params: Params) -> Page:
        while True:
            rows = size.rows
            try:
                page = fetch({**params, "limit": rows})
            except TooMuchDataError as error:
                if error.detail.subcode is not None or not size.refused(rows):
                    raise
            else:
                size.worked(rows)
                return page

    return fetch_page
