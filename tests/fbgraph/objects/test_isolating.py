"""Listings in which single objects make a page fail."""

from __future__ import annotations

from collections import Counter
from math import ceil, log2
from typing import TYPE_CHECKING, Any, Final

import pytest

from fbgraph.errors import (
    Detail,
    GraphError,
    RequestError,
    RetryableError,
    SpoiledPageError,
    ThrottledError,
    TooMuchDataError,
)
from fbgraph.http.paging import Page, PageSize, walk
from fbgraph.objects.isolating import Isolation

if TYPE_CHECKING:
    from collections.abc import Collection

    from fbgraph.http.paging import Params

SPEC: Final = "object_story_spec"
SPOILED: Final = SpoiledPageError(Detail("(#100) Invalid parameter", code=100, subcode=2446211))


class Shelf:
    """An edge of objects 0, 1, …, of which some cannot be served with SPEC, and some not at all."""

    def __init__(self, count: int, bad: Collection[int], worse: Collection[int] = ()) -> None:
        self.calls = 0
        self._count = count
        self._bad = bad
        self._worse = worse
        self.worst: Collection[int] = ()
        self.error: GraphError = SPOILED

    def fetch(self, params: Params) -> Page:
        self.calls += 1
        start = int(params.get("after") or 0)
        on_page = range(start, min(start + params["limit"], self._count))
        spoiled = {*self._worse} if "name" in params["fields"] else set()
        spoiled |= {*self._bad, *self._worse} if SPEC in params["fields"] else set()
        if (spoiled | {*self.worst}) & {*on_page}:
            raise self.error
        has_next = on_page.stop < self._count
        rows = [{name: str(n) for name in params["fields"]} for n in on_page]
        return Page(data=rows, after=str(on_page.stop) if has_next else None)

    def listed(self, isolation: Isolation, rows: int = 50) -> list[Any]:
        fetching = isolation.fetching(lambda _: self.fetch, PageSize(rows))
        pages = walk(fetching, {"fields": ["id", "name", SPEC]})
        return [row for page in pages for row in page.data]


@pytest.mark.parametrize(
    ("bad", "worse"),
    [
        ((), ()),
        ((0,), ()),
        ((49, 50), ()),
        ((199,), ()),
        ((3, 77, 120, 121, 122), ()),
        ((10,), (11, 198)),
    ],
)
def test_an_object_that_fails_its_page_costs_itself_and_few_requests(
    bad: tuple[int, ...], worse: tuple[int, ...]
) -> None:
    shelf, isolation = Shelf(200, bad, worse), Isolation([SPEC])

    rows = shelf.listed(isolation)

    assert [int(row["id"]) for row in rows] == [n for n in range(200) if n not in worse]
    assert {int(row["id"]) for row in rows if SPEC not in row} == {*bad}
    assert ({*map(int, isolation.without)}, {*map(int, isolation.unread)}) == ({*bad}, {*worse})
    assert {*isolation.without.values(), *isolation.unread.values()} <= {str(SPOILED)}
    # 4 pages; for each that fails: halving it, the object alone, and without the field.
    assert shelf.calls <= 4 + (len(bad) + len(worse)) * (2 * ceil(log2(50)) + 4)


def test_what_fails_for_each_object_is_left_out_of_all_further_pages() -> None:
    shelf, isolation = Shelf(2000, range(2000)), Isolation([SPEC])

    rows = shelf.listed(isolation)

    assert len(rows) == len(isolation.without) == 2000
    assert shelf.calls <= 40 + 5 * 8  # pages, and five objects that are looked for


def test_a_page_that_is_too_much_at_one_row_is_one_objects_too() -> None:
    shelf, isolation = Shelf(60, [7]), Isolation([SPEC])
    shelf.error = TooMuchDataError(Detail("Please reduce the amount of data", code=1))

    assert len(shelf.listed(isolation)) == 60
    assert [*isolation.without] == ["7"]


@pytest.mark.parametrize(
    "error",
    [
        RequestError(Detail("(#100) Invalid parameter", code=100)),
        ThrottledError(Detail("Too many calls", code=17)),
        RetryableError(Detail("No response")),
    ],
)
def test_an_error_that_is_of_no_single_object_ends_the_listing(error: GraphError) -> None:
    shelf, isolation = Shelf(60, [7]), Isolation([SPEC])
    shelf.error = error

    with pytest.raises(type(error)):
        shelf.listed(isolation)


