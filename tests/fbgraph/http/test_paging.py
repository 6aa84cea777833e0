from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import (
    CursorStuckError,
    GraphError,
    RequestError,
    RetryableError,
    TotalCountError,
)
from fbgraph.http.paging import MAX_EMPTY_PAGES, Page, walk
from fbgraph.http.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fbgraph.http.paging import Params

NEXT = "https://graph.facebook.com/v25.0/act_1/campaigns?access_token=hidden&after=A"
#: A link that leads to no page in particular.
ASTRAY = "https://graph.facebook.com/v25.0/act_1/campaigns?access_token=hidden"

#: Rows cut into pages in every way, with empty pages anywhere, the first and the last included.
CUTS = st.lists(st.lists(st.integers(), max_size=4), min_size=1, max_size=30)


def body(*rows: Any, after: str | None = "A", more: bool = True, **extra: Any) -> dict[str, Any]:
    paging = {"cursors": {"before": "A", "after": after}} | ({"next": NEXT} if more else {})
    return {"data": list(rows), "paging": paging, **extra}


def edge(*cut: Sequence[Any]) -> Callable[[Params], Page]:
    """A fake edge: the cursor of a page is its number, and the last page has one too."""

    def fetch(params: Params) -> Page:
        number = int(params.get("after", 0))
        return Page.from_json(body(*cut[number], after=str(number + 1), more=number + 1 < len(cut)))

    return fetch


def scripted(*pages: Page) -> tuple[Callable[[Params], Page], list[Params]]:
    """The pages one after the other, the last for ever; and what each was asked with."""
    asked: list[Params] = []

    def fetch(params: Params) -> Page:
        asked.append(params)
        return pages[min(len(asked), len(pages)) - 1]

    return fetch, asked


def rows_of(pages: Iterable[Page]) -> list[Any]:
    return [row for page in pages for row in page.data]


def page(*rows: Any, after: str | None) -> Page:
    return Page(list(rows), after)


@given(cut=CUTS)
def test_every_row_comes_once_and_in_order_however_the_edge_is_cut(cut: list[list[int]]) -> None:
    rows = rows_of(walk(edge(*cut), {}))

    assert rows == [row for part in cut for row in part]


@given(cut=CUTS, max_pages=st.integers(0, 40))
def test_at_most_so_many_pages_are_asked_for(cut: list[list[int]], max_pages: int) -> None:
    fetched: list[Params] = []

    def fetch(params: Params) -> Page:
        fetched.append(params)
        return edge(*cut)(params)

    walked = list(walk(fetch, {}, max_pages=max_pages))

    assert len(walked) == len(fetched) == min(len(cut), max_pages)


def test_an_empty_page_with_a_next_link_does_not_end_the_edge() -> None:
    fetch, _ = scripted(page("a", after="1"), page(after="2"), page("b", after=None))

    assert rows_of(walk(fetch, {})) == ["a", "b"]


def test_a_page_is_fetched_only_when_it_is_asked_for() -> None:
    fetch, asked = scripted(page("a", after="1"), page("b", after="2"), page("c", after=None))

    pages = walk(fetch, {})
    calls = [len(asked), *(len(asked) for _ in pages)]

    assert calls == [0, 1, 2, 3]


def test_a_follow_up_page_is_asked_with_the_same_parameters_and_the_cursor() -> None:
    fetch, asked = scripted(page(after="1"), page(after="2"), page(after=None))
    params = {"fields": "id", "limit": 2}

    list(walk(fetch, params))

    assert asked == [params, {**params, "after": "1"}, {**params, "after": "2"}]


def test_a_cursor_that_repeats_at_once_is_an_error() -> None:
    fetch, asked = scripted(page("a", after="1"))

    with pytest.raises(CursorStuckError, match="'1'"):
        list(walk(fetch, {}))

    assert len(asked) == 2


def test_a_cycle_of_cursors_is_an_error() -> None:
    fetch, _ = scripted(*(page(n, after=cursor) for n, cursor in enumerate("abcab")))
    walked: list[Any] = []

    with pytest.raises(CursorStuckError, match="'a'"):
        walked.extend(row for p in walk(fetch, {}) for row in p.data)

    assert walked == [0, 1, 2]


def test_empty_pages_without_end_are_an_error() -> None:
    asked = []

    def fetch(params: Params) -> Page:
        asked.append(params)
        return page(after=str(len(asked)))

    with pytest.raises(CursorStuckError, match="empty pages"):
        list(walk(fetch, {}))

    assert len(asked) == MAX_EMPTY_PAGES + 1


def test_as_many_empty_pages_as_allowed_are_walked_through() -> None:
    empty: list[list[int]] = [[]] * MAX_EMPTY_PAGES

    assert rows_of(walk(edge(*empty, [1], *empty, [2]), {})) == [1, 2]


