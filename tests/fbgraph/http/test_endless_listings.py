"""Listings that do not end by themselves: pages without new rows, and edges without cursors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.errors import CursorStuckError, RequestError
from fbgraph.http.paging import MAX_EMPTY_PAGES, Page, walk
from fbgraph.http.response import Response
from tests.fbgraph.http.test_paging import ASTRAY, body, rows_of, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.http.paging import Params


def same_for_ever(*pages: Sequence[Any], compact: bool) -> Callable[[Params], Page]:
    """An edge that gives these pages again and again, each time with another cursor."""

    def fetch(params: Params) -> Page:
        number = int(params.get("after", 0))
        rows = pages[number % len(pages)]
        answer = body(*rows, after=str(number + 1))
        separators = (",", ":") if compact else None
        text = json.dumps(answer, separators=separators).encode()
        return Page.from_response(Response(200, text), unread=True)

    return fetch


THREE = [{"id": "1", "spend": "1.00"}, {"id": "2", "spend": "2.00"}, {"id": "3", "spend": "3.00"}]


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([THREE[:1]], id="one row"),
        pytest.param([THREE[:2], THREE[1:], THREE[:1]], id="several pages in turn"),
        pytest.param([THREE, THREE[::-1], [THREE[1], THREE[0], THREE[2]]], id="in any order"),
        pytest.param([THREE[:2], []], id="and empty ones"),
    ],
)
def test_pages_that_bring_nothing_new_end_a_listing(
    pages: Sequence[Sequence[Any]], *, compact: bool
) -> None:
    fetch = same_for_ever(*pages, compact=compact)

    most = 3 * len(pages) + MAX_EMPTY_PAGES

    with pytest.raises(CursorStuckError, match=r"without new rows in a row\. \[GET act_1/ads\]"):
        rows_of(walk(fetch, {}, max_pages=most, call="GET act_1/ads"))


@pytest.mark.parametrize("compact", [True, False])
def test_rows_of_one_length_are_not_taken_for_the_same(*, compact: bool) -> None:
    pages = [[{"id": f"{n:04}"}] for n in range(4 * MAX_EMPTY_PAGES)]
    fetch = same_for_ever(*pages, compact=compact)

    found = rows_of(walk(fetch, {}, max_pages=len(pages)))

    assert [row["id"] for row in found] == [f"{n:04}" for n in range(len(pages))]


#: `paging` of Page insights, and of an edge that counts its rows.
OTHER_WAYS = [
    {"since": "1764201600", "until": "1764288000"},
    {"limit": "25", "offset": "25"},
    {"__paging_token": "x", "until": "1764288000"},
]


@pytest.mark.parametrize("params", OTHER_WAYS)
def test_an_edge_that_is_not_paged_by_cursors_gives_its_first_page_and_says_what_to_do(
    params: Mapping[str, str],
) -> None:
    link = f"{ASTRAY}&{'&'.join(f'{key}={value}' for key, value in params.items())}"
    answer = {"data": [{"name": "page_fans"}], "paging": {"previous": link, "next": link}}
    fetch, asked = scripted(Page.from_json(answer))
    pages = walk(fetch, {}, call="GET 1/insights")

    first = next(pages)
    with pytest.raises(RequestError, match=r"not paged by cursors: .*max_pages=1.* \[GET 1/insi"):
        next(pages)

    assert (list(first.data), len(asked)) == ([{"name": "page_fans"}], 1)
    assert rows_of(walk(fetch, {}, max_pages=1)) == [{"name": "page_fans"}]