def test_an_error_without_a_meaning_that_stays_is_looked_for_among_the_objects() -> None:
    shelf, isolation = Shelf(60, [], [7]), Isolation([SPEC])
    shelf.error = RetryableError(Detail("An unknown error occurred", code=1, status=500))

    assert len(shelf.listed(isolation)) == 59
    assert [*isolation.unread] == ["7"]


def test_looking_for_an_object_tries_once_and_an_object_alone_a_few_times() -> None:
    shelf, isolation = Shelf(200, [], [77, 130]), Isolation()
    tries = Counter[Any]()

    def fetch_by(policies: Any) -> Any:
        def fetch(params: Params) -> Page:
            tries[policies[-1].attempts, params["limit"]] += 1
            return shelf.fetch(params)

        return fetch

    shelf.error = RetryableError(Detail("An unknown error occurred", code=1, status=500))
    pages = [*walk(isolation.fetching(fetch_by, PageSize(50)), {"fields": ["id", "name"]})]

    assert sum(len(page.data) for page in pages) == 198
    assert [*isolation.unread] == ["77", "130"]
    assert {attempts for attempts, limit in tries if limit == 50} == {1, 3}
    assert tries[3, 50] <= 2  # one page, until an object is known to fail
    assert {attempts for attempts, limit in tries if 1 < limit < 50} == {1}
    assert {attempts for attempts, limit in tries if limit == 1} == {1, 3}


def test_the_first_object_is_tried_as_any_request_where_meta_has_sent_nothing_else() -> None:
    shelf, isolation = Shelf(200, [0]), Isolation([SPEC])
    tried: list[tuple[int, int]] = []

    def fetch_by(policies: Any) -> Any:
        def fetch(params: Params) -> Page:
            tried.append((policies[-1].attempts, params["limit"]))
            if tried[-1][0] == 6:  # Meta was down, and is up again before the last attempt
                return Shelf(200, []).fetch(params)
            return shelf.fetch(params)

        return fetch

    shelf.error = RetryableError(Detail("An unknown error occurred", code=1, status=500))
    first = isolation.fetching(fetch_by, PageSize(50))({"fields": ["id", "name", SPEC]})

    assert tried == [(3, 50), (1, 25), (1, 12), (1, 6), (1, 3), (1, 1), (6, 1)]
    assert [row["id"] for row in first.data] == ["0"]
    assert not isolation.without


def test_from_the_tenth_object_that_fails_on_nothing_is_waited_for() -> None:
    shelf, isolation = Shelf(1_000, [], range(0, 1_000, 5)), Isolation()
    waits = Counter[bool]()

    def fetch_by(policies: Any) -> Any:
        def fetch(params: Params) -> Page:
            waits[policies[-1].attempts > 1] += 1
            return shelf.fetch(params)

        return fetch

    shelf.error = RetryableError(Detail("An unknown error occurred", code=1, status=500))
    pages = [*walk(isolation.fetching(fetch_by, PageSize(50)), {"fields": ["id", "name"]})]

    assert (sum(len(page.data) for page in pages), len(isolation.unread)) == (800, 200)
    assert waits[True] <= 10 * 5
    assert waits[False] <= 200 * 12


def test_a_broken_connection_says_nothing_about_an_object() -> None:
    shelf, isolation = Shelf(200, [], [77, 130]), Isolation()
    calls = 0

    def fetch_by(policies: Any) -> Any:
        def fetch(params: Params) -> Page:
            nonlocal calls
            calls += 1
            if calls % 3 == 0 and policies[-1].attempts < 6:
                raise RetryableError(Detail("No response"))
            return shelf.fetch(params)

        return fetch

    shelf.error = RetryableError(Detail("An unknown error occurred", code=1, status=500))
    pages = [*walk(isolation.fetching(fetch_by, PageSize(50)), {"fields": ["id", "name"]})]

    assert sum(len(page.data) for page in pages) == 198
    assert [*isolation.unread] == ["77", "130"]


def test_an_object_whose_id_cannot_be_read_ends_the_listing() -> None:
    shelf, isolation = Shelf(60, []), Isolation([SPEC])
    shelf.error = RetryableError(Detail("An unknown error occurred", code=1, status=500))
    shelf.worst = {7}
    fetching = isolation.fetching(lambda _: shelf.fetch, PageSize(50))
    rows: list[Any] = []

    def read() -> None:
        for page in walk(fetching, {"fields": ["id", "name", SPEC]}):
            rows.extend(page.data)

    with pytest.raises(RetryableError, match="unknown error"):
        read()

    assert [row["id"] for row in rows] == list("0123456")