def test_an_edge_that_ends_after_many_empty_pages_has_ended() -> None:
    empty: list[list[int]] = [[]] * (MAX_EMPTY_PAGES + 1)

    assert rows_of(walk(edge([1], *empty), {})) == [1]


def test_the_last_page_has_a_cursor_and_still_is_the_last() -> None:
    assert Page.from_json(body("a", after="B", more=False)).after is None


def test_with_one_row_a_page_before_and_after_are_the_same_and_that_is_no_standstill() -> None:
    pages = [
        {"data": [n], "paging": {"cursors": {"before": n, "after": n}, "next": NEXT}} for n in "ab"
    ]
    fetch, _ = scripted(*map(Page.from_json, pages), page(after=None))

    assert rows_of(walk(fetch, {})) == ["a", "b"]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        {"data": [], "paging": None},
        {"data": [], "paging": {}},
        {"data": [], "paging": []},  # how PHP writes an empty object
        {"data": [], "paging": {"cursors": {"before": "A", "after": "B"}}},
        {"data": [], "paging": {"cursors": None, "next": None}},
        {"data": [], "paging": {"cursors": {"after": "B"}, "next": None}},
        {"data": [], "paging": {"previous": NEXT, "cursors": {"after": "B"}}},
    ],
)
def test_only_a_next_link_says_that_there_is_more(answer: Mapping[str, Any]) -> None:
    assert Page.from_json(answer).after is None


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id": "1"},
        {"success": True},
        {"data": None},
        {"data": "text"},
        {"data": 3},
        {"data": [], "paging": "next"},
        {"data": [], "paging": ["next"]},
        {"data": [], "paging": 3},
        {"data": [], "paging": {"next": ASTRAY}},
        {"data": [], "paging": {"next": ASTRAY, "cursors": None}},
        {"data": [], "paging": {"next": ASTRAY, "cursors": []}},
        {"data": [], "paging": {"next": ASTRAY, "cursors": {}}},
        {"data": [], "paging": {"next": ASTRAY, "cursors": {"after": None}}},
        {"data": [], "paging": {"next": ASTRAY, "cursors": {"after": ""}}},
        {"data": [], "paging": {"next": ASTRAY, "cursors": {"after": 5}}},
        [],
        [{"data": []}],
    ],
)
def test_a_broken_page_is_asked_for_again_and_never_ends_an_edge(answer: Any) -> None:
    with pytest.raises(RetryableError):
        Page.from_json(answer)


@pytest.mark.parametrize("paging", [{}, {"cursors": {}}, {"cursors": {"before": "A"}}])
def test_a_cursor_that_only_the_next_link_has_is_taken_from_there(paging: dict[str, Any]) -> None:
    page = Page.from_json({"data": [], "paging": {**paging, "next": NEXT}})

    assert page.after == "A"


def test_data_that_is_an_object_is_one_row() -> None:
    assert Page.from_json({"data": {"users": 12}}).data == [{"users": 12}]


@pytest.mark.parametrize("count", [0, 1, 5012, 4_294_967_295])
def test_the_total_count_is_what_the_edge_says(count: int) -> None:
    assert Page.from_json(body(summary={"total_count": count})).total_count == count


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"summary": None},
        {"summary": {}},
        {"summary": []},
        {"summary": "total_count"},
        {"summary": {"total_count": None}},
        {"summary": {"total_count": "many"}},
        {"summary": {"total_count": True}},
        {"summary": {"impressions": "48210", "spend": "391.07"}},  # of insights: metrics
    ],
)
def test_an_edge_that_does_not_count_is_an_error_that_explains(extra: Mapping[str, Any]) -> None:
    found = Page.from_json(body(**extra))

    with pytest.raises(TotalCountError, match=r"total_count=True.*insights"):
        _ = found.total_count


def test_the_bytes_of_a_page_stay_out_of_its_text() -> None:
    found = Page.from_json(body("a"), b'{"next":"https://x/?access_token=hidden"}')

    assert ("access_token" in repr(found), "access_token" in str(found)) == (False, False)


def test_a_page_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        page("a", after=None).after = "b"  # type: ignore[misc]  # that is the point


#: Values of rows as Graph sends them, and texts that look like the end of a page.
TEXTS = st.text(max_size=6) | st.sampled_from(
    ['],"paging":{', '"data":[', '{"data":[{', "]}", '\\"', "}],", "Größe 東京"]
)
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
NEXTS = st.none() | st.just(NEXT)
PAGINGS = st.builds(
    lambda cursors, link: {"cursors": cursors} | ({"next": link} if link else {}),
    st.fixed_dictionaries({"before": st.just("A"), "after": st.sampled_from("ABC")}),
    NEXTS,
)
#: An edge inside of a row, as ``fields=name,ads{id}`` brings it.
EDGES = st.builds(
    lambda rows, paging: {"data": rows, "paging": paging},
    st.lists(st.dictionaries(st.sampled_from(["id", "name"]), SCALARS, max_size=2), max_size=2),
    PAGINGS,
)
LISTS = st.lists(st.dictionaries(st.sampled_from(["action_type", "value"]), SCALARS), max_size=2)
ROWS = st.dictionaries(
    st.sampled_from(["id", "campaign_id", "name", "ads", "actions"]),
    SCALARS | LISTS | EDGES,
    max_size=4,
)
PAGES = st.builds(
    lambda found, order: {key: found[key] for key in order if key in found},
    st.fixed_dictionaries(
        {"data": st.lists(ROWS, max_size=3)},
        optional={
            "paging": PAGINGS | st.none(),
            "summary": st.fixed_dictionaries({"total_count": st.integers(0, 9)}),
        },
    ),
    st.permutations(["data", "paging", "summary"]) | st.just(["data", "paging", "summary"]),
)
#: How a page may be written: as Graph does, as Python does, pretty, and with what is no ASCII.
WRITERS = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"separators": (",", ":"), "ensure_ascii": False},
        {},
        {"indent": 2},
        {"separators": (" ,", ": ")},
    ]
)


def page_or_error(body: bytes, *, unread: bool, status: int = 200) -> object:
    """What a page says, its rows read; or the class of the error."""
    try:
        page = Page.from_response(Response(status, body), unread=unread)
        return list(page.data), bool(page.data), page.after, page.summary, page.body
    except GraphError as error:
        return type(error)


@given(page=PAGES, how=WRITERS)
def test_an_unread_page_says_what_the_same_page_says_when_it_is_read(page: Any, how: Any) -> None:
    body = json.dumps(page, **how).encode("utf-8", "surrogatepass")

    assert page_or_error(body, unread=True) == page_or_error(body, unread=False)


@given(page=PAGES, how=WRITERS)
def test_a_page_that_was_cut_anywhere_is_never_taken_for_a_page(page: Any, how: Any) -> None:
    body = json.dumps(page, **how).encode("utf-8", "surrogatepass")

    taken = [
        body[:cut]
        for cut in range(len(body))
        for unread in (True, False)
        if page_or_error(body[:cut], unread=unread) is not RetryableError
    ]

    assert taken == []


def test_rows_that_are_not_read_are_not_decoded_until_somebody_looks() -> None:
    written = b'{"data":[{"id":1},{"id":2}],"paging":{"cursors":{"after":"B"},"next":"https://x"}}'
    page = Page.from_response(Response(200, written), unread=True)

    assert (page.after, page.body, bool(page.data)) == ("B", written, True)
    assert (len(page.data), page.data[0], page.data[-1:]) == (2, {"id": "1"}, [{"id": "2"}])
    assert list(page.data) == [{"id": "1"}, {"id": "2"}]


def test_rows_that_nobody_looks_at_cost_nothing() -> None:
    odd = b'{"data":[{no JSON at all}],"paging":{"cursors":{"after":"B"}}}'

    assert Page.from_response(Response(200, odd), unread=True).after is None


@pytest.mark.parametrize(
    "written",
    [
        b'{"data":[{"id":"1"}],"paging":{},"error":{"code":190,"message":"No"}}',
        b'{"data":[{"id":"1"}],"paging":{}',
        b'{"data":[{"id":"1"}],"paging":{' + b"[" * 100_000,
        b'{"data":[{"ads":{"data":[{"id":"2"}],"paging":{"cursors":{"after":"X"}}}',
    ],
)
def test_what_stands_beside_the_rows_is_read_even_when_they_are_not(written: bytes) -> None:
    with pytest.raises(GraphError):
        Page.from_response(Response(200, written), unread=True)


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_page_with_a_bad_status_is_none(status: int) -> None:
    written = b'{"data":[{"id":"1"}],"paging":{"cursors":{"after":"B"}}}'

    kinds = [page_or_error(written, unread=unread, status=status) for unread in (True, False)]

    assert kinds[0] == kinds[1] in (RequestError, RetryableError)


@given(cut=CUTS, unread=st.booleans())
def test_an_edge_is_walked_alike_whether_its_rows_are_read_or_not(
    cut: list[list[int]], *, unread: bool
) -> None:
    def fetch(params: Params) -> Page:
        number = int(params.get("after", 0))
        rows = [{"n": n} for n in cut[number]]
        answer = body(*rows, after=str(number + 1), more=number + 1 < len(cut))
        written = json.dumps(answer, separators=(",", ":")).encode()
        return Page.from_response(Response(200, written), unread=unread)

    rows = rows_of(walk(fetch, {}))

    assert rows == [{"n": n} for part in cut for n in part]
